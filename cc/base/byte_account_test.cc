#include "cc/base/byte_account.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "cc/base/fake_byte_account.h"
#include "cc/base/reserve.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

TEST(ByteCharge, EndsWithItsObject) {
  FakeByteAccount account(1000);
  {
    ByteCharge charge(&account);
    EXPECT_TRUE(charge.Grow(400).ok());
    charge.Shrink(100);
    EXPECT_EQ(account.taken(), 300);
    ByteCharge moved = std::move(charge);
    EXPECT_EQ(charge.bytes(), 0);
    EXPECT_EQ(moved.bytes(), 300);
  }
  EXPECT_EQ(account.taken(), 0);
}

TEST(ByteCharge, TellsNoRoomNowFromNoRoomEver) {
  FakeByteAccount account(1000);
  ByteCharge one(&account), other(&account);
  EXPECT_TRUE(one.Grow(600).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(other.Grow(600)));
  EXPECT_TRUE(absl::IsOutOfRange(one.Grow(600)));
  EXPECT_TRUE(absl::IsOutOfRange(other.Grow(SIZE_MAX)));
  EXPECT_EQ(account.taken(), 600);
  one.Release();
  EXPECT_TRUE(other.Grow(600).ok());
}

TEST(ByteCharge, BytesHeldBesideACountAgainstTheLimitForEver) {
  FakeByteAccount account(1000);
  ByteCharge body(&account), result(&account);
  EXPECT_TRUE(body.Grow(600).ok());
  result.set_beside(body.bytes());
  EXPECT_TRUE(absl::IsOutOfRange(result.Grow(500)));
  EXPECT_TRUE(result.Grow(400).ok());
}

TEST(ByteCharge, SetChargesBeyondTheLimit) {
  FakeByteAccount account(1000);
  ByteCharge charge(&account);
  charge.Set(1200);
  EXPECT_EQ(account.taken(), 1200);
  EXPECT_FALSE(ByteCharge(&account).Grow(1).ok());
  charge.Set(100);
  EXPECT_EQ(account.taken(), 100);
}

TEST(ByteCharge, WithoutAnAccountOnlyCounts) {
  ByteCharge charge;
  EXPECT_TRUE(charge.Grow(SIZE_MAX / 2).ok());
  EXPECT_EQ(charge.bytes(), SIZE_MAX / 2);
}

TEST(Reserve, ChargesBeforeItAllocatesAndKeepsTheElements) {
  FakeByteAccount account(1 << 20);
  ByteCharge charge(&account);
  std::vector<uint64_t> numbers = {1, 2, 3};
  EXPECT_TRUE(Reserve(numbers, 16 * 1024, &charge).ok());
  EXPECT_EQ(numbers, (std::vector<uint64_t>{1, 2, 3}));
  EXPECT_GE(numbers.capacity(), 16 * 1024);
  EXPECT_EQ(account.taken(), 128 << 10);
  EXPECT_TRUE(Reserve(numbers, 32 * 1024, &charge).ok());
  EXPECT_EQ(account.taken(), 256 << 10);
  EXPECT_EQ(account.most(), 384 << 10) << "both while they are copied";
  EXPECT_TRUE(absl::IsOutOfRange(Reserve(numbers, 256 * 1024, &charge)));
  EXPECT_GE(numbers.capacity(), 32 * 1024);
  EXPECT_EQ(account.taken(), 256 << 10);
}

TEST(Reserve, AFailedAllocationIsAStatus) {
  std::string text = "text";
  const size_t bytes = size_t{1} << 62;
  EXPECT_FALSE(CanAllocate(bytes));
  EXPECT_TRUE(absl::IsResourceExhausted(Reserve(text, bytes, nullptr)));
  EXPECT_EQ(text, "text");
}

}  // namespace
}  // namespace thaw
