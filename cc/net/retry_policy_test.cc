#include "cc/net/retry_policy.h"

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

constexpr absl::Duration kBase = absl::Milliseconds(100);

ExchangeFailure Failure(Phase phase, Fault fault, BytesWritten bytes, bool reused = false) {
  ExchangeFailure failure;
  failure.phase = phase;
  failure.fault = fault;
  failure.bytes_written = bytes;
  failure.reused = reused;
  return failure;
}
ExchangeFailure Status(int status) {
  ExchangeFailure failure = Failure(Phase::kBody, Fault::kNone, BytesWritten::kAll);
  failure.response_begun = failure.head_complete = true;
  failure.status = status;
  return failure;
}
// Returns a failure of the class.
ExchangeFailure FailureOfClass(RetryClass retry_class) {
  switch (retry_class) {
    case RetryClass::kUnsent:
      return Failure(Phase::kWrite, Fault::kReset, BytesWritten::kNone, /*reused=*/true);
    case RetryClass::kUnreachable:
      return Failure(Phase::kConnect, Fault::kRefused, BytesWritten::kNone);
    case RetryClass::kMisconfigured:
      return Failure(Phase::kTls, Fault::kCertificate, BytesWritten::kNone);
    case RetryClass::kIncomplete:
      return Failure(Phase::kWrite, Fault::kReset, BytesWritten::kPart);
    case RetryClass::kStale:
      return Failure(Phase::kHead, Fault::kReset, BytesWritten::kAll, /*reused=*/true);
    case RetryClass::kAmbiguous:
      return Failure(Phase::kHead, Fault::kReset, BytesWritten::kAll);
    case RetryClass::kRefusedForNow:
      return Status(503);
    case RetryClass::kRefusedForGood:
      return Status(400);
    case RetryClass::kCancelled:
      return Failure(Phase::kHead, Fault::kCancelled, BytesWritten::kAll);
  }
  return {};
}

class RetryPolicyTest : public testing::Test {
 protected:
  RetryVerdict Decide(const ExchangeFailure& failure) {
    return DecideRetry(rules_, failure, [] { return 0.5; }, state_);
  }
  // Returns the verdicts on a series of failures of one class, up to the first "stop": "now", "dial" (when
  // the destination may be dialled again) or a delay, each with " fresh" if it needs a fresh connection.
  std::vector<std::string> Course(RetryClass retry_class, int tries = 5) {
    std::vector<std::string> course;
    state_ = {};
    while (static_cast<int>(course.size()) < tries) {
      const ExchangeFailure failure = FailureOfClass(retry_class);
      EXPECT_EQ(ClassOf(failure), retry_class) << ToString(retry_class);
      const RetryVerdict verdict = Decide(failure);
      state_.delayed += verdict.delay;
      std::string text = !verdict.again                         ? "stop"
                         : verdict.when_dialled_again           ? "dial"
                         : verdict.delay > absl::ZeroDuration() ? absl::FormatDuration(verdict.delay)
                                                                : "now";
      if (verdict.fresh) text += " fresh";
      course.push_back(text);
      if (!verdict.again) break;
    }
    return course;
  }
  using Texts = std::vector<std::string>;

  RetryRules rules_ = {.max_attempts = 3, .backoff_base = kBase, .backoff_cap = absl::Seconds(2)};
  RetryState state_;
};

TEST_F(RetryPolicyTest, EachClassHasItsCourse) {
  EXPECT_EQ(Course(RetryClass::kUnsent), Texts({"now", "50ms", "50ms", "50ms", "50ms"}));
  EXPECT_EQ(Course(RetryClass::kUnreachable), Texts({"dial", "dial", "stop"}));
  EXPECT_EQ(Course(RetryClass::kMisconfigured), Texts({"stop"}));
  EXPECT_EQ(Course(RetryClass::kIncomplete), Texts({"now fresh", "stop"}));
  EXPECT_EQ(Course(RetryClass::kStale), Texts({"now fresh", "stop"}));
  EXPECT_EQ(Course(RetryClass::kAmbiguous), Texts({"50ms", "100ms", "stop"}));
  EXPECT_EQ(Course(RetryClass::kRefusedForNow), Texts({"50ms", "100ms", "stop"}));
  EXPECT_EQ(Course(RetryClass::kRefusedForGood), Texts({"stop"}));
  EXPECT_EQ(Course(RetryClass::kCancelled), Texts({"stop"}));
}

