#include "cc/trace/process/fixed_tags.h"

#include <algorithm>

#include "cc/base/protobuf_writer.h"
#include "cc/base/utf8.h"
#include "cc/trace/trace_fields.h"

namespace thaw {

FixedTags::FixedTags(const std::map<std::string, std::string>& tags) {
  std::map<std::string, std::string> valid;
  size_t bytes = 0;
  for (const auto& [key, value] : tags) {
    if (key.empty()) continue;
    const auto& entry = *valid.insert_or_assign(RepairUtf8(key), RepairUtf8(value)).first;
    bytes += entry.first.size() + entry.second.size();
  }
  text_.reserve(bytes);  // the views below require that it never moves
  const auto keep = [this](std::string_view text) {
    text_.append(text);
    return std::string_view(text_).substr(text_.size() - text.size());
  };
  ProtobufWriter out;
  for (const auto& [key, value] : valid) {
    SpanMeta& entry = entries_.emplace_back();
    entry.key = keep(key);
    entry.value = keep(value);
    marks_.set(Mark(key));
    out.StringEntry(SpanField::kMeta, key, value);
  }
  encoded_ = out.bytes();
}

bool FixedTags::Find(std::string_view key) const {
  const auto found =
      std::lower_bound(entries_.begin(), entries_.end(), key,
                       [](const SpanMeta& entry, std::string_view text) { return entry.key < text; });
  return found != entries_.end() && found->key == key;
}

}  // namespace thaw
