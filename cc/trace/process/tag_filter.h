// Which traces are kept, by the tags of their root span: the four DD_APM_FILTER_TAGS_* settings.
//
//   std::vector<std::string> warnings;
//   const TagFilter filter({.require = "env:prod", .regex_reject = "resource:/health$"}, warnings);
//   if (!filter.Keeps(root)) …   // the trace is left out
//
// A setting is a list of entries between white space. "key:value" holds if the tag has the value, or, of the
// keys name, service, resource and type, the span's field has; in the regex settings the value is a regular
// expression that any part of the text may match. "key" holds if there is such a tag, or if the field is not
// empty. Metrics are not looked at. Expressions are compiled once.

#ifndef THAW_CC_TRACE_PROCESS_TAG_FILTER_H_
#define THAW_CC_TRACE_PROCESS_TAG_FILTER_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "cc/trace/process/pattern.h"

namespace thaw {

// A trace's root span as the filter sees it.
struct RootSpan {
  std::string_view service;
  std::string_view name;
  std::string_view resource;
  std::string_view type;
  // The value of the tag, or null if there is none.
  absl::FunctionRef<const std::string_view*(std::string_view key)> meta;
};

class TagFilter {
 public:
  struct Settings {
    std::string_view require;        // all must hold
    std::string_view regex_require;  // all must hold
    std::string_view reject;         // none may hold
    std::string_view regex_reject;   // none may hold
  };

  // Keeps everything.
  TagFilter();
  // An expression that is none is a warning, and its entry never holds.
  TagFilter(const Settings& settings, std::vector<std::string>& warnings);
  TagFilter(TagFilter&&) noexcept;
  TagFilter& operator=(TagFilter&&) noexcept;
  ~TagFilter();

  // There is nothing to look at.
  bool empty() const { return require_.empty() && reject_.empty(); }

  bool Keeps(const RootSpan& root) const;

 private:
  enum class Test { kPresent, kEqual, kMatches, kNever };

  struct Entry {
    Test test = Test::kPresent;
    std::string key;
    std::string value;
    std::unique_ptr<const re2::RE2> pattern;

    bool Holds(const RootSpan& root) const;
    bool HoldsFor(std::string_view text) const;
  };

  static std::vector<Entry> Read(std::string_view exact, std::string_view regex,
                                 std::string_view regex_setting, std::string_view consequence,
                                 std::vector<std::string>& warnings);

  std::vector<Entry> require_;
  std::vector<Entry> reject_;
};

}  // namespace thaw

#endif  // THAW_CC_TRACE_PROCESS_TAG_FILTER_H_
