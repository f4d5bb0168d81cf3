#include "cc/flush/stats_flusher.h"

#include <algorithm>
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

absl::Status StatsEncoding::Encode(absl::Span<const HeldPayload<StatsPayload>> held,
                                   const FlusherOptions& options, Workspace& /*workspace*/,
                                   EmitRequest emit) {
  const size_t limit = std::min(kPipeline.limits.max_batch_bytes, options.max_batch_bytes);
  std::vector<std::string_view> batch;
  std::vector<PayloadId> ids;
  size_t bytes = kStatsBatchFraming;
  bool parts = false;
  const auto send = [&]() -> absl::Status {
    if (batch.empty()) return absl::OkStatus();
    if (!CanAllocate(bytes)) return NoMemory(bytes);
    THAW_ASSIGN_OR_RETURN(const std::vector<std::string> bodies,
                          SplitStatsToFit(EncodeStatsBatch(batch, parts), limit));
    for (const std::string& body : bodies) {
      THAW_ASSIGN_OR_RETURN(std::string packed, CompressGzip(body, options.compression_level));
      emit({.headers = HeadersOf(kPipeline.codec),
            .body = std::make_shared<const std::string>(std::move(packed)),
            .payloads = ids});
    }
    batch.clear();
    ids.clear();
    bytes = kStatsBatchFraming;
    parts = false;
    return absl::OkStatus();
  };
  for (const HeldPayload<StatsPayload>& payload : held) {
    if (payload.payload.empty()) continue;
    if (bytes + payload.payload.size() > limit) THAW_RETURN_IF_ERROR(send());
    batch.push_back(payload.payload.bytes());
    ids.push_back(payload.id);
    parts = parts || payload.payload.is_part();
    bytes += payload.payload.size();
  }
  return send();
}

std::vector<std::string> StatsEncoding::Split(std::string_view body, const FlusherOptions& options) {
  const absl::StatusOr<std::string> unpacked = DecompressGzip(body, kMaxUnpacked);
  if (!unpacked.ok() || !CanAllocate(2 * unpacked->size())) return {};
  std::vector<std::string> bodies;
  for (const std::string& half : SplitStatsBatch(*unpacked)) {
    absl::StatusOr<std::string> packed = CompressGzip(half, options.compression_level);
    if (!packed.ok()) return {};
    bodies.push_back(*std::move(packed));
  }
  return bodies;
}

}  // namespace thaw
