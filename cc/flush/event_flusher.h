// Sends the events and the service checks of DogStatsD clients to their intakes: JSON, zstd. Each is a payload of its
// own; they share requests.
//
//   EventFlusher flusher(executor, clock, client, options, {endpoint});
//   absl::StatusOr<PayloadId> id = flusher.Add(EventItem(event, function_tags, now));
//   FlushReport report = co_await flusher.Flush(absl::Seconds(2), cancellation);
//
// One thread, that of the executor.

#ifndef THAW_CC_FLUSH_EVENT_FLUSHER_H_
#define THAW_CC_FLUSH_EVENT_FLUSHER_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "cc/flush/flusher_options.h"
#include "cc/flush/payload_flusher.h"
#include "cc/flush/pipeline_table.h"
#include "cc/metrics/statsd_item.h"

namespace thaw {

// The common part of both encodings; `body_of` makes the body of a request.
struct StatsdEncodingBase {
  using Payload = StatsdItem;
  using BodyOf = std::string (*)(absl::Span<const StatsdItem* const> items);

  // Encoding keeps no memory, since events and checks are few.
  struct Workspace {
    void Release() {}
  };

  static absl::Status EncodeAs(const PipelineSpec& spec, BodyOf body_of,
                               absl::Span<const HeldPayload<StatsdItem>> held, const FlusherOptions& options,
                               EmitRequest emit);
  static std::vector<std::string> SplitAs(BodyOf body_of, std::string_view body,
                                          const FlusherOptions& options);
};

// Encodes in order of arrival. Requests have at most the entries that the row allows, and at most
// FlusherOptions::max_batch_bytes unless one item alone has more.
struct EventEncoding : StatsdEncodingBase {
  static constexpr const PipelineSpec& kPipeline = PipelineNamed("events");

  static absl::Status Encode(absl::Span<const HeldPayload<StatsdItem>> held, const FlusherOptions& options,
                             Workspace& /*workspace*/, EmitRequest emit) {
    return EncodeAs(kPipeline, &EventsBody, held, options, emit);
  }
  static std::vector<std::string> Split(std::string_view body, const FlusherOptions& options) {
    return SplitAs(&EventsBody, body, options);
  }
};

struct ServiceCheckEncoding : StatsdEncodingBase {
  static constexpr const PipelineSpec& kPipeline = PipelineNamed("service_checks");

  static absl::Status Encode(absl::Span<const HeldPayload<StatsdItem>> held, const FlusherOptions& options,
                             Workspace& /*workspace*/, EmitRequest emit) {
    return EncodeAs(kPipeline, &ServiceChecksBody, held, options, emit);
  }
  static std::vector<std::string> Split(std::string_view body, const FlusherOptions& options) {
    return SplitAs(&ServiceChecksBody, body, options);
  }
};

using EventFlusher = PayloadFlusher<EventEncoding>;
using ServiceCheckFlusher = PayloadFlusher<ServiceCheckEncoding>;

}  // namespace thaw

#endif  // THAW_CC_FLUSH_EVENT_FLUSHER_H_
