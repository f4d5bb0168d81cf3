#include "cc/trace/process/span_deduplicator.h"

#include <cstdint>
#include <deque>
#include <set>
#include <utility>

#include "cc/base/seeded_random.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

// The peer remembers 100 spans, so that a larger trace pushes itself out.
TEST(SpanDeduplicator, AResentTraceOfTenThousandSpansIsRecognisedWhole) {
  SpanDeduplicator deduplicator;
  EXPECT_LE(deduplicator.memory(), SpanDeduplicator::kDefaultBytes);
  for (uint64_t span = 1; span <= 10'000; ++span) EXPECT_TRUE(deduplicator.Insert(7, span));
  for (uint64_t span = 1; span <= 10'000; ++span) EXPECT_TRUE(deduplicator.Insert(8, span));
  for (uint64_t span = 1; span <= 10'000; ++span) EXPECT_FALSE(deduplicator.Insert(7, span));
  EXPECT_EQ(deduplicator.inserted(), 20'000);
}

TEST(SpanDeduplicator, TheOldestIsForgottenFirst) {
  SpanDeduplicator deduplicator(4 * 24);
  ASSERT_EQ(deduplicator.capacity(), 4);
  for (uint64_t span = 1; span <= 5; ++span) EXPECT_TRUE(deduplicator.Insert(1, span));
  for (uint64_t span = 2; span <= 5; ++span) EXPECT_FALSE(deduplicator.Insert(1, span));
  EXPECT_TRUE(deduplicator.Insert(1, 1));
  EXPECT_TRUE(deduplicator.Insert(1, 2));
  EXPECT_FALSE(deduplicator.Insert(1, 4));
}

TEST(SpanDeduplicator, ARewindForgetsTheLatest) {
  SpanDeduplicator deduplicator(4 * 24);
  for (uint64_t span = 1; span <= 6; ++span) deduplicator.Insert(1, span);
  const uint64_t mark = deduplicator.inserted();
  deduplicator.Insert(1, 7);
  deduplicator.Rewind(mark);
  EXPECT_EQ(deduplicator.inserted(), mark);
  EXPECT_TRUE(deduplicator.Insert(1, 7));
  EXPECT_FALSE(deduplicator.Insert(1, 6));
  // This is further back than the deduplicator remembers.
  deduplicator.Rewind(0);
  for (uint64_t span = 1; span <= 4; ++span) EXPECT_TRUE(deduplicator.Insert(1, span)) << span;
}

TEST(SpanDeduplicator, WithoutRoomItIsOff) {
  SpanDeduplicator deduplicator(23);
  EXPECT_EQ(deduplicator.memory(), 0);
  EXPECT_TRUE(deduplicator.Insert(1, 1));
  EXPECT_TRUE(deduplicator.Insert(1, 1));
  deduplicator.Rewind(0);
}

// Compares with a list and a set, with few enough ids that every case occurs.
TEST(SpanDeduplicator, BehavesAsAListAndASetWould) {
  SeededRandom random(11);
  SpanDeduplicator deduplicator(16 * 24);
  std::deque<std::pair<uint64_t, uint64_t>> list;
  std::set<std::pair<uint64_t, uint64_t>> set;
  uint64_t inserted = 0;
  for (int step = 0; step < 200'000; ++step) {
    if (random.Below(50) == 0) {
      const uint64_t back = random.Below(8);
      deduplicator.Rewind(inserted - std::min(back, inserted));
      for (uint64_t i = 0; i < back && !list.empty(); ++i) {
        set.erase(list.back());
        list.pop_back();
        --inserted;
      }
    }
    const std::pair span(random.Below(6), random.Below(6));
    const bool is_new = set.insert(span).second;
    if (is_new) {
      ++inserted;
      list.push_back(span);
      if (list.size() > 16) {
        set.erase(list.front());
        list.pop_front();
      }
    }
    ASSERT_EQ(deduplicator.Insert(span.first, span.second), is_new) << step;
    ASSERT_EQ(deduplicator.inserted(), inserted);
  }
}

}  // namespace
}  // namespace thaw
