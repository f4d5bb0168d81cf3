#include "cc/trace/span_note.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "cc/base/seeded_random.h"
#include "cc/trace/trace_fields.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

// Makes spans from pairs (id, parent).
std::vector<SpanNote> Notes(std::vector<std::pair<uint64_t, uint64_t>> spans) {
  std::vector<SpanNote> notes;
  for (const auto& [id, parent] : spans) {
    SpanNote& note = notes.emplace_back();
    note.span_id = id;
    note.parent_id = parent;
  }
  return notes;
}
size_t Root(const std::vector<SpanNote>& notes) {
  SpanIndex index;
  index.Begin(notes);
  return index.Root();
}

TEST(SpanIndex, TheRootIsTheLastWithoutAParent) {
  EXPECT_EQ(Root(Notes({{1, 0}, {2, 1}, {3, 0}, {4, 3}})), 2);
}

TEST(SpanIndex, ElseItIsTheLastWhoseParentIsElsewhere) {
  EXPECT_EQ(Root(Notes({{1, 8}, {2, 9}, {3, 2}})), 1);
}

TEST(SpanIndex, ElseItIsTheLast) { EXPECT_EQ(Root(Notes({{1, 2}, {2, 3}, {3, 1}})), 2); }

TEST(SpanIndex, APriorityIsTheRootsElseTheFirstElseNone) {
  std::vector<SpanNote> notes = Notes({{1, 2}, {2, 0}, {3, 2}});
  SpanIndex index;
  index.Begin(notes);
  EXPECT_EQ(index.Priority(1), kNoPriority);
  notes[2].SetPriority(3);
  EXPECT_EQ(index.Priority(1), 3);
  notes[0].SetPriority(-1e300);
  EXPECT_EQ(index.Priority(1), INT32_MIN);
  notes[1].SetPriority(1.9);
  EXPECT_EQ(index.Priority(1), 1);
}

// There are few spans and many, with ids that come twice.
TEST(SpanIndex, FindsTheLastOfAnId) {
  SeededRandom random(5);
  SpanIndex index;
  for (const uint64_t size : {1, 5, 23, 24, 100}) {
    std::vector<SpanNote> notes;
    for (uint64_t i = 0; i < size; ++i) notes.emplace_back().span_id = random.Below(size);
    index.Begin(notes);
    for (uint64_t id = 0; id <= size; ++id) {
      const SpanNote* expected = nullptr;
      for (const SpanNote& note : notes)
        if (note.span_id == id) expected = &note;
      EXPECT_EQ(index.Find(id), expected) << size << " spans, id " << id;
    }
  }
}

}  // namespace
}  // namespace thaw
