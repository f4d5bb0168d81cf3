#include "cc/flush/metric_flusher.h"

#include <memory>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "cc/base/protobuf_reader.h"
#include "cc/base/reserve.h"
#include "cc/base/status_macros.h"
#include "cc/flush/encoded_request.h"
#include "cc/flush/held_payload.h"
#include "cc/flush/pipeline_spec.h"

namespace thaw {
namespace {

constexpr size_t kMaxUnpacked = size_t{256} << 20;

// Cuts a payload between two of its fields, each of which is a series or a sketch. Returns nothing if there is only
// one.
std::vector<std::string_view> Halves(std::string_view body) {
  ProtobufReader reader(body);
  size_t at = 0;
  while (at < body.size() / 2 && reader.Next()) {
    const size_t end = at + reader.whole().size();
    // The last field goes into the second half.
    if (end == body.size()) break;
    at = end;
  }
  if (at == 0 || !reader.ok()) return {};
  return {body.substr(0, at), body.substr(at)};
}

absl::Status Join(absl::Span<const HeldPayload<MetricBatch>> batch, std::string& body) {
  size_t size = 0;
  for (const HeldPayload<MetricBatch>& each : batch) size += each.payload.fields.size();
  body.clear();
  THAW_RETURN_IF_ERROR(Reserve(body, size, nullptr));
  for (const HeldPayload<MetricBatch>& each : batch) body.append(each.payload.fields.bytes());
  return absl::OkStatus();
}

// The most bytes of a request before and after compression.
struct RequestLimits {
  size_t content;
  size_t compressed;
};

// Compresses a payload and passes it on, in halves if it is too large. A series or sketch alone is passed on whatever
// its size.
absl::Status EmitToFit(std::string_view body, const RequestLimits& limits, int level,
                       ZstdCompressor& compressor, absl::FunctionRef<void(std::string packed)> emit) {
  std::vector<std::string_view> halves;
  if (body.size() > limits.content) halves = Halves(body);
  if (halves.empty()) {
    THAW_ASSIGN_OR_RETURN(std::string packed, compressor.Compress(body, level));
    if (packed.size() > limits.compressed) halves = Halves(body);
    if (halves.empty()) {
      emit(std::move(packed));
      return absl::OkStatus();
    }
  }
  for (const std::string_view half : halves)
    THAW_RETURN_IF_ERROR(EmitToFit(half, limits, level, compressor, emit));
  return absl::OkStatus();
}

}  // namespace

void MetricEncodingBase::Workspace::Release() {
  body = std::string();
  compressor.Release();
}

absl::Status MetricEncodingBase::EncodeAs(const PipelineSpec& spec, size_t max_compressed,
                                          absl::Span<const HeldPayload<MetricBatch>> held,
                                          const FlusherOptions& options, Workspace& workspace,
                                          EmitRequest emit) {
  const HttpHeaders headers = HeadersOf(spec.codec);
  while (!held.empty()) {
    const absl::Span<const HeldPayload<MetricBatch>> batch = TakeBatch<MetricBatch>(
        held, {.bytes = options.max_batch_bytes}, [](const MetricBatch& /*each*/) { return size_t{1}; });
    const auto emit_packed = [&](std::string packed) {
      emit({.headers = headers,
            .body = std::make_shared<const std::string>(std::move(packed)),
            .payloads = IdsOf(batch)});
    };
    // A batch alone, as a flush usually has, is compressed where it is.
    std::string_view body = batch.front().payload.fields.bytes();
    if (batch.size() > 1) {
      THAW_RETURN_IF_ERROR(Join(batch, workspace.body));
      body = workspace.body;
    }
    THAW_RETURN_IF_ERROR(EmitToFit(body, {.content = options.max_batch_bytes, .compressed = max_compressed},
                                   options.compression_level, workspace.compressor, emit_packed));
  }
  return absl::OkStatus();
}

absl::Status MetricReportEncoding::Encode(absl::Span<const HeldPayload<MetricReport>> held,
                                          const FlusherOptions& options, Workspace& workspace,
                                          EmitRequest emit) {
  const auto encode = [&](const PipelineSpec& kind, size_t max_compressed, MetricBatch MetricReport::* part) {
    std::vector<HeldPayload<MetricBatch>> parts;
    for (const HeldPayload<MetricReport>& each : held)
      if (!(each.payload.*part).empty()) parts.push_back({each.id, each.payload.*part});
    return MetricEncodingBase::EncodeAs(kPipeline, max_compressed, parts, options, workspace,
                                        [&kind, emit](EncodedRequest request) {
                                          request.target = kind.path;
                                          emit(std::move(request));
                                        });
  };
  THAW_RETURN_IF_ERROR(
      encode(SeriesEncoding::kPipeline, SeriesEncoding::kMaxCompressed, &MetricReport::series));
  return encode(SketchEncoding::kPipeline, SketchEncoding::kMaxCompressed, &MetricReport::sketches);
}

std::vector<std::string> MetricEncodingBase::Split(std::string_view body, const FlusherOptions& options) {
  const absl::StatusOr<std::string> unpacked = DecompressZstd(body, kMaxUnpacked);
  if (!unpacked.ok()) return {};
  std::vector<std::string> bodies;
  for (const std::string_view half : Halves(*unpacked)) {
    absl::StatusOr<std::string> packed = CompressZstd(half, options.compression_level);
    if (!packed.ok()) return {};
    bodies.push_back(*std::move(packed));
  }
  return bodies;
}

}  // namespace thaw
