#include "cc/flush/event_flusher.h"

#include <cstddef>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "cc/base/reserve.h"
#include "cc/base/status_macros.h"
#include "cc/flush/compress.h"
#include "cc/flush/encoded_request.h"
#include "cc/flush/held_payload.h"
#include "cc/flush/pipeline_spec.h"

namespace thaw {
namespace {

constexpr size_t kMaxUnpacked = size_t{256} << 20;

}  // namespace

absl::Status StatsdEncodingBase::EncodeAs(const PipelineSpec& spec, BodyOf body_of,
                                          absl::Span<const HeldPayload<StatsdItem>> held,
                                          const FlusherOptions& options, EmitRequest emit) {
  while (!held.empty()) {
    const absl::Span<const HeldPayload<StatsdItem>> batch = TakeBatch<StatsdItem>(
        held, {.bytes = options.max_batch_bytes, .entries = spec.limits.max_batch_entries},
        [](const StatsdItem& /*each*/) { return size_t{1}; });
    std::vector<const StatsdItem*> items;
    for (const HeldPayload<StatsdItem>& each : batch) items.push_back(&each.payload);
    const size_t bytes = StatsdBodyBytes(items);
    if (!CanAllocate(bytes)) return NoMemory(bytes);
    THAW_ASSIGN_OR_RETURN(std::string packed, CompressZstd(body_of(items), options.compression_level));
    emit({.headers = HeadersOf(spec.codec),
          .body = std::make_shared<const std::string>(std::move(packed)),
          .payloads = IdsOf(batch)});
  }
  return absl::OkStatus();
}

std::vector<std::string> StatsdEncodingBase::SplitAs(BodyOf body_of, std::string_view body,
                                                     const FlusherOptions& options) {
  const absl::StatusOr<std::string> unpacked = DecompressZstd(body, kMaxUnpacked);
  if (!unpacked.ok() || !CanAllocate(unpacked->size())) return {};
  const std::vector<StatsdItem> items = ItemsOfBody(*unpacked);
  if (items.size() < 2) return {};
  std::vector<const StatsdItem*> pointers;
  for (const StatsdItem& item : items) pointers.push_back(&item);
  const absl::Span<const StatsdItem* const> all = pointers;
  std::vector<std::string> bodies;
  for (const absl::Span<const StatsdItem* const> half :
       {all.first(items.size() / 2), all.subspan(items.size() / 2)}) {
    absl::StatusOr<std::string> packed = CompressZstd(body_of(half), options.compression_level);
    if (!packed.ok()) return {};
    bodies.push_back(*std::move(packed));
  }
  return bodies;
}

}  // namespace thaw
