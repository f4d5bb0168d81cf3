// Pipelines over a network without a peer: data handed over stays, and can be looked at.

#ifndef THAW_CC_EXTENSION_PIPELINES_FIXTURE_H_
#define THAW_CC_EXTENSION_PIPELINES_FIXTURE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cc/base/cancellation.h"
#include "cc/base/manual_executor.h"
#include "cc/base/task.h"
#include "cc/clock/fake_clock.h"
#include "cc/config/config.h"
#include "cc/config/environment.h"
#include "cc/extension/pipelines.h"
#include "cc/net/network.h"
#include "cc/net/transport.h"
#include "gtest/gtest.h"

namespace thaw {

class DeadNetwork : public Network {
 public:
  Task<absl::StatusOr<ResolvedName>> Lookup(std::string, LookupPatience, Cancellation&) override {
    co_return absl::UnavailableError("nobody answers");
  }
  Task<absl::StatusOr<std::unique_ptr<Transport>>> Connect(IpAddress, uint16_t, ConnectOptions,
                                                           Cancellation&) override {
    co_return absl::UnavailableError("nobody answers");
  }
};

class PipelinesFixture : public testing::Test {
 protected:
  void Make(Environment::Variables variables = {}) {
    variables.emplace("DD_API_KEY", "0123456789abcdef");
    config_ = LoadConfig(Environment(std::move(variables)), "");
    ASSERT_TRUE(config_.warnings.empty()) << config_.warnings[0].text;
    absl::StatusOr<std::unique_ptr<Pipelines>> made =
        Pipelines::Make(executor_, clock_, network_, config_, [] { return 0.5; }, warnings_);
    ASSERT_TRUE(made.ok()) << made.status();
    pipelines_ = *std::move(made);
  }

  ManualExecutor executor_;
  FakeClock clock_{executor_};
  DeadNetwork network_;
  Config config_;
  std::vector<std::string> warnings_;
  std::unique_ptr<Pipelines> pipelines_;
};

}  // namespace thaw

#endif  // THAW_CC_EXTENSION_PIPELINES_FIXTURE_H_
