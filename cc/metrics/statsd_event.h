// Data that DogStatsD clients send beside metrics: an event of the event stream, and the outcome of a service check.
//
//   const std::string_view tags[] = {"env:prod"};
//   on_event({.title = "deployed", .text = "version 7", .tags = tags});
//   on_check({.name = "database.reachable", .status = ServiceCheckStatus::kCritical});
//
// Both refer to text of their maker, which must outlive the call that takes them. Texts may have bytes that are not
// UTF-8; tags are normalised.

#ifndef THAW_CC_METRICS_STATSD_EVENT_H_
#define THAW_CC_METRICS_STATSD_EVENT_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/time/time.h"
#include "absl/types/span.h"

namespace thaw {

struct StatsdEvent {
  std::string_view title;
  std::string_view text;
  std::optional<absl::Time> time;  // when it happened, where the client says so
  std::string_view host;
  std::string_view aggregation_key;
  std::string_view priority = "normal";  // or "low"
  std::string_view source_type;
  std::string_view alert_type = "info";  // or "success", "warning", "error"
  absl::Span<const std::string_view> tags;
};

// The numbers are those of the protocol.
enum class ServiceCheckStatus : uint8_t { kOk = 0, kWarning = 1, kCritical = 2, kUnknown = 3 };

struct ServiceCheck {
  std::string_view name;
  ServiceCheckStatus status = ServiceCheckStatus::kOk;
  std::optional<absl::Time> time;
  std::string_view host;
  std::string_view message;
  absl::Span<const std::string_view> tags;
};

}  // namespace thaw

#endif  // THAW_CC_METRICS_STATSD_EVENT_H_
