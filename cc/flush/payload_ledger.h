// Accounts for every payload that a flusher takes over: which are kept, how many parts each waits for, how
// each ended.
//
//   PayloadLedger ledger;
//   ledger.Open(id);                                       // handed over, not encoded yet
//   ledger.Add(item);                                      // the payloads in the item wait for it
//   ledger.Seal(id, report);                               // encoded: all its items were added
//   ledger.End(item, /*dropped=*/std::nullopt, report);    // the item was delivered
//
// Conservation, at every moment: payloads handed over = delivered + kept + dropped, each drop with a reason.
// A payload is delivered when all its parts have ended and none was dropped. Items for additional endpoints
// have counts of their own; no payload waits for them.
//
// One thread.

#ifndef THAW_CC_FLUSH_PAYLOAD_LEDGER_H_
#define THAW_CC_FLUSH_PAYLOAD_LEDGER_H_

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "cc/flush/drop_reason.h"
#include "cc/flush/encoded_request.h"
#include "cc/flush/flush_report.h"
#include "cc/flush/outbox.h"

namespace thaw {

// How a payload ended.
struct PayloadOutcome {
  PayloadId id = 0;
  bool delivered = false;
  // Whether it was sent again after the intake may have accepted it: the intake may hold it twice (or, if
  // dropped, once).
  bool possible_duplicate = false;
  std::optional<DropReason> reason;  // set if it was dropped
};

class PayloadLedger {
 public:
  // Sets a function that is called once for each payload that ends, inside the call that ends it.
  void set_on_outcome(absl::AnyInvocable<void(const PayloadOutcome&)> on_outcome) {
    on_outcome_ = std::move(on_outcome);
  }

  // Takes over a payload whose items are about to be added; a payload that is kept already is not counted
  // again.
  void HandOver(PayloadId id);
  // Takes over a payload that is not encoded yet. It waits for Seal or DropOpened.
  void Open(PayloadId id);
  // Counts an item: each payload in it waits for one part more. The payloads must have been handed over.
  void Add(const Outbox::Item& item);

  // The functions below end parts. `report` counts the payloads that end with them.

  // All items of an opened payload were added.
  void Seal(PayloadId id, FlushReport& report);
  // Drops an opened payload that can't be encoded.
  void DropOpened(PayloadId id, DropReason reason, FlushReport& report);
  // An item was delivered, or dropped for a reason.
  void End(const Outbox::Item& item, std::optional<DropReason> dropped, FlushReport& report);
  // An item was replaced by the items of its pieces, which were added before.
  void EndReplaced(const Outbox::Item& item, FlushReport& report);

  int64_t kept() const { return static_cast<int64_t>(payloads_.size()); }
  // The ids of the kept payloads, in order.
  std::vector<PayloadId> KeptIds() const;
  // The number of kept payloads that are not encoded yet.
  int64_t opened() const { return opened_; }
  int64_t handed_over() const { return handed_over_; }
  int64_t delivered() const { return delivered_; }
  // The number of items that are kept for additional endpoints.
  int64_t kept_for_additional() const { return kept_for_additional_; }
  // Counts since the beginning, by reason.
  const DropCounts& dropped() const { return dropped_; }
  const DropCounts& additional_dropped() const { return additional_dropped_; }

  // Returns Internal, naming the sum that is wrong. `outbox` holds the items that were added and have not
  // ended. Takes constant time.
  absl::Status CheckInvariant(const Outbox& outbox) const;
  // Checks the same by counting everything anew.
  absl::Status CheckInvariantByWalking(const Outbox& outbox) const;

 private:
  struct Payload {
    int32_t open_parts = 0;
    bool possible_duplicate = false;
    std::optional<DropReason> dropped;
  };
  // There may be very many of them (Outbox::Item::bytes).
  static_assert(sizeof(Payload) <= 8);

  void EndPart(PayloadId id, bool possible_duplicate, std::optional<DropReason> dropped, FlushReport& report);
  void Count(const PayloadOutcome& outcome, FlushReport& report);

  absl::AnyInvocable<void(const PayloadOutcome&)> on_outcome_;
  absl::flat_hash_map<PayloadId, Payload> payloads_;  // looked up by id; iterated only by checks
  int64_t open_parts_ = 0;                            // sum over all payloads
  int64_t opened_ = 0;                                // the part of them that is not encoded yet
  int64_t handed_over_ = 0;
  int64_t delivered_ = 0;
  int64_t kept_for_additional_ = 0;
  DropCounts dropped_;
  DropCounts additional_dropped_;
};

}  // namespace thaw

#endif  // THAW_CC_FLUSH_PAYLOAD_LEDGER_H_
