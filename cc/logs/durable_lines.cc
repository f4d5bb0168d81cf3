#include "cc/logs/durable_lines.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace thaw {

void DurableLines::Take(const LogEntry& entry, Emit emit) {
  if (!durable_ || entry.request_id.empty() || !entry.durable.id.empty()) return emit(entry);
  if (const ExecutionFacts* const facts = Find(entry.request_id)) return emit(WithFacts(entry, *facts));
  if (options_.most_invocations == 0) return emit(entry);
  auto waiting = std::find_if(
      waiting_.begin(), waiting_.end(),
      [&entry](const std::unique_ptr<Waiting>& each) { return each->request_id == entry.request_id; });
  if (waiting == waiting_.end()) {
    if (waiting_.size() == options_.most_invocations) {
      waiting_.front()->lines.Release(emit);
      waiting_.pop_front();
    }
    waiting_.push_back(std::make_unique<Waiting>(entry.request_id, options_));
    waiting = std::prev(waiting_.end());
  }
  (*waiting)->lines.Add(entry, emit);
}

void DurableLines::OnExecution(std::string_view request_id, ExecutionFacts facts, Emit emit) {
  if (request_id.empty() || facts.id.empty()) return;
  std::erase_if(known_, [request_id](const Known& each) { return each.request_id == request_id; });
  if (known_.size() == kMostKnown) known_.pop_front();
  known_.push_back({.request_id = std::string(request_id), .facts = std::move(facts)});
  const auto waiting = std::find_if(
      waiting_.begin(), waiting_.end(),
      [request_id](const std::unique_ptr<Waiting>& each) { return each->request_id == request_id; });
  if (waiting == waiting_.end()) return;
  (*waiting)->lines.Release(
      [this, emit](const LogEntry& entry) { emit(WithFacts(entry, known_.back().facts)); });
  waiting_.erase(waiting);
}

void DurableLines::Release(Emit emit) {
  for (const std::unique_ptr<Waiting>& each : waiting_) each->lines.Release(emit);
  waiting_.clear();
}

size_t DurableLines::bytes() const {
  size_t bytes = 0;
  for (const std::unique_ptr<Waiting>& each : waiting_) bytes += each->lines.bytes();
  return bytes;
}

size_t DurableLines::size() const {
  size_t lines = 0;
  for (const std::unique_ptr<Waiting>& each : waiting_) lines += each->lines.size();
  return lines;
}

const ExecutionFacts* DurableLines::Find(std::string_view request_id) const {
  for (auto known = known_.rbegin(); known != known_.rend(); ++known)
    if (known->request_id == request_id) return &known->facts;
  return nullptr;
}

LogEntry DurableLines::WithFacts(LogEntry entry, const ExecutionFacts& facts) {
  entry.durable = {.id = facts.id, .name = facts.name};
  if (entry.kind != LogKind::kLine) entry.durable.first_invocation = facts.first_invocation;
  if (entry.kind == LogKind::kOutcome) entry.durable.status = facts.status;
  return entry;
}

}  // namespace thaw
