#include "cc/lambda/invocation/invocation_tracker.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cc/base/manual_executor.h"
#include "cc/base/seeded_random.h"
#include "cc/clock/fake_clock.h"
#include "cc/lambda/invocation/invocation_assembler.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

// Records what the observer was told, as "started a", in order.
class Diary : public InvocationObserver {
 public:
  void InvocationStarted(const Invocation& invocation) override { Note("started", invocation); }
  void InvocationUpdated(const Invocation&) override { ++updates; }
  void InvocationEnded(const Invocation& invocation) override {
    Note("ended", invocation);
    outcomes.push_back(invocation.outcome());
  }
  void InvocationReported(const Invocation& invocation) override { Note("reported", invocation); }
  void InitializationChanged(const Initialization&) override { ++initialization_changes; }
  void RestoreChanged(const Restore&) override { ++restore_changes; }

  std::vector<std::string> lines;
  std::vector<InvocationOutcome> outcomes;
  int updates = 0;
  int initialization_changes = 0;
  int restore_changes = 0;

 private:
  void Note(std::string_view what, const Invocation& invocation) {
    lines.push_back(absl::StrCat(what, " ", invocation.request_id));
  }
};

using Lines = std::vector<std::string>;

class InvocationTrackerTest : public testing::Test {
 protected:
  void Make(InvocationTrackerOptions options) { Make(options, {}); }
  void Make(InvocationTrackerOptions options, InvocationStoreOptions bounds) {
    tracker_.reset();
    store_ = std::make_unique<InvocationStore>(bounds);
    tracker_ = std::make_unique<InvocationTracker>(clock_, options, *store_, diary_);
  }
  absl::Time After(absl::Duration duration) const { return begin_ + duration; }

  void Invoke(std::string id) {
    InvokeEvent event;
    event.request_id = std::move(id);
    event.deadline = clock_.Now().wall + absl::Seconds(3);
    tracker_->OnInvoke(std::move(event));
  }
  template <typename Record>
  void Give(absl::Duration after, Record record) {
    tracker_->OnTelemetry({After(after), std::move(record)});
  }
  void Start(const std::string& id, absl::Duration after = absl::ZeroDuration()) {
    Give(after, PlatformStart{.request_id = id});
  }
  void Done(const std::string& id, TelemetryStatus status = TelemetryStatus::kSuccess,
            absl::Duration after = absl::Milliseconds(20)) {
    Give(after, PlatformRuntimeDone{.request_id = id, .status = status, .duration = absl::Milliseconds(19)});
  }
  void Report(const std::string& id, TelemetryStatus status = TelemetryStatus::kSuccess,
              absl::Duration after = absl::Milliseconds(25)) {
    Give(after, PlatformReport{.request_id = id,
                               .status = status,
                               .duration = absl::Milliseconds(22),
                               .memory_size_megabytes = 128,
                               .max_memory_used_megabytes = 60});
  }
  const Invocation& Get(std::string_view id) const {
    const Invocation* invocation = tracker_->Find(id);
    EXPECT_NE(invocation, nullptr) << id;
    static const Invocation none;
    return invocation == nullptr ? none : *invocation;
  }
  const InvocationCounts& counts() const { return tracker_->counts(); }

  ManualExecutor executor_;
  FakeClock clock_{executor_};
  const absl::Time begin_ = clock_.Now().wall;
  Diary diary_;
  std::unique_ptr<InvocationStore> store_ = std::make_unique<InvocationStore>(InvocationStoreOptions());
  std::unique_ptr<InvocationTracker> tracker_ =
      std::make_unique<InvocationTracker>(clock_, InvocationTrackerOptions(), *store_, diary_);
};

