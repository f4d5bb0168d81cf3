// The core of every flusher: it takes encoded requests, keeps them in an outbox, sends them in one flush with
// one deadline, and accounts for every payload. It knows nothing of traces or stats.
//
//   PipelineFlusher flusher(executor, clock, client, options, "traces", {endpoint});
//   absl::Status status = flusher.Add(std::move(request));   // ResourceExhausted: no room now
//   FlushReport report = co_await flusher.Flush(absl::Seconds(2), cancellation);
//
// A flush:
//   * starts everything at once, requests kept by earlier flushes first; the client limits connections and
//     shares them among waiting requests;
//   * takes any 2xx as success, and never sends an accepted request again;
//   * looks up an API key that is not known yet;
//   * splits and resends after 413; resends after 401 and 403 only if looking the key up again gave another
//     one; drops other requests that are refused for good, counted by status;
//   * keeps requests that could not be delivered, to be sent first in the next flush, flagged
//     possible_duplicate if the intake may have accepted them. A pipeline that may not send twice drops those
//     instead (ambiguous_dropped);
//   * resends at most kMostAmbiguous - 1 times, over all flushes, a request that the intake may have
//     accepted; then keeps it for the shutdown;
//   * sends nothing to a destination that is out of reach or to an endpoint that refuses, and ends early if
//     nothing moves (outage_budget.h, refusal_hold.h).
//
// Pipelines may share the room for kept data and the time for outages (shared_resources.h).
//
// Conservation, at every moment: payloads handed over = delivered + kept + dropped, each drop with a reason.
// A payload with parts in several requests, or several halves after a split, is delivered when the primary
// endpoint accepted all of them, and dropped when all have ended and one of them was dropped. Additional
// endpoints have their own counts; no payload waits for them.
//
// One thread: the executor's. The flusher must outlive its flushes.

#ifndef THAW_CC_FLUSH_PIPELINE_FLUSHER_H_
#define THAW_CC_FLUSH_PIPELINE_FLUSHER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cc/base/cancellation.h"
#include "cc/base/executor.h"
#include "cc/base/task.h"
#include "cc/clock/clock.h"
#include "cc/flush/byte_budget.h"
#include "cc/flush/destination_group.h"
#include "cc/flush/drop_reason.h"
#include "cc/flush/encoded_request.h"
#include "cc/flush/endpoint.h"
#include "cc/flush/endpoint_state.h"
#include "cc/flush/flush_report.h"
#include "cc/flush/flush_run.h"
#include "cc/flush/flushable.h"
#include "cc/flush/flusher_options.h"
#include "cc/flush/item_sender.h"
#include "cc/flush/opened_payloads.h"
#include "cc/flush/outage_budget.h"
#include "cc/flush/outbox.h"
#include "cc/flush/payload_ledger.h"
#include "cc/flush/peers_options.h"
#include "cc/flush/shared_resources.h"
#include "cc/net/client.h"

namespace thaw {

// The limits of a flusher: its own, or resources that it shares with other pipelines.
using FlusherLimits = std::variant<LimitOptions, SharedResources>;

class PipelineFlusher : public Flushable {
 public:
  // The maximum number of tries of a request, over all flushes, after which the intake may have it.
  static constexpr int kMostAmbiguous = ItemSender::kMostAmbiguous;

  // Returns the bodies into which a request is split after a 413; fewer than two if it can't be split.
  using Splitter = ItemSender::Splitter;

  // `name` stands for the flusher in counts, reports and the log. `endpoints` has at least one member; the
  // first is the primary one. All options must be valid. `peers` is for experiments. Executor, clock and
  // client must outlive the flusher.
  PipelineFlusher(Executor& executor, Clock& clock, Client& client, FlusherOptions options, std::string name,
                  std::vector<Endpoint> endpoints, FlusherLimits limits = LimitOptions(),
                  std::optional<PeersOptions> peers = std::nullopt);
  PipelineFlusher(const PipelineFlusher&) = delete;
  PipelineFlusher& operator=(const PipelineFlusher&) = delete;

  // -- Taking over -------------------------------------------------------------------------------------
  // Takes a request over. Returns ResourceExhausted, and takes nothing, if untried data fills the outbox; the
  // sender should be told so (429). Counted in turned_away().
  absl::Status Add(EncodedRequest request);
  // Takes all of them over, or none.
  absl::Status AddAll(std::vector<EncodedRequest> requests);
  // The bytes that a request takes of the budget.
  size_t BytesOf(const EncodedRequest& request) const { return Outbox::BytesOf(request) * endpoints_.size(); }

  // Payloads that are taken over before they are encoded, and their requests.
  OpenedPayloads& opened() { return opened_; }
  const OpenedPayloads& opened() const { return opened_; }
  void AddAdmitted(EncodedRequest request);

