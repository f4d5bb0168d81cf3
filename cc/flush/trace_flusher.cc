#include "cc/flush/trace_flusher.h"

#include <cstddef>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "cc/base/reserve.h"
#include "cc/base/status_macros.h"
#include "cc/flush/compress.h"
#include "cc/flush/encoded_request.h"
#include "cc/flush/pipeline_spec.h"
#include "cc/trace/agent_payload.h"
#include "cc/trace/tracer_headers.h"

namespace thaw {
namespace {

// Limits the bytes that are decompressed to split a body: more than any request that was made here.
constexpr size_t kMaxUnpacked = size_t{256} << 20;

// Payloads that share a request.
struct Group {
  TracerHeaders headers;
  std::vector<const HeldPayload<TracePayload>*> payloads;
};

class RequestWriter {
 public:
  RequestWriter(const FlusherOptions& options, TraceEncoding::Workspace& workspace, EmitRequest emit)
      : options_(options), workspace_(workspace), emit_(emit) {}

  absl::Status Write(const Group& group) {
    headers_ = HeadersOf(TraceEncoding::kPipeline.codec);
    for (auto& header : group.headers.ForIntake()) headers_.push_back(std::move(header));
    AgentPayloadBuilder builder;
    std::vector<PayloadId> ids;
    for (const HeldPayload<TracePayload>* held : group.payloads) {
      if (!builder.empty() && builder.size_bound_with(held->payload) > options_.max_batch_bytes)
        THAW_RETURN_IF_ERROR(Emit(builder, std::exchange(ids, {})));
      builder.Add(held->payload);
      ids.push_back(held->id);
    }
    return Emit(builder, std::move(ids));
  }

 private:
  absl::Status Emit(AgentPayloadBuilder& builder, std::vector<PayloadId> ids) {
    std::string& body = workspace_.body;
    body.clear();
    if (absl::Status room = Reserve(body, builder.size_bound(), nullptr); !room.ok()) return room;
    builder.FinishInto(body);
    if (body.size() <= options_.max_batch_bytes) return Pack(body, std::move(ids));
    THAW_ASSIGN_OR_RETURN(const std::vector<std::string> parts,
                          SplitToFit(std::exchange(body, {}), options_.max_batch_bytes));
    for (const std::string& part : parts) THAW_RETURN_IF_ERROR(Pack(part, ids));
    return absl::OkStatus();
  }

  absl::Status Pack(std::string_view body, std::vector<PayloadId> ids) {
    THAW_ASSIGN_OR_RETURN(std::string packed,
                          workspace_.compressor.Compress(body, options_.compression_level));
    emit_({.headers = headers_,
           .body = std::make_shared<const std::string>(std::move(packed)),
           .payloads = std::move(ids)});
    return absl::OkStatus();
  }

  const FlusherOptions& options_;
  TraceEncoding::Workspace& workspace_;
  const EmitRequest emit_;
  HttpHeaders headers_;
};

struct MergeHash {
  size_t operator()(const TracerHeaders* headers) const { return headers->MergeHash(); }
};
struct MergeEqual {
  bool operator()(const TracerHeaders* one, const TracerHeaders* other) const {
    return one->MergesWith(*other);
  }
};

// Returns the groups in the order in which their first payloads came.
std::vector<Group> GroupByHeaders(absl::Span<const HeldPayload<TracePayload>> held) {
  std::vector<Group> groups;
  absl::flat_hash_map<const TracerHeaders*, size_t, MergeHash, MergeEqual> numbers;
  for (const HeldPayload<TracePayload>& payload : held) {
    if (payload.payload.empty()) continue;
    const TracerHeaders& headers = payload.payload.headers();
    size_t number = groups.size();
    // There are as many groups as tracers, one or two, so that most payloads belong to the last group.
    if (!groups.empty() && groups.back().headers.MergesWith(headers)) {
      number = groups.size() - 1;
    } else {
      number = numbers.try_emplace(&headers, number).first->second;
    }
    if (number == groups.size()) {
      groups.push_back({headers, {&payload}});
    } else {
      groups[number].headers.Merge(headers);
      groups[number].payloads.push_back(&payload);
    }
  }
  return groups;
}

}  // namespace

void TraceEncoding::Workspace::Release() {
  body = std::string();
  compressor.Release();
}

absl::Status TraceEncoding::Encode(absl::Span<const HeldPayload<TracePayload>> held,
                                   const FlusherOptions& options, Workspace& workspace, EmitRequest emit) {
  const std::vector<Group> groups = GroupByHeaders(held);
  RequestWriter writer(options, workspace, emit);
  for (const Group& group : groups) THAW_RETURN_IF_ERROR(writer.Write(group));
  return absl::OkStatus();
}

std::vector<std::string> TraceEncoding::Split(std::string_view body, const FlusherOptions& options) {
  const absl::StatusOr<std::string> unpacked = DecompressZstd(body, kMaxUnpacked);
  if (!unpacked.ok() || !CanAllocate(2 * unpacked->size())) return {};
  std::vector<std::string> bodies;
  for (const std::string& half : SplitAgentPayload(*unpacked)) {
    absl::StatusOr<std::string> packed = CompressZstd(half, options.compression_level);
    if (!packed.ok()) return {};
    bodies.push_back(*std::move(packed));
  }
  return bodies;
}

}  // namespace thaw
