#include "cc/extension/function_life.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "cc/base/completion.h"
#include "cc/flush/coordinator_fixture.h"
#include "cc/lambda/api/runtime_api.h"
#include "cc/lambda/invocation/invocation_assembler.h"
#include "cc/lambda/invocation/invocation_span.h"
#include "cc/lambda/invocation/invocation_store.h"
#include "cc/telemetry/telemetry_records.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using Lines = std::vector<std::string>;

class FunctionLifeTest : public CoordinatorFixture {
 protected:
  // Makes a life that has registered and not yet asked for an event.
  void Live(std::string_view strategy, FunctionLife::Options options = {}) {
    Make(strategy);
    SendResult registered = Answered(200);
    registered.response->headers = {{"Lambda-Extension-Identifier", "id"}};
    lambda_.Answer(std::move(registered));
    std::optional<bool> ok;
    Spawn<absl::StatusOr<Registration>>(
        executor_, extensions_.Register("thaw", {ExtensionEvent::kInvoke}, stop_),
        [&ok](absl::StatusOr<Registration> registration) { ok = registration.ok(); });
    executor_.RunAll();
    clock_.Advance(absl::ZeroDuration());
    executor_.RunAll();
    ASSERT_EQ(ok, true);
    lambda_.clear_sent();

    client_.set_otherwise([this](const FakeClient::Sent&) {
      lines_.push_back("flush");
      return FakeClient::Scripted{.result = Accepted(), .after = flush_takes_};
    });
    lambda_.set_otherwise(
        [](const FakeClient::Sent&) { return FakeClient::Scripted{.after = absl::InfiniteDuration()}; });
    life_ = std::make_unique<FunctionLife>(executor_, clock_, extensions_, tracker_, *coordinator_, options);
    life_->set_on_resume([this] { lines_.push_back("resume"); });
    life_->set_on_quiesce([this] {
      lines_.push_back("quiesce");
      EXPECT_FALSE(parked()) << "the next event is asked for after it";
    });
    life_->set_on_invoke([this](const InvokeEvent& event) {
      assembler_.OnInvoke(event.request_id, {});
      lines_.push_back("invoke " + event.request_id);
    });
  }