  // -- Sending -----------------------------------------------------------------------------------------
  Task<FlushReport> Flush(absl::Duration deadline, Cancellation& cancellation) override;
  // Runs the last flush: ignores breakers, and sends what was held for a redrive.
  Task<FlushReport> Shutdown(absl::Duration deadline, Cancellation& cancellation) override;
  // Returns whether Flush would send nothing: every destination is out of reach or refuses, and no probe is
  // due.
  bool would_skip() const;
  void set_splitter(Splitter splitter) { sender_.set_splitter(std::move(splitter)); }
  // Sets a function that is called once for each payload that ends, inside the flush or the Add (eviction)
  // that ends it.
  void set_on_outcome(absl::AnyInvocable<void(const PayloadOutcome&)> on_outcome) {
    ledger_.set_on_outcome(std::move(on_outcome));
  }

  // -- The parts ---------------------------------------------------------------------------------------
  std::string_view name() const override { return name_; }
  const SharedResources& shared() const { return shared_; }
  const FlusherOptions& options() const { return options_; }
  // Returns nullptr in production.
  const PeersOptions* peers() const { return peers_.has_value() ? &*peers_ : nullptr; }
  const std::vector<Endpoint>& endpoints() const { return endpoints_; }
  const ByteBudget& byte_budget() const { return *shared_.bytes; }
  const OutageBudget& outage() const { return *shared_.outage; }
  const Outbox& outbox() const { return outbox_; }

  // -- Counts, since the beginning unless it is said otherwise -----------------------------------------
  int64_t handed_over() const { return ledger_.handed_over(); }
  int64_t delivered() const { return ledger_.delivered(); }
  // By reason; evictions between flushes included.
  const DropCounts& dropped() const { return ledger_.dropped(); }
  int64_t turned_away() const override { return turned_away_ + opened_.turned_away(); }
  const FlushReport& total() const override { return total_; }
  // The payloads and bytes kept now, and the payloads' ids in order.
  int64_t kept_payloads() const override { return ledger_.kept(); }
  int64_t kept_for_additional() const override { return ledger_.kept_for_additional(); }
  size_t bytes() const override { return opened_.bytes() + outbox_.bytes(); }
  bool has_untried() const override { return opened_.bytes() > 0 || outbox_.untried_items() > 0; }
  std::vector<PayloadId> KeptPayloads() const { return ledger_.KeptIds(); }

  // Returns Internal, naming the sum that is wrong. Takes constant time.
  absl::Status CheckInvariant() const { return ledger_.CheckInvariant(outbox_); }
  // Checks the same by counting everything anew.
  absl::Status CheckInvariantByWalking() const { return ledger_.CheckInvariantByWalking(outbox_); }

 private:
  using Pass = OutageBudget::Pass;

  Task<FlushReport> FlushItems(absl::Duration deadline, Cancellation& cancellation, bool last);
  // Sends everything that waits, what was held for the shutdown included if it is the last flush.
  Task<void> SendKept(FlushRun& run);
  Task<void> SendByEndpoint(FlushRun& run, std::vector<Outbox::Item> items);
  Task<void> SendTo(FlushRun& run, size_t endpoint, std::vector<Outbox::Item> items);
  // Sends the one item that tells whether the rest may be sent; returns true if it may.
  Task<bool> Probe(FlushRun& run, size_t endpoint, const Pass& pass, Outbox::Item item);
  // Sends the rest, and ends the pass.
  Task<void> SendRest(FlushRun& run, size_t endpoint, const Pass& pass, std::vector<Outbox::Item> items);
  Task<void> SendWatched(FlushRun& run, DestinationGroup& group, const Pass& pass, bool probe,
                         std::vector<Outbox::Item> items);
  Task<void> SendAll(FlushRun& run, DestinationGroup& group, std::vector<Outbox::Item> items);
  // Sends the items from `next` on, one after the other; several calls share the list.
  Task<void> SendFrom(FlushRun& run, DestinationGroup& group, std::vector<Outbox::Item>& items, size_t& next);
  // Returns the items that this flush does not send to the outbox.
  void GiveBack(FlushRun& run, size_t endpoint, std::vector<Outbox::Item>& items);
  // Returns how a group that was no probe ends its pass.
  static OutageBudget::End EndOf(const FlushRun& run, const DestinationGroup& group, const Pass& pass);
  void Conclude(FlushRun& run, const DestinationGroup& group);
  bool limited(const FlushRun& run) const { return shared_.outage->limits() && !run.last; }
  bool in_turn() const { return peers_.has_value() && peers_->sequential; }
  int64_t Progress() const;

  Executor& executor_;
  Clock& clock_;
  Client& client_;
  const FlusherOptions options_;
  const std::string name_;
  const std::vector<Endpoint> endpoints_;

  const bool own_limits_;
  const SharedResources shared_;
  const std::optional<PeersOptions> peers_;
  std::vector<EndpointState> endpoint_states_;  // in the order of endpoints_
  PayloadLedger ledger_;
  Outbox outbox_;
  ItemSender sender_;
  FlushReport total_;
  OpenedPayloads opened_;
  int64_t turned_away_ = 0;
};

}  // namespace thaw

#endif  // THAW_CC_FLUSH_PIPELINE_FLUSHER_H_
