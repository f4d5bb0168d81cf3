#include "cc/lambda/invocation/trigger_parts.h"

#include <cmath>
#include <string>
#include <utility>

#include "absl/strings/str_split.h"
#include "cc/lambda/invocation/event_json.h"
#include "cc/lambda/invocation/trace_carriers.h"

namespace thaw {
namespace {

namespace json = boost::json;

std::string ServiceOf(const ServiceNames& names, const TriggerOptions& options) {
  for (const std::string_view key : {names.specific, names.generic})
    if (const auto mapped = options.service_mapping.find(key);
        !key.empty() && mapped != options.service_mapping.end())
      return mapped->second;
  return std::string(options.aws_service_representation && !names.instance.empty() ? names.instance
                                                                                   : names.fallback);
}

}  // namespace

void Add(SpanTags& tags, std::string_view name, std::string_view value) {
  if (!value.empty()) tags.emplace(name, value);
}

std::string_view Part(std::string_view text, char separator, size_t index) {
  for (const std::string_view part : absl::StrSplit(text, separator))
    if (index-- == 0) return part;
  return {};
}

std::string_view LastPart(std::string_view text, char separator) {
  return text.substr(text.rfind(separator) + 1);
}

absl::Time TimeAt(const json::value& root, std::initializer_list<std::string_view> path, TimeUnit unit) {
  absl::Time time;
  std::string error;
  // Abseil also reads "infinite-future", whatever the format.
  if (absl::ParseTime(absl::RFC3339_full, TextAt(root, path), &time, &error))
    return time == absl::InfiniteFuture() ? absl::InfinitePast() : time;
  const double number = NumberAt(root, path).value_or(0);
  // Runtimes write milliseconds where AWS writes seconds.
  if (number > 1e11) unit = TimeUnit::kMilliseconds;
  const double microseconds = number * static_cast<int>(unit);
  if (microseconds <= 0 || microseconds > 1e17) return absl::InfinitePast();
  return absl::FromUnixMicros(std::llround(microseconds));
}

void AddSpan(Trigger& trigger, InferredSpan span, const ServiceNames& names, const TriggerOptions& options) {
  span.service = ServiceOf(names, options);
  if (span.service.empty()) span.service = trigger.source;
  trigger.spans.push_back(std::move(span));
}

void AddCarrier(Trigger& trigger, const json::value* value) {
  HttpHeaders carrier = CarrierOf(value);
  if (!carrier.empty()) trigger.carriers.push_back(std::move(carrier));
}

}  // namespace thaw
