#include "cc/flush/flush_coordinator.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "boost/json/parse.hpp"
#include "boost/json/serialize.hpp"
#include "boost/json/value.hpp"
#include "cc/base/line.h"
#include "cc/base/task.h"
#include "cc/flush/coordinator_fixture.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

class FlushCoordinatorTest : public CoordinatorFixture {};

constexpr FakeClient::Scripted Taking(absl::Duration time) { return {.after = time}; }

FakeClient::Scripted AcceptedAfter(absl::Duration time) {
  FakeClient::Scripted scripted = Taking(time);
  scripted.result = Accepted();
  return scripted;
}

FakeClient::Scripted Silence() {
  FakeClient::Scripted scripted = Taking(absl::InfiniteDuration());
  scripted.connects = false;
  return scripted;
}

TEST_F(FlushCoordinatorTest, AllPipelinesFlushSideBySide) {
  Make("end");
  AnswerAll(AcceptedAfter(absl::Seconds(1)));
  for (PipelineFlusher* pipeline : {traces_.get(), stats_.get(), logs_.get()}) EXPECT_TRUE(Add(*pipeline));
  EXPECT_EQ(Begin(), FlushDecision::kAtEnd);
  const FlushReport report = Run(coordinator_->Flush(FlushReason::kEnd));
  EXPECT_EQ(client_.most_open(), 3);
  EXPECT_EQ(report.delivered, 3);
  EXPECT_EQ(report.retained, 0);
  EXPECT_EQ(report.elapsed, absl::Seconds(1));
  EXPECT_EQ(coordinator_->flush_time().last(), absl::Seconds(1));
  EXPECT_EQ(coordinator_->counts().end, 1);
}

TEST_F(FlushCoordinatorTest, TheDeadlineIsTheFlushTimeoutOrTheRestOfTheInvocation) {
  Make("end");
  const auto budget = [this] {
    EXPECT_TRUE(Add(*traces_));
    Run(coordinator_->Flush(FlushReason::kEnd));
    return client_.sent().back().options.budget;
  };
  Begin(absl::Seconds(60));
  EXPECT_EQ(budget(), absl::Seconds(30));
  Begin(absl::Seconds(10));
  Pass(absl::Seconds(4));
  EXPECT_EQ(budget(), absl::Milliseconds(5900));
}

TEST_F(FlushCoordinatorTest, AFlushEndsBeforeTheInvocationDoes) {
  Make("end");
  AnswerAll(Silence());
  EXPECT_TRUE(Add(*traces_));
  Begin(absl::Seconds(1));
  EXPECT_EQ(Time(coordinator_->Flush(FlushReason::kEnd)), absl::Milliseconds(900));
  EXPECT_EQ(coordinator_->kept_payloads(), 1);
}

TEST_F(FlushCoordinatorTest, WithoutTimeNothingIsBegunAndNothingLost) {
  Make("end");
  EXPECT_TRUE(Add(*traces_));
  Begin(absl::Seconds(1));
  Pass(absl::Milliseconds(950));
  EXPECT_EQ(Run(coordinator_->Flush(FlushReason::kEnd)).retained, 1);
  EXPECT_TRUE(client_.sent().empty());
  EXPECT_EQ(coordinator_->counts().no_time, 1);
  EXPECT_EQ(coordinator_->counts().end, 0);
  Begin();
  EXPECT_EQ(Run(coordinator_->Flush(FlushReason::kEnd)).delivered, 1);
}

// The clock may be wrong for a moment, as after a restore.
TEST_F(FlushCoordinatorTest, ADeadlineThatCannotBeIsNotHeeded) {
  Make("end");
  for (const absl::Duration timeout : {-absl::Hours(1), absl::ZeroDuration(), absl::Hours(1)}) {
    Begin(timeout);
    EXPECT_TRUE(Add(*traces_));
    EXPECT_EQ(Run(coordinator_->Flush(FlushReason::kEnd)).delivered, 1);
    EXPECT_EQ(client_.sent().back().options.budget, absl::Seconds(30));
  }
  EXPECT_EQ(coordinator_->counts().implausible_deadlines, 3);
}

TEST_F(FlushCoordinatorTest, AClockThatStepsDoesNotMoveTheDeadline) {
  Make("end");
  AnswerAll(Silence());
  EXPECT_TRUE(Add(*traces_));
  Begin(absl::Seconds(1));
  clock_.Advance({.wall = -absl::Hours(1)});
  EXPECT_EQ(Time(coordinator_->Flush(FlushReason::kEnd)), absl::Milliseconds(900));
}

