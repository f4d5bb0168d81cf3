#include "cc/flush/endpoint_state.h"

#include <memory>
#include <string>
#include <vector>

#include "cc/base/manual_executor.h"
#include "cc/clock/fake_clock.h"
#include "cc/flush/fake_client.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

class EndpointStateTest : public testing::Test {
 protected:
  // Ends a flush in which the endpoint gave these results.
  FlushReport Flush(const std::vector<SendResult>& results, absl::Duration active = absl::Seconds(1)) {
    Cancellation flush;
    DestinationGroup group(&flush, 0);
    for (const SendResult& result : results) group.OnResult(result);
    state_.CountRefusals(group, active);
    state_.Conclude(group, group.IsKnown(/*cut_short=*/false));
    FlushReport report;
    state_.TellOutOfReach(report);
    return report;
  }
  absl::Duration left() const { return outage_.left_for_refusals(); }

  ManualExecutor executor_;
  FakeClock clock_{executor_};
  OutageBudget outage_{executor_, clock_, {}};
  const Endpoint endpoint_ =
      *MakeEndpoint("https://intake.example", "/api/v0.2/traces", std::make_shared<LiteralApiKey>("key"));
  EndpointState state_{clock_, outage_, endpoint_};
};

TEST_F(EndpointStateTest, AProxyThatWantsACredentialDenies) {
  SendResult result = Answered(407);
  result.last_class = RetryClass::kMisconfigured;
  EXPECT_EQ(Flush({result}).out_of_reach.size(), 1u);
}

TEST_F(EndpointStateTest, RefusalsCostTheActiveTimeUnlessSomethingWasAccepted) {
  const absl::Duration before = left();
  Flush({Answered(503)}, absl::Seconds(1));
  EXPECT_EQ(before - left(), absl::Seconds(1));
  clock_.Advance(absl::Seconds(10));
  SendResult late = Answered(503);
  late.delayed = absl::Milliseconds(200);
  Flush({late, Accepted()}, absl::Seconds(1));
  EXPECT_EQ(before - left(), absl::Milliseconds(1200)) << "only the wait";
  clock_.Advance(absl::Seconds(10));
  Flush({Accepted()});
  EXPECT_EQ(before - left(), absl::Milliseconds(1190)) << "10 ms were given back";
}

TEST_F(EndpointStateTest, NothingIsGivenBackThatWasNotOwed) {
  const absl::Duration before = left();
  Flush({Accepted()});
  EXPECT_EQ(left(), before);
}

TEST_F(EndpointStateTest, TwoFlushesThatAreRefusedEverythingHoldTheEndpoint) {
  Flush({Answered(503)});
  EXPECT_FALSE(state_.refusals().would_skip());
  const FlushReport refused = Flush({Answered(503)});
  EXPECT_TRUE(state_.refusals().would_skip());
  EXPECT_EQ(outage_.counts().refused_flushes, 2);
  ASSERT_EQ(refused.out_of_reach.size(), 1u);
  EXPECT_NE(refused.out_of_reach[0].find("refuses all data"), std::string::npos);
  EXPECT_TRUE(Flush({Answered(503), Accepted()}).out_of_reach.empty());
  EXPECT_FALSE(state_.refusals().would_skip());
  EXPECT_EQ(outage_.counts().refused_flushes, 2);
}

TEST_F(EndpointStateTest, ADestinationWithoutAnAnswerIsOutOfReachUntilItAnswers) {
  const FlushReport lost = Flush({Unreachable()});
  ASSERT_EQ(lost.out_of_reach.size(), 1u);
  EXPECT_NE(lost.out_of_reach[0].find("can't be reached"), std::string::npos);
  FlushReport twice = lost;
  state_.TellOutOfReach(twice);
  EXPECT_EQ(twice.out_of_reach.size(), 1u) << "each line is told once";
  EXPECT_TRUE(Flush({Answered(400)}).out_of_reach.empty());
}

TEST_F(EndpointStateTest, ADestinationThatAnswersWithRefusalsIsNotBack) {
  Flush({Unreachable()});
  clock_.Advance(absl::Seconds(2));
  SendResult denied = Answered(403);
  denied.last_class = RetryClass::kMisconfigured;
  const FlushReport refused = Flush({denied});
  ASSERT_EQ(refused.out_of_reach.size(), 1u);
  EXPECT_NE(refused.out_of_reach[0].find("refuses all data since 2026-01-01T00:00:00Z"), std::string::npos)
      << refused.out_of_reach[0];
  EXPECT_EQ(outage_.counts().out_of_reach, 1);
  EXPECT_EQ(outage_.counts().back, 0);
  EXPECT_TRUE(Flush({Accepted()}).out_of_reach.empty());
  EXPECT_EQ(outage_.counts().out_of_reach, 1) << "one outage, for two reasons";
  EXPECT_EQ(outage_.counts().back, 1);
}

TEST_F(EndpointStateTest, AnOutageThatChangesItsKindIsOne) {
  Flush({Answered(503)});
  const FlushReport unreachable = Flush({Unreachable()});
  ASSERT_EQ(unreachable.out_of_reach.size(), 1u);
  EXPECT_NE(unreachable.out_of_reach[0].find("can't be reached"), std::string::npos);
  EXPECT_EQ(Flush({Answered(503)}).out_of_reach.size(), 1u);
  EXPECT_TRUE(Flush({Accepted()}).out_of_reach.empty());
  EXPECT_EQ(outage_.counts().out_of_reach, 1);
  EXPECT_EQ(outage_.counts().back, 1);
}

TEST_F(EndpointStateTest, TwoOutagesThatBecomeOneAreBothOver) {
  EndpointState other(clock_, outage_, endpoint_);
  Flush({Answered(503)});
  Cancellation flush;
  DestinationGroup group(&flush, 0);
  group.OnResult(Unreachable());
  other.Conclude(group, group.IsKnown(/*cut_short=*/false));
  EXPECT_EQ(outage_.counts().out_of_reach, 2);
  EXPECT_EQ(Flush({Unreachable()}).out_of_reach.size(), 1u);
  EXPECT_TRUE(Flush({Accepted()}).out_of_reach.empty());
  EXPECT_EQ(outage_.counts().out_of_reach, 2);
  EXPECT_EQ(outage_.counts().back, 2);
}

}  // namespace
}  // namespace thaw