TEST_F(RetryPolicyTest, UnsentTriesAreNotCounted) {
  rules_.free_unsent = 3;
  EXPECT_EQ(Course(RetryClass::kUnsent, 3), Texts({"now", "now", "now"}));
  EXPECT_EQ(state_.attempts, 0);
  EXPECT_EQ(state_.unsent, 3);
  EXPECT_EQ(Course(RetryClass::kAmbiguous, 2).size(), 2);
  EXPECT_EQ(state_.attempts, 2);
}

TEST_F(RetryPolicyTest, WithoutAnAttemptLeftOnlyTheFreeOnesGoOn) {
  rules_.max_attempts = 1;
  EXPECT_EQ(Course(RetryClass::kUnsent), Texts({"now", "50ms", "50ms", "50ms", "50ms"}));
  EXPECT_EQ(Course(RetryClass::kIncomplete), Texts({"now fresh", "stop"}));
  EXPECT_EQ(Course(RetryClass::kStale), Texts({"now fresh", "stop"}));
  for (const RetryClass retry_class :
       {RetryClass::kUnreachable, RetryClass::kAmbiguous, RetryClass::kRefusedForNow}) {
    EXPECT_EQ(Course(retry_class), Texts({"stop"})) << ToString(retry_class);
  }
}

TEST_F(RetryPolicyTest, ARequestThatMayHaveBeenAcceptedIsResentAsOftenAsThePipelineAllows) {
  rules_.max_attempts = 100;
  rules_.ambiguous_resends = 2;
  EXPECT_EQ(Course(RetryClass::kAmbiguous), Texts({"50ms", "100ms", "stop"}));
  EXPECT_TRUE(state_.may_have_been_accepted);
  rules_.ambiguous_resends = 0;
  EXPECT_EQ(Course(RetryClass::kAmbiguous), Texts({"stop"}));
  rules_ = {.retry_ambiguous = false};
  EXPECT_EQ(Course(RetryClass::kAmbiguous), Texts({"stop"}));
  EXPECT_EQ(Course(RetryClass::kStale), Texts({"now fresh", "stop"}));
}

TEST_F(RetryPolicyTest, TheNextTryIsAPossibleDuplicateIfAnyBeforeMayHaveBeenAccepted) {
  Decide(FailureOfClass(RetryClass::kUnreachable));
  Decide(FailureOfClass(RetryClass::kIncomplete));
  EXPECT_FALSE(state_.may_have_been_accepted);
  Decide(FailureOfClass(RetryClass::kStale));
  Decide(FailureOfClass(RetryClass::kUnreachable));
  EXPECT_TRUE(state_.may_have_been_accepted);
}

TEST_F(RetryPolicyTest, RetryAfterTakesTheBackoffsPlaceAndCountsAgainstTheMostDelay) {
  ExchangeFailure refused = Status(429);
  refused.retry_after = absl::Seconds(1);
  rules_.max_attempts = 10;
  rules_.most_delay = absl::Seconds(2);
  for (int i = 0; i < 2; ++i) {
    const RetryVerdict verdict = Decide(refused);
    ASSERT_TRUE(verdict.again);
    EXPECT_EQ(verdict.delay, absl::Seconds(1));
    state_.delayed += verdict.delay;
  }
  EXPECT_FALSE(Decide(refused).again);
  refused.retry_after.reset();
  EXPECT_FALSE(Decide(refused).again);
}

TEST_F(RetryPolicyTest, ADialThatAFreezeBrokeIsBegunAgainAtOnceOnce) {
  ExchangeFailure crossed = FailureOfClass(RetryClass::kUnreachable);
  crossed.epoch_crossed = true;
  const RetryVerdict first = Decide(crossed);
  EXPECT_TRUE(first.again && !first.when_dialled_again);
  EXPECT_EQ(first.delay, absl::ZeroDuration());
  EXPECT_TRUE(Decide(crossed).when_dialled_again);
}

TEST_F(RetryPolicyTest, WithoutJitterADelayIsTheMostThatCouldBeDrawn) {
  rules_.jitter = false;
  rules_.max_attempts = 8;
  EXPECT_EQ(Course(RetryClass::kAmbiguous, 8),
            Texts({"100ms", "200ms", "400ms", "800ms", "1.6s", "2s", "2s", "stop"}));
}

