#include "cc/metrics/dogstatsd_parser.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cc/base/printable.h"
#include "cc/metrics/decimal_number.h"
#include "cc/metrics/metric_names.h"

namespace thaw {
namespace {

// The metric that old libraries send for each invocation. The extension counts invocations by the platform's
// records, so that these would count twice.
constexpr std::string_view kCountedByPlatform = "aws.lambda.enhanced.invocations";
constexpr double kLeastRate = 1e-9;
constexpr int64_t kLastSecond = 253402300799;  // of the year 9999
// The most bytes of a refused line that are shown.
constexpr size_t kShownBytes = 200;
// Elements for which memory is kept between datagrams.
constexpr size_t kKeptElements = 1024;

// Removes and returns the text before the next `separator`, or all of it. An empty rest that follows a separator
// cannot be told from none, which makes no difference to any caller.
std::string_view TakeUntil(char separator, std::string_view& rest) {
  const size_t at = rest.find(separator);
  const std::string_view taken = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view() : rest.substr(at + 1);
  return taken;
}

std::optional<MetricType> TypeOf(std::string_view text) {
  if (text == "ms") return MetricType::kHistogram;
  if (text.size() != 1) return std::nullopt;
  switch (text.front()) {
    case 'c':
      return MetricType::kCount;
    case 'g':
      return MetricType::kGauge;
    case 'd':
      return MetricType::kDistribution;
    case 'h':
      return MetricType::kHistogram;
    case 's':
      return MetricType::kSet;
  }
  return std::nullopt;
}

template <typename Container>
void ReleaseIfLarge(Container& container) {
  if (container.capacity() > kKeptElements) container = Container();
}

// Reads a length of an event's header.
std::optional<size_t> ParseLength(std::string_view text) {
  uint32_t length = 0;
  if (text.empty() || !absl::ascii_isdigit(static_cast<unsigned char>(text.front()))) return std::nullopt;
  if (!absl::SimpleAtoi(text, &length)) return std::nullopt;
  return length;
}

}  // namespace

void DogStatsdParser::Parse(std::string_view datagram, std::optional<absl::Time> received) {
  received_ = received;
  while (!datagram.empty()) {
    const std::string_view line = TakeUntil('\n', datagram);
    ParseLine(absl::StripSuffix(line, "\r"));
  }
  ReleaseIfLarge(values_);
  tag_memo_.ReleaseLong();
}

void DogStatsdParser::ParseLine(std::string_view line) {
  if (line.empty()) return;
  ResetScratch(line);
  Refusal refusal;
  if (line.front() != '_') {
    refusal = ParseMetric(line);
  } else if (absl::StartsWith(line, "_e{")) {
    refusal = ParseEvent(line);
  } else if (absl::StartsWith(line, "_sc|")) {
    refusal = ParseServiceCheck(line);
  } else {
    refusal = ParseMetric(line);
  }
  if (!refusal.has_value()) return;
  ++counts_[*refusal];
  if (first_refused_.empty())
    first_refused_ = absl::StrCat(ToString(*refusal), ": ", Printable(line.substr(0, kShownBytes)));
}

void DogStatsdParser::ResetScratch(std::string_view line) {
  scratch_.clear();
  tags_ = nullptr;
  values_.clear();
  // Normalised texts are never longer than the line's own. A service check's message may be changed twice.
  const size_t most = options_.name_prefix.size() + 2 * line.size();
  if (scratch_.capacity() < most) scratch_.reserve(most);
}

// -- Metrics ---------------------------------------------------------------------------------------------

DogStatsdParser::Refusal DogStatsdParser::ParseMetric(std::string_view line) {
  const size_t bar = line.find('|');
  if (bar == std::string_view::npos) return RefusedLine::kForm;
  const std::string_view head = line.substr(0, bar);
  const size_t colon = head.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == head.size()) return RefusedLine::kForm;
  const std::string_view name = head.substr(0, colon);
  const std::string_view value = head.substr(colon + 1);
  if (absl::StartsWith(name, kCountedByPlatform)) {
    ++counts_.left_to_platform;
    return std::nullopt;
  }
  std::string_view rest = line.substr(bar + 1);
  const std::optional<MetricType> type = TypeOf(TakeUntil('|', rest));
  if (!type.has_value()) return RefusedLine::kType;
  MetricSample sample;
  sample.type = *type;
  sample.received = received_;
  if (*type == MetricType::kSet) {
    sample.member = value;
  } else if (const Refusal refusal = ParseValues(value)) {
    return refusal;
  }
  while (!rest.empty())
    if (const Refusal refusal = ParseField(TakeUntil('|', rest), sample)) return refusal;
  if (*type == MetricType::kCount && sample.weight != 1) {
    for (const double each : values_)
      if (!std::isfinite(each * sample.weight)) return RefusedLine::kValue;
  }
  sample.name = NormalMetricName(options_.name_prefix, name, scratch_);
  if (sample.name.empty()) return RefusedLine::kName;
  sample.values = values_;
  sample.tags = tag_list();
  sample.tag_set = tags_ != nullptr ? &tags_->set : nullptr;
  ++counts_.samples;
  samples_.Add(sample);
  return std::nullopt;
}

