// A fixture for the tests of TraceFlusher and StatsFlusher: a flusher over a FakeClient that accepts
// everything, and a function that runs one flush to its end.
//
//   using TraceFlusherTest = PayloadFlusherFixture<TraceEncoding>;
//   TEST_F(TraceFlusherTest, DeliversAPayload) {
//     Make();
//     Add(payload);
//     EXPECT_EQ(RunFlush().delivered, 1);
//   }

#ifndef THAW_CC_FLUSH_PAYLOAD_FLUSHER_FIXTURE_H_
#define THAW_CC_FLUSH_PAYLOAD_FLUSHER_FIXTURE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cc/base/cancellation.h"
#include "cc/base/manual_executor.h"
#include "cc/base/task.h"
#include "cc/clock/fake_clock.h"
#include "cc/flush/api_key_source.h"
#include "cc/flush/endpoint.h"
#include "cc/flush/fake_client.h"
#include "cc/flush/flush_report.h"
#include "cc/flush/flusher_options.h"
#include "cc/flush/payload_flusher.h"
#include "cc/flush/peers_options.h"
#include "cc/flush/scarce_memory.h"
#include "cc/flush/shared_resources.h"
#include "gtest/gtest.h"

namespace thaw {

template <typename Encoding>
class PayloadFlusherFixture : public testing::Test {
 protected:
  // Makes the flusher with the pipeline's defaults, except that only a flush encodes.
  void Make() {
    FlusherOptions options = DefaultFlusherOptions(Encoding::kPipeline);
    options.encode_above_bytes = 0;
    Make(std::move(options));
  }
  void Make(FlusherOptions options, std::optional<PeersOptions> peers = std::nullopt,
            const LimitOptions& limits = LimitOptions()) {
    std::vector<Endpoint> endpoints;
    endpoints.push_back(*MakeEndpoint("https://intake.example", Encoding::kPipeline.path,
                                      std::make_shared<LiteralApiKey>("key")));
    flusher_ = std::make_unique<PayloadFlusher<Encoding>>(executor_, clock_, client_, std::move(options),
                                                          std::move(endpoints), limits, peers);
    client_.set_otherwise([](const FakeClient::Sent&) { return FakeClient::Scripted{.result = Accepted()}; });
  }

  void Add(typename Encoding::Payload payload) {
    const absl::Status added = flusher_->Add(std::move(payload)).status();
    EXPECT_TRUE(added.ok()) << added;
  }

  FlushReport RunFlush() {
    std::optional<FlushReport> report;
    Cancellation cancellation;
    Spawn<FlushReport>(executor_, flusher_->Flush(absl::Seconds(10), cancellation),
                       [&report](FlushReport got) { report = std::move(got); });
    for (int step = 0; !report.has_value() && step < 100'000; ++step)
      if (!executor_.Step()) clock_.Advance(clock_.UntilNextAlarm().value_or(absl::Seconds(1)));
    EXPECT_TRUE(report.has_value());
    const absl::Status invariant = flusher_->pipeline().CheckInvariantByWalking();
    EXPECT_TRUE(invariant.ok()) << invariant;
    return *std::move(report);
  }

  // Flushes payloads of several megabytes while there is no memory to encode them, and then with memory.
  void ExpectThatNoMemoryLosesNothing(std::vector<typename Encoding::Payload> payloads) {
    if (!kMemoryIsLimited) GTEST_SKIP() << "the process's memory can't be limited";
    Make();
    const int64_t count = static_cast<int64_t>(payloads.size());
    for (typename Encoding::Payload& payload : payloads) Add(std::move(payload));
    {
      const ScarceMemory scarce(size_t{1} << 20);
      EXPECT_EQ(RunFlush().delivered, 0);
    }
    EXPECT_EQ(flusher_->kept_payloads(), count);
    EXPECT_EQ(RunFlush().delivered, count);
    EXPECT_EQ(flusher_->pipeline().dropped().total(), 0);
  }

  ManualExecutor executor_;
  FakeClock clock_{executor_};
  FakeClient client_{executor_, clock_};
  std::unique_ptr<PayloadFlusher<Encoding>> flusher_;
};

}  // namespace thaw

#endif  // THAW_CC_FLUSH_PAYLOAD_FLUSHER_FIXTURE_H_
