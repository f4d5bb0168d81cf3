// Tags that every span gets: encoded once, and told apart from a span's own tags in a few instructions.
//
//   const FixedTags tags({{"env", "prod"}, {"region", "eu-west-1"}});
//   if (!tags.Contains(entry.key)) ...   // the span's own entry stays
//   WriteSpan(span, tags.encoded(), out);

#ifndef THAW_CC_TRACE_PROCESS_FIXED_TAGS_H_
#define THAW_CC_TRACE_PROCESS_FIXED_TAGS_H_

#include <bitset>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "cc/trace/span_view.h"

namespace thaw {

class FixedTags {
 public:
  // Repairs text that is not UTF-8 and leaves out empty keys.
  explicit FixedTags(const std::map<std::string, std::string>& tags);
  FixedTags(const FixedTags&) = delete;
  FixedTags& operator=(const FixedTags&) = delete;

  bool Contains(std::string_view key) const { return !key.empty() && marks_[Mark(key)] && Find(key); }
  // Sorted by key.
  absl::Span<const SpanMeta> entries() const { return entries_; }
  // The tags encoded as entries of a Span's `meta`.
  std::string_view encoded() const { return encoded_; }

 private:
  // A one-byte hash of the key: different keys seldom share it.
  static uint8_t Mark(std::string_view key) {
    return static_cast<uint8_t>(key.size() * 37 + static_cast<uint8_t>(key.front()) * 5 +
                                static_cast<uint8_t>(key.back()) * 11 +
                                static_cast<uint8_t>(key[key.size() / 2]) * 3);
  }
  bool Find(std::string_view key) const;

  std::bitset<256> marks_;
  std::string text_;  // all keys and values
  std::vector<SpanMeta> entries_;
  std::string encoded_;
};

}  // namespace thaw

#endif  // THAW_CC_TRACE_PROCESS_FIXED_TAGS_H_
