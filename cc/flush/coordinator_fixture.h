// A test fixture: a coordinator with pipelines over a FakeClient, and time that passes as under Lambda.
//
// There are three pipelines and two hosts: traces and stats share one, logs have their own.

#ifndef THAW_CC_FLUSH_COORDINATOR_FIXTURE_H_
#define THAW_CC_FLUSH_COORDINATOR_FIXTURE_H_

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "cc/base/manual_executor.h"
#include "cc/base/task.h"
#include "cc/clock/fake_clock.h"
#include "cc/flush/fake_client.h"
#include "cc/flush/flush_coordinator.h"
#include "cc/flush/pipeline_flusher.h"
#include "cc/flush/pipeline_table.h"
#include "gtest/gtest.h"

namespace thaw {

class CoordinatorFixture : public testing::Test {
 protected:
  void Make(std::string_view strategy, size_t outbox_bytes = size_t{32} << 20) {
    shared_ = MakeSharedResources(executor_, clock_, {.outbox_bytes = outbox_bytes});
    coordinator_ = std::make_unique<FlushCoordinator>(
        executor_, clock_,
        FlushSchedule(ParseFlushStrategy(strategy).value(), absl::Seconds(30), clock_.Now()), shared_,
        CoordinatorOptions());
    coordinator_->AddClient("intake", client_);
    traces_ = MakePipeline(PipelineNamed("traces"), "https://traces.example");
    stats_ = MakePipeline(PipelineNamed("stats"), "https://traces.example");
    logs_ = MakePipeline(PipelineNamed("traces"), "https://logs.example");
    AnswerAll({.result = Accepted()});
  }
  std::unique_ptr<PipelineFlusher> MakePipeline(const PipelineSpec& spec, std::string_view url) {
    std::vector<Endpoint> endpoints;
    endpoints.push_back(*MakeEndpoint(url, spec.path, std::make_shared<LiteralApiKey>("key")));
    auto flusher = std::make_unique<PipelineFlusher>(executor_, clock_, client_, DefaultFlusherOptions(spec),
                                                     std::string(spec.name), std::move(endpoints), shared_);
    coordinator_->AddPipeline(*flusher);
    return flusher;
  }
  void AnswerAll(FakeClient::Scripted scripted) {
    client_.set_otherwise([scripted](const FakeClient::Sent&) { return scripted; });
  }
  // Gives a payload to a pipeline. Returns false if there is no room.
  bool Add(PipelineFlusher& pipeline) {
    EncodedRequest request;
    request.body = std::make_shared<const std::string>(100, '.');
    request.payloads = {next_id_++};
    return pipeline.Add(std::move(request)).ok();
  }

  // Lets time pass while the loop turns.
  void Pass(absl::Duration time) {
    while (time > absl::ZeroDuration()) {
      const absl::Duration step = std::min(time, absl::Milliseconds(10));
      clock_.Advance(step);
      executor_.RunAll();
      time -= step;
    }
  }
  // Ends the background flushes that a test has begun: each has its deadline.
  void TearDown() override {
    for (int step = 0; coordinator_ != nullptr && coordinator_->running() > 0; ++step) {
      ASSERT_LT(step, 100'000) << "a flush in the background never ends";
      if (!executor_.Step()) clock_.Advance(clock_.UntilNextAlarm().value_or(absl::Seconds(1)));
    }
    executor_.RunAll();
  }
  // Runs a flush to its end while time passes.
  FlushReport Run(Task<FlushReport> flush) {
    std::optional<FlushReport> report;
    Spawn<FlushReport>(executor_, std::move(flush), [&report](FlushReport got) { report = std::move(got); });
    for (int step = 0; !report.has_value(); ++step) {
      EXPECT_LT(step, 100'000) << "the flush never ends";
      if (step >= 100'000) std::abort();
      if (!executor_.Step()) clock_.Advance(clock_.UntilNextAlarm().value_or(absl::Seconds(1)));
    }
    return *std::move(report);
  }
  // Returns how long a flush took.
  absl::Duration Time(Task<FlushReport> flush) {
    const absl::Duration began = clock_.Now().monotonic;
    Run(std::move(flush));
    return clock_.Now().monotonic - began;
  }
  FlushDecision Begin(absl::Duration timeout = absl::Seconds(60)) {
    coordinator_->Resume();
    return coordinator_->BeginInvocation(clock_.Now().wall + timeout);
  }

  ManualExecutor executor_;
  FakeClock clock_{executor_};
  FakeClient client_{executor_, clock_};
  SharedResources shared_;
  std::unique_ptr<FlushCoordinator> coordinator_;
  std::unique_ptr<PipelineFlusher> traces_;
  std::unique_ptr<PipelineFlusher> stats_;
  std::unique_ptr<PipelineFlusher> logs_;
  PayloadId next_id_ = 1;
};

}  // namespace thaw

#endif  // THAW_CC_FLUSH_COORDINATOR_FIXTURE_H_
