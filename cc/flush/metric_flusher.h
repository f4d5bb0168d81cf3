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
#include "cc/config/config.h"
#include "cc/flush/compress.h"
#include "cc/flush/flusher_options.h"
#include "cc/flush/payload_flusher.h"
#include "cc/flush/pipeline_spec.h"
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

// Series and sketches of one report.
struct MetricReport {
  MetricBatch series;
  MetricBatch sketches;

  size_t size() const { return series.size() + sketches.size(); }
  size_t memory() const { return series.memory() + sketches.memory(); }
};

// Sends both kinds in one pipeline, for a caller that hands them over together: requests differ in their targets. The
// extension, which has each at another time, uses the two pipelines above.
struct MetricReportEncoding {
  using Payload = MetricReport;
  using Workspace = MetricEncodingBase::Workspace;
  static constexpr PipelineSpec kRow = {
      .name = "metrics",
      .host_prefix = "api",
      .url = &Config::metrics_url,
      .codec = SeriesEncoding::kPipeline.codec,
      .retry_ambiguous = false,
      .additional_endpoints = &Config::metrics_additional_endpoints,
      .limits = SeriesEncoding::kPipeline.limits,
  };
  static constexpr const PipelineSpec& kPipeline = kRow;

  static absl::Status Encode(absl::Span<const HeldPayload<MetricReport>> held, const FlusherOptions& options,
                             Workspace& workspace, EmitRequest emit);
  static std::vector<std::string> Split(std::string_view body, const FlusherOptions& options) {
    return MetricEncodingBase::Split(body, options);
  }
};

using MetricReportFlusher = PayloadFlusher<MetricReportEncoding>;
using SeriesFlusher = PayloadFlusher<SeriesEncoding>;
using SketchFlusher = PayloadFlusher<SketchEncoding>;

}  // namespace thaw

#endif  // THAW_CC_FLUSH_METRIC_FLUSHER_H_