  // Scripts an answer of /next, given `after` a time; after the scripted answers it is parked.
  void WillInvoke(std::string_view id, absl::Duration timeout = absl::Seconds(60),
                  absl::Duration after = absl::ZeroDuration()) {
    WillSay(absl::StrCat(R"({"eventType":"INVOKE","requestId":")", id, R"(","deadlineMs":)",
                         absl::ToUnixMillis(clock_.Now().wall + timeout), "}"),
            after);
  }
  void WillShutDown() {
    WillSay(absl::StrCat(R"({"eventType":"SHUTDOWN","shutdownReason":"spindown","deadlineMs":)",
                         absl::ToUnixMillis(clock_.Now().wall + absl::Seconds(2)), "}"));
  }
  void WillSay(std::string body, absl::Duration after = absl::ZeroDuration()) {
    SendResult answer = Answered(200);
    answer.response->body = std::move(body);
    lambda_.Answer(FakeClient::Scripted{.result = std::move(answer), .after = after});
  }
  void Begin() {
    ended_.reset();
    ++running_;
    Spawn<absl::StatusOr<ShutdownEvent>>(executor_, life_->Run(stop_),
                                         [this](absl::StatusOr<ShutdownEvent> event) {
                                           ended_ = std::move(event);
                                           --running_;
                                         });
    Settle();
  }
  // Runs everything that takes no time.
  void Settle() {
    for (int turn = 0; turn < 10; ++turn) Pass(absl::Microseconds(10));
  }
  void Done(const std::string& id) {
    tracker_.OnTelemetry({clock_.Now().wall, PlatformRuntimeDone{.request_id = id}});
    life_->OnRecords();
    Settle();
  }
  // Records of another kind come.
  void Tells(const TelemetryRecord& record) {
    tracker_.OnTelemetry(record);
    life_->OnRecords();
    Settle();
  }
  // The tracer calls at the end of the handler.
  void HandlerEnds(std::string_view id) {
    assembler_.OnEndCall(id, [](InvocationRecord& record) { record.end = TracerEnd(); });
    life_->OnTracerCall();
    Settle();
  }
  // Expects that the life ends during a flush, and that the last flush keeps its time.
  void StopsWithinAFlush() {
    Pass(absl::Milliseconds(100));
    EXPECT_EQ(coordinator_->running(), 1);
    ASSERT_FALSE(ended_.has_value());
    stop_.Request(absl::CancelledError("signal 15"));
    Pass(absl::Milliseconds(1));
    ASSERT_TRUE(ended_.has_value());
    EXPECT_EQ(ended_->status().code(), absl::StatusCode::kCancelled);
    const absl::Duration began = clock_.Now().monotonic;
    Run(coordinator_->Shutdown(absl::Seconds(2)));
    EXPECT_LE(clock_.Now().monotonic - began, absl::Seconds(2));
  }
  // Returns whether the next event is being asked for.
  bool parked() const { return lambda_.open_exchanges() == 1 && !ended_.has_value(); }
  void TearDown() override {
    stop_.Request(absl::CancelledError("the test is over"));
    for (int step = 0; running_ > 0; ++step) {
      ASSERT_LT(step, 100'000) << "a life never ends";
      if (!executor_.Step()) clock_.Advance(clock_.UntilNextAlarm().value_or(absl::Seconds(1)));
    }
    CoordinatorFixture::TearDown();
  }

  FakeClient lambda_{executor_, clock_};
  Cancellation stop_;
  RuntimeApi api_{lambda_, *ParseRuntimeApiAddress("127.0.0.1:9001")};
  ExtensionsApi extensions_{api_, clock_};
  InvocationObserver observer_;
  InvocationStore store_{{}};
  InvocationTracker tracker_{clock_, {}, store_, observer_};
  InvocationAssembler assembler_{{}, store_, clock_, [] { return 1; }};
  std::unique_ptr<FunctionLife> life_;
  std::optional<absl::StatusOr<ShutdownEvent>> ended_;
  int running_ = 0;
  absl::Duration flush_takes_ = absl::Milliseconds(5);
  Lines lines_;
};

TEST_F(FunctionLifeTest, TheNextEventWaitsForTheEndAndTheFlushThatFollows) {
  Live("end");
  WillInvoke("a");
  Begin();
  EXPECT_EQ(lines_, Lines({"resume", "invoke a"}));
  ASSERT_TRUE(Add(*traces_));
  life_->OnRecords();  // records of the environment's start
  Pass(absl::Seconds(1));
  EXPECT_FALSE(parked()) << "the function runs";
  EXPECT_EQ(lines_.size(), 2) << "nothing is sent meanwhile";
  Done("a");
  EXPECT_EQ(lines_.back(), "flush");
  EXPECT_FALSE(parked()) << "it has not ended";
  Pass(absl::Milliseconds(10));
  EXPECT_TRUE(parked());
  EXPECT_EQ(lines_.back(), "quiesce");
  EXPECT_EQ(coordinator_->counts().quiesces, 1);
  EXPECT_EQ(coordinator_->counts().open_at_next, 0);
  EXPECT_EQ(life_->counts().ends_awaited, 1);
  EXPECT_EQ(life_->counts().ends_not_seen, 0);
}

TEST_F(FunctionLifeTest, AnEndThatIsKnownAlreadyIsNotWaitedFor) {
  Live("end");
  tracker_.OnTelemetry({clock_.Now().wall, PlatformRuntimeDone{.request_id = "a"}});
  WillInvoke("a");
  Begin();
  EXPECT_TRUE(parked());
  EXPECT_EQ(life_->counts().ends_awaited, 0);
}

TEST_F(FunctionLifeTest, AnEndThatIsNotSeenLeavesTimeForAFlushBeforeTheDeadline) {
  Live("end", {.reserve = absl::Milliseconds(300), .silence = absl::Seconds(100)});
  WillInvoke("a", absl::Seconds(10));
  Begin();
  ASSERT_TRUE(Add(*traces_));
  Pass(absl::Milliseconds(9'600));
  EXPECT_EQ(lines_.back(), "invoke a");
  Pass(absl::Milliseconds(150));
  EXPECT_EQ(lines_, Lines({"resume", "invoke a", "flush", "quiesce"}));
  EXPECT_TRUE(parked());
  EXPECT_EQ(life_->counts().ends_not_seen, 1);
  EXPECT_EQ(traces_->delivered(), 1);
}

TEST_F(FunctionLifeTest, AnEnvironmentWithoutRecordsIsNotWaitedForAgain) {
  Live("end", {.silence = absl::Seconds(5)});
  WillInvoke("a");
  Begin();
  Pass(absl::Milliseconds(4'900));
  EXPECT_FALSE(parked());
  WillInvoke("b");
  Pass(absl::Milliseconds(200));
  EXPECT_EQ(lines_, Lines({"resume", "invoke a", "quiesce", "resume", "invoke b", "quiesce"}));
  EXPECT_TRUE(parked()) << "b's end is not waited for";
  EXPECT_EQ(life_->counts().ends_never_told, 1);
  EXPECT_EQ(life_->counts().ends_unknown, 1);
}

TEST_F(FunctionLifeTest, WhereNoRecordEverComesNoInvocationIsHeldBeyondASecond) {
  Live("end");
  flush_takes_ = absl::Milliseconds(100);
  WillInvoke("a");
  Begin();
  ASSERT_TRUE(Add(*traces_));
  Pass(absl::Milliseconds(500));
  EXPECT_FALSE(parked()) << "records may be late";
  Pass(absl::Milliseconds(500));
  EXPECT_TRUE(parked());
  EXPECT_EQ(traces_->delivered(), 1);
  EXPECT_EQ(life_->counts().ends_never_told, 1);
}

TEST_F(FunctionLifeTest, ARecordOfAnyKindEndsTheSilence) {
  Live("end", {.silence = absl::Seconds(5)});
  WillInvoke("a");
  Begin();
  Pass(absl::Seconds(4));
  tracker_.OnTelemetry({clock_.Now().wall, PlatformStart{.request_id = "a"}});
  life_->OnRecords();
  Pass(absl::Seconds(20));
  EXPECT_FALSE(parked()) << "longer than a silence would be";
  Done("a");
  Pass(absl::Milliseconds(10));
  EXPECT_TRUE(parked());
  EXPECT_EQ(life_->counts().ends_never_told, 0);
}

TEST_F(FunctionLifeTest, ALostRecordOfTheEndIsReplacedByTheTracersCallAndAShortWait) {
  Live("end");
  WillInvoke("a");
  Begin();
  ASSERT_TRUE(Add(*traces_));
  Tells({clock_.Now().wall, PlatformStart{.request_id = "a"}});
  Pass(absl::Seconds(5));
  life_->OnTracerCall();
  Pass(absl::Seconds(5));
  EXPECT_FALSE(parked()) << "the handler runs";
  HandlerEnds("a");
  Pass(absl::Milliseconds(400));
  EXPECT_FALSE(parked()) << "the record may be on its way";
  Tells({clock_.Now().wall, FunctionLog{"\"line\""}});
  Pass(absl::Milliseconds(150));
  EXPECT_TRUE(parked());
  EXPECT_EQ(traces_->delivered(), 1);
  EXPECT_EQ(life_->counts().ends_not_seen, 1);
  EXPECT_EQ(life_->counts().ends_told_by_tracers, 1);
}

TEST_F(FunctionLifeTest, ARecordOfTheEndAfterTheTracersCallEndsTheInvocationAtOnce) {
  Live("end");
  WillInvoke("a");
  Begin();
  HandlerEnds("a");
  Pass(absl::Milliseconds(50));
  Done("a");
  Pass(absl::Milliseconds(10));
  EXPECT_TRUE(parked());
  EXPECT_EQ(life_->counts().ends_not_seen, 0);
}

TEST_F(FunctionLifeTest, ACallOfAnotherInvocationEndsNothing) {
  Live("end");
  WillInvoke("a");
  WillInvoke("b");
  Begin();
  Done("a");
  Pass(absl::Milliseconds(10));
  ASSERT_EQ(lines_.back(), "invoke b");
  HandlerEnds("a");
  Pass(absl::Seconds(10));
  EXPECT_FALSE(parked());
  HandlerEnds("");
  Pass(absl::Milliseconds(550));
  EXPECT_TRUE(parked()) << "a call without a request id is about the invocation that runs";
}

TEST_F(FunctionLifeTest, AReportIsAnEnd) {
  Live("end");
  WillInvoke("a");
  Begin();
  Tells({clock_.Now().wall, PlatformReport{.request_id = "a"}});
  Pass(absl::Milliseconds(10));
  EXPECT_TRUE(parked());
}

TEST_F(FunctionLifeTest, WhereRecordsOfEndsAreLostOnlyTwoInvocationsAreHeldBack) {
  Live("end");
  WillInvoke("a", absl::Seconds(10));
  WillInvoke("b", absl::Seconds(30), absl::Seconds(10));
  for (const std::string_view id : {"c", "d", "e"}) WillInvoke(id, absl::Seconds(600), absl::Seconds(20));
  Begin();
  Tells({clock_.Now().wall, PlatformStart{.request_id = "a"}});
  Pass(absl::Seconds(19));
  EXPECT_TRUE(parked());
  Pass(absl::Seconds(2));
  Tells({clock_.Now().wall, PlatformReport{.request_id = "a"}});
  EXPECT_FALSE(parked()) << "one may be lost";
  ASSERT_TRUE(Add(*traces_));
  Pass(absl::Seconds(9));
  ASSERT_TRUE(parked());
  EXPECT_EQ(life_->counts().ends_not_seen, 2);
  ASSERT_TRUE(Add(*traces_));
  Pass(absl::Seconds(20));
  EXPECT_TRUE(parked()) << "c is not held back";
  EXPECT_EQ(traces_->delivered(), 2) << "what came after the flush of b is sent with c";
  Tells({clock_.Now().wall, PlatformReport{.request_id = "b"}});
  Tells({clock_.Now().wall, PlatformStart{.request_id = "c"}});
  Pass(absl::Seconds(20));
  EXPECT_TRUE(parked()) << "nor is d";
  EXPECT_EQ(life_->counts().ends_unknown, 2);
  Done("d");
  Pass(absl::Seconds(20));
  EXPECT_FALSE(parked()) << "records of ends come again";
  Done("e");
  Pass(absl::Milliseconds(10));
  EXPECT_TRUE(parked());
  EXPECT_EQ(life_->counts().ends_not_seen, 2);
}

TEST_F(FunctionLifeTest, ARecordOfAnEndThatIsMerelyLateIsNoLoss) {
  Live("end", {.unseen_ends = 1});
  WillInvoke("a", absl::Seconds(10));
  WillInvoke("b", absl::Seconds(600), absl::Seconds(5));
  Begin();
  Tells({clock_.Now().wall, PlatformStart{.request_id = "a"}});
  Pass(absl::Seconds(10));
  ASSERT_TRUE(parked());
  Done("a");
  Pass(absl::Seconds(10));
  EXPECT_FALSE(parked()) << "b's end is waited for";
}

TEST_F(FunctionLifeTest, WithoutTelemetryWhatTheLastInvocationLeftIsSentBesideTheFunction) {
  Live("end", {.telemetry = false});
  ASSERT_TRUE(Add(*traces_));
  WillInvoke("a");
  Begin();
  Pass(absl::Milliseconds(10));
  EXPECT_EQ(lines_, Lines({"resume", "invoke a", "flush", "quiesce"}));
  EXPECT_TRUE(parked());
  EXPECT_EQ(life_->counts().ends_unknown, 1);
}

TEST_F(FunctionLifeTest, ABlockingFlushHoldsTheNextEventBackAndTheFunctionDoesNot) {
  Live("periodically,1000");
  flush_takes_ = absl::Milliseconds(500);
  ASSERT_TRUE(Add(*traces_));
  Pass(absl::Seconds(2));
  WillInvoke("a");
  Begin();
  EXPECT_EQ(lines_.back(), "flush");
  EXPECT_FALSE(parked());
  Pass(absl::Milliseconds(520));
  EXPECT_TRUE(parked()) << "whether or not the function has ended";
}

TEST_F(FunctionLifeTest, AFlushInTheBackgroundHoldsNothingBack) {
  Live("continuously,1000");
  flush_takes_ = absl::Milliseconds(500);
  ASSERT_TRUE(Add(*traces_));
  Pass(absl::Seconds(2));
  WillInvoke("a");
  Begin();
  EXPECT_EQ(lines_.back(), "flush");
  EXPECT_TRUE(parked());
  EXPECT_EQ(coordinator_->running(), 1);
  EXPECT_EQ(coordinator_->counts().quiesce_broken, 0);
}

TEST_F(FunctionLifeTest, AShutdownMayBeTheFirstEvent) {
  Live("end");
  WillShutDown();
  Begin();
  ASSERT_TRUE(ended_.has_value());
  ASSERT_TRUE(ended_->ok()) << ended_->status();
  EXPECT_EQ((*ended_)->reason, ShutdownReason::kSpindown);
  EXPECT_EQ(lines_, Lines({"resume"}));
  EXPECT_EQ(life_->counts().invocations, 0);
}

TEST_F(FunctionLifeTest, AShutdownAfterAnInvocationThatHasEndedTakesNothingMoreIn) {
  Live("continuously,3600000");
  tracker_.OnTelemetry({clock_.Now().wall, PlatformRuntimeDone{.request_id = "a"}});
  WillInvoke("a");
  WillShutDown();
  Begin();
  ASSERT_TRUE(ended_.has_value());
  const absl::Duration began = clock_.Now().monotonic;
  Run(coordinator_->Shutdown(absl::Seconds(2)));
  EXPECT_LT(clock_.Now().monotonic - began, absl::Milliseconds(150))
      << "no process runs that could hand over more";
}

TEST_F(FunctionLifeTest, ALostInterfaceEndsItWithTheReason) {
  Live("end");
  lambda_.set_otherwise(
      [](const FakeClient::Sent&) { return FakeClient::Scripted{.result = Answered(500)}; });
  Begin();
  Pass(absl::Seconds(60));
  ASSERT_TRUE(ended_.has_value());
  EXPECT_FALSE(ended_->ok());
}

class ResetTest : public FunctionLifeTest, public testing::WithParamInterface<PlatformRuntimeDone> {};

INSTANTIATE_TEST_SUITE_P(
    Records, ResetTest,
    testing::Values(PlatformRuntimeDone{.request_id = "a", .status = TelemetryStatus::kFailure},
                    PlatformRuntimeDone{.request_id = "a", .status = TelemetryStatus::kTimeout},
                    PlatformRuntimeDone{.request_id = "a",
                                        .status = TelemetryStatus::kError,
                                        .error_type = "Runtime.ExitError"}));

TEST_P(ResetTest, ARuntimeThatIsGoneLeavesTheFlushToTheShutdown) {
  Live("end");
  ASSERT_TRUE(Add(*traces_));
  WillInvoke("a");
  Begin();
  Tells({clock_.Now().wall, GetParam()});
  EXPECT_TRUE(parked()) << "Lambda sends SHUTDOWN to those in /next alone";
  EXPECT_EQ(lines_, (Lines{"resume", "invoke a"}));
  EXPECT_EQ(life_->counts().resets, 1);
  Run(coordinator_->Shutdown(absl::Seconds(1)));
  EXPECT_EQ(lines_.back(), "flush");
  EXPECT_EQ(coordinator_->kept_payloads(), 0);
}

TEST_F(FunctionLifeTest, AHandlersErrorIsFlushedLikeAnyEnd) {
  Live("end");
  ASSERT_TRUE(Add(*traces_));
  WillInvoke("a");
  Begin();
  Tells({clock_.Now().wall,
         PlatformRuntimeDone{
             .request_id = "a", .status = TelemetryStatus::kError, .error_type = "ValueError"}});
  Pass(absl::Milliseconds(10));
  EXPECT_EQ(lines_, (Lines{"resume", "invoke a", "flush", "quiesce"}));
  EXPECT_EQ(life_->counts().resets, 0);
}

TEST_F(FunctionLifeTest, ARuntimeThatDiesDuringAFlushIsNotWaitedForUntilTheFlushHasEnded) {
  Live("periodically,1000");
  flush_takes_ = absl::Seconds(1);
  ASSERT_TRUE(Add(*traces_));
  Pass(absl::Seconds(2));
  WillInvoke("a");
  Begin();
  Pass(absl::Milliseconds(100));
  ASSERT_FALSE(parked());
  Tells({clock_.Now().wall, PlatformRuntimeDone{.request_id = "a", .status = TelemetryStatus::kFailure}});
  EXPECT_TRUE(parked());
  EXPECT_EQ(coordinator_->running(), 1);
  Run(coordinator_->Shutdown(absl::Seconds(2)));
  EXPECT_EQ(coordinator_->running(), 0);
  EXPECT_EQ(coordinator_->kept_payloads(), 0);
  EXPECT_EQ(absl::c_count(lines_, "flush"), 1) << "the payload was sent once";
}

TEST_F(FunctionLifeTest, AnInvocationAfterAResetThatNeverCameSendsWhatWasKept) {
  Live("end");
  ASSERT_TRUE(Add(*traces_));
  WillInvoke("a");
  WillInvoke("b");
  Begin();
  Tells({clock_.Now().wall, PlatformRuntimeDone{.request_id = "a", .status = TelemetryStatus::kTimeout}});
  Done("b");
  Pass(absl::Milliseconds(10));
  EXPECT_EQ(coordinator_->kept_payloads(), 0);
  EXPECT_EQ(lines_, (Lines{"resume", "invoke a", "resume", "invoke b", "flush", "quiesce"}));
}

TEST_F(FunctionLifeTest, BeingToldToStopEndsTheWaitForAnEvent) {
  Live("end");
  Begin();
  EXPECT_TRUE(parked());
  stop_.Request(absl::CancelledError("signal 15"));
  Pass(absl::Milliseconds(1));
  ASSERT_TRUE(ended_.has_value());
  EXPECT_EQ(ended_->status().code(), absl::StatusCode::kCancelled);
}

TEST_F(FunctionLifeTest, BeingToldToStopEndsAnInvocationsWaitForItsEnd) {
  Live("end");
  WillInvoke("a");
  Begin();
  tracker_.OnTelemetry({clock_.Now().wall, PlatformStart{.request_id = "a"}});
  life_->OnRecords();
  ASSERT_TRUE(Add(*traces_));
  Pass(absl::Seconds(1));
  ASSERT_FALSE(ended_.has_value());
  stop_.Request(absl::CancelledError("signal 15"));
  Pass(absl::Milliseconds(1));
  ASSERT_TRUE(ended_.has_value()) << "not at the deadline of the invocation";
  EXPECT_EQ(ended_->status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(life_->counts().cut_short, 1);
  EXPECT_EQ(coordinator_->counts().quiesces, 0) << "no freeze follows";
  const absl::Duration began = clock_.Now().monotonic;
  Run(coordinator_->Shutdown(absl::Seconds(2)));
  EXPECT_EQ(traces_->delivered(), 1);
  EXPECT_LT(clock_.Now().monotonic - began, absl::Seconds(2));
}

TEST_F(FunctionLifeTest, BeingToldToStopDoesNotWaitForAFlushAtTheEnd) {
  Live("end");
  flush_takes_ = absl::Seconds(20);
  ASSERT_TRUE(Add(*traces_));
  WillInvoke("a");
  Begin();
  Done("a");
  StopsWithinAFlush();
}

TEST_F(FunctionLifeTest, BeingToldToStopDoesNotWaitForABlockingFlush) {
  Live("periodically,1000");
  flush_takes_ = absl::Seconds(20);
  ASSERT_TRUE(Add(*traces_));
  Pass(absl::Seconds(2));
  WillInvoke("a");
  Begin();
  StopsWithinAFlush();
}

}  // namespace
}  // namespace thaw
