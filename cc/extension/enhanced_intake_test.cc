#include "cc/extension/enhanced_intake.h"

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cc/base/manual_executor.h"
#include "cc/clock/fake_clock.h"
#include "cc/lambda/invocation/invocation_assembler.h"
#include "cc/lambda/invocation/invocation_observers.h"
#include "cc/lambda/invocation/invocation_store.h"
#include "cc/metrics/fake_proc_reader.h"
#include "cc/telemetry/telemetry_records.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

class RecordingSink : public MetricSink {
 public:
  void Add(const MetricSample& sample) override {
    std::string name(sample.name.substr(std::string_view("aws.lambda.enhanced.").size()));
    tags[name] = absl::StrJoin(sample.tags, ",");
    samples.emplace(std::move(name), sample.values[0]);
  }
  std::multimap<std::string, double> samples;
  std::map<std::string, std::string> tags;
};

class EnhancedIntakeTest : public ::testing::Test {
 protected:
  EnhancedIntakeTest() {
    proc_.processes = {{1, {.files = 3, .threads = 2}}};
    proc_.SetNetwork(0, 0);
    Make({});
  }
  void Make(EnhancedIntakeOptions options) {
    tracker_.reset();
    observers_ = std::make_unique<InvocationObservers>();
    enhanced_ = std::make_unique<EnhancedIntake>(
        std::move(options), clock_, proc_, sink_,
        [this](std::string_view request_id) { return tracker_->TracerSaysFailed(request_id); });
    observers_->Add(*enhanced_);
    tracker_ = std::make_unique<InvocationTracker>(clock_, InvocationTrackerOptions(), store_, *observers_);
  }
  void Invoke(const std::string& id) {
    tracker_->OnInvoke({.deadline = clock_.Now().wall + absl::Seconds(60), .request_id = id});
    enhanced_->OnInvoke(id, tracker_->Find(id));
  }
  void Done(const std::string& id, absl::Duration ago = absl::Milliseconds(20)) {
    tracker_->OnTelemetry({clock_.Now().wall - ago, PlatformRuntimeDone{.request_id = id,
                                                                        .status = TelemetryStatus::kSuccess,
                                                                        .duration = absl::Milliseconds(7)}});
  }
  void Report(const std::string& id) {
    tracker_->OnTelemetry({clock_.Now().wall, PlatformReport{.request_id = id,
                                                             .status = TelemetryStatus::kSuccess,
                                                             .duration = absl::Milliseconds(8)}});
  }
  void Pass(absl::Duration time) {
    clock_.Advance(time);
    executor_.RunAll();
  }
  int64_t Count(const std::string& name) { return static_cast<int64_t>(sink_.samples.count(name)); }
  double Value(const std::string& name) {
    const auto found = sink_.samples.find(name);
    return found == sink_.samples.end() ? -1 : found->second;
  }

  ManualExecutor executor_;
  FakeClock clock_{executor_};
  FakeProcReader proc_;
  RecordingSink sink_;
  InvocationStore store_{{}};
  uint64_t last_id_ = 1;
  InvocationAssembler assembler_{{}, store_, clock_, [this] { return ++last_id_; }};
  std::unique_ptr<InvocationObservers> observers_;
  std::unique_ptr<EnhancedIntake> enhanced_;
  std::unique_ptr<InvocationTracker> tracker_;
};

TEST_F(EnhancedIntakeTest, FiguresAreThoseBetweenInvokeAndTheEndAndNotOfTheFlush) {
  Invoke("a");
  proc_.SetNetwork(100, 50);
  Done("a");
  proc_.SetNetwork(100'000, 90'000);
  Report("a");
  EXPECT_EQ(Value("rx_bytes"), 100);
  EXPECT_EQ(Value("tx_bytes"), 50);
  EXPECT_EQ(Count("total_network"), 1);
  EXPECT_EQ(Value("fd_use"), 3);
}

TEST_F(EnhancedIntakeTest, NothingIsReadAfterAFreeze) {
  Invoke("a");
  enhanced_->OnQuiesce();
  clock_.Freeze(absl::Minutes(5));
  proc_.SetNetwork(100'000, 90'000);
  const int reads = proc_.reads;
  const int walks = proc_.walks;
  Done("a", absl::Minutes(4));
  executor_.RunAll();
  EXPECT_EQ(proc_.reads, reads);
  EXPECT_EQ(proc_.walks, walks);
  EXPECT_EQ(Count("rx_bytes"), 0);
  EXPECT_EQ(Count("runtime_duration"), 1);
  EXPECT_EQ(Value("fd_use"), 3) << "as it was counted within the invocation";
}

TEST_F(EnhancedIntakeTest, WhereNextIsNotHeldBackAFreshRecordHasFigures) {
  Invoke("a");
  enhanced_->OnQuiesce();
  proc_.SetNetwork(10, 0);
  Done("a");
  EXPECT_EQ(Value("rx_bytes"), 10);
}

TEST_F(EnhancedIntakeTest, ARecordThatComesInTheNextInvocationTakesNoFiguresOfIt) {
  Invoke("a");
  enhanced_->OnQuiesce();
  clock_.Freeze(absl::Minutes(5));
  Invoke("b");
  proc_.SetNetwork(10, 0);
  Done("a", absl::Minutes(4));
  EXPECT_EQ(Count("rx_bytes"), 0);
  Done("b");
  EXPECT_EQ(Value("rx_bytes"), 10);
}

