#include "cc/base/work_account.h"

#include "absl/status/status.h"
#include "cc/base/fake_byte_account.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

TEST(WorkAccount, ChargesOfOneWorkCountAgainstTheLimitTogether) {
  FakeByteAccount account(1000);
  ASSERT_TRUE(account.Take(300).ok());
  {
    WorkAccount work(account, /*held=*/300);
    ByteCharge one(&work), other(&work);
    EXPECT_TRUE(one.Grow(400).ok());
    EXPECT_TRUE(absl::IsOutOfRange(other.Grow(301)));
    EXPECT_EQ(account.taken(), 700);
    EXPECT_TRUE(other.Grow(300).ok());
    one.Release();
    EXPECT_TRUE(other.Grow(100).ok());
    EXPECT_EQ(account.taken(), 700);
  }
  EXPECT_EQ(account.taken(), 300);
}

TEST(WorkAccount, BytesOfOthersAreInTheWayForNow) {
  FakeByteAccount account(1000);
  ASSERT_TRUE(account.Take(700).ok());
  WorkAccount work(account, /*held=*/300);
  ByteCharge charge(&work);
  EXPECT_TRUE(absl::IsResourceExhausted(charge.Grow(400)));
  EXPECT_EQ(account.taken(), 700);
  account.GiveBack(400);
  EXPECT_TRUE(charge.Grow(400).ok());
}

}  // namespace
}  // namespace thaw