// The rules of Lambda's Runtime API (cc/lambda/api/runtime_api.h).
TEST_F(RetryPolicyTest, AListenerIsWaitedForThoughNoAttemptIsLeft) {
  rules_ = {.resend_rule = ResendRule::kUnsentOnly,
            .max_attempts = 1,
            .backoff_base = absl::Milliseconds(5),
            .backoff_cap = absl::Milliseconds(100),
            .wait_for_listener = true,
            .jitter = false};
  EXPECT_EQ(Course(RetryClass::kUnreachable, 8),
            Texts({"5ms", "10ms", "20ms", "40ms", "80ms", "100ms", "100ms", "100ms"}));
  EXPECT_EQ(Course(RetryClass::kUnsent, 2), Texts({"now", "now"}));
  for (const RetryClass retry_class :
       {RetryClass::kMisconfigured, RetryClass::kIncomplete, RetryClass::kStale, RetryClass::kAmbiguous,
        RetryClass::kRefusedForNow, RetryClass::kRefusedForGood, RetryClass::kCancelled}) {
    EXPECT_EQ(Course(retry_class), Texts({"stop"})) << ToString(retry_class);
  }
  rules_.wait_for_listener = false;
  EXPECT_EQ(Course(RetryClass::kUnreachable), Texts({"stop"}));
}

TEST_F(RetryPolicyTest, ALostConnectionIsReplacedAsOftenAsItsCallerAllows) {
  rules_ = {.resend_rule = ResendRule::kUnsentOnly,
            .max_attempts = 1,
            .backoff_base = absl::Milliseconds(5),
            .backoff_cap = absl::Milliseconds(100),
            .lost_resends = 3,
            .jitter = false};
  EXPECT_EQ(Course(RetryClass::kStale), Texts({"5ms fresh", "10ms fresh", "20ms fresh", "stop"}));
  EXPECT_EQ(Course(RetryClass::kAmbiguous), Texts({"5ms", "10ms", "20ms", "stop"}));
  EXPECT_EQ(Course(RetryClass::kUnreachable), Texts({"stop"})) << "no server listened, so nothing was lost";
  EXPECT_EQ(Course(RetryClass::kRefusedForNow), Texts({"stop"}));
  EXPECT_EQ(Course(RetryClass::kUnsent, 4), Texts({"now", "now", "now", "now"}));
  EXPECT_EQ(state_.lost, 0);
  state_ = {};
  for (const Fault fault : {Fault::kTimeout, Fault::kProtocol})
    EXPECT_FALSE(Decide(Failure(Phase::kHead, fault, BytesWritten::kAll)).again) << ToString(fault);
}

TEST_F(RetryPolicyTest, GrantedTriesKeepToTheirClass) {
  rules_.max_attempts = 1;
  rules_.wait_for_listener = true;
  rules_.lost_resends = 1;
  EXPECT_EQ(Course(RetryClass::kUnreachable), Texts({"dial", "dial", "dial", "dial", "dial"}));
  EXPECT_EQ(Course(RetryClass::kAmbiguous), Texts({"50ms", "stop"}));
  rules_.retry_ambiguous = false;
  EXPECT_EQ(Course(RetryClass::kAmbiguous), Texts({"stop"}));
}

TEST_F(RetryPolicyTest, ByTheRuleOfUnsentOnlyEveryOtherFailureIsLeftToItsAttempts) {
  rules_.resend_rule = ResendRule::kUnsentOnly;
  EXPECT_EQ(Course(RetryClass::kUnsent), Texts({"now", "now", "now", "now", "now"}));
  EXPECT_EQ(Course(RetryClass::kStale), Texts({"50ms fresh", "100ms fresh", "stop"}));
  EXPECT_EQ(Course(RetryClass::kRefusedForGood), Texts({"50ms", "100ms", "stop"}));
  EXPECT_EQ(Course(RetryClass::kCancelled), Texts({"stop"}));
  rules_.max_attempts = 1;
  EXPECT_EQ(Course(RetryClass::kAmbiguous), Texts({"stop"}));
}

}  // namespace
}  // namespace thaw
