#include "cc/extension/invocation_bridge.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "cc/extension/pipelines_fixture.h"
#include "cc/lambda/invocation/invocation_store.h"
#include "cc/telemetry/telemetry_records.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

class InvocationBridgeTest : public PipelinesFixture {
 protected:
  void MakeBridge(bool invoke_events = true) {
    Make();
    intake_ = std::make_unique<TraceIntake>(TraceProcessorOptions(), std::nullopt, executor_, clock_,
                                            assembler_, *pipelines_);
    bridge_ = std::make_unique<InvocationBridge>(clock_, invoke_events, assembler_, *intake_, *pipelines_);
    tracker_ = std::make_unique<InvocationTracker>(clock_, InvocationTrackerOptions(), store_, *bridge_);
  }
  void Invoke(const std::string& id) {
    InvokeEvent event;
    event.request_id = id;
    event.deadline = clock_.Now().wall + absl::Seconds(3);
    tracker_->OnInvoke(event);
    bridge_->OnInvoke(id, tracker_->Find(id));
  }
  // Makes the tracer's calls at the start and at the end of a handler.
  void Calls(const std::string& id) {
    assembler_.OnStartCall(id, [](InvocationRecord&) {});
    assembler_.OnEndCall(id, [](InvocationRecord& record) { record.end.emplace().trace_id = 9; });
  }
  void Start(const std::string& id) { tracker_->OnTelemetry({began_, PlatformStart{.request_id = id}}); }
  void Done(const std::string& id) {
    tracker_->OnTelemetry(
        {began_ + absl::Milliseconds(7),
         PlatformRuntimeDone{
             .request_id = id, .status = TelemetryStatus::kSuccess, .duration = absl::Milliseconds(7)}});
  }
  void Report(const std::string& id) {
    tracker_->OnTelemetry({began_ + absl::Milliseconds(8), PlatformReport{.request_id = id}});
  }
  int64_t kept() {
    intake_->TakeOwnTraces();
    return pipelines_->traces().kept_payloads();
  }

  const absl::Time began_ = clock_.Now().wall;
  uint64_t last_id_ = 1000;
  InvocationStore store_{{}};
  InvocationAssembler assembler_{{}, store_, clock_, [this] { return ++last_id_; }};
  std::unique_ptr<TraceIntake> intake_;
  std::unique_ptr<InvocationBridge> bridge_;
  std::unique_ptr<InvocationTracker> tracker_;
};

TEST_F(InvocationBridgeTest, RecordsAfterInvokeEndTheInvocationOnce) {
  MakeBridge();
  Invoke("r1");
  Start("r1");
  Calls("r1");
  EXPECT_EQ(kept(), 0);
  for (int i = 0; i < 2; ++i) {
    Done("r1");
    Report("r1");
  }
  EXPECT_EQ(kept(), 1);
  EXPECT_EQ(assembler_.counts().finished, 1);
}

TEST_F(InvocationBridgeTest, RecordsBeforeInvokeEndTheInvocationOnceItIsKnown) {
  for (const bool calls_first : {false, true}) {
    const std::string id = calls_first ? "r1" : "r2";
    const int64_t before = assembler_.counts().finished;
    MakeBridge();
    if (calls_first) Calls(id);
    Start(id);
    Done(id);
    Report(id);
    if (!calls_first) Calls(id);
    EXPECT_EQ(kept(), 0) << "the invocation has not come yet";
    Invoke(id);
    EXPECT_EQ(kept(), 1);
    EXPECT_EQ(assembler_.counts().finished, before + 1);
    // Records whose delivery is retried add nothing.
    Done(id);
    Report(id);
    EXPECT_EQ(kept(), 1);
    EXPECT_EQ(assembler_.counts().finished, before + 1);
    EXPECT_EQ(assembler_.unfinished(), 0);
  }
}

TEST_F(InvocationBridgeTest, TheStartBeforeInvokeDoesNotEndTheInvocation) {
  MakeBridge();
  Start("r1");
  Invoke("r1");
  Calls("r1");
  EXPECT_EQ(kept(), 0);
  Done("r1");
  EXPECT_EQ(kept(), 1);
}

TEST_F(InvocationBridgeTest, WithoutInvokeEventsTheFirstRecordBeginsTheInvocation) {
  MakeBridge(/*invoke_events=*/false);
  Start("r1");
  Calls("r1");
  EXPECT_EQ(kept(), 0);
  Done("r1");
  EXPECT_EQ(kept(), 1);
}

TEST_F(InvocationBridgeTest, AnInvocationThatAnotherOneFollowsEndsWithoutRecords) {
  MakeBridge();
  tracker_->set_telemetry(false);
  Invoke("r1");
  Calls("r1");
  EXPECT_EQ(kept(), 0);
  Invoke("r2");
  EXPECT_EQ(kept(), 1);
}

TEST_F(InvocationBridgeTest, TheEnvironmentsStartBecomesASpanOfTheFirstTrace) {
  MakeBridge();
  tracker_->OnTelemetry({began_ - absl::Seconds(1), PlatformInitStart{}});
  tracker_->OnTelemetry({began_, PlatformInitReport{.duration = absl::Seconds(1)}});
  Invoke("r1");
  Calls("r1");
  Done("r1");
  EXPECT_EQ(assembler_.counts().environment_starts, 1);
  EXPECT_EQ(kept(), 2);
  EXPECT_EQ(intake_->counts().own_traces_lost, 0);
}

}  // namespace
}  // namespace thaw
