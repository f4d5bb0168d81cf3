// Reads datagrams of the DogStatsD protocol, versions 1.0 to 1.5, and passes on samples, events and service checks.
//
//   DogStatsdParser parser({.name_prefix = "shop."}, samples, on_event, on_check);
//   parser.Parse("page.views:1|c|@0.5|#env:prod\nload:0.5:0.7|g\n");
//
// * name:value[:value…]|type[|@rate][|#tag,tag…][|Tseconds], where type is c, g, d, h, ms or s. The value of a set
//   is a text.
// * _e{bytes of title,bytes of text}:title|text[|d:seconds][|h:host][|k:key][|p:priority][|s:source][|t:type][|#tags]
// * _sc|name|status[|d:seconds][|h:host][|#tags][|m:message]
//
// Other fields, such as c:, e: and card:, say where a datagram comes from and are not used.
//
// A line that can't be read costs that line alone, and is counted by reason. Names and tags are normalised. A line
// of metrics whose tags have come before, and are short, needs no allocation.
//
// One thread: the executor's.

#ifndef THAW_CC_METRICS_DOGSTATSD_PARSER_H_
#define THAW_CC_METRICS_DOGSTATSD_PARSER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "cc/base/declare_counts.h"
#include "cc/base/declare_enum.h"
#include "cc/metrics/metric_sample.h"
#include "cc/metrics/metric_sink.h"
#include "cc/metrics/statsd_event.h"
#include "cc/metrics/tag_memo.h"

namespace thaw {

// Reasons for which a line is refused. X(enumerator, name, which lines)
#define THAW_REFUSED_LINES(X)                                                                             \
  X(kForm, refused_form, "lines without a name, a value or a type")                                       \
  X(kName, refused_name, "lines of metrics whose name has no letter")                                     \
  X(kValue, refused_value, "lines of metrics with a value that is no finite decimal number")              \
  X(kType, refused_type, "lines of metrics of an unknown type")                                           \
  X(kRate, refused_rate, "lines of metrics with a sample rate that is not between a billionth and 1")     \
  X(kTime, refused_time, "lines of metrics with a time that is no second between 1970 and the year 9999") \
  X(kTags, refused_tags, "lines with more bytes of tags than are taken")                                  \
  X(kEvent, refused_event, "events that can't be read")                                                   \
  X(kServiceCheck, refused_service_check, "service checks that can't be read")

THAW_DECLARE_ENUM(RefusedLine, kAllRefusedLines, THAW_REFUSED_LINES)

// X(name, what it counts)
#define THAW_DOGSTATSD_COUNTS(X)                                                        \
  X(samples, "lines of metrics that were passed on")                                    \
  X(events, "events that were passed on")                                               \
  X(service_checks, "service checks that were passed on")                               \
  X(left_to_platform, "invocations counted by old libraries, left out")                 \
  X(times_ignored, "times of other types, and of events and checks, that are not used") \
  THAW_REFUSED_LINES(X)

struct DogStatsdCounts {
  THAW_DECLARE_COUNTS(THAW_DOGSTATSD_COUNTS)
  THAW_DECLARE_COUNTS_BY(RefusedLine, THAW_REFUSED_LINES)
};

struct DogStatsdOptions {
  // Stands before the name of each metric: a namespace and a dot, or nothing.
  std::string name_prefix;
  // Limits the bytes of a line's tags. A line that has more is refused, since leaving some out would make it another
  // metric.
  size_t max_tag_bytes = size_t{16} << 10;
};

class DogStatsdParser {
 public:
  // `samples` must outlive the parser. What is passed on refers to the datagram and to the parser's memory, and is
  // valid until the function returns.
  DogStatsdParser(DogStatsdOptions options, MetricSink& samples,
                  absl::AnyInvocable<void(const StatsdEvent&)> on_event,
                  absl::AnyInvocable<void(const ServiceCheck&)> on_check)
      : options_(std::move(options)),
        samples_(samples),
        on_event_(std::move(on_event)),
        on_check_(std::move(on_check)) {}
  DogStatsdParser(const DogStatsdParser&) = delete;
  DogStatsdParser& operator=(const DogStatsdParser&) = delete;

  // Reads all lines of a datagram. `received` is passed on with its samples.
  void Parse(std::string_view datagram, std::optional<absl::Time> received = std::nullopt);

  const DogStatsdCounts& counts() const { return counts_; }
  // Returns the beginning of the first line that was refused, and why; empty if none was.
  const std::string& first_refused() const { return first_refused_; }

 private:
  using Refusal = std::optional<RefusedLine>;

  void ParseLine(std::string_view line);
  Refusal ParseMetric(std::string_view line);
  Refusal ParseValues(std::string_view text);
  Refusal ParseField(std::string_view field, MetricSample& sample);
  Refusal ParseEvent(std::string_view line);
  Refusal ParseEventField(std::string_view field, StatsdEvent& event);
  Refusal ParseServiceCheck(std::string_view line);
  Refusal ParseServiceCheckField(std::string_view field, ServiceCheck& check);
  Refusal ParseTags(std::string_view text);
  absl::Span<const std::string_view> tag_list() const;
  std::optional<absl::Time> ParseTime(std::string_view text);
  // Returns `text` with each `escaped` replaced by `plain`, which is shorter.
  std::string_view Unescaped(std::string_view text, std::string_view escaped, std::string_view plain);
  // Makes the memory of a line ready for the next one.
  void ResetScratch(std::string_view line);

  const DogStatsdOptions options_;
  MetricSink& samples_;
  absl::AnyInvocable<void(const StatsdEvent&)> on_event_;
  absl::AnyInvocable<void(const ServiceCheck&)> on_check_;
  DogStatsdCounts counts_;
  std::string first_refused_;
  std::optional<absl::Time> received_;
  // Memory of one line: texts that had to be changed, values, tags.
  std::string scratch_;
  std::vector<double> values_;
  const TagMemo::Tags* tags_ = nullptr;  // null: none
  TagMemo tag_memo_;
};

}  // namespace thaw

#endif  // THAW_CC_METRICS_DOGSTATSD_PARSER_H_
