#include "cc/extension/ready_logs.h"

#include <algorithm>
#include <utility>

namespace thaw {
namespace {

// The part of the budget that logs which were never tried may fill.
constexpr size_t kPartOfBudget = 4;

}  // namespace

ReadyLogs::ReadyLogs(ByteBudget& budget, int64_t& dropped) : budget_(budget), dropped_(dropped) {
  budget_.AddHolder(this);
}

ReadyLogs::~ReadyLogs() {
  budget_.RemoveEvictable(bytes_);
  budget_.Remove(bytes_);
  budget_.RemoveHolder(this);
}

void ReadyLogs::Add(Batch batch) {
  bytes_ += batch.bytes;
  budget_.Add(batch.bytes);
  budget_.AddEvictable(batch.bytes);
  Invocation& invocation = invocations_[batch.request_id];
  invocation.bytes += batch.bytes;
  invocation.batches.push_back(next_);
  batches_.emplace_hint(batches_.end(), next_++, std::move(batch));
  budget_.Evict(0);
  while (bytes_ > budget_.limit() / kPartOfBudget) EvictOldest();
}

ReadyLogs::Batch ReadyLogs::TakeOldest() {
  // The oldest of all is the oldest of its invocation.
  return Take(invocations_.find(batches_.begin()->second.request_id));
}

int64_t ReadyLogs::lines() const {
  int64_t lines = 0;
  for (const auto& [number, batch] : batches_) lines += batch.lines;
  for (const auto& [request_id, missing] : missing_) lines += missing;
  return lines;
}

std::map<std::string, int64_t> ReadyLogs::TakeMissing() { return std::exchange(missing_, {}); }

std::optional<uint64_t> ReadyLogs::OldestEvictable() const {
  if (batches_.empty()) return std::nullopt;
  return 0;  // before everything that arrived, whose numbers begin with 1
}

void ReadyLogs::EvictOldest() {
  const auto most =
      std::max_element(invocations_.begin(), invocations_.end(),
                       [](const auto& a, const auto& b) { return a.second.bytes < b.second.bytes; });
  const Batch dropped = Take(most);
  dropped_ += dropped.lines;
  missing_[dropped.request_id] += dropped.lines;
}

ReadyLogs::Batch ReadyLogs::Take(Invocations::iterator invocation) {
  const auto oldest = batches_.find(invocation->second.batches.front());
  Batch batch = std::move(oldest->second);
  batches_.erase(oldest);
  invocation->second.batches.pop_front();
  invocation->second.bytes -= batch.bytes;
  if (invocation->second.batches.empty()) invocations_.erase(invocation);
  bytes_ -= batch.bytes;
  budget_.RemoveEvictable(batch.bytes);
  budget_.Remove(batch.bytes);
  return batch;
}

}  // namespace thaw
