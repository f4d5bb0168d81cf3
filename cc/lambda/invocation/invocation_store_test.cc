#include "cc/lambda/invocation/invocation_store.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "cc/base/fake_byte_account.h"
#include "cc/lambda/invocation/invocation_fixture.h"
#include "cc/lambda/invocation/invocation_tracker.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::SizeIs;

class InvocationStoreTest : public InvocationFixture {};

TEST_F(InvocationStoreTest, StoreIsBoundedInNumber) {
  Options options;
  options.store.max_invocations = 3;
  Restart(options);
  Invoke("r1");
  Start("r1", {{"x-datadog-trace-id", "9"}});
  PlatformEnded("r1");
  for (int i = 2; i < 10; ++i) {
    Invoke(absl::StrCat("r", i));
    EXPECT_LE(assembler_->unfinished(), 3u);
  }
  // The ended one is sent as it is; the oldest of the others are given up.
  EXPECT_THAT(spans(), SizeIs(1));
  EXPECT_EQ(counts().sent_early, 1);
  EXPECT_EQ(counts().given_up, 5);
}

TEST_F(InvocationStoreTest, StoreIsBoundedInBytes) {
  Options options;
  options.calls.payload_tags.enabled = true;
  options.store.max_bytes = 1 << 20;
  Restart(options);
  const std::string event = absl::StrCat(
      "{\"a\":[",
      [] {
        std::string all;
        for (int i = 0; i < 60; ++i)
          absl::StrAppend(&all, i == 0 ? "" : ",", "\"", std::string(4000, 'x'), "\"");
        return all;
      }(),
      "]}");
  for (int i = 0; i < 50; ++i) {
    // Any process of the function may call, with any id.
    Start(absl::StrCat("r", i), {}, event);
    EXPECT_LE(store_->bytes(), 1u << 20);
  }
  EXPECT_GT(counts().given_up, 40);
  clock_.Advance(absl::Seconds(3));
  Invoke("x");
  EXPECT_EQ(assembler_->unfinished(), 1u);
}

// Both sides of the store, tied together as the extension ties them.
class TwoViewsTest : public InvocationFixture, public InvocationObserver {
 protected:
  TwoViewsTest() { Reopen({}); }
  ~TwoViewsTest() override {
    tracker_.reset();
    Restart({});  // the account goes before the store
  }

  void Reopen(InvocationStoreOptions bounds, bool invoke_events = true) {
    tracker_.reset();
    invoke_events_ = invoke_events;
    bounds.account = &account_;
    Restart({.store = bounds});
    tracker_.emplace(clock_, InvocationTrackerOptions(), *store_, *this);
  }
  void InvocationStarted(const Invocation& invocation) override {
    if (!invoke_events_) assembler_->OnInvoke(invocation.request_id, {});
  }
  void InvocationEnded(const Invocation& invocation) override {
    assembler_->OnEnd(invocation.request_id, PlatformEndOf(invocation, clock_.Now().wall));
  }
  void InvocationReported(const Invocation& invocation) override {
    assembler_->OnReport(invocation.request_id);
  }
  void InvokeBoth(const std::string& id) {
    InvokeEvent event;
    event.request_id = id;
    event.deadline = clock_.Now().wall + absl::Seconds(3);
    tracker_->OnInvoke(std::move(event));
    assembler_->OnInvoke(id, {});
  }
  void Done(const std::string& id) {
    tracker_->OnTelemetry({clock_.Now().wall, PlatformRuntimeDone{.request_id = id,
                                                                  .status = TelemetryStatus::kSuccess,
                                                                  .duration = absl::Milliseconds(9)}});
  }
  void Report(const std::string& id) {
    tracker_->OnTelemetry({clock_.Now().wall, PlatformReport{.request_id = id}});
  }
  size_t entries() const { return store_->entries().size(); }

  bool invoke_events_ = true;
  FakeByteAccount account_{16 << 20};
  std::optional<InvocationTracker> tracker_;
};

TEST_F(TwoViewsTest, AnInvocationIsOneEntryWhicheverSideComesFirst) {
  for (const bool call_first : {false, true}) {
    for (const std::string called : {"r1", ""}) {
      Reopen({});
      if (call_first) Start(called, {{"x-datadog-trace-id", "9"}});
      EXPECT_EQ(tracker_->size(), 0) << "nothing of the platform is known";
      InvokeBoth("r1");
      if (!call_first) Start(called, {{"x-datadog-trace-id", "9"}});
      EXPECT_EQ(entries(), 1);
      EXPECT_EQ(tracker_->size(), 1);
      EXPECT_FALSE(tracker_->HasEnded("r1"));
      EndOfTrace(called);
      Done("r1");
      ASSERT_THAT(spans(), SizeIs(1));
      EXPECT_EQ(spans()[0].trace_id, 9);
      EXPECT_EQ(spans()[0].duration, 9'000'000);
      EXPECT_EQ(assembler_->unfinished(), 0);
      EXPECT_EQ(entries(), 1) << "its report is still to come";
    }
  }
}

TEST_F(TwoViewsTest, ARecordBeforeInvokeAndACallShareTheEntry) {
  tracker_->OnTelemetry({clock_.Now().wall, PlatformStart{.request_id = "r1"}});
  Start("r1", {{"x-datadog-trace-id", "9"}});
  EXPECT_EQ(counts().waited, 1);
  InvokeBoth("r1");
  EXPECT_EQ(entries(), 1);
  EndOfTrace("r1");
  Done("r1");
  EXPECT_THAT(spans(), SizeIs(1));
}

