// Finds the spans of one trace by their ids. A trace may have millions of spans, so the index is built in
// steps.
//
//   THAW_RETURN_IF_ERROR(index.Begin(notes, trace.begin, trace.end, &charge));
//   while (!index.Build(work)) { ... }   // waits until there is `work` again
//   const SpanNote* parent = index.Find(note.parent_id);
//
// Building takes O(n log n), whatever the ids are, and finding O(log n). Memory is reused for the next trace.
//
// One thread.

#ifndef THAW_CC_TRACE_SPAN_INDEX_H_
#define THAW_CC_TRACE_SPAN_INDEX_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "cc/base/byte_account.h"
#include "cc/trace/span_note.h"

namespace thaw {

class SpanIndex {
 public:
  // Begins the index of notes[begin] to notes[end - 1], whose ids must not change until the last question.
  // Returns an error if there is no memory. `charge` may be null.
  absl::Status Begin(const SpanNotes& notes, size_t begin, size_t end, ByteCharge* charge);
  // Continues for about `work` and subtracts what it did. Returns true once the index is built.
  bool Build(int64_t& work);

  // Returns the last span with this id; null if there is none. The index must have been built.
  const SpanNote* Find(uint64_t span_id) const;
  // The work of Find(), in the units of TraceWork::Step().
  int64_t find_work() const { return find_work_; }

  // Frees memory that an unusually large trace needed.
  void Trim();

 private:
  // Below this number of spans a linear search is faster than sorting.
  static constexpr size_t kFew = 24;
  // Up to this number of spans are sorted at once, which takes less than a millisecond.
  static constexpr size_t kSortedAtOnce = 4096;
  static constexpr size_t kKept = 4096;

  struct Entry {
    uint64_t span_id;
    size_t index;
    auto operator<=>(const Entry&) const = default;
  };

  size_t spans() const { return end_ - begin_; }

  const SpanNotes* notes_ = nullptr;
  size_t begin_ = 0;
  size_t end_ = 0;
  int64_t find_work_ = 0;
  std::vector<Entry> entries_;
  size_t heap_ = 0;  // entries of a large trace that are not in their final place yet
};

}  // namespace thaw

#endif  // THAW_CC_TRACE_SPAN_INDEX_H_