TEST_F(FlushCoordinatorTest, AddedTimeIsFromTheFunctionsEndToTheNextEvent) {
  Make("end");
  AnswerAll(AcceptedAfter(absl::Milliseconds(70)));
  EXPECT_TRUE(Add(*traces_));
  Begin();
  Pass(absl::Seconds(3));
  coordinator_->OnFunctionEnd();
  Run(coordinator_->Flush(FlushReason::kEnd));
  coordinator_->Quiesce();
  EXPECT_EQ(coordinator_->added_time().last(), absl::Milliseconds(70));
  Begin();
  coordinator_->OnFunctionEnd();
  coordinator_->Quiesce();
  EXPECT_EQ(coordinator_->added_time().last(), absl::ZeroDuration());
  EXPECT_EQ(coordinator_->added_time().max(), absl::Milliseconds(70));
  EXPECT_EQ(coordinator_->added_time().sum(), absl::Milliseconds(70));
  EXPECT_EQ(coordinator_->added_time().count(), 2);
  Begin();
  coordinator_->Quiesce();
  EXPECT_EQ(coordinator_->added_time().count(), 2) << "a function's end that is not known";
}

TEST_F(FlushCoordinatorTest, NothingIsOpenWhenABlockingFlushHasEnded) {
  Make("end");
  AnswerAll(Silence());
  EXPECT_TRUE(Add(*traces_));
  Begin();
  Run(coordinator_->Flush(FlushReason::kEnd));
  EXPECT_EQ(coordinator_->Quiesce(), 0);
  EXPECT_EQ(coordinator_->counts().open_at_next, 0);
  EXPECT_EQ(coordinator_->counts().quiesce_broken, 0);
}

TEST_F(FlushCoordinatorTest, AnExchangeThatIsOpenAtNextForNoReasonIsABrokenPromise) {
  Make("end");
  Begin();
  Cancellation cancellation;
  AnswerAll(Silence());
  HttpRequest request;
  Spawn<SendResult>(executor_, client_.Send(std::move(request), {}, cancellation));
  executor_.RunAll();
  EXPECT_EQ(coordinator_->Quiesce(), 1);
  EXPECT_EQ(coordinator_->counts().open_at_next, 1);
  EXPECT_EQ(coordinator_->counts().quiesce_broken, 1);
  cancellation.Request(absl::CancelledError("over"));
  executor_.RunAll();
}

TEST_F(FlushCoordinatorTest, AFlushInTheBackgroundMayBeOpenAtNextAndIsCounted) {
  Make("continuously,1000");
  AnswerAll(AcceptedAfter(absl::Milliseconds(300)));
  EXPECT_TRUE(Add(*traces_));
  EXPECT_EQ(Begin(), FlushDecision::kNone);
  coordinator_->Quiesce();
  Pass(absl::Milliseconds(1010));
  EXPECT_EQ(Begin(), FlushDecision::kInBackground);
  executor_.RunAll();
  EXPECT_EQ(coordinator_->running(), 1);
  EXPECT_EQ(coordinator_->Quiesce(), 1);
  EXPECT_EQ(coordinator_->counts().open_at_next, 1);
  EXPECT_EQ(coordinator_->counts().quiesce_broken, 0);
  // The environment runs again after a freeze.
  clock_.Freeze(absl::Hours(1));
  Begin();
  Pass(absl::Milliseconds(310));
  EXPECT_EQ(coordinator_->kept_payloads(), 0);
  EXPECT_EQ(coordinator_->running(), 0);
}

// Data whose background flush failed does not wait for the shutdown.
TEST_F(FlushCoordinatorTest, DataThatFailedInAContinuousFlushGoesOutInTheNext) {
  Make("continuously,1000");
  client_.Answer(Unreachable());
  EXPECT_TRUE(Add(*traces_));
  for (const int64_t kept : {1, 0}) {
    Pass(absl::Milliseconds(1010));
    EXPECT_EQ(Begin(), FlushDecision::kInBackground);
    coordinator_->Quiesce();
    Pass(absl::Milliseconds(20));
    EXPECT_EQ(coordinator_->kept_payloads(), kept);
  }
  EXPECT_EQ(coordinator_->counts().begun_at_next, 2);
}