TEST_F(InvocationTrackerTest, AnInvocationInTheUsualOrder) {
  Invoke("a");
  EXPECT_FALSE(tracker_->HasEnded("a"));
  Start("a", absl::Milliseconds(1));
  EXPECT_FALSE(tracker_->HasEnded("a"));
  Done("a");
  EXPECT_TRUE(tracker_->HasEnded("a"));
  clock_.Advance(absl::Milliseconds(24));
  tracker_->OnNext("a");
  Report("a");
  EXPECT_EQ(diary_.lines, (Lines{"started a", "ended a", "reported a"}));
  EXPECT_EQ(Get("a").outcome(), InvocationOutcome::kSuccess);
  EXPECT_EQ(Get("a").start_time(), After(absl::Milliseconds(1)));
  EXPECT_EQ(Get("a").duration(), absl::Milliseconds(19));
  EXPECT_EQ(Get("a").post_runtime(), absl::Milliseconds(4));
  EXPECT_EQ(tracker_->open(), 0);
}

// INVOKE comes by another channel than telemetry, so all orders of the four can occur.
TEST_F(InvocationTrackerTest, EveryOrderOfTheFourGivesOneInvocation) {
  std::vector<int> order = {0, 1, 2, 3};
  const std::vector<std::function<void()>> events = {[this] { Invoke("a"); }, [this] { Start("a"); },
                                                     [this] { Done("a", TelemetryStatus::kError); },
                                                     [this] { Report("a", TelemetryStatus::kError); }};
  do {
    diary_ = Diary();
    Make({});
    bool ended = false;
    for (const int event : order) {
      events[event]();
      ended |= event >= 2;
      EXPECT_EQ(tracker_->HasEnded("a"), ended);
    }
    const std::string name = absl::StrJoin(order, "");
    EXPECT_EQ(tracker_->size(), 1) << name;
    EXPECT_EQ(counts().started, 1) << name;
    EXPECT_EQ(counts().ended, 1) << name;
    EXPECT_EQ(counts().reported, 1) << name;
    EXPECT_EQ(counts().retried, 0) << name;
    EXPECT_EQ(Get("a").outcome(), InvocationOutcome::kError) << name;
    EXPECT_EQ(Get("a").duration(), absl::Milliseconds(19)) << name;
    EXPECT_TRUE(Get("a").invoke.has_value()) << name;
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_F(InvocationTrackerTest, RuntimeDoneWithoutMetricsEndsTheInvocation) {
  Invoke("a");
  Start("a", absl::Milliseconds(5));
  Give(absl::Milliseconds(12), PlatformRuntimeDone{.request_id = "a", .status = TelemetryStatus::kFailure});
  EXPECT_TRUE(tracker_->HasEnded("a"));
  EXPECT_EQ(Get("a").outcome(), InvocationOutcome::kFailure);
  EXPECT_EQ(Get("a").duration(), absl::Milliseconds(7));
}

TEST_F(InvocationTrackerTest, RuntimeDoneOfAnotherRequestEndsNothing) {
  Invoke("a");
  Done("b");
  EXPECT_FALSE(tracker_->HasEnded("a"));
  EXPECT_TRUE(tracker_->HasEnded("b"));
}

TEST_F(InvocationTrackerTest, OutcomesByStatusAndErrorType) {
  const auto outcome = [this](TelemetryStatus status, std::string error_type, int64_t used) {
    Make({});
    Give(absl::ZeroDuration(),
         PlatformRuntimeDone{.request_id = "a", .status = status, .error_type = std::move(error_type)});
    Give(absl::ZeroDuration(),
         PlatformReport{.request_id = "a", .memory_size_megabytes = 128, .max_memory_used_megabytes = used});
    return Get("a").outcome();
  };
  EXPECT_EQ(outcome(TelemetryStatus::kSuccess, "", 60), InvocationOutcome::kSuccess);
  EXPECT_EQ(outcome(TelemetryStatus::kTimeout, "", 60), InvocationOutcome::kTimeout);
  EXPECT_EQ(outcome(TelemetryStatus::kError, "Runtime.Unknown", 60), InvocationOutcome::kError);
  EXPECT_EQ(outcome(TelemetryStatus::kFailure, "", 60), InvocationOutcome::kFailure);
  EXPECT_EQ(outcome(TelemetryStatus::kError, "Runtime.OutOfMemory", 60), InvocationOutcome::kOutOfMemory);
  EXPECT_EQ(outcome(TelemetryStatus::kFailure, "", 128), InvocationOutcome::kOutOfMemory);
  EXPECT_EQ(outcome(TelemetryStatus::kUnknown, "", 60), InvocationOutcome::kUnknown);
  // Using all memory is no failure by itself.
  EXPECT_EQ(outcome(TelemetryStatus::kSuccess, "", 128), InvocationOutcome::kSuccess);
  EXPECT_EQ(outcome(TelemetryStatus::kTimeout, "", 128), InvocationOutcome::kTimeout);
}

// -- Without telemetry -------------------------------------------------------------------------------------

TEST_F(InvocationTrackerTest, WithoutTelemetryTheNextEventEndsTheInvocation) {
  Make({.telemetry = false});
  Invoke("a");
  tracker_->OnNext("a");
  EXPECT_FALSE(tracker_->HasEnded("a"));
  clock_.Freeze(absl::Seconds(60));
  Invoke("b");
  EXPECT_TRUE(tracker_->HasEnded("a"));
  EXPECT_FALSE(tracker_->HasEnded("b"));
  EXPECT_EQ(Get("a").outcome(), InvocationOutcome::kUnknown);
  EXPECT_EQ(Get("a").duration(), std::nullopt) << "the time frozen is no duration";
  EXPECT_EQ(counts().concluded, 1);
  EXPECT_EQ(diary_.lines, (Lines{"started a", "ended a", "started b"}));
}

TEST_F(InvocationTrackerTest, AnInvocationEndedByShutdownLastsUntilThenAndNoLongerThanItsDeadline) {
  const auto lasts = [this](absl::Duration until) {
    Make({.telemetry = false});
    Invoke("a");
    clock_.Advance(until);
    tracker_->OnShutdown({.reason = ShutdownReason::kTimeout});
    EXPECT_EQ(Get("a").duration(), std::nullopt) << "no record says it";
    return Get("a").until_shutdown();
  };
  EXPECT_EQ(lasts(absl::Seconds(1)), absl::Seconds(1));
  EXPECT_EQ(lasts(absl::Minutes(10)), absl::Seconds(3)) << "most of it frozen";
  // An invocation that another one followed ended earlier, for an unknown reason.
  Make({});
  Invoke("a");
  Invoke("b");
  tracker_->OnShutdown({});
  tracker_->ConcludeAll();
  EXPECT_EQ(Get("a").until_shutdown(), std::nullopt);
  EXPECT_EQ(Get("b").until_shutdown(), absl::ZeroDuration());
}

TEST_F(InvocationTrackerTest, WithoutTelemetryTheReasonOfTheShutdownIsTheOutcome) {
  for (const auto& [reason, outcome] : {std::pair(ShutdownReason::kTimeout, InvocationOutcome::kTimeout),
                                        std::pair(ShutdownReason::kFailure, InvocationOutcome::kFailure),
                                        std::pair(ShutdownReason::kSpindown, InvocationOutcome::kUnknown),
                                        std::pair(ShutdownReason::kOther, InvocationOutcome::kUnknown)}) {
    Make({.telemetry = false});
    Invoke("a");
    Invoke("b");
    tracker_->OnShutdown({.reason = reason});
    EXPECT_EQ(Get("a").outcome(), InvocationOutcome::kUnknown) << "b followed: it neither failed nor hung";
    EXPECT_EQ(Get("b").outcome(), outcome);
    EXPECT_EQ(tracker_->open(), 0);
  }
}

TEST_F(InvocationTrackerTest, WhetherThereIsTelemetryMayBecomeKnownLater) {
  Invoke("a");
  tracker_->set_telemetry(false);
  Invoke("b");
  EXPECT_TRUE(tracker_->HasEnded("a"));
}

// -- Lost and late records ---------------------------------------------------------------------------------

TEST_F(InvocationTrackerTest, ALostRuntimeDoneIsConcludedFromTheSecondInvokeAfter) {
  Invoke("a");
  Invoke("b");
  EXPECT_FALSE(tracker_->HasEnded("a")) << "its record may be on the way";
  Done("b");
  Invoke("c");
  EXPECT_TRUE(tracker_->HasEnded("a"));
  EXPECT_EQ(counts().concluded, 1);
  EXPECT_FALSE(tracker_->HasEnded("c"));
}

TEST_F(InvocationTrackerTest, ARecordTakesThePlaceOfAConclusion) {
  Invoke("a");
  Invoke("b");
  Invoke("c");
  Done("a", TelemetryStatus::kError);
  EXPECT_EQ(Get("a").outcome(), InvocationOutcome::kError);
  EXPECT_FALSE(Get("a").concluded.has_value());
  EXPECT_EQ(counts().ended, 1) << "and it isn't told to have ended again";
}

TEST_F(InvocationTrackerTest, AtTheEndWhatIsOpenIsConcludedByTheReason) {
  Invoke("a");
  tracker_->OnShutdown({.reason = ShutdownReason::kTimeout});
  EXPECT_FALSE(tracker_->HasEnded("a")) << "its runtimeDone is taken in for a while yet";
  tracker_->ConcludeAll();
  EXPECT_EQ(Get("a").outcome(), InvocationOutcome::kTimeout);
  tracker_->ConcludeAll();
  EXPECT_EQ(counts().ended, 1);
}

TEST_F(InvocationTrackerTest, ARecordDeliveredTwiceCountsOnce) {
  Invoke("a");
  for (int i = 0; i < 2; ++i) {
    Start("a");
    Done("a");
    Report("a");
  }
  EXPECT_EQ(counts().duplicate_records, 3);
  EXPECT_EQ(counts().started, 1);
  EXPECT_EQ(counts().ended, 1);
  EXPECT_EQ(counts().reported, 1);
}

TEST_F(InvocationTrackerTest, ARetryUnderTheSameRequestIdIsAnotherInvocation) {
  Invoke("a");
  Start("a");
  Done("a", TelemetryStatus::kError);
  tracker_->OnNext("a");
  clock_.Freeze(absl::Minutes(1));
  Invoke("a");
  EXPECT_FALSE(tracker_->HasEnded("a"));
  // The report of the first one comes only now.
  Report("a", TelemetryStatus::kError);
  EXPECT_FALSE(tracker_->HasEnded("a"));
  Start("a", absl::Minutes(1));
  Done("a", TelemetryStatus::kSuccess, absl::Minutes(1) + absl::Milliseconds(30));
  EXPECT_TRUE(tracker_->HasEnded("a"));
  Report("a", TelemetryStatus::kSuccess, absl::Minutes(1) + absl::Milliseconds(40));
  EXPECT_EQ(diary_.outcomes, (std::vector{InvocationOutcome::kError, InvocationOutcome::kSuccess}));
  EXPECT_EQ(counts().retried, 1);
  EXPECT_EQ(counts().reported, 2);
  EXPECT_EQ(Get("a").start_time(), After(absl::Minutes(1)));
}

// -- Managed instances -------------------------------------------------------------------------------------

TEST_F(InvocationTrackerTest, ConcurrentInvocationsDoNotTouchEachOther) {
  for (const char* id : {"a", "b", "c"}) Start(id);
  Report("b", TelemetryStatus::kTimeout);
  EXPECT_TRUE(tracker_->HasEnded("b"));
  EXPECT_FALSE(tracker_->HasEnded("a"));
  EXPECT_FALSE(tracker_->HasEnded("c"));
  Start("d");
  Report("d");
  EXPECT_EQ(Get("b").outcome(), InvocationOutcome::kTimeout);
  EXPECT_EQ(Get("d").outcome(), InvocationOutcome::kSuccess);
  EXPECT_EQ(tracker_->open(), 2);
  EXPECT_EQ(counts().concluded, 0);
}

TEST_F(InvocationTrackerTest, WithoutRuntimeDoneTheDurationIsTheReports) {
  Give(absl::ZeroDuration(), PlatformReport{.request_id = "a", .duration = absl::Milliseconds(30)});
  EXPECT_EQ(Get("a").duration(), absl::Milliseconds(30));
  Give(absl::ZeroDuration(),
       PlatformReport{.request_id = "b",
                      .duration = absl::Milliseconds(30),
                      .spans = {{.name = "responseLatency", .duration = absl::Milliseconds(28)}}});
  EXPECT_EQ(Get("b").duration(), absl::Milliseconds(28));
}

// -- The store's bounds ------------------------------------------------------------------------------------

TEST_F(InvocationTrackerTest, ReportedInvocationsAreForgottenAfterAWhile) {
  Make({}, {.max_reported = 2});
  for (int i = 0; i < 10; ++i) {
    const std::string id = absl::StrCat("r", i);
    Invoke(id);
    Start(id, absl::Seconds(i));
    Done(id, TelemetryStatus::kSuccess, absl::Seconds(i) + absl::Milliseconds(1));
    Report(id, TelemetryStatus::kSuccess, absl::Seconds(i) + absl::Milliseconds(2));
  }
  EXPECT_EQ(tracker_->size(), 2);
  EXPECT_EQ(counts().forgotten_ended, 0);
  EXPECT_EQ(counts().forgotten_open, 0);
  // A batch that is delivered twice starts nothing.
  Start("r0", absl::ZeroDuration());
  Done("r0", TelemetryStatus::kSuccess, absl::Milliseconds(1));
  Report("r0", TelemetryStatus::kSuccess, absl::Milliseconds(2));
  EXPECT_EQ(counts().late_records, 3);
  EXPECT_EQ(tracker_->size(), 2);
  EXPECT_TRUE(tracker_->HasEnded("r0"));
  // A retry starts an invocation.
  Start("r0", absl::Minutes(1));
  EXPECT_FALSE(tracker_->HasEnded("r0"));
  Done("r0", TelemetryStatus::kSuccess, absl::Minutes(2));
  EXPECT_TRUE(tracker_->HasEnded("r0"));
}

TEST_F(InvocationTrackerTest, TheOldestEndedGoesFirstThenTheOldest) {
  Make({}, {.max_invocations = 3});
  Start("open1");
  Done("ended1");
  Done("ended2");
  Start("open2");
  EXPECT_EQ(tracker_->Find("ended1"), nullptr);
  EXPECT_NE(tracker_->Find("ended2"), nullptr);
  Start("open3");
  EXPECT_EQ(tracker_->Find("ended2"), nullptr);
  EXPECT_NE(tracker_->Find("open1"), nullptr);
  Start("open4");
  EXPECT_EQ(tracker_->Find("open1"), nullptr);
  EXPECT_EQ(counts().forgotten_ended, 2);
  EXPECT_EQ(counts().forgotten_open, 1);
  EXPECT_EQ(tracker_->open(), 3);
}

TEST_F(InvocationTrackerTest, BytesAreBounded) {
  Make({}, {.max_bytes = 64 * 1024});
  for (int i = 0; i < 100; ++i) {
    Give(absl::Seconds(i), PlatformStart{.request_id = absl::StrCat(i, std::string(10'000, 'x'))});
    EXPECT_LE(store_->bytes(), 64 * 1024);
  }
  EXPECT_GT(tracker_->size(), 0);
  EXPECT_EQ(counts().forgotten_open, 100 - tracker_->size());
  // An invocation that is too large by itself is not kept either.
  Give(absl::Seconds(200), PlatformStart{.request_id = std::string(100'000, 'y')});
  EXPECT_EQ(tracker_->size(), 0);
  EXPECT_EQ(store_->bytes(), 0);
  EXPECT_EQ(tracker_->open(), 0);
}

TEST_F(InvocationTrackerTest, MemoryIsFlatOverManyInvocations) {
  size_t bytes = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::string id = absl::StrCat(100'000 + i);
    Invoke(id);
    Start(id, absl::Seconds(i));
    Done(id, TelemetryStatus::kSuccess, absl::Seconds(i));
    tracker_->OnNext(id);
    Report(id, TelemetryStatus::kSuccess, absl::Seconds(i));
    if (i == 5000) bytes = store_->bytes();
  }
  EXPECT_EQ(store_->bytes(), bytes);
  EXPECT_EQ(counts().ended, 10'000);
}

// -- The kind of start ------------------------------------------------------------------------------------

TEST_F(InvocationTrackerTest, TheFirstIsColdAndNoOtherIs) {
  Invoke("a");
  Done("a");
  Report("a");
  EXPECT_EQ(Get("a").started_as, InvocationStart::kCold);
  Invoke("b");
  EXPECT_EQ(Get("b").started_as, InvocationStart::kWarm);
}

TEST_F(InvocationTrackerTest, TheFirstIsProactiveWhenTheEnvironmentWasReadyLongBefore) {
  clock_.Freeze(absl::Minutes(5));
  Invoke("a");
  EXPECT_EQ(Get("a").started_as, InvocationStart::kProactive);
  Invoke("b");
  EXPECT_EQ(Get("b").started_as, InvocationStart::kWarm);
}

TEST_F(InvocationTrackerTest, ARestoredEnvironmentIsReadySinceItsRestore) {
  Make({.restored_from_snapshot = true});
  clock_.Freeze(absl::Hours(48));  // the snapshot's age
  Give(absl::Hours(48) - absl::Milliseconds(300), PlatformRestoreStart{});
  Invoke("a");
  EXPECT_EQ(Get("a").started_as, InvocationStart::kCold);
  Make({.restored_from_snapshot = true});
  Give(absl::Hours(48) - absl::Minutes(1), PlatformRestoreStart{});
  Invoke("a");
  EXPECT_EQ(Get("a").started_as, InvocationStart::kProactive);
  Make({.restored_from_snapshot = true});
  clock_.Freeze(absl::Hours(48));
  Invoke("a");
  EXPECT_EQ(Get("a").started_as, InvocationStart::kCold) << "before the record of the restore has come";
}

TEST_F(InvocationTrackerTest, InitAndRestoreAreTheLatestOfEach) {
  Give(absl::Milliseconds(10), PlatformInitReport{.duration = absl::Milliseconds(9)});
  Give(absl::ZeroDuration(), PlatformInitStart{.phase = InitPhase::kInit});
  Give(absl::Milliseconds(9), PlatformInitRuntimeDone{.status = TelemetryStatus::kTimeout});
  // The environment is initialised again within the invocation.
  Give(absl::Seconds(12), PlatformInitReport{.duration = absl::Seconds(2)});
  Give(absl::Seconds(10), PlatformInitStart{.phase = InitPhase::kInvoke});
  // The record is delivered late.
  Give(absl::Milliseconds(10), PlatformInitReport{.duration = absl::Milliseconds(9)});
  EXPECT_EQ(tracker_->initialization().start->record.phase, InitPhase::kInvoke);
  EXPECT_EQ(tracker_->initialization().report->record.duration, absl::Seconds(2));
  EXPECT_EQ(tracker_->initialization().runtime_done->record.status, TelemetryStatus::kTimeout);
  EXPECT_EQ(diary_.initialization_changes, 5);
  Give(absl::ZeroDuration(), PlatformRestoreStart{.function_version = "3"});
  Give(absl::ZeroDuration(), PlatformRestoreRuntimeDone{.status = TelemetryStatus::kSuccess});
  Give(absl::ZeroDuration(), PlatformRestoreReport{.duration = absl::Milliseconds(5)});
  EXPECT_EQ(diary_.restore_changes, 3);
  EXPECT_EQ(tracker_->restore().report->record.duration, absl::Milliseconds(5));
  EXPECT_EQ(tracker_->size(), 0) << "they belong to no invocation";
}

// -- Any order ---------------------------------------------------------------------------------------------

// Returns all facts that don't depend on the order of arrival.
std::string State(const InvocationTracker& tracker) {
  std::vector<std::string> lines;
  tracker.ForEach([&lines](const Invocation& invocation) {
    lines.push_back(
        absl::StrCat(invocation.request_id, " ", ToString(invocation.outcome()), " ", invocation.error_type(),
                     " ", absl::FormatTime(invocation.start_time().value_or(absl::InfinitePast())), " ",
                     absl::FormatDuration(invocation.duration().value_or(absl::InfiniteDuration())), " ",
                     invocation.ended(), invocation.invoke.has_value(), invocation.report.has_value(), " ",
                     invocation.memory()));
  });
  std::sort(lines.begin(), lines.end());
  const Initialization& initialization = tracker.initialization();
  lines.push_back(absl::FormatTime(initialization.start->time));
  lines.push_back(absl::FormatDuration(*initialization.report->record.duration));
  return absl::StrJoin(lines, "\n");
}

TEST_F(InvocationTrackerTest, AnyOrderOfArrivalGivesTheSameState) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SeededRandom random(seed);
    std::vector<std::function<void()>> events;
    std::vector<std::function<void()>> twice;
    const int invocations = 1 + static_cast<int>(random.Below(8));
    for (int i = 0; i < invocations; ++i) {
      const std::string id = absl::StrCat("request-", i);
      const auto status = static_cast<TelemetryStatus>(random.Below(5));
      const absl::Duration at = absl::Seconds(i);
      // Some records are lost, but one that ends the invocation arrives.
      const bool done = random.Chance(0.8);
      if (random.Chance(0.8)) events.push_back([this, id] { Invoke(id); });
      if (random.Chance(0.8)) events.push_back([this, id, at] { Start(id, at); });
      if (done) {
        events.push_back([this, id, status, at] { Done(id, status, at + absl::Milliseconds(20)); });
        twice.push_back(events.back());
      }
      if (!done || random.Chance(0.8)) {
        events.push_back([this, id, status, at] { Report(id, status, at + absl::Milliseconds(30)); });
      }
    }
    for (const int at : {0, 10}) {
      events.push_back([this, at] { Give(absl::Seconds(at), PlatformInitStart{}); });
      events.push_back(
          [this, at] { Give(absl::Seconds(at + 1), PlatformInitReport{.duration = absl::Seconds(at)}); });
    }
    // Telemetry is delivered again if its answer is lost.
    events.insert(events.end(), twice.begin(), twice.end());

    std::optional<std::string> first;
    for (int shuffle = 0; shuffle < 10; ++shuffle) {
      Make({});
      for (const auto& event : events) event();
      const std::string state = State(*tracker_);
      if (!first.has_value()) first = state;
      EXPECT_EQ(state, *first) << "seed " << seed << ", shuffle " << shuffle;
      if (HasFailure()) return;
      for (size_t i = events.size() - 1; i > 0; --i) std::swap(events[i], events[random.Below(i + 1)]);
    }
  }
}

TEST_F(InvocationTrackerTest, EachPartOfAnInvocationIsAnUpdateAlsoAfterItsEndWasConcluded) {
  Make({});
  Invoke("a");
  Start("a");
  EXPECT_EQ(diary_.updates, 2);
  tracker_->ConcludeAll();
  EXPECT_EQ(diary_.updates, 3);
  Done("a");
  Report("a");
  EXPECT_EQ(diary_.updates, 5);
  Report("a");
  EXPECT_EQ(diary_.updates, 5) << "a record that had come before";
}

TEST_F(InvocationTrackerTest, TheTracersCallAtTheEndTellsOfAFailure) {
  Make({});
  Invoke("a");
  Invoke("b");
  EXPECT_FALSE(tracker_->TracerSaysFailed("a"));
  EXPECT_FALSE(tracker_->TracerSaysFailed("unknown"));
  uint64_t last_id = 1;
  InvocationAssembler assembler({}, *store_, clock_, [&last_id] { return ++last_id; });
  assembler.OnEndCall("a", [](InvocationRecord& record) { record.end.emplace(); });
  EXPECT_FALSE(tracker_->TracerSaysFailed("a"));
  assembler.OnEndCall("b", [](InvocationRecord& record) { record.end.emplace().is_error = true; });
  EXPECT_TRUE(tracker_->TracerSaysFailed("b"));
}

}  // namespace
}  // namespace thaw
