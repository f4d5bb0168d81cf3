// Names and tags of metrics by the rules that Datadog publishes, as its intake would change them.
//
//   std::string scratch;
//   scratch.reserve(name.size() + tag.size());
//   const std::string_view normal_name = NormalMetricName("", name, scratch);   // empty: it has no letter
//   const std::string_view normal_tag = NormalMetricTag(tag, scratch);          // empty: nothing is left
//
// A text that is normal already is returned as it is. Any other result is appended to the scratch text, which
// must have room for it: as many bytes as the argument, and for a name those of the prefix.
//
// Pure functions.

#ifndef THAW_CC_METRICS_METRIC_NAMES_H_
#define THAW_CC_METRICS_METRIC_NAMES_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace thaw {

inline constexpr size_t kMaxMetricNameBytes = 200;

// Returns `prefix` and the name. The name begins with its first letter; ASCII letters, digits, '_' and '.' stay,
// and every other byte becomes '_'; the whole has at most kMaxMetricNameBytes.
std::string_view NormalMetricName(std::string_view prefix, std::string_view name, std::string& scratch);

// Returns the tag as NormalizeTag does (cc/base/normalize_tag.h). Bytes that are not UTF-8 count as a special
// character.
std::string_view NormalMetricTag(std::string_view tag, std::string& scratch);

}  // namespace thaw

#endif  // THAW_CC_METRICS_METRIC_NAMES_H_
