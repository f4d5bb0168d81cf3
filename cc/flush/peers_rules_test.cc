#include "cc/flush/peers_rules.h"

#include <memory>
#include <optional>

#include "cc/flush/fake_client.h"
#include "cc/flush/pipeline_table.h"
#include "cc/net/exchange_failure.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

FlusherOptions Peers() {
  FlusherOptions options;
  options.on_failure = OnFailure::kDiscard;
  options.retry_all_statuses = true;
  return options;
}

TEST(PeersRules, ProductionIsNoEmulation) {
  for (const PipelineSpec& pipeline : kPipelineTable)
    EXPECT_FALSE(EmulatesPeers(DefaultFlusherOptions(pipeline)));
  EXPECT_TRUE(EmulatesPeers({.on_failure = OnFailure::kDiscard}));
  EXPECT_TRUE(EmulatesPeers({.on_failure = OnFailure::kRedriveAtShutdown}));
  EXPECT_TRUE(EmulatesPeers({.retry_all_statuses = true}));
}

TEST(PeersRules, ARefusalForGoodIsSentAsOftenAsTheClientTries) {
  for (const int status : {302, 400, 401, 403, 413}) {
    for (int sends = 1; sends < 3; ++sends) {
      EXPECT_EQ(DecideSendAsPeers(Peers(), Answered(status), {.sends = sends, .most_sends = 3}).action,
                SendAction::kSendAgain);
    }
    const SendVerdict last = DecideSendAsPeers(Peers(), Answered(status), {.sends = 3, .most_sends = 3});
    EXPECT_EQ(last.action, SendAction::kDrop);
    EXPECT_EQ(last.reason, DropReason::kRefused);
    EXPECT_EQ(last.refused_status, status);
    EXPECT_EQ(last.notice, SendNotice::kPeersStatus);
    EXPECT_FALSE(last.denied);
  }
  const SendTried ended{.sends = 1, .most_sends = 3, .ended = true};
  EXPECT_EQ(DecideSendAsPeers(Peers(), Answered(400), ended).action, SendAction::kDrop);
}

TEST(PeersRules, TheClientHasRetriedWhatIsRefusedForNow) {
  const SendVerdict verdict = DecideSendAsPeers(Peers(), Answered(503), {.sends = 1, .most_sends = 3});
  EXPECT_EQ(verdict.action, SendAction::kDrop);
  EXPECT_EQ(verdict.refused_status, 503);
}

TEST(PeersRules, WithoutRetryAllStatusesRefusalsAreDecidedAsByThaw) {
  const FlusherOptions options{.on_failure = OnFailure::kDiscard};
  EXPECT_EQ(DecideSendAsPeers(options, Answered(413), {.sends = 1}).action, SendAction::kSplit);
  EXPECT_EQ(DecideSendAsPeers(options, Answered(400), {.sends = 1}).notice, SendNotice::kRefused);
  const SendVerdict for_now = DecideSendAsPeers(options, Answered(503), {.sends = 1});
  EXPECT_EQ(for_now.action, SendAction::kKeep);
  EXPECT_EQ(for_now.notice, SendNotice::kPeersFailure);
  const FlusherOptions keeps_refused{.on_failure = OnFailure::kDiscard, .drop_refused = false};
  EXPECT_EQ(DecideSendAsPeers(keeps_refused, Answered(400), {.sends = 1}).notice, SendNotice::kNone);
}

TEST(PeersRules, AFailureIsLoggedUnlessItIsKept) {
  const SendVerdict verdict = DecideSendAsPeers(Peers(), Unreachable(), {.sends = 1, .most_sends = 3});
  EXPECT_EQ(verdict.action, SendAction::kKeep);
  EXPECT_EQ(verdict.notice, SendNotice::kPeersFailure);
  const FlusherOptions keeps{.retry_all_statuses = true};
  EXPECT_EQ(DecideSendAsPeers(keeps, Unreachable(), {.sends = 1}).notice, SendNotice::kNone);
  EXPECT_EQ(DecideSendAsPeers(Peers(), Accepted(), {.sends = 1}).action, SendAction::kDelivered);
}

TEST(PeersRules, WhatFailedIsDroppedOrHeldForTheRedrive) {
  constexpr OnFailure kRedrive = OnFailure::kRedriveAtShutdown;
  EXPECT_EQ(PeersDropReason(kRedrive, /*redrives=*/false, /*last=*/false), std::nullopt);
  EXPECT_EQ(PeersDropReason(kRedrive, /*redrives=*/true, /*last=*/true), DropReason::kRedriveFailed);
  EXPECT_EQ(PeersDropReason(kRedrive, /*redrives=*/false, /*last=*/true), DropReason::kDiscarded);
  EXPECT_EQ(PeersDropReason(OnFailure::kDiscard, false, /*last=*/false), DropReason::kDiscarded);
  EXPECT_EQ(PeersDropReason(OnFailure::kDiscard, false, /*last=*/true), DropReason::kDiscarded);
}

TEST(PeersRules, TheLinesAreThoseOfTheOtherProduct) {
  const Endpoint endpoint =
      *MakeEndpoint("https://intake.example", "/api/v0.2/traces", std::make_shared<LiteralApiKey>("key"));
  EXPECT_EQ(PeersStatusLine(400, endpoint),
            "Max retries exceeded, returning HTTP error: status 400 from "
            "https://intake.example/api/v0.2/traces");
  EXPECT_EQ(PeersFailureLines({}, "traces")[0], "Max retries exceeded, returning request error: cancelled");
  EXPECT_EQ(PeersFailureLines({}, "stats")[1], "STATS | Request failed: No requests sent");
  const SendResult result = Unreachable();
  EXPECT_EQ(PeersFailureLines(result, "traces")[0],
            "Max retries exceeded, returning request error: " + result.failures.back().ToString());
}

}  // namespace
}  // namespace thaw
