// Flushes payloads that are merged into requests only when they are sent; the base of TraceFlusher and
// StatsFlusher.
//
//   PayloadFlusher<TraceEncoding> flusher(executor, clock, client, options, {endpoint});
//   absl::StatusOr<PayloadId> id = flusher.Add(std::move(payload));   // ResourceExhausted: no room now
//   FlushReport report = co_await flusher.Flush(absl::Seconds(2), cancellation);
//
// An Encoding is a struct of
//   Payload                                 the type that is handed over; size() and memory() in bytes
//   kPipeline                               the row of the table of pipelines (pipeline_table.h)
//   Workspace                               memory that one Encode leaves to the next, until Release()
//   Encode(held, options, workspace, emit)  merges payloads into requests and passes each to `emit`
//   Split(compressed body, options)         splits a body in two after a 413; empty: it can't be split
//
// Payloads are encoded and compressed once, when the first flush after their arrival begins, or when many
// bytes wait (FlusherOptions::encode_above_bytes); from then on the PipelineFlusher keeps the bytes. A flush
// that can't send anything leaves them as they are. One thread: the executor's. The flusher must outlive its
// flushes.

#ifndef THAW_CC_FLUSH_PAYLOAD_FLUSHER_H_
#define THAW_CC_FLUSH_PAYLOAD_FLUSHER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "cc/base/cancellation.h"
#include "cc/base/executor.h"
#include "cc/base/status_macros.h"
#include "cc/base/task.h"
#include "cc/clock/clock.h"
#include "cc/flush/encoded_request.h"
#include "cc/flush/endpoint.h"
#include "cc/flush/flush_report.h"
#include "cc/flush/flushable.h"
#include "cc/flush/flusher_options.h"
#include "cc/flush/held_payload.h"
#include "cc/flush/peers_options.h"
#include "cc/flush/pipeline_flusher.h"
#include "cc/flush/pipeline_spec.h"
#include "cc/flush/shared_resources.h"
#include "cc/net/client.h"

namespace thaw {

using EmitRequest = absl::FunctionRef<void(EncodedRequest)>;

template <typename Encoding>
class PayloadFlusher : public Flushable {
 public:
  using Payload = typename Encoding::Payload;
  static constexpr const PipelineSpec& kPipeline = Encoding::kPipeline;

  // Arguments as for PipelineFlusher.
  PayloadFlusher(Executor& executor, Clock& clock, Client& client, FlusherOptions options,
                 std::vector<Endpoint> endpoints, FlusherLimits limits = LimitOptions(),
                 std::optional<PeersOptions> peers = std::nullopt)
      : pipeline_(executor, clock, client, std::move(options), std::string(kPipeline.name),
                  std::move(endpoints), std::move(limits), peers) {
    if constexpr (requires { workspace_.compressor; }) workspace_.compressor.Share(pipeline_.shared().zstd);
    pipeline_.set_splitter([this](const EncodedRequest& request) {
      std::vector<std::shared_ptr<const std::string>> bodies;
      for (std::string& body : Encoding::Split(*request.body, pipeline_.options()))
        bodies.push_back(std::make_shared<const std::string>(std::move(body)));
      return bodies;
    });
  }

  // Takes a payload over. Returns ResourceExhausted, and takes nothing, if untried data fills the outbox.
  absl::StatusOr<PayloadId> Add(Payload payload) {
    THAW_RETURN_IF_ERROR(pipeline_.opened().Open(next_id_, payload.memory() + kBookkeeping));
    held_.push_back({next_id_, std::move(payload)});
    const size_t most = pipeline_.options().encode_above_bytes;
    if (most > 0 && pipeline_.opened().bytes() > most) EncodeHeld();
    return next_id_++;
  }

