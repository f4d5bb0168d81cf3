// Payloads that a flusher has taken over and not encoded yet: their bytes in the budget, and their place in
// the ledger. A part of PipelineFlusher, for flushers that encode later (payload_flusher.h).
//
//   THAW_RETURN_IF_ERROR(flusher.opened().Open(id, bytes));   // taken over
//   flusher.opened().Release();                               // before encoding all that were opened
//   flusher.AddAdmitted(std::move(request));                  // each request of the payload
//   flusher.opened().Seal(id);                                // encoded
//
// One thread: the executor's.

#ifndef THAW_CC_FLUSH_OPENED_PAYLOADS_H_
#define THAW_CC_FLUSH_OPENED_PAYLOADS_H_

#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "cc/flush/byte_budget.h"
#include "cc/flush/drop_reason.h"
#include "cc/flush/encoded_request.h"
#include "cc/flush/flush_report.h"
#include "cc/flush/payload_ledger.h"

namespace thaw {

class OpenedPayloads {
 public:
  // `total` is where payloads that end are reported. All arguments must outlive the object.
  OpenedPayloads(ByteBudget& budget, PayloadLedger& ledger, FlushReport& total)
      : budget_(budget), ledger_(ledger), total_(total) {}
  OpenedPayloads(const OpenedPayloads&) = delete;
  OpenedPayloads& operator=(const OpenedPayloads&) = delete;
  ~OpenedPayloads() { Release(); }

  // Takes over a payload of `bytes` bytes. Returns ResourceExhausted, and takes nothing, if untried data
  // fills the outbox.
  absl::Status Open(PayloadId id, size_t bytes) {
    if (absl::Status room = budget_.MakeRoom(bytes); !room.ok()) {
      ++turned_away_;
      return room;
    }
    ledger_.Open(id);
    Hold(bytes);
    return absl::OkStatus();
  }
  // Makes room for encoding all opened payloads: gives back their bytes.
  void Release() { budget_.Remove(std::exchange(bytes_, 0)); }
  // Counts `bytes` again for an opened payload that could not be encoded.
  void Hold(size_t bytes) {
    bytes_ += bytes;
    budget_.Add(bytes);
  }
  // Ends the opening of a payload that is encoded: all its requests were added.
  void Seal(PayloadId id) { ledger_.Seal(id, total_); }
  // Drops an opened payload that can't be encoded.
  void Drop(PayloadId id, DropReason reason) { ledger_.DropOpened(id, reason, total_); }

  // The bytes of the payloads that are not encoded yet.
  size_t bytes() const { return bytes_; }
  // The number of payloads for which there was no room.
  int64_t turned_away() const { return turned_away_; }

 private:
  ByteBudget& budget_;
  PayloadLedger& ledger_;
  FlushReport& total_;
  size_t bytes_ = 0;
  int64_t turned_away_ = 0;
};

}  // namespace thaw

#endif  // THAW_CC_FLUSH_OPENED_PAYLOADS_H_