TEST_F(FlushCoordinatorTest, ASlowContinuousFlushPutsTheNextOffNoFurtherThanItsOwnEnd) {
  Make("continuously,1000");
  AnswerAll(AcceptedAfter(absl::Milliseconds(1200)));
  EXPECT_TRUE(Add(*traces_));
  Pass(absl::Milliseconds(1010));
  EXPECT_EQ(Begin(), FlushDecision::kInBackground);
  Pass(absl::Milliseconds(1100));
  EXPECT_EQ(Begin(), FlushDecision::kNone) << "it still runs";
  Pass(absl::Milliseconds(200));
  EXPECT_EQ(Begin(), FlushDecision::kInBackground);
}

TEST_F(FlushCoordinatorTest, TheRaceTimerFlushesBesideALongFunctionAndTheEndWaitsForIt) {
  Make("end,2000");
  Pass(absl::Milliseconds(2010));
  EXPECT_EQ(Begin(), FlushDecision::kAtEnd);
  EXPECT_TRUE(Add(*traces_));
  AnswerAll(AcceptedAfter(absl::Milliseconds(400)));
  Pass(absl::Milliseconds(2100));
  EXPECT_EQ(coordinator_->counts().race, 1);
  EXPECT_EQ(coordinator_->running(), 1);
  EXPECT_TRUE(Add(*logs_));
  coordinator_->OnFunctionEnd();
  AnswerAll({.result = Accepted()});
  Run(coordinator_->Flush(FlushReason::kEnd));
  EXPECT_EQ(coordinator_->running(), 0);
  EXPECT_EQ(coordinator_->kept_payloads(), 0);
  EXPECT_EQ(coordinator_->counts().overlapped, 1);
  coordinator_->Quiesce();
  EXPECT_EQ(coordinator_->counts().quiesce_broken, 0);
  EXPECT_EQ(coordinator_->added_time().last(), absl::Milliseconds(300));
}

TEST_F(FlushCoordinatorTest, TheRaceTimerIsSetAgainByEachFlush) {
  Make("default");
  for (int i = 0; i < 5; ++i) {
    Begin();
    Pass(absl::Seconds(50));
    Run(coordinator_->Flush(FlushReason::kEnd));
    coordinator_->Quiesce();
  }
  EXPECT_EQ(coordinator_->counts().race, 0);
  Pass(absl::Seconds(61));
  EXPECT_EQ(coordinator_->counts().race, 1);
  EXPECT_EQ(coordinator_->counts().begun_at_next, 1);
}

TEST_F(FlushCoordinatorTest, FrozenTimeDoesNotLetTheRaceTimerFire) {
  Make("default");
  Begin();
  coordinator_->Quiesce();
  clock_.Freeze(absl::Hours(1));
  executor_.RunAll();
  Pass(absl::Seconds(59));
  EXPECT_EQ(coordinator_->counts().race, 0);
}

TEST_F(FlushCoordinatorTest, SourcesHandOverBeforeThePipelinesAreAsked) {
  Make("end");
  std::vector<bool> asked;
  coordinator_->AddSource([&](bool last) {
    asked.push_back(last);
    EXPECT_TRUE(Add(*stats_));
  });
  Begin();
  EXPECT_EQ(Run(coordinator_->Flush(FlushReason::kEnd)).delivered, 1);
  EXPECT_EQ(Run(coordinator_->Shutdown(absl::Seconds(2))).delivered, 1);
  EXPECT_EQ(asked, (std::vector<bool>{false, true}));
}

TEST_F(FlushCoordinatorTest, ASourceThatTakesTurnsEndsBeforeThePipelinesAreAsked) {
  Make("end");
  int64_t others = 0;
  coordinator_->AddLongSource([&](bool /*last*/) -> Task<void> {
    executor_.Post([&others] { ++others; });
    co_await Turn(executor_);
    EXPECT_EQ(others, 1);
    EXPECT_TRUE(Add(*stats_));
  });
  Begin();
  EXPECT_EQ(Run(coordinator_->Flush(FlushReason::kEnd)).delivered, 1);
}

TEST_F(FlushCoordinatorTest, ManagedInstancesFlushEveryIntervalUnlessOneStillRuns) {
  Make("continuously,1000");
  AnswerAll(AcceptedAfter(absl::Milliseconds(1300)));
  coordinator_->RunContinuously();
  for (int i = 0; i < 40; ++i) {
    EXPECT_TRUE(Add(*traces_));
    Pass(absl::Milliseconds(100));
  }
  // One flush runs from 1.0 s to 2.3 s, the other begins a second later.
  EXPECT_EQ(coordinator_->counts().background, 2);
  EXPECT_EQ(coordinator_->counts().overlapped, 0);
  EXPECT_EQ(client_.most_open(), 23);
}

