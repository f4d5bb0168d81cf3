#include "cc/net/backoff.h"

#include <optional>

#include "gtest/gtest.h"

namespace thaw {
namespace {

constexpr absl::Duration kBase = absl::Milliseconds(100);
constexpr absl::Duration kCap = absl::Seconds(2);

// Uses the upper end of the fraction's range, which makes the figures easy to read.
absl::Duration Longest(int tries) { return Backoff(kBase, kCap, tries, 1.0); }

TEST(BackoffTest, DoublesUpToTheCap) {
  EXPECT_EQ(Longest(1), absl::Milliseconds(100));
  EXPECT_EQ(Longest(2), absl::Milliseconds(200));
  EXPECT_EQ(Longest(3), absl::Milliseconds(400));
  EXPECT_EQ(Longest(5), absl::Milliseconds(1600));
  EXPECT_EQ(Longest(6), kCap);
  EXPECT_EQ(Longest(7), kCap);
}

TEST(BackoffTest, JitterIsFull) {
  EXPECT_EQ(Backoff(kBase, kCap, 3, 0), absl::ZeroDuration());
  EXPECT_EQ(Backoff(kBase, kCap, 3, 0.25), absl::Milliseconds(100));
  EXPECT_EQ(Backoff(kBase, kCap, 100, 0.5), absl::Seconds(1)) << "of the cap, not of what is beyond it";
}

TEST(BackoffTest, ManyTriesDoNotOverflow) {
  EXPECT_EQ(Longest(64), kCap);
  EXPECT_EQ(Longest(1 << 30), kCap);
  EXPECT_EQ(Backoff(absl::Hours(24 * 365), absl::InfiniteDuration(), 1 << 30, 0), absl::ZeroDuration());
}

TEST(BackoffTest, NoTriesCountAsOne) {
  EXPECT_EQ(Longest(0), kBase);
  EXPECT_EQ(Longest(-5), kBase);
}

TEST(BackoffTest, ABaseOfZeroWaitsForNothing) {
  EXPECT_EQ(Backoff(absl::ZeroDuration(), kCap, 10, 0.9), absl::ZeroDuration());
}

// -- Retry-After -----------------------------------------------------------------------------------------

// The RFC's own example: Sun, 06 Nov 1994 08:49:37 GMT.
const absl::Time kExample = absl::FromUnixSeconds(784111777);

TEST(RetryAfterTest, Seconds) {
  EXPECT_EQ(ParseRetryAfter("120", kExample), absl::Seconds(120));
  EXPECT_EQ(ParseRetryAfter("0", kExample), absl::ZeroDuration());
  EXPECT_EQ(ParseRetryAfter("  7 ", kExample), absl::Seconds(7));
}

TEST(RetryAfterTest, SecondsThatNoClockCountsAreVeryMany) {
  for (const char* value : {"4294967295", "4294967296", "99999999999", "999999999999999999999999999"}) {
    EXPECT_EQ(ParseRetryAfter(value, kExample), absl::Seconds(4294967295)) << value;
  }
}

TEST(RetryAfterTest, AFractionIsRoundedUp) {
  EXPECT_EQ(ParseRetryAfter("0.5", kExample), absl::Seconds(1));
  EXPECT_EQ(ParseRetryAfter("1.25", kExample), absl::Seconds(2));
}

TEST(RetryAfterTest, ADateInEachOfItsForms) {
  for (const char* value :
       {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"}) {
    EXPECT_EQ(ParseRetryAfter(value, kExample - absl::Seconds(30)), absl::Seconds(30)) << value;
  }
}

TEST(RetryAfterTest, ADateThatIsPastIsNow) {
  EXPECT_EQ(ParseRetryAfter("Sun, 06 Nov 1994 08:49:37 GMT", kExample), absl::ZeroDuration());
  EXPECT_EQ(ParseRetryAfter("Sun, 06 Nov 1994 08:49:37 GMT", kExample + absl::Hours(1)),
            absl::ZeroDuration());
}

TEST(RetryAfterTest, NeitherOfThem) {
  for (const char* value :
       {"", " ", "soon", "-1", "+1", "1.", ".5", "1.5.2", "0x10", "1e3", "inf", "nan", "1, 2",
        "Sun, 06 Nov 1994", "120s", "Sun, 06 Nov 1994 08:49:37 GMT x", "infinite-future", "infinite-past"}) {
    EXPECT_EQ(ParseRetryAfter(value, kExample), std::nullopt) << value;
  }
}

}  // namespace
}  // namespace thaw