TEST_F(EnhancedIntakeTest, PeaksAreCountedAFewTimesASecond) {
  Invoke("a");
  EXPECT_EQ(proc_.walks, 1);
  for (int i = 0; i < 100; ++i) Pass(absl::Milliseconds(100));
  EXPECT_LE(proc_.walks, 1 + 40);
  EXPECT_GE(proc_.walks, 30);
  Done("a");
  const int walks = proc_.walks;
  for (int i = 0; i < 100; ++i) Pass(absl::Milliseconds(100));
  EXPECT_EQ(proc_.walks, walks) << "nothing is counted outside of invocations";
}

TEST_F(EnhancedIntakeTest, CountingTakesAThousandthOfTheTime) {
  proc_.on_walk = [this] { clock_.Advance(absl::Milliseconds(2)); };
  Invoke("a");
  for (int i = 0; i < 300; ++i) Pass(absl::Milliseconds(100));
  EXPECT_LE(proc_.walks, 1 + 15);
  EXPECT_GE(proc_.walks, 10);
}

TEST_F(EnhancedIntakeTest, AnAlarmThatCrossedAFreezeCountsNothing) {
  Invoke("a");
  enhanced_->OnQuiesce();
  const int walks = proc_.walks;
  clock_.Freeze(absl::Minutes(5));
  for (int i = 0; i < 20; ++i) Pass(absl::Milliseconds(100));
  EXPECT_EQ(proc_.walks, walks);
}

TEST_F(EnhancedIntakeTest, WithoutTheSwitchNothingOfProcIsRead) {
  Make({.proc = false});
  Invoke("a");
  Pass(absl::Seconds(1));
  Done("a");
  Report("a");
  EXPECT_EQ(proc_.reads, 0);
  EXPECT_EQ(proc_.walks, 0);
  EXPECT_EQ(Count("fd_max"), 0);
  EXPECT_EQ(Count("duration"), 1);
}

TEST_F(EnhancedIntakeTest, TheTracersCallTellsOfAnError) {
  Invoke("a");
  assembler_.OnInvoke("a", {});
  assembler_.OnEndCall("a", [](InvocationRecord& record) { record.end.emplace().is_error = true; });
  Done("a");
  Report("a");
  EXPECT_EQ(Count("errors"), 1);
}

TEST_F(EnhancedIntakeTest, AnEndThatTheShutdownTellsOfCountsOnce) {
  Invoke("a");
  proc_.SetNetwork(10, 0);
  tracker_->OnShutdown({.deadline = clock_.Now().wall, .reason = ShutdownReason::kTimeout});
  tracker_->ConcludeAll();
  enhanced_->OnShutdown();
  enhanced_->OnShutdown();
  EXPECT_EQ(Count("timeouts"), 1);
  EXPECT_EQ(Count("errors"), 1);
  EXPECT_EQ(Count("shutdowns"), 1);
  EXPECT_EQ(Count("unused_init"), 0);
  EXPECT_EQ(Value("rx_bytes"), 10);
}

TEST_F(EnhancedIntakeTest, RecordsOfTheStartGiveTagsAndDurations) {
  Invoke("a");
  tracker_->OnTelemetry({clock_.Now().wall, PlatformInitStart{.initialization_type = "on-demand",
                                                              .runtime_version = "python:3.13.v22"}});
  EXPECT_EQ(sink_.tags["invocations"], "cold_start:true,init_type:on-demand");
  tracker_->OnTelemetry({clock_.Now().wall, PlatformInitReport{.duration = absl::Milliseconds(250)}});
  EXPECT_EQ(Value("init_duration"), 0.25);
  tracker_->OnTelemetry({clock_.Now().wall, PlatformRestoreReport{.duration = absl::Milliseconds(50)}});
  EXPECT_EQ(Value("snapstart_restore_duration"), 0.05);
}

TEST_F(EnhancedIntakeTest, ManagedInstancesTellPeaksAtTheShutdown) {
  Make({.metrics = {.managed = true}});
  for (const char* id : {"a", "b"})
    tracker_->OnTelemetry({clock_.Now().wall, PlatformStart{.request_id = id}});
  proc_.SetNetwork(10, 0);
  Report("a");
  EXPECT_EQ(Value("rx_bytes"), 10);
  EXPECT_EQ(Count("fd_use"), 0);
  Report("b");
  Pass(absl::Seconds(1));
  enhanced_->OnShutdown();
  EXPECT_EQ(Value("fd_use"), 3);
}

TEST_F(EnhancedIntakeTest, AThousandInvocationsEachHaveTheirFiguresOnce) {
  for (int i = 0; i < 1000; ++i) {
    const std::string id = absl::StrCat("r", i);
    Invoke(id);
    Done(id);
    enhanced_->OnQuiesce();
    clock_.Freeze(absl::Seconds(30));
    Report(id);
  }
  for (const char* name :
       {"invocations", "runtime_duration", "duration", "post_runtime_duration", "rx_bytes", "fd_use"})
    EXPECT_EQ(Count(name), 1000) << name;
}

}  // namespace
}  // namespace thaw