// -- Shutdown --------------------------------------------------------------------------------------------

TEST_F(FlushCoordinatorTest, AFirstEventThatIsShutdownWaitsForNothing) {
  Make("default");
  EXPECT_EQ(Time(coordinator_->Shutdown(absl::Seconds(2))), absl::ZeroDuration());
  EXPECT_EQ(coordinator_->counts().shutdown, 1);
  EXPECT_EQ(coordinator_->counts().end, 0);
}

TEST_F(FlushCoordinatorTest, AShutdownAfterTheFunctionsEndWaitsForNothing) {
  Make("end");
  Begin();
  coordinator_->OnFunctionEnd();
  Run(coordinator_->Flush(FlushReason::kEnd));
  coordinator_->Quiesce();
  coordinator_->Resume();
  EXPECT_TRUE(Add(*traces_));
  EXPECT_EQ(Time(coordinator_->Shutdown(absl::Seconds(2))), absl::ZeroDuration());
  EXPECT_EQ(coordinator_->kept_payloads(), 0);
}

TEST_F(FlushCoordinatorTest, AShutdownTakesInUntilTheFunctionHasEnded) {
  Make("end");
  Begin();
  const Alarm end(clock_, absl::Milliseconds(120), [this] {
    EXPECT_TRUE(Add(*logs_));
    coordinator_->OnFunctionEnd();
  });
  EXPECT_EQ(Time(coordinator_->Shutdown(absl::Seconds(2))), absl::Milliseconds(120));
  EXPECT_EQ(logs_->delivered(), 1);
}

TEST_F(FlushCoordinatorTest, AShutdownTakesInForAtMostThreeHundredMilliseconds) {
  Make("end");
  Begin();
  EXPECT_TRUE(Add(*traces_));
  EXPECT_EQ(Time(coordinator_->Shutdown(absl::Seconds(2))), absl::Milliseconds(300));
  EXPECT_EQ(coordinator_->kept_payloads(), 0);
  Begin();
  EXPECT_EQ(Time(coordinator_->Shutdown(absl::Milliseconds(350))), absl::Milliseconds(100))
      << "half of the time is left to the flush";
}

TEST_F(FlushCoordinatorTest, AShutdownSendsWhatCameWhileItsFlushRan) {
  Make("end");
  client_.set_otherwise([](const FakeClient::Sent&) { return AcceptedAfter(absl::Milliseconds(100)); });
  EXPECT_TRUE(Add(*traces_));
  const Alarm later(clock_, absl::Milliseconds(50), [this] { EXPECT_TRUE(Add(*logs_)); });
  EXPECT_EQ(Time(coordinator_->Shutdown(absl::Seconds(2))), absl::Milliseconds(200));
  EXPECT_EQ(traces_->delivered(), 1);
  EXPECT_EQ(logs_->delivered(), 1);
  EXPECT_EQ(coordinator_->counts().shutdown, 2);
  EXPECT_EQ(coordinator_->counts().lost_at_shutdown, 0);
}

TEST_F(FlushCoordinatorTest, AShutdownHandsOverWhatASourceGotMeanwhile) {
  Make("end");
  int lines = 1;
  coordinator_->AddSource([&lines](bool) { lines = std::max(lines - 1, 0); });
  coordinator_->AddLeftover([&lines] { return lines > 0 ? absl::StrCat("logs: ", lines, " lines") : ""; });
  Run(coordinator_->Shutdown(absl::Seconds(2)));
  EXPECT_EQ(coordinator_->counts().shutdown, 1);
  lines = 2;
  Run(coordinator_->Shutdown(absl::Seconds(2)));
  EXPECT_EQ(coordinator_->counts().shutdown, 3);
  EXPECT_EQ(lines, 0);
  lines = 100;
  Run(coordinator_->Shutdown(absl::Seconds(2)));
  EXPECT_EQ(coordinator_->counts().shutdown, 7) << "four flushes at most";
}

TEST_F(FlushCoordinatorTest, AShutdownWithoutAnIntakeFlushesOnce) {
  Make("end");
  client_.set_otherwise(
      [](const FakeClient::Sent&) { return FakeClient::Scripted{.result = Unreachable()}; });
  EXPECT_TRUE(Add(*traces_));
  coordinator_->AddLeftover([] { return std::string("logs: 1 lines"); });
  Run(coordinator_->Shutdown(absl::Seconds(2)));
  EXPECT_EQ(coordinator_->counts().shutdown, 1);
}

