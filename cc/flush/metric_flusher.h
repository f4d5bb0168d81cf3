// Sends metrics to the intake: series as protobuf MetricPayload and sketches as protobuf SketchPayload, each with a
// row of its own. A request is one zstd frame.

#ifndef THAW_CC_FLUSH_METRIC_FLUSHER_H_
#define THAW_CC_FLUSH_METRIC_FLUSHER_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "cc/flush/compress.h"
#include "cc/flush/flusher_options.h"
#include "cc/flush/payload_flusher.h"
#include "cc/flush/pipeline_table.h"
#include "cc/metrics/metric_batch.h"

namespace thaw {

// The common part of both encodings; `spec` is the pipeline's row.
struct MetricEncodingBase {
  using Payload = MetricBatch;

  struct Workspace {
    std::string body;
    ZstdCompressor compressor;
    void Release();
  };

  // `max_compressed`: the bytes of a request that the intake takes, after compression.
  static absl::Status EncodeAs(const PipelineSpec& spec, size_t max_compressed,
                               absl::Span<const HeldPayload<MetricBatch>> held, const FlusherOptions& options,
                               Workspace& workspace, EmitRequest emit);
  static std::vector<std::string> Split(std::string_view body, const FlusherOptions& options);
};

// Encodes in order of arrival. Requests have at most FlusherOptions::max_batch_bytes before compression and what
// the intake takes after it, unless a series alone has more.
struct SeriesEncoding : MetricEncodingBase {
  static constexpr const PipelineSpec& kPipeline = PipelineNamed("series");
  static constexpr size_t kMaxCompressed = 512'000;

  static absl::Status Encode(absl::Span<const HeldPayload<MetricBatch>> held, const FlusherOptions& options,
                             Workspace& workspace, EmitRequest emit) {
    return EncodeAs(kPipeline, kMaxCompressed, held, options, workspace, emit);
  }
};

struct SketchEncoding : MetricEncodingBase {
  static constexpr const PipelineSpec& kPipeline = PipelineNamed("sketches");
  static constexpr size_t kMaxCompressed = 3'200'000;

  static absl::Status Encode(absl::Span<const HeldPayload<MetricBatch>> held, const FlusherOptions& options,
                             Workspace& workspace, EmitRequest emit) {
    return EncodeAs(kPipeline, kMaxCompressed, held, options, workspace, emit);
  }
};

using SeriesFlusher = PayloadFlusher<SeriesEncoding>;
using SketchFlusher = PayloadFlusher<SketchEncoding>;

}  // namespace thaw

#endif  // THAW_CC_FLUSH_METRIC_FLUSHER_H_
