// Defines how a TraceReader reads the entries of maps and the items of arrays, for its own source files.
//
//   bool TraceReader::SpanLinks(SpanRecord& span) {
//     uint32_t count;
//     return ArrayHead(count) && Items(span, count, [this, &span] { return SpanLink(span); });
//   }
//
// One thread.

#ifndef THAW_CC_TRACE_TRACE_READER_INTERNAL_H_
#define THAW_CC_TRACE_TRACE_READER_INTERNAL_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "cc/base/msgpack_scalars.h"
#include "cc/base/utf8.h"
#include "cc/trace/span_record.h"
#include "cc/trace/trace_reader.h"

namespace thaw {

// Returns `text` if it is UTF-8, else `repaired`.
inline std::string_view Utf8(std::string_view text, std::string& repaired, SpanRecord& span) {
  if (IsValidUtf8(text)) [[likely]]
    return text;
  ++span.strings_repaired;
  repaired = RepairUtf8(text);
  return repaired;
}

template <typename ReadValue>
bool TraceReader::Map(SpanRecord& span, ReadValue read) {
  uint32_t entries;
  return MapHead(entries) && Entries(span, entries, read);
}

// Reads a map's entries: `read` takes the value of each key that is not nil.
template <typename ReadValue>
bool TraceReader::Entries(SpanRecord& span, uint32_t entries, ReadValue read) {
  for (; entries > 0; --entries) {
    std::string_view key;
    if (!reader_.ReadString(key)) [[unlikely]] {
      if (!ReadScalarText(reader_, key_)) {
        // The value has no other name.
        if (reader_.ReadString(key) || !LeaveOut(span) || !reader_.Skip()) return false;
        continue;
      }
      if (!RoomForConverted(span)) return false;
      key = key_;
    }
    if (!reader_.TakeNil() && !read(key)) return false;
  }
  return true;
}

template <typename ReadItem>
bool TraceReader::Item(SpanRecord& span, ReadItem read) {
  const size_t position = reader_.position(), written = span.structures.size();
  if (read()) [[likely]]
    return true;
  span.structures.Truncate(written);
  if (problem_.empty()) problem_ = std::string(reader_.error().message());
  reader_.MoveTo(position);
  return LeaveOut(span);
}

template <typename ReadItem>
bool TraceReader::Items(SpanRecord& span, uint32_t count, ReadItem read) {
  for (; count > 0; --count)
    if (!Item(span, read)) return false;
  return true;
}

}  // namespace thaw

#endif  // THAW_CC_TRACE_TRACE_READER_INTERNAL_H_
