// Sends the counts of data streams to the intake: MessagePack, gzip. Requests that may have been accepted are not
// resent, since counting twice is wrong.
//
//   PathwayFlusher flusher(executor, clock, client, options, {endpoint});
//   absl::StatusOr<PayloadId> id = flusher.Add(std::move(payload));   // ResourceExhausted: no room now
//   FlushReport report = co_await flusher.Flush(absl::Seconds(2), cancellation);
//
// One thread, that of the executor.

#ifndef THAW_CC_FLUSH_PATHWAY_FLUSHER_H_
#define THAW_CC_FLUSH_PATHWAY_FLUSHER_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "cc/flush/flusher_options.h"
#include "cc/flush/payload_flusher.h"
#include "cc/flush/pipeline_table.h"
#include "cc/stats/pathway_stats.h"

namespace thaw {

struct PathwayEncoding {
  using Payload = PathwayPayload;
  static constexpr const PipelineSpec& kPipeline = PipelineNamed("data_streams");

  // Encoding keeps no memory, since checkpoints are few.
  struct Workspace {
    void Release() {}
  };

  // Encodes in order of arrival; payloads of one service share requests of at most
  // FlusherOptions::max_batch_bytes, unless one payload alone is larger.
  static absl::Status Encode(absl::Span<const HeldPayload<PathwayPayload>> held,
                             const FlusherOptions& options, Workspace& workspace, EmitRequest emit);
  static std::vector<std::string> Split(std::string_view body, const FlusherOptions& options);
};

using PathwayFlusher = PayloadFlusher<PathwayEncoding>;

}  // namespace thaw

#endif  // THAW_CC_FLUSH_PATHWAY_FLUSHER_H_
