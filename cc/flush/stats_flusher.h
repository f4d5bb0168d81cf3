// Sends stats to the intake: StatsPayload as MessagePack, gzip. Requests that may have been accepted are not
// resent, since counting twice is wrong.
//
//   StatsFlusher flusher(executor, clock, client, options, {endpoint});
//   absl::StatusOr<PayloadId> id = flusher.Add(std::move(payload));   // ResourceExhausted: no room now
//   FlushReport report = co_await flusher.Flush(absl::Seconds(2), cancellation);
//
// One thread, that of the executor.

#ifndef THAW_CC_FLUSH_STATS_FLUSHER_H_
#define THAW_CC_FLUSH_STATS_FLUSHER_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "cc/flush/flusher_options.h"
#include "cc/flush/payload_flusher.h"
#include "cc/flush/pipeline_table.h"
#include "cc/stats/stats_payload.h"

namespace thaw {

struct StatsEncoding {
  using Payload = StatsPayload;
  static constexpr const PipelineSpec& kPipeline = PipelineNamed("stats");

  // Encoding keeps no memory, since stats are few.
  struct Workspace {
    void Release() {}
  };

  // Encodes in order of arrival. Requests have at most the bytes that the row allows or those of
  // FlusherOptions::max_batch_bytes, whichever are less, unless one group alone is larger. A payload without
  // a bucket makes no request.
  static absl::Status Encode(absl::Span<const HeldPayload<StatsPayload>> held, const FlusherOptions& options,
                             Workspace& workspace, EmitRequest emit);
  static std::vector<std::string> Split(std::string_view body, const FlusherOptions& options);
};

using StatsFlusher = PayloadFlusher<StatsEncoding>;

}  // namespace thaw

#endif  // THAW_CC_FLUSH_STATS_FLUSHER_H_
