// For any datagram: what is passed on is finite, normal and within its bounds, each line is counted once, and the text
// between two lines costs neither of them.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "cc/metrics/dogstatsd_parser.h"
#include "cc/metrics/metric_names.h"
#include "cc/metrics/metric_sample.h"
#include "cc/metrics/metric_sink.h"
#include "cc/metrics/statsd_event.h"

namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

void CheckTags(absl::Span<const std::string_view> tags) {
  for (const std::string_view tag : tags) {
    std::string scratch;
    scratch.reserve(tag.size());
    Check(!tag.empty() && thaw::NormalMetricTag(tag, scratch) == tag);
  }
}

class CheckingSink : public thaw::MetricSink {
 public:
  void Add(const thaw::MetricSample& sample) override {
    ++samples;
    std::string scratch;
    scratch.reserve(sample.name.size());
    Check(!sample.name.empty() && thaw::NormalMetricName("", sample.name, scratch) == sample.name);
    Check(sample.values.empty() == (sample.type == thaw::MetricType::kSet));
    Check(sample.member.empty() == (sample.type != thaw::MetricType::kSet));
    Check(sample.weight >= 1 && sample.weight <= 1.1e9);
    for (const double value : sample.values) Check(std::isfinite(value));
    if (sample.type == thaw::MetricType::kCount)
      for (const double value : sample.values) Check(std::isfinite(value * sample.weight));
    CheckTags(sample.tags);
  }
  int64_t samples = 0;
};

int64_t LinesOf(std::string_view datagram) {
  int64_t lines = 0;
  while (!datagram.empty()) {
    const size_t end = datagram.find('\n');
    std::string_view line = datagram.substr(0, end);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    lines += line.empty() ? 0 : 1;
    datagram = end == std::string_view::npos ? std::string_view() : datagram.substr(end + 1);
  }
  return lines;
}

// Returns the number of samples.
int64_t Try(std::string_view datagram, std::string prefix) {
  CheckingSink sink;
  thaw::DogStatsdParser parser(
      {.name_prefix = std::move(prefix), .max_tag_bytes = 100}, sink,
      [](const thaw::StatsdEvent& event) {
        Check(!event.title.empty());
        CheckTags(event.tags);
      },
      [](const thaw::ServiceCheck& check) {
        Check(!check.name.empty() && static_cast<int>(check.status) < 4);
        CheckTags(check.tags);
      });
  parser.Parse(datagram);
  const thaw::DogStatsdCounts& counts = parser.counts();
  int64_t counted = counts.samples + counts.events + counts.service_checks + counts.left_to_platform;
  for (const thaw::RefusedLine each : thaw::kAllRefusedLines) counted += counts[each];
  Check(counted == LinesOf(datagram));
  Check(counts.samples == sink.samples);
  return sink.samples;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const int64_t alone = Try(input, "");
  Check(Try(absl::StrCat("before:1|c\n", input, "\nafter:1|c|#a:b"), "shop.") == alone + 2);
  for (const std::string_view before : {"a:1|c|", "a:1|d|#", "a:", "_sc|a|0|", "_e{1,1}:a|b|", "_e{"})
    Try(absl::StrCat(before, input), "");
  return 0;
}