  // Encodes one part of a payload that comes in parts, apart from all others. The caller charges the
  // requests' memory and passes all of them to AddParts() when the last part has come. Returns
  // ResourceExhausted if there is no memory.
  absl::StatusOr<std::vector<EncodedRequest>> EncodePart(Payload payload) {
    std::vector<HeldPayload<Payload>> part;
    part.push_back({next_id_, std::move(payload)});
    std::vector<EncodedRequest> requests;
    const absl::Status status =
        Encoding::Encode(part, pipeline_.options(), workspace_,
                         [&requests](EncodedRequest request) { requests.push_back(std::move(request)); });
    if (!status.ok()) return status;
    return requests;
  }
  // Takes over all parts of a payload, or none.
  absl::StatusOr<PayloadId> AddParts(std::vector<EncodedRequest> requests) {
    for (EncodedRequest& request : requests) request.payloads = {next_id_};
    THAW_RETURN_IF_ERROR(pipeline_.AddAll(std::move(requests)));
    return next_id_++;
  }
  // Frees the memory that encoding needed.
  void ReleaseWorkspace() { workspace_.Release(); }

  std::string_view name() const override { return pipeline_.name(); }

  // Flushes everything added so far, as PipelineFlusher::Flush does. While nothing can be sent, nothing is
  // encoded either, unless it takes much room: that saves time now and makes fewer requests later.
  Task<FlushReport> Flush(absl::Duration deadline, Cancellation& cancellation) override {
    const bool much = pipeline_.opened().bytes() > pipeline_.byte_budget().limit() / 4;
    if (much || !pipeline_.would_skip()) EncodeHeld();
    // Frees the memory of encoding between flushes: a small function needs it.
    workspace_.Release();
    return pipeline_.Flush(deadline, cancellation);
  }
  Task<FlushReport> Shutdown(absl::Duration deadline, Cancellation& cancellation) override {
    EncodeHeld();
    workspace_.Release();
    return pipeline_.Shutdown(deadline, cancellation);
  }

  int64_t kept_payloads() const override { return pipeline_.kept_payloads(); }
  size_t bytes() const override { return pipeline_.bytes(); }
  bool has_untried() const override { return pipeline_.has_untried(); }
  int64_t kept_for_additional() const override { return pipeline_.kept_for_additional(); }
  int64_t turned_away() const override { return pipeline_.turned_away(); }
  const FlushReport& total() const override { return pipeline_.total(); }
  PipelineFlusher& pipeline() { return pipeline_; }
  const PipelineFlusher& pipeline() const { return pipeline_; }

 private:
  void EncodeHeld() {
    std::vector<HeldPayload<Payload>> held = std::exchange(held_, {});
    pipeline_.opened().Release();
    std::vector<PayloadId> encoded;
    const absl::Status status = Encode(held, [this, &encoded](EncodedRequest request) {
      encoded.insert(encoded.end(), request.payloads.begin(), request.payloads.end());
      pipeline_.AddAdmitted(std::move(request));
    });
    // There may be memory for it when the next flush begins.
    const bool again = absl::IsResourceExhausted(status);
    for (HeldPayload<Payload>& payload : held) {
      if (again && std::find(encoded.begin(), encoded.end(), payload.id) == encoded.end()) {
        pipeline_.opened().Hold(payload.payload.memory() + kBookkeeping);
        held_.push_back(std::move(payload));
      } else if (status.ok()) {
        pipeline_.opened().Seal(payload.id);
      } else {
        pipeline_.opened().Drop(payload.id, DropReason::kUnencodable);
      }
    }
  }

  absl::Status Encode(absl::Span<const HeldPayload<Payload>> held, EmitRequest emit) {
    const bool coalesce = pipeline_.peers() == nullptr || pipeline_.peers()->coalesce;
    const size_t together = coalesce ? held.size() : 1;
    for (; !held.empty(); held.remove_prefix(together)) {
      THAW_RETURN_IF_ERROR(Encoding::Encode(held.first(together), pipeline_.options(), workspace_, emit));
    }
    return absl::OkStatus();
  }

  // The approximate bookkeeping per payload: its id, and its entry among those whose outcome is awaited.
  static constexpr size_t kBookkeeping = 64;

  PipelineFlusher pipeline_;
  std::vector<HeldPayload<Payload>> held_;
  typename Encoding::Workspace workspace_;
  PayloadId next_id_ = 1;
};

}  // namespace thaw

#endif  // THAW_CC_FLUSH_PAYLOAD_FLUSHER_H_
