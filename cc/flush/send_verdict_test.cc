#include "cc/flush/send_verdict.h"

#include <string>
#include <vector>

#include "cc/flush/fake_client.h"
#include "cc/net/exchange_failure.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

SendResult Unsendable() {
  SendResult result = Failed(Phase::kWrite, Fault::kProtocol, BytesWritten::kNone);
  result.attempts = 0;
  result.last_class = RetryClass::kRefusedForGood;
  return result;
}
SendResult Stale() { return Failed(Phase::kHead, Fault::kReset, BytesWritten::kAll, /*reused=*/true); }
// No attempt was made before the flush ended.
SendResult Untried() {
  SendResult result;
  result.last_class = RetryClass::kCancelled;
  return result;
}
// Only the head of the answer came.
SendResult HeadOnly(int status) {
  SendResult result = Answered(status);
  result.response.reset();
  result.failures.back().status = status;
  return result;
}

// "drop refused 400 denied, logs refused": what a verdict says.
std::string Text(const SendVerdict& verdict) {
  const auto action = [&verdict]() -> std::string {
    switch (verdict.action) {
      case SendAction::kDelivered:
        return "delivered";
      case SendAction::kSplit:
        return "split";
      case SendAction::kRenewKey:
        return "renew key";
      case SendAction::kSendAgain:
        return "send again";
      case SendAction::kDrop:
        return "drop " + std::string(ToString(verdict.reason));
      case SendAction::kKeep:
        return "keep";
    }
    return "";
  };
  std::string text = action();
  if (verdict.refused_status.has_value()) text += " " + std::to_string(*verdict.refused_status);
  if (verdict.possible_duplicate) text += " duplicate";
  if (verdict.untried) text += " untried";
  if (verdict.denied) text += " denied";
  if (verdict.notice == SendNotice::kUnsendable) text += ", logs unsendable";
  if (verdict.notice == SendNotice::kRefused) text += ", logs refused";
  if (verdict.notice == SendNotice::kPeersStatus || verdict.notice == SendNotice::kPeersFailure)
    text += ", logs as peers do";
  return text;
}

struct Row {
  std::string name;
  SendResult result;
  std::string verdict;
  SendTried tried = {.sends = 1};
};

void Expect(const FlusherOptions& options, const std::vector<Row>& rows) {
  for (const Row& row : rows)
    EXPECT_EQ(Text(DecideSend(options, row.result, row.tried)), row.verdict) << row.name;
}

TEST(SendVerdict, EachResultHasItsVerdict) {
  Expect({}, {
                 {"accepted", Accepted(), "delivered"},
                 {"204", Answered(204), "delivered"},
                 {"unsendable", Unsendable(), "drop unencodable, logs unsendable"},
                 {"302", Answered(302), "drop refused 302, logs refused"},
                 {"400", Answered(400), "drop refused 400, logs refused"},
                 {"a head alone", HeadOnly(404), "drop refused 404, logs refused"},
                 {"413", Answered(413), "split"},
                 {"401", Answered(401), "renew key"},
                 {"403", Answered(403), "renew key"},
                 {"408", Answered(408), "keep"},
                 {"429", Answered(429), "keep"},
                 {"503", Answered(503), "keep"},
                 {"unreachable", Unreachable(), "keep"},
                 {"misconfigured", Misconfigured(), "keep"},
                 {"ambiguous", Ambiguous(), "keep duplicate"},
                 {"stale", Stale(), "keep duplicate"},
                 {"untried", Untried(), "keep untried"},
             });
}

TEST(SendVerdict, ExhaustedRemediesAreNotTriedAgain) {
  const SendTried unsplittable{.sends = 1, .unsplittable = true};
  const SendTried renewed{.sends = 2, .key_renewed = true};
  const SendTried ended{.sends = 1, .ended = true};
  Expect({}, {
                 {"413 that can't be split", Answered(413), "drop too_large 413, logs refused", unsplittable},
                 {"413 after another key", Answered(413), "split", renewed},
                 {"413 at the end", Answered(413), "split", ended},
                 {"401 again", Answered(401), "drop refused 401 denied, logs refused", renewed},
                 {"403 again", Answered(403), "drop refused 403 denied, logs refused", renewed},
                 {"403 at the end", Answered(403), "drop refused 403 denied, logs refused", ended},
                 {"accepted", Accepted(), "delivered", renewed},
             });
}

TEST(SendVerdict, APipelineThatMayNotSendTwiceDropsPossibleDuplicates) {
  Expect({.retry_ambiguous = false}, {
                                         {"ambiguous", Ambiguous(), "drop ambiguous_dropped duplicate"},
                                         {"stale", Stale(), "keep duplicate"},
                                         {"unreachable", Unreachable(), "keep"},
                                         {"503", Answered(503), "keep"},
                                         {"accepted", Accepted(), "delivered"},
                                     });
}

TEST(SendVerdict, OnlyTriesOnFreshConnectionsAreAmbiguous) {
  EXPECT_EQ(AmbiguousTries(Ambiguous()), 1);
  EXPECT_EQ(AmbiguousTries(Stale()), 0);
  EXPECT_EQ(AmbiguousTries(Unreachable()), 0);
  SendResult twice = Ambiguous();
  twice.failures.push_back(twice.failures.front());
  twice.failures.push_back(Unreachable().failures.front());
  EXPECT_EQ(AmbiguousTries(twice), 2);
  SendResult cancelled = Failed(Phase::kHead, Fault::kCancelled, BytesWritten::kAll);
  EXPECT_EQ(AmbiguousTries(cancelled), 1);
  SendResult bare;
  EXPECT_EQ(AmbiguousTries(bare), 0);
  bare.may_have_been_accepted = true;
  EXPECT_EQ(AmbiguousTries(bare), 1) << "a result without details";
}

}  // namespace
}  // namespace thaw
