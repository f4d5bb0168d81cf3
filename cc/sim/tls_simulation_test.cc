#include <cstdint>
#include <tuple>

#include "absl/log/globals.h"
#include "cc/sim/real_tls.h"
#include "cc/sim/simulation.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

const int quiet = [] {
  absl::SetMinLogLevel(absl::LogSeverityAtLeast::kFatal);
  return 0;
}();

class TlsInvariants : public testing::TestWithParam<std::tuple<FreezeScenario, IdleClose, int, TlsVersion>> {
};

TEST_P(TlsInvariants, HoldUnderFaults) {
  const auto [scenario, close, max_idle, version] = GetParam();
  for (const double fault_rate : {0.0, 0.3}) {
    for (uint64_t seed = 1; seed <= 3; ++seed) {
      SimulationOptions options;
      options.seed = seed;
      options.cycles = 300;
      options.scenario = scenario;
      options.intake.idle_close = close;
      options.intake.fault_rate = fault_rate;
      options.client.max_idle_per_host = max_idle;
      options.random_clocks = true;
      options.tls = RealTls(version);
      const SimulationResult result = Simulate(options);
      ASSERT_TRUE(result.broken.ok()) << result.broken << ", fault rate " << fault_rate;
      const ConnectionCounters& connections = result.counters.connection;
      EXPECT_GT(connections.tls_full, 0);
      EXPECT_GT(connections.tls_resumed, 0);
      EXPECT_EQ(connections.tls_full + connections.tls_resumed, connections.opened);
      if (fault_rate > 0) {
        EXPECT_GT(result.faults_met, 0);
      }
      if (fault_rate == 0 && scenario == FreezeScenario::kIdle) {
        EXPECT_EQ(result.delivered, result.payloads);
        EXPECT_EQ(result.duplicated + result.lost + result.dropped + result.errors, 0);
        EXPECT_EQ(connections.dial_failed, 0);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, TlsInvariants,
    testing::Combine(testing::Values(FreezeScenario::kIdle, FreezeScenario::kInFlight),
                     testing::Values(IdleClose::kFin, IdleClose::kRst, IdleClose::kSilent),
                     testing::Values(0, 4), testing::Values(TlsVersion::kTls12, TlsVersion::kTls13)));

}  // namespace
}  // namespace thaw
