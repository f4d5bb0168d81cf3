#include "cc/flush/flush_report.h"

namespace thaw {

void FlushReport::Accumulate(const FlushReport& other) {
  payloads += other.payloads;
  delivered += other.delivered;
  dropped += other.dropped;
  retained = other.retained;
  requests += other.requests;
  attempts += other.attempts;
  possible_duplicates += other.possible_duplicates;
  additional_delivered += other.additional_delivered;
  additional_dropped += other.additional_dropped;
  for (const auto& [status, count] : other.refused_by_status) refused_by_status[status] += count;
  for (const ExchangeFailure& failure : other.failures) {
    if (failures.size() >= kMaxFailures) break;
    failures.push_back(failure);
  }
  for (const std::string& error : other.errors) {
    if (errors.size() >= kMaxFailures) break;
    errors.push_back(error);
  }
  skipped = skipped || other.skipped;
  stalled = stalled || other.stalled;
  elapsed += other.elapsed;
}

void FlushReport::KeepLatest(size_t most) {
  const auto cut = [most](auto& list) {
    if (list.size() > most) list.erase(list.begin(), list.end() - most);
  };
  cut(failures);
  cut(errors);
}

}  // namespace thaw
