// Decides by the tags of a trace's root span whether the trace is kept: the four DD_APM_FILTER_TAGS_*
// settings.
//
//   std::vector<std::string> warnings;
//   const TagFilter filter({.require = "env:prod", .regex_reject = "resource:/health$"}, warnings);
//   if (!filter.Keeps(root)) ...   // the trace is left out
//
// A setting is a list of entries separated by white space. "key:value" holds if the tag has the value; the
// keys name, service, resource and type mean the span's fields. In the regex settings the value is a regular
// expression that may match any part of the text. "key" holds if the tag exists or the field is not empty.
// Metrics are not looked at. Expressions are compiled once.

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
  // Returns the value of the tag, or null if there is none.
  absl::FunctionRef<const std::string_view*(std::string_view key)> meta;
};

class TagFilter {
 public:
  struct Settings {
    std::string_view require;        // all must hold
    std::string_view regex_require;  // all must hold
    std::string_view reject;         // no entry may hold
    std::string_view regex_reject;   // no entry may hold
  };

  // Makes a filter that keeps everything.
  TagFilter();
  // Adds a warning for each invalid expression, and for each entry that does not begin with the name of a
  // tag; such an entry never holds.
  TagFilter(const Settings& settings, std::vector<std::string>& warnings);
  TagFilter(TagFilter&&) noexcept;
  TagFilter& operator=(TagFilter&&) noexcept;
  ~TagFilter();

  // Returns whether the filter keeps everything.
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

  static std::vector<Entry> Read(std::string_view exact, std::string_view regex, std::string_view purpose,
                                 std::string_view consequence, std::vector<std::string>& warnings);

  std::vector<Entry> require_;
  std::vector<Entry> reject_;
};

}  // namespace thaw

#endif  // THAW_CC_TRACE_PROCESS_TAG_FILTER_H_
