#include "cc/flush/metric_flusher.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "cc/base/protobuf_reader.h"
#include "cc/base/reserve.h"
#include "cc/base/split_to_fit.h"
#include "cc/base/status_macros.h"
#include "cc/flush/encoded_request.h"
#include "cc/flush/held_payload.h"
#include "cc/flush/pipeline_spec.h"

namespace thaw {
namespace {

constexpr size_t kMaxUnpacked = size_t{256} << 20;

// Cuts a payload between two of its fields, each of which is a series or a sketch. Returns nothing if there is only
// one.
std::vector<std::string> Halves(std::string_view body) {
  ProtobufReader reader(body);
  size_t at = 0;
  while (at < body.size() / 2 && reader.Next()) {
    const size_t end = at + reader.whole().size();
    // The last field goes into the second half.
    if (end == body.size()) break;
    at = end;
  }
  if (at == 0 || !reader.ok()) return {};
  return {std::string(body.substr(0, at)), std::string(body.substr(at))};
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
    size_t bytes = 0;
    for (const HeldPayload<MetricBatch>& each : batch) bytes += each.payload.fields.bytes().size();
    workspace.body.clear();
    THAW_RETURN_IF_ERROR(Reserve(workspace.body, bytes, nullptr));
    for (const HeldPayload<MetricBatch>& each : batch) workspace.body.append(each.payload.fields.bytes());
    THAW_ASSIGN_OR_RETURN(std::vector<std::string> left,
                          CutToFit(std::exchange(workspace.body, {}), options.max_batch_bytes, Halves));
    std::reverse(left.begin(), left.end());  // the next one is the last
    while (!left.empty()) {
      const std::string body = std::move(left.back());
      left.pop_back();
      THAW_ASSIGN_OR_RETURN(std::string packed,
                            workspace.compressor.Compress(body, options.compression_level));
      std::vector<std::string> halves;
      if (packed.size() > max_compressed) {
        if (!CanAllocate(body.size())) return NoMemory(body.size());
        halves = Halves(body);
      }
      if (!halves.empty()) {
        left.push_back(std::move(halves[1]));
        left.push_back(std::move(halves[0]));
        continue;
      }
      emit({.headers = headers,
            .body = std::make_shared<const std::string>(std::move(packed)),
            .payloads = IdsOf(batch)});
    }
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
  if (!unpacked.ok() || !CanAllocate(unpacked->size())) return {};
  std::vector<std::string> bodies;
  for (const std::string& half : Halves(*unpacked)) {
    absl::StatusOr<std::string> packed = CompressZstd(half, options.compression_level);
    if (!packed.ok()) return {};
    bodies.push_back(*std::move(packed));
  }
  return bodies;
}

}  // namespace thaw
