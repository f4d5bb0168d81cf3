#include "cc/trace/span_index.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>

#include "cc/base/seeded_random.h"
#include "cc/trace/span_note.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

SpanNotes NotesOf(size_t spans, SeededRandom& random) {
  SpanNotes notes;
  for (uint64_t i = 0; i < spans; ++i) {
    if (!notes.has_room()) {
      EXPECT_TRUE(notes.MakeRoom(1, nullptr).ok());
    }
    SpanNote note;
    note.span_id = random.Below(spans);
    notes.push_back(note);
  }
  return notes;
}

// There are few spans and many, with ids that come twice.
TEST(SpanIndex, FindsTheLastOfAnId) {
  SeededRandom random(5);
  SpanIndex index;
  for (const uint64_t size : {1, 5, 23, 24, 100, 4096, 4097, 20'000}) {
    const SpanNotes notes = NotesOf(size, random);
    const size_t begin = size / 3;
    ASSERT_TRUE(index.Begin(notes, begin, size, nullptr).ok());
    int64_t work = std::numeric_limits<int64_t>::max();
    ASSERT_TRUE(index.Build(work));
    std::map<uint64_t, const SpanNote*> expected;
    for (size_t i = begin; i < size; ++i) expected[notes[i].span_id] = &notes[i];
    for (uint64_t id = 0; id <= size; ++id) {
      const auto found = expected.find(id);
      ASSERT_EQ(index.Find(id), found == expected.end() ? nullptr : found->second)
          << size << " spans, id " << id;
    }
  }
}

TEST(SpanIndex, ALargeTraceIsIndexedInSteps) {
  SeededRandom random(5);
  const SpanNotes notes = NotesOf(100'000, random);
  SpanIndex index;
  ASSERT_TRUE(index.Begin(notes, 0, notes.size(), nullptr).ok());
  constexpr int64_t kWork = 100'000;
  int steps = 1;
  for (int64_t work = kWork; !index.Build(work); work = kWork) {
    EXPECT_LE(work, 0) << "a step does what it may";
    EXPECT_GT(work, -1'000) << "and no more";
    ++steps;
  }
  EXPECT_GT(steps, 100);
  for (size_t i = 0; i < notes.size(); ++i)
    ASSERT_EQ(index.Find(notes[i].span_id)->span_id, notes[i].span_id);
}

}  // namespace
}  // namespace thaw
