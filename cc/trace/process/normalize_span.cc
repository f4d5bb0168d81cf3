#include "cc/trace/process/normalize_span.h"

#include <algorithm>
#include <cstddef>
#include <limits>

#include "absl/strings/ascii.h"
#include "cc/base/normalize_tag.h"
#include "cc/base/utf8.h"

namespace thaw {
namespace {

constexpr size_t kMostBytes = 100;
constexpr std::string_view kUnnamedService = "unnamed-service";
constexpr std::string_view kUnnamedOperation = "unnamed_operation";

bool IsNormalName(std::string_view name) {
  if (name.empty() || !absl::ascii_isalpha(name[0]) || name.back() == '_') return false;
  bool after_separator = false;
  for (const char c : name) {
    const bool separator = c == '_' || c == '.';
    if (separator ? after_separator : !absl::ascii_isalnum(c)) return false;
    after_separator = separator;
  }
  return true;
}

}  // namespace

std::string_view NormalizeService(std::string_view service, std::string& buffer) {
  const std::string_view tag = NormalizeTag(CutUtf8(service, kMostBytes), buffer);
  return tag.empty() ? kUnnamedService : tag;
}

std::string_view NormalizeOperationName(std::string_view name, std::string& buffer) {
  name = CutUtf8(name, kMostBytes);
  if (IsNormalName(name)) return name;
  name.remove_prefix(std::find_if(name.begin(), name.end(), absl::ascii_isalpha) - name.begin());
  buffer.clear();
  for (const char c : name) {
    if (absl::ascii_isalnum(c)) {
      buffer.push_back(c);
    } else if (c == '.' && buffer.back() == '_') {
      buffer.back() = '.';
    } else if (buffer.back() != '_' && buffer.back() != '.') {
      buffer.push_back(c == '.' ? '.' : '_');
    }
  }
  if (!buffer.empty() && buffer.back() == '_') buffer.pop_back();
  return buffer.empty() ? kUnnamedOperation : std::string_view(buffer);
}

std::string_view NormalizeResource(std::string_view resource, std::string_view operation_name) {
  return resource.empty() ? operation_name : resource;
}

std::string_view NormalizeSpanType(std::string_view type) { return CutUtf8(type, kMostBytes); }

std::string_view NormalizeEnv(std::string_view env, std::string& buffer) { return NormalizeTag(env, buffer); }

bool IsHttpStatusCode(std::string_view text) {
  return text.size() == 3 && text[0] >= '1' && text[0] <= '5' && absl::ascii_isdigit(text[1]) &&
         absl::ascii_isdigit(text[2]);
}

SpanTimes NormalizeTimes(SpanTimes times, absl::Time now) {
  constexpr int64_t kYear2000UnixNanos = 946'684'800'000'000'000;
  if (times.duration_nanos < 0) times.duration_nanos = 0;
  if (times.start_unix_nanos > std::numeric_limits<int64_t>::max() - times.duration_nanos)
    times.duration_nanos = 0;
  if (times.start_unix_nanos < kYear2000UnixNanos) {
    const int64_t now_unix_nanos = std::max<int64_t>(absl::ToUnixNanos(now), 0);
    times.start_unix_nanos = now_unix_nanos - times.duration_nanos;
    if (times.start_unix_nanos < 0) times.start_unix_nanos = now_unix_nanos;
  }
  return times;
}

uint64_t NormalizeParentId(uint64_t trace_id, uint64_t span_id, uint64_t parent_id) {
  return parent_id == trace_id && parent_id == span_id ? 0 : parent_id;
}

}  // namespace thaw