DogStatsdParser::Refusal DogStatsdParser::ParseValues(std::string_view text) {
  while (!text.empty()) {
    const std::string_view value = TakeUntil(':', text);
    if (value.empty()) continue;  // as the Agent does with "21::22"
    const std::optional<double> number = ParseDecimal(value);
    if (!number.has_value()) return RefusedLine::kValue;
    values_.push_back(*number);
  }
  if (values_.empty()) return RefusedLine::kValue;
  return std::nullopt;
}

DogStatsdParser::Refusal DogStatsdParser::ParseField(std::string_view field, MetricSample& sample) {
  if (field.empty()) return std::nullopt;
  switch (field.front()) {
    case '#':
      return ParseTags(field.substr(1));
    case '@': {
      const std::optional<double> rate = ParseDecimal(field.substr(1));
      if (!rate.has_value() || *rate < kLeastRate || *rate > 1) return RefusedLine::kRate;
      sample.weight = 1 / *rate;
      return std::nullopt;
    }
    case 'T': {
      if (sample.type != MetricType::kCount && sample.type != MetricType::kGauge) {
        ++counts_.times_ignored;
        return std::nullopt;
      }
      sample.time = ParseTime(field.substr(1));
      if (!sample.time.has_value()) return RefusedLine::kTime;
      return std::nullopt;
    }
  }
  return std::nullopt;
}

DogStatsdParser::Refusal DogStatsdParser::ParseTags(std::string_view text) {
  if (text.size() > options_.max_tag_bytes) return RefusedLine::kTags;
  tags_ = &tag_memo_.Read(text);
  return std::nullopt;
}

absl::Span<const std::string_view> DogStatsdParser::tag_list() const {
  if (tags_ == nullptr) return {};
  return tags_->list;
}

std::optional<absl::Time> DogStatsdParser::ParseTime(std::string_view text) {
  int64_t seconds = 0;
  if (text.empty() || !absl::ascii_isdigit(static_cast<unsigned char>(text.front()))) return std::nullopt;
  if (!absl::SimpleAtoi(text, &seconds) || seconds < 1 || seconds > kLastSecond) return std::nullopt;
  return absl::FromUnixSeconds(seconds);
}

// -- Events and service checks ---------------------------------------------------------------------------

std::string_view DogStatsdParser::Unescaped(std::string_view text, std::string_view escaped,
                                            std::string_view plain) {
  size_t at = text.find(escaped);
  if (at == std::string_view::npos) return text;
  const size_t begin = scratch_.size();
  while (at != std::string_view::npos) {
    scratch_.append(text.substr(0, at)).append(plain);
    text.remove_prefix(at + escaped.size());
    at = text.find(escaped);
  }
  scratch_.append(text);
  return std::string_view(scratch_).substr(begin);
}

