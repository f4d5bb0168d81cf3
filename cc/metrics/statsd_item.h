// Events and service checks as their intakes read them.
//
//   const std::string function_tags = EncodeStatsdTags(texts);
//   const StatsdItem one = EventItem(event, function_tags, now), other = EventItem(another, function_tags, now);
//   const StatsdItem* const both[] = {&one, &other};
//   const std::string body = EventsBody(both);
//
// The forms are those in which the Datadog Agent sends them: pkg/serializer/internal/metrics/events.go and
// service_checks.go of github.com/DataDog/datadog-agent.
//
// Pure functions.

#ifndef THAW_CC_METRICS_STATSD_ITEM_H_
#define THAW_CC_METRICS_STATSD_ITEM_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "cc/metrics/statsd_event.h"

namespace thaw {

struct StatsdItem {
  std::string source;  // of an event, "api" if it names none; empty for a service check
  std::string json;    // an object

  size_t size() const { return source.size() + json.size(); }
  size_t memory() const { return sizeof(StatsdItem) + source.capacity() + json.capacity(); }
};

// Encodes tags that many items have.
std::string EncodeStatsdTags(absl::Span<const std::string> tags);
// Return the bytes that the item of an event or a check will take; it takes more only if texts have to be escaped.
size_t ItemBytes(const StatsdEvent& event, std::string_view function_tags);
size_t ItemBytes(const ServiceCheck& check, std::string_view function_tags);
// Encodes an event or a check with its own tags and those of the function, which are encoded already. One without a
// time has that of `now`.
StatsdItem EventItem(const StatsdEvent& event, std::string_view function_tags, absl::Time now);
StatsdItem ServiceCheckItem(const ServiceCheck& check, std::string_view function_tags, absl::Time now);

// Returns the most bytes that a body of these items takes.
size_t StatsdBodyBytes(absl::Span<const StatsdItem* const> items);
// Returns the body of a request: events by source, or an array of checks.
std::string EventsBody(absl::Span<const StatsdItem* const> items);
std::string ServiceChecksBody(absl::Span<const StatsdItem* const> items);

// Returns the items of a body that one of the functions above has made; empty for anything else.
std::vector<StatsdItem> ItemsOfBody(std::string_view body);

}  // namespace thaw

#endif  // THAW_CC_METRICS_STATSD_ITEM_H_
