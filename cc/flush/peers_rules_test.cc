#include "cc/flush/peers_rules.h"

#include <memory>
#include <optional>

#include "cc/flush/fake_client.h"
#include "cc/flush/flusher_options.h"
#include "cc/net/exchange_failure.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

constexpr PeersOptions kPeers = {.on_failure = OnFailure::kDiscard, .retry_all_statuses = true};

SendVerdict Decide(const PeersOptions& peers, const SendResult& result, const SendTried& tried) {
  return DecideSendAsPeers(FlusherOptions(), peers, result, tried);
}

TEST(PeersRules, TheDefaultsDecideAsThaw) {
  for (const SendResult& result : {Accepted(), Answered(400), Answered(403), Answered(413), Answered(503),
                                   Unreachable(), Ambiguous(), Misconfigured()}) {
    const SendTried tried{.sends = 1, .most_sends = 3, .key_renewed = true};
    const SendVerdict thaws = DecideSend(FlusherOptions(), result, tried);
    const SendVerdict peers = Decide(PeersOptions(), result, tried);
    EXPECT_EQ(peers.action, thaws.action);
    EXPECT_EQ(peers.reason, thaws.reason);
    EXPECT_EQ(peers.notice, thaws.notice);
    EXPECT_EQ(peers.refused_status, thaws.refused_status);
  }
}

TEST(PeersRules, ARefusalForGoodIsSentAsOftenAsTheClientTries) {
  for (const int status : {302, 400, 401, 403, 413}) {
    for (int sends = 1; sends < 3; ++sends) {
      EXPECT_EQ(Decide(kPeers, Answered(status), {.sends = sends, .most_sends = 3}).action,
                SendAction::kSendAgain);
    }
    const SendVerdict last = Decide(kPeers, Answered(status), {.sends = 3, .most_sends = 3});
    EXPECT_EQ(last.action, SendAction::kDrop);
    EXPECT_EQ(last.reason, DropReason::kRefused);
    EXPECT_EQ(last.refused_status, status);
    EXPECT_EQ(last.notice, SendNotice::kPeersStatus);
    EXPECT_FALSE(last.denied);
  }
  const SendTried ended{.sends = 1, .most_sends = 3, .ended = true};
  EXPECT_EQ(Decide(kPeers, Answered(400), ended).action, SendAction::kDrop);
}

TEST(PeersRules, ARefusalForNowIsDroppedAfterTheClientsRetries) {
  const SendVerdict verdict = Decide(kPeers, Answered(503), {.sends = 1, .most_sends = 3});
  EXPECT_EQ(verdict.action, SendAction::kDrop);
  EXPECT_EQ(verdict.refused_status, 503);
}

TEST(PeersRules, WithoutRetryAllStatusesRefusalsAreDecidedAsByThaw) {
  const PeersOptions options{.on_failure = OnFailure::kDiscard};
  EXPECT_EQ(Decide(options, Answered(413), {.sends = 1}).action, SendAction::kSplit);
  EXPECT_EQ(Decide(options, Answered(400), {.sends = 1}).notice, SendNotice::kRefused);
  const SendVerdict for_now = Decide(options, Answered(503), {.sends = 1});
  EXPECT_EQ(for_now.action, SendAction::kKeep);
  EXPECT_EQ(for_now.notice, SendNotice::kPeersFailure);
}

TEST(PeersRules, WithoutDropRefusedRefusedPayloadsAreKept) {
  const PeersOptions keeps_refused{.on_failure = OnFailure::kDiscard, .drop_refused = false};
  const SendTried all{.sends = 2, .key_renewed = true, .unsplittable = true};
  for (const int status : {400, 403, 413}) {
    const SendVerdict verdict = Decide(keeps_refused, Answered(status), all);
    EXPECT_EQ(verdict.action, SendAction::kKeep) << status;
    EXPECT_EQ(verdict.notice, SendNotice::kNone) << status;
    EXPECT_EQ(verdict.refused_status, std::nullopt) << status;
    EXPECT_EQ(verdict.denied, status == 403) << status;
  }
  EXPECT_EQ(Decide(keeps_refused, Answered(413), {.sends = 1}).action, SendAction::kSplit);
  // A request that can't be sent was not refused by the intake.
  SendResult unsendable = Failed(Phase::kWrite, Fault::kProtocol, BytesWritten::kNone);
  unsendable.attempts = 0;
  unsendable.last_class = RetryClass::kRefusedForGood;
  const SendVerdict dropped = Decide(keeps_refused, unsendable, all);
  EXPECT_EQ(dropped.action, SendAction::kDrop);
  EXPECT_EQ(dropped.reason, DropReason::kUnencodable);
  EXPECT_EQ(dropped.notice, SendNotice::kUnsendable);
}

TEST(PeersRules, AFailureIsLoggedUnlessItIsKept) {
  const SendVerdict verdict = Decide(kPeers, Unreachable(), {.sends = 1, .most_sends = 3});
  EXPECT_EQ(verdict.action, SendAction::kKeep);
  EXPECT_EQ(verdict.notice, SendNotice::kPeersFailure);
  const PeersOptions keeps{.retry_all_statuses = true};
  EXPECT_EQ(Decide(keeps, Unreachable(), {.sends = 1}).notice, SendNotice::kNone);
  EXPECT_EQ(Decide(kPeers, Accepted(), {.sends = 1}).action, SendAction::kDelivered);
}

TEST(PeersRules, FailedPayloadsAreDroppedOrHeldForTheRedrive) {
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
