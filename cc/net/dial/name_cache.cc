#include "cc/net/dial/name_cache.h"

#include <algorithm>
#include <utility>

namespace thaw {

Task<absl::StatusOr<ResolvedName>> NameCache::Lookup(std::string host, Cancellation& cancellation) {
  const auto known = answers_.find(host);
  if (known != answers_.end() &&
      LargestAdvance(known->second.since, clock_.Now()) <= known->second.time_to_live) {
    ++counters_.name_cache_hits;
    co_return known->second.name;
  }
  std::shared_ptr<Question>& asked = asking_[host];
  if (asked == nullptr) {
    asked = std::make_shared<Question>();
    Ask(host, asked);
  }
  const std::shared_ptr<Question> question = asked;
  const auto waiter = std::make_shared<Completion<absl::StatusOr<ResolvedName>>>(executor_);
  question->waiters.push_back(waiter);
  const auto registration = cancellation.OnRequest([&](const absl::Status& reason) {
    if (!waiter->Set(reason)) return;
    std::erase(question->waiters, waiter);
    if (!question->waiters.empty()) return;
    // The last waiter is gone: nobody needs the answer, and a later lookup asks anew.
    Retire(host, question);
    question->cancellation.Request(reason);
  });
  Completion<absl::StatusOr<ResolvedName>>& answer = *waiter;
  co_return co_await answer;
}

bool NameCache::Retire(const std::string& host, const std::shared_ptr<Question>& question) {
  const auto found = asking_.find(host);
  if (found == asking_.end() || found->second != question) return false;
  asking_.erase(found);
  return true;
}

void NameCache::Ask(const std::string& host, const std::shared_ptr<Question>& question) {
  ++counters_.name_lookups;
  Task<absl::StatusOr<ResolvedName>> task = network_.Lookup(host, question->cancellation);
  absl::AnyInvocable<void(absl::StatusOr<ResolvedName>)> done =
      [this, host, question](absl::StatusOr<ResolvedName> answer) {
        OnAnswer(host, question, std::move(answer));
      };
  Spawn<absl::StatusOr<ResolvedName>>(executor_, std::move(task), std::move(done));
}

void NameCache::OnAnswer(const std::string& host, const std::shared_ptr<Question>& question,
                         absl::StatusOr<ResolvedName> answer) {
  // A question that was asked before Forget() is not among those of now.
  const bool current = Retire(host, question);
  if (answer.ok()) {
    if (current) {
      answers_[host] = {*answer, clock_.Now(),
                        std::clamp(answer->time_to_live, kLeastTimeToLive, kMostTimeToLive)};
    }
  } else if (const auto old = answers_.find(host); old != answers_.end() && !question->waiters.empty()) {
    ++counters_.name_stale_answers;
    answer = old->second.name;
  }
  for (const Waiter& waiter : question->waiters) waiter->Set(answer);
}

}  // namespace thaw
