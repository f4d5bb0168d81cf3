// Sends traces to the intake: AgentPayload, zstd, one request for all tracers with the same headers.
//
//   TraceFlusher flusher(executor, clock, client, options, {endpoint});
//   absl::StatusOr<PayloadId> id = flusher.Add(std::move(payload));   // ResourceExhausted: no room now
//   FlushReport report = co_await flusher.Flush(absl::Seconds(2), cancellation);
//
// One thread, that of the executor.

#ifndef THAW_CC_FLUSH_TRACE_FLUSHER_H_
#define THAW_CC_FLUSH_TRACE_FLUSHER_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "cc/flush/compress.h"
#include "cc/flush/flusher_options.h"
#include "cc/flush/payload_flusher.h"
#include "cc/flush/pipeline_table.h"
#include "cc/trace/trace_payload.h"

namespace thaw {

struct TraceEncoding {
  using Payload = TracePayload;
  static constexpr const PipelineSpec& kPipeline = PipelineNamed("traces");

  struct Workspace {
    std::string body;
    ZstdCompressor compressor;
    void Release();
  };

  // Encodes in order of arrival. Requests have at most FlusherOptions::max_batch_bytes before compression,
  // unless one span alone is larger. A payload without a span makes no request.
  static absl::Status Encode(absl::Span<const HeldPayload<TracePayload>> held, const FlusherOptions& options,
                             Workspace& workspace, EmitRequest emit);
  static std::vector<std::string> Split(std::string_view body, const FlusherOptions& options);
};

using TraceFlusher = PayloadFlusher<TraceEncoding>;

}  // namespace thaw

#endif  // THAW_CC_FLUSH_TRACE_FLUSHER_H_