TEST_F(FlushCoordinatorTest, ABlackHoleDoesNotLetAShutdownMissItsDeadline) {
  Make("end");
  AnswerAll(Silence());
  for (PipelineFlusher* pipeline : {traces_.get(), stats_.get(), logs_.get()}) EXPECT_TRUE(Add(*pipeline));
  Begin();
  EXPECT_LE(Time(coordinator_->Shutdown(absl::Seconds(2))), absl::Milliseconds(1850));
  EXPECT_EQ(coordinator_->counts().lost_at_shutdown, 3);
}

TEST_F(FlushCoordinatorTest, AShutdownGivesASlowIntakeItsTimeLessTheMargin) {
  Make("end");
  client_.set_otherwise([this](const FakeClient::Sent&) {
    // Something moves from time to time.
    for (int i = 1; i < 40; ++i)
      clock_.SetAlarm(absl::Milliseconds(100 * i), LateAlarm::kRearm, [this] { client_.Move(); });
    return AcceptedAfter(absl::Seconds(4));
  });
  EXPECT_TRUE(Add(*traces_));
  EXPECT_EQ(Time(coordinator_->Shutdown(absl::Seconds(2))), absl::Milliseconds(1850));
}

TEST_F(FlushCoordinatorTest, AShutdownAsksNoBreakerAndWaitsForRunningFlushes) {
  Make("continuously,1000");
  client_.Answer(Unreachable());
  client_.Answer(Unreachable());
  EXPECT_TRUE(Add(*traces_));
  for (int i = 0; i < 2; ++i) Run(coordinator_->Flush(FlushReason::kRace));
  EXPECT_EQ(shared_.outage->open_breakers(), 1);
  AnswerAll(AcceptedAfter(absl::Milliseconds(200)));
  EXPECT_TRUE(Add(*logs_));
  Pass(absl::Milliseconds(1010));
  EXPECT_EQ(Begin(), FlushDecision::kInBackground);
  executor_.RunAll();
  coordinator_->OnFunctionEnd();
  coordinator_->Quiesce();
  coordinator_->Resume();
  Run(coordinator_->Shutdown(absl::Seconds(2)));
  EXPECT_EQ(coordinator_->running(), 0);
  EXPECT_EQ(coordinator_->kept_payloads(), 0);
  Pass(absl::Minutes(20));
  EXPECT_EQ(coordinator_->counts().race, 2) << "no timer is left";
}

// -- Books -----------------------------------------------------------------------------------------------

TEST_F(FlushCoordinatorTest, TheJsonIsOneLineOfAllCounts) {
  Make("end, 500");
  Pass(absl::Milliseconds(510));
  Begin();
  EXPECT_TRUE(Add(*traces_));
  client_.Answer(Answered(400));
  EXPECT_TRUE(Add(*logs_));
  coordinator_->OnFunctionEnd();
  Run(coordinator_->Flush(FlushReason::kEnd));
  EXPECT_TRUE(Add(*stats_));
  coordinator_->Quiesce();
  const std::string text = coordinator_->ToJson();
  EXPECT_EQ(text.find('\n'), std::string::npos);
  const boost::json::value json = boost::json::parse(text);
  const auto at = [&json](std::string_view pointer) -> std::string {
    return boost::json::serialize(json.at_pointer(pointer));
  };
  EXPECT_EQ(at("/strategy"), "\"end,500\"");
  EXPECT_EQ(at("/flushes/end"), "1");
  EXPECT_EQ(at("/flushes/quiesces"), "1");
  EXPECT_EQ(at("/flushes/quiesce_broken"), "0");
  EXPECT_EQ(at("/pipelines/stats/kept"), "1");
  EXPECT_EQ(at("/outages/open"), "0");
  EXPECT_EQ(at("/clients/intake/opened"), "2");
  EXPECT_EQ(at("/flush_time/count"), "1");
  EXPECT_EQ(at("/flush_time/total"), at("/flush_time/sum"));
  EXPECT_EQ(at("/flush_time/most"), at("/flush_time/p99"));
  EXPECT_EQ(at("/added_time/count"), "1");
  EXPECT_EQ(at("/clients/intake/handshake_time/count"), "0");
  EXPECT_EQ(at("/bytes/limit"), std::to_string(size_t{32} << 20));
  EXPECT_EQ(at("/bytes/used"), std::to_string(shared_.bytes->used()));
}

}  // namespace
}  // namespace thaw
