#include "cc/flush/destination_group.h"

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cc/base/cancellation.h"
#include "cc/flush/fake_client.h"
#include "cc/net/exchange_failure.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

TEST(DestinationGroup, RecordsEachResult) {
  Cancellation flush;
  DestinationGroup group(&flush, 0);
  EXPECT_FALSE(group.IsKnown(/*cut_short=*/false)) << "nothing was tried";
  EXPECT_FALSE(group.OnResult(Unreachable()));
  EXPECT_TRUE(group.tried && !group.answered && !group.refused);
  EXPECT_TRUE(group.IsKnown(/*cut_short=*/false));
  EXPECT_FALSE(group.IsKnown(/*cut_short=*/true)) << "it may have answered later";
  EXPECT_FALSE(group.OnResult(Refused(429, absl::Seconds(5))));
  EXPECT_FALSE(group.OnResult(Refused(503, absl::Seconds(3))));
  EXPECT_TRUE(group.answered && group.refused && !group.accepted);
  EXPECT_EQ(group.retry_after, absl::Seconds(5));
  EXPECT_TRUE(group.OnResult(Answered(400))) << "an answer, though no success";
  EXPECT_TRUE(group.OnResult(Accepted()));
  EXPECT_TRUE(group.accepted);
  EXPECT_NE(group.why, "");
}

TEST(DestinationGroup, ARequestRejectedForItsFormIsNoTry) {
  Cancellation flush;
  DestinationGroup group(&flush, 0);
  SendResult result = Failed(Phase::kWrite, Fault::kProtocol, BytesWritten::kNone);
  result.attempts = 0;
  result.last_class = RetryClass::kRefusedForGood;
  group.OnResult(result);
  EXPECT_FALSE(group.tried);
}

TEST(DestinationGroup, EndsWithItsFlushAndNotTheReverse) {
  Cancellation flush;
  DestinationGroup group(&flush, 0);
  DestinationGroup other(&flush, 1);
  group.cancellation.Request(absl::DeadlineExceededError("nothing moves"));
  EXPECT_FALSE(flush.requested());
  EXPECT_FALSE(other.cancellation.requested());
  flush.Request(absl::CancelledError("interrupted"));
  EXPECT_TRUE(other.cancellation.requested());
}

TEST(DestinationGroup, CountsOnlyTheDelaysOfRefusedRequests) {
  Cancellation flush;
  DestinationGroup group(&flush, 0);
  SendResult slow = Unreachable();
  slow.delayed = absl::Seconds(2);
  group.OnResult(slow);
  EXPECT_EQ(group.delayed, absl::ZeroDuration());
  SendResult refused = Answered(503);
  refused.delayed = absl::Seconds(1);
  group.OnResult(refused);
  refused.delayed = absl::Milliseconds(10);
  group.OnResult(refused);
  EXPECT_EQ(group.delayed, absl::Seconds(1)) << "the longest of one request";
}

}  // namespace
}  // namespace thaw
