#include "cc/flush/payload_ledger.h"

#include <algorithm>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"

namespace thaw {

void PayloadLedger::HandOver(PayloadId id) {
  if (payloads_.try_emplace(id).second) ++handed_over_;
}

void PayloadLedger::Open(PayloadId id) {
  const auto [entry, is_new] = payloads_.try_emplace(id);
  CHECK(is_new) << "payload " << id << " was handed over twice";
  ++handed_over_;
  ++entry->second.open_parts;
  ++open_parts_;
  ++opened_;
}

void PayloadLedger::Add(const Outbox::Item& item) {
  if (item.endpoint > 0) ++kept_for_additional_;
  if (!item.counted) return;
  for (const PayloadId id : item.request->payloads) {
    const auto found = payloads_.find(id);
    CHECK(found != payloads_.end()) << "payload " << id << " was not opened";
    ++found->second.open_parts;
    ++open_parts_;
  }
}

void PayloadLedger::Seal(PayloadId id, FlushReport& report) {
  --opened_;
  EndPart(id, false, std::nullopt, report);
}

void PayloadLedger::DropOpened(PayloadId id, DropReason reason, FlushReport& report) {
  --opened_;
  EndPart(id, false, reason, report);
}

void PayloadLedger::End(const Outbox::Item& item, std::optional<DropReason> dropped, FlushReport& report) {
  if (item.counted) {
    for (const PayloadId id : item.request->payloads) EndPart(id, item.possible_duplicate, dropped, report);
    return;
  }
  if (item.endpoint == 0) return;  // counted already when it was accepted
  --kept_for_additional_;
  if (dropped.has_value()) {
    ++additional_dropped_[*dropped];
    ++report.additional_dropped[*dropped];
  } else {
    ++report.additional_delivered;
  }
}

void PayloadLedger::EndReplaced(const Outbox::Item& item, FlushReport& report) {
  if (item.endpoint > 0) --kept_for_additional_;
  if (!item.counted) return;
  for (const PayloadId id : item.request->payloads) {
    EndPart(id, item.possible_duplicate, std::nullopt, report);
  }
}

void PayloadLedger::EndPart(PayloadId id, bool possible_duplicate, std::optional<DropReason> dropped,
                            FlushReport& report) {
  const auto found = payloads_.find(id);
  CHECK(found != payloads_.end()) << "payload " << id << " ended twice";
  Payload& payload = found->second;
  payload.possible_duplicate |= possible_duplicate;
  if (dropped.has_value() && !payload.dropped.has_value()) payload.dropped = dropped;
  --open_parts_;
  if (--payload.open_parts > 0) return;

  PayloadOutcome outcome;
  outcome.id = id;
  outcome.delivered = !payload.dropped.has_value();
  outcome.possible_duplicate = payload.possible_duplicate;
  outcome.reason = payload.dropped;
  payloads_.erase(found);
  Count(outcome, report);
  if (on_outcome_) on_outcome_(outcome);
}

void PayloadLedger::Count(const PayloadOutcome& outcome, FlushReport& report) {
  ++report.payloads;
  if (outcome.delivered) {
    ++delivered_;
    ++report.delivered;
    if (outcome.possible_duplicate) ++report.possible_duplicates;
  } else {
    ++dropped_[*outcome.reason];
    ++report.dropped[*outcome.reason];
  }
}

std::vector<PayloadId> PayloadLedger::KeptIds() const {
  std::vector<PayloadId> ids;
  ids.reserve(payloads_.size());
  for (const auto& [id, payload] : payloads_) ids.push_back(id);
  std::sort(ids.begin(), ids.end());
  return ids;
}

absl::Status PayloadLedger::CheckInvariant(const Outbox& outbox) const {
  if (handed_over_ != delivered_ + dropped_.total() + kept()) [[unlikely]] {
    return absl::InternalError(absl::StrCat(handed_over_, " payloads were handed over; ", delivered_,
                                            " delivered, ", dropped_.total(), " dropped, ", kept(), " kept"));
  }
  if (open_parts_ != opened_ + outbox.parts()) [[unlikely]] {
    return absl::InternalError(absl::StrCat("payloads wait for ", open_parts_, " parts; ", opened_,
                                            " are to be encoded and ", outbox.parts(), " are in the outbox"));
  }
  return absl::OkStatus();
}

absl::Status PayloadLedger::CheckInvariantByWalking(const Outbox& outbox) const {
  if (absl::Status status = CheckInvariant(outbox); !status.ok()) return status;
  if (absl::Status status = outbox.CheckByWalking(); !status.ok()) return status;
  int64_t parts = 0;
  for (const auto& [id, payload] : payloads_) {
    if (payload.open_parts <= 0)
      return absl::InternalError(absl::StrCat("payload ", id, " waits for nothing"));
    parts += payload.open_parts;
  }
  if (parts != open_parts_) {
    return absl::InternalError(absl::StrCat("payloads wait for ", parts, " parts, not for ", open_parts_));
  }
  return absl::OkStatus();
}

}  // namespace thaw
