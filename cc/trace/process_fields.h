// Collects what a request says about its process from the tags of its spans.
//
// The first value that is not empty wins: in each trace the root is asked first, then its other spans; then
// later traces.

#ifndef THAW_CC_TRACE_PROCESS_FIELDS_H_
#define THAW_CC_TRACE_PROCESS_FIELDS_H_

#include <array>
#include <cstdint>
#include <string_view>

#include "cc/base/protobuf_writer.h"
#include "cc/trace/span_record.h"
#include "cc/trace/span_tags.h"
#include "cc/trace/tracer_headers.h"

namespace thaw {

// Tags of one trace or one span, by MetaTag.
using ProcessTags = std::array<std::string_view, kProcessTags>;

// Fills an empty element of `tags` from `value`, if `tag` describes the process.
inline void TakeProcessTag(MetaTag tag, std::string_view value, ProcessTags& tags) {
  const int index = static_cast<int>(tag);
  if (index < kProcessTags && tags[index].empty()) tags[index] = value;
}

class ProcessFields {
 public:
  // Returns whether a trace whose first tags are `tags` would add something.
  bool Lacks(const ProcessTags& tags) const {
    for (int i = 0; i < kProcessTags; ++i)
      if (tags_[i].empty() && !tags[i].empty()) return true;
    return false;
  }
  // Adds the next trace: its root's tags, and the first value of each tag among all its spans.
  void Add(const ProcessTags& root, const ProcessTags& all) {
    for (int i = 0; i < kProcessTags; ++i)
      if (tags_[i].empty()) tags_[i] = root[i].empty() ? all[i] : root[i];
  }
  std::string_view Get(MetaTag tag) const { return tags_[static_cast<int>(tag)]; }

  // Writes a TracerPayload's fields except for chunks and tags. Returns how many strings had to be repaired
  // to be UTF-8.
  int64_t Write(const TracerHeaders& headers, std::string_view default_env, ProtobufWriter& out) const;

 private:
  ProcessTags tags_;
};

}  // namespace thaw

#endif  // THAW_CC_TRACE_PROCESS_FIELDS_H_