DogStatsdParser::Refusal DogStatsdParser::ParseEvent(std::string_view line) {
  std::string_view rest = line.substr(std::string_view("_e{").size());
  std::string_view header = TakeUntil(':', rest);
  if (!absl::ConsumeSuffix(&header, "}")) return RefusedLine::kEvent;
  const std::optional<size_t> title = ParseLength(TakeUntil(',', header));
  const std::optional<size_t> text = ParseLength(header);
  if (!title.has_value() || !text.has_value() || *title == 0) return RefusedLine::kEvent;
  const size_t end = *title + 1 + *text;
  if (rest.size() < end || rest[*title] != '|') return RefusedLine::kEvent;
  if (rest.size() > end && rest[end] != '|') return RefusedLine::kEvent;
  StatsdEvent event;
  event.title = Unescaped(rest.substr(0, *title), "\\n", "\n");
  event.text = Unescaped(rest.substr(*title + 1, *text), "\\n", "\n");
  rest.remove_prefix(std::min(rest.size(), end + 1));
  while (!rest.empty())
    if (const Refusal refusal = ParseEventField(TakeUntil('|', rest), event)) return refusal;
  event.tags = tag_list();
  ++counts_.events;
  on_event_(event);
  return std::nullopt;
}

DogStatsdParser::Refusal DogStatsdParser::ParseEventField(std::string_view field, StatsdEvent& event) {
  if (absl::ConsumePrefix(&field, "#")) return ParseTags(field);
  if (absl::ConsumePrefix(&field, "d:")) {
    event.time = ParseTime(field);
    if (!event.time.has_value()) ++counts_.times_ignored;
  } else if (absl::ConsumePrefix(&field, "h:")) {
    event.host = field;
  } else if (absl::ConsumePrefix(&field, "k:")) {
    event.aggregation_key = field;
  } else if (absl::ConsumePrefix(&field, "s:")) {
    event.source_type = field;
  } else if (absl::ConsumePrefix(&field, "p:")) {
    if (field == "low") event.priority = field;
  } else if (absl::ConsumePrefix(&field, "t:")) {
    for (const std::string_view known : {"error", "warning", "info", "success"})
      if (field == known) event.alert_type = known;
  }
  return std::nullopt;
}

DogStatsdParser::Refusal DogStatsdParser::ParseServiceCheck(std::string_view line) {
  std::string_view rest = line.substr(std::string_view("_sc|").size());
  ServiceCheck check;
  check.name = TakeUntil('|', rest);
  const std::string_view status = TakeUntil('|', rest);
  if (check.name.empty() || status.size() != 1 || status.front() < '0' || status.front() > '3')
    return RefusedLine::kServiceCheck;
  check.status = static_cast<ServiceCheckStatus>(status.front() - '0');
  while (!rest.empty())
    if (const Refusal refusal = ParseServiceCheckField(TakeUntil('|', rest), check)) return refusal;
  check.tags = tag_list();
  ++counts_.service_checks;
  on_check_(check);
  return std::nullopt;
}

DogStatsdParser::Refusal DogStatsdParser::ParseServiceCheckField(std::string_view field,
                                                                 ServiceCheck& check) {
  if (absl::ConsumePrefix(&field, "#")) return ParseTags(field);
  if (absl::ConsumePrefix(&field, "d:")) {
    check.time = ParseTime(field);
    if (!check.time.has_value()) ++counts_.times_ignored;
  } else if (absl::ConsumePrefix(&field, "h:")) {
    check.host = field;
  } else if (absl::ConsumePrefix(&field, "m:")) {
    check.message = Unescaped(Unescaped(field, "\\n", "\n"), "m\\:", "m:");
  }
  return std::nullopt;
}

}  // namespace thaw
