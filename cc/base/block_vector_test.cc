#include "cc/base/block_vector.h"

#include <cstddef>
#include <cstdint>

#include "cc/base/byte_account.h"
#include "cc/base/fake_byte_account.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

constexpr size_t kBlock = BlockVector<uint64_t>::kBlock;

TEST(BlockVector, GrowthBeyondABlockMovesNoElement) {
  BlockVector<uint64_t> numbers;
  const uint64_t* first = nullptr;
  for (uint64_t i = 0; i < 5 * kBlock; ++i) {
    if (!numbers.has_room()) {
      ASSERT_TRUE(numbers.MakeRoom(1, nullptr).ok());
    }
    numbers.push_back(i);
    if (i + 1 == kBlock) first = &numbers[0];
  }
  EXPECT_EQ(&numbers[0], first);
  EXPECT_EQ(numbers.size(), 5 * kBlock);
  for (uint64_t i = 0; i < numbers.size(); ++i) ASSERT_EQ(numbers[i], i);
  EXPECT_EQ(numbers.back(), 5 * kBlock - 1);
}

TEST(BlockVector, MemoryIsChargedAndRefusedBlockByBlock) {
  FakeByteAccount account(3 * kBlock * sizeof(uint64_t) * 16);
  struct Wide {
    uint64_t numbers[16];
  };
  ByteCharge charge(&account);
  BlockVector<Wide> wide;
  absl::Status status;
  while (status.ok()) {
    if (!wide.has_room()) status = wide.MakeRoom(BlockVector<Wide>::kBlock, &charge);
    if (status.ok()) wide.push_back({});
  }
  EXPECT_EQ(wide.size(), 3 * BlockVector<Wide>::kBlock);
  EXPECT_EQ(charge.bytes(), 3 * BlockVector<Wide>::kBlock * sizeof(Wide));
}

TEST(BlockVector, ClearingKeepsASmallFirstBlock) {
  BlockVector<uint64_t> numbers;
  ASSERT_TRUE(numbers.MakeRoom(10, nullptr).ok());
  numbers.push_back(1);
  numbers.Clear(1 << 10);
  EXPECT_TRUE(numbers.empty());
  EXPECT_TRUE(numbers.has_room());
  numbers.Clear(8);
  EXPECT_FALSE(numbers.has_room());
  ASSERT_TRUE(numbers.MakeRoom(1, nullptr).ok());
  numbers.push_back(2);
  EXPECT_EQ(numbers.back(), 2u);
}

}  // namespace
}  // namespace thaw