TEST_F(TwoViewsTest, ARetryIsASecondEntryBesideTheReportedOne) {
  for (int i = 0; i < 2; ++i) {
    InvokeBoth("r1");
    Start("r1");
    EndOfTrace("r1", 70 + 10 * i);
    clock_.Advance(absl::Milliseconds(1));
    Done("r1");
    Report("r1");
  }
  ASSERT_THAT(spans(), SizeIs(2));
  EXPECT_EQ(spans()[1].trace_id, 80);
  EXPECT_EQ(entries(), 2);
  EXPECT_EQ(tracker_->counts().retried, 1);
  EXPECT_EQ(counts().given_up, 0);
}

// Lambda names each invocation. If an event names none, its end is concluded from the event after it.
TEST_F(TwoViewsTest, AnInvocationWithoutARequestIdHasItsSpan) {
  tracker_->set_telemetry(false);
  for (int i = 0; i < 2; ++i) {
    InvokeBoth("");
    EXPECT_FALSE(tracker_->HasEnded(""));
    Start("");
    EndOfTrace("", 70 + 10 * i);
    EXPECT_THAT(spans(), SizeIs(i));
  }
  InvokeBoth("r1");
  ASSERT_THAT(spans(), SizeIs(2));
  EXPECT_EQ(spans()[1].trace_id, 80);
  EXPECT_EQ(counts().repeated, 0);
  EXPECT_EQ(assembler_->unfinished(), 1);
}

TEST_F(TwoViewsTest, WithoutInvokeEventsRecordsOpenTheTracersSide) {
  Reopen({}, /*invoke_events=*/false);
  for (int i = 0; i < 2; ++i) {
    clock_.Advance(absl::Seconds(1));
    tracker_->OnTelemetry({clock_.Now().wall, PlatformStart{.request_id = "r1"}});
    Start("r1");
    EndOfTrace("r1", 70 + 10 * i);
    Report("r1");
  }
  EXPECT_THAT(spans(), SizeIs(2));
  EXPECT_EQ(counts().finished, 2);
}

TEST_F(TwoViewsTest, AnEvictionIsCountedByBothSides) {
  Reopen({.max_invocations = 3});
  InvokeBoth("r1");
  Start("r1", {{"x-datadog-trace-id", "9"}});
  Done("r1");
  EXPECT_THAT(spans(), SizeIs(0)) << "the tracer's call at the end is due";
  for (int i = 2; i <= 4; ++i) InvokeBoth(absl::StrCat("r", i));
  EXPECT_THAT(spans(), SizeIs(1)) << "the ended one is sent as it is";
  EXPECT_EQ(counts().sent_early, 1);
  EXPECT_EQ(tracker_->counts().forgotten_ended, 1);
  // Two invocations followed r2, which has ended thereby; r3 is then the oldest of those that have not.
  InvokeBoth("r5");
  EXPECT_EQ(counts().sent_early, 2);
  EXPECT_EQ(tracker_->counts().forgotten_ended, 2);
  tracker_->OnTelemetry({clock_.Now().wall, PlatformStart{.request_id = "r6"}});
  EXPECT_EQ(counts().sent_early, 3) << "r5 was the second to follow r3";
  tracker_->OnTelemetry({clock_.Now().wall, PlatformStart{.request_id = "r7"}});
  EXPECT_EQ(counts().given_up, 1);
  EXPECT_EQ(tracker_->counts().forgotten_open, 1);
  EXPECT_EQ(tracker_->Find("r4"), nullptr);
  EXPECT_EQ(entries(), 3);
}

// The observer's calls within the tracker's must not move the entry that the tracker works on.
TEST_F(TwoViewsTest, AStaleCallUnderTheSameIdDoesNotTakeTheEntryAlong) {
  InvokeBoth("r1");
  InvokeBoth("r2");
  Start("r3");
  clock_.Advance(absl::Minutes(1));
  InvokeBoth("r3");
  EXPECT_TRUE(tracker_->HasEnded("r1")) << "concluded, which drops the call";
  EXPECT_EQ(counts().unpaired, 1);
  EXPECT_FALSE(tracker_->HasEnded("r3"));
  EXPECT_EQ(entries(), 3);
}

TEST_F(TwoViewsTest, EntriesAreChargedAndGiveBackWhatTheyTook) {
  Reopen({.max_reported = 0});
  for (int i = 0; i < 1000; ++i) {
    const std::string id = absl::StrCat("r", i);
    InvokeBoth(id);
    Start(id, {{"x-datadog-trace-id", "9"}});
    EXPECT_EQ(account_.taken(), store_->bytes());
    EXPECT_GT(store_->bytes(), 0);
    EndOfTrace(id);
    Done(id);
    EXPECT_GT(account_.taken(), store_->bytes()) << "spans that were not taken are charged, too";
    EXPECT_THAT(assembler_->TakeOwnTraces(), SizeIs(1));
    Report(id);
    EXPECT_EQ(entries(), 0);
  }
  EXPECT_EQ(account_.taken(), 0);
}

}  // namespace
}  // namespace thaw
