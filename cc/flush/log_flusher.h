// Sends logs to the intake, or to an Observability Pipelines Worker: a JSON array of entries, zstd or not at all.
// Both have rows of their own, of which one is switched on.

#ifndef THAW_CC_FLUSH_LOG_FLUSHER_H_
#define THAW_CC_FLUSH_LOG_FLUSHER_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "cc/flush/compress.h"
#include "cc/flush/flusher_options.h"
#include "cc/flush/payload_flusher.h"
#include "cc/flush/pipeline_table.h"
#include "cc/logs/log_batch.h"

namespace thaw {

// The part that both encodings of logs share; `spec` is the pipeline's row in the table.
struct LogEncodingBase {
  using Payload = LogBatch;  // closed

  struct Workspace {
    std::string body;
    ZstdCompressor compressor;
    void Release();
  };

  static absl::Status EncodeAs(const PipelineSpec& spec, absl::Span<const HeldPayload<LogBatch>> held,
                               const FlusherOptions& options, Workspace& workspace, EmitRequest emit);
  static std::vector<std::string> SplitAs(const PipelineSpec& spec, std::string_view body,
                                          const FlusherOptions& options);
};

// Encodes in order of arrival. Requests have at most the entries that the row allows, and at most
// FlusherOptions::max_batch_bytes unless a batch alone has more. A batch that makes a request by itself is not
// copied. A compression_level of 0 means that bodies are not compressed.
struct LogEncoding : LogEncodingBase {
  static constexpr const PipelineSpec& kPipeline = PipelineNamed("logs");

  static absl::Status Encode(absl::Span<const HeldPayload<LogBatch>> held, const FlusherOptions& options,
                             Workspace& workspace, EmitRequest emit) {
    return EncodeAs(kPipeline, held, options, workspace, emit);
  }
  static std::vector<std::string> Split(std::string_view body, const FlusherOptions& options) {
    return SplitAs(kPipeline, body, options);
  }
};

struct WorkerLogEncoding : LogEncodingBase {
  static constexpr const PipelineSpec& kPipeline = PipelineNamed("logs_to_worker");

  static absl::Status Encode(absl::Span<const HeldPayload<LogBatch>> held, const FlusherOptions& options,
                             Workspace& workspace, EmitRequest emit) {
    return EncodeAs(kPipeline, held, options, workspace, emit);
  }
  static std::vector<std::string> Split(std::string_view body, const FlusherOptions& options) {
    return SplitAs(kPipeline, body, options);
  }
};

using LogFlusher = PayloadFlusher<LogEncoding>;
using WorkerLogFlusher = PayloadFlusher<WorkerLogEncoding>;

}  // namespace thaw

#endif  // THAW_CC_FLUSH_LOG_FLUSHER_H_
