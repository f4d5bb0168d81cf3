#include "cc/flush/pathway_flusher.h"

#include <cstddef>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "cc/base/reserve.h"
#include "cc/base/status_macros.h"
#include "cc/flush/compress.h"
#include "cc/flush/encoded_request.h"
#include "cc/flush/pipeline_spec.h"
#include "cc/stats/stats_batch.h"

namespace thaw {
namespace {

constexpr size_t kMaxUnpacked = size_t{256} << 20;

}  // namespace

absl::Status PathwayEncoding::Encode(absl::Span<const HeldPayload<PathwayPayload>> held,
                                     const FlusherOptions& options, Workspace& /*workspace*/,
                                     EmitRequest emit) {
  while (!held.empty()) {
    std::vector<PayloadId> ids;
    std::vector<const PathwayPayload*> payloads;
    size_t bytes = 0;
    for (const HeldPayload<PathwayPayload>& each : held) {
      const bool fits = bytes + each.payload.size() <= options.max_batch_bytes;
      if (!payloads.empty() && (!fits || each.payload.members != payloads.front()->members)) break;
      ids.push_back(each.id);
      payloads.push_back(&each.payload);
      bytes += each.payload.size();
    }
    held.remove_prefix(payloads.size());
    // The body's string doubles while it grows.
    if (!CanAllocate(3 * bytes)) return NoMemory(3 * bytes);
    THAW_ASSIGN_OR_RETURN(std::string packed, CompressGzip(PathwayBody(payloads), options.compression_level));
    emit({.headers = HeadersOf(kPipeline.codec),
          .body = std::make_shared<const std::string>(std::move(packed)),
          .payloads = std::move(ids)});
  }
  return absl::OkStatus();
}

std::vector<std::string> PathwayEncoding::Split(std::string_view body, const FlusherOptions& options) {
  const absl::StatusOr<std::string> unpacked = DecompressGzip(body, kMaxUnpacked);
  if (!unpacked.ok() || !CanAllocate(2 * unpacked->size())) return {};
  std::vector<std::string> bodies;
  for (const std::string& half : SplitPathwayBody(*unpacked)) {
    absl::StatusOr<std::string> packed = CompressGzip(half, options.compression_level);
    if (!packed.ok()) return {};
    bodies.push_back(*std::move(packed));
  }
  return bodies;
}

}  // namespace thaw
