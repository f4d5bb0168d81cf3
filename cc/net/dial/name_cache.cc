#include "cc/net/dial/name_cache.h"

#include <algorithm>
#include <utility>

namespace thaw {

const NameCache::Answer* NameCache::Fresh(const std::string& host) const {
  const auto known = answers_.find(host);
  const bool fresh = known != answers_.end() &&
                     LargestAdvance(known->second.since, clock_.Now()) <= known->second.time_to_live;
  return fresh ? &known->second : nullptr;
}

Task<absl::StatusOr<ResolvedName>> NameCache::Lookup(std::string host, Cancellation& cancellation) {
  if (const Answer* known = Fresh(host)) {
    ++counts_.name_cache_hits;
    co_return known->name;
  }
  Task<absl::StatusOr<ResolvedName>> answer =
      Await(Key(std::move(host), LookupPatience::kShort), cancellation);
  co_return co_await std::move(answer);
}

Task<absl::StatusOr<ResolvedName>> NameCache::LookupBothFamilies(std::string host,
                                                                 Cancellation& cancellation) {
  if (const Answer* known = Fresh(host); known != nullptr && known->name.complete) {
    ++counts_.name_cache_hits;
    co_return known->name;
  }
  answers_.erase(host);
  Task<absl::StatusOr<ResolvedName>> answer =
      Await(Key(std::move(host), LookupPatience::kLong), cancellation);
  co_return co_await std::move(answer);
}

Task<absl::StatusOr<ResolvedName>> NameCache::Await(Key key, Cancellation& cancellation) {
  std::shared_ptr<Question>& asked = asking_[key];
  if (asked == nullptr) {
    asked = std::make_shared<Question>();
    Ask(key, asked);
  }
  const std::shared_ptr<Question> question = asked;
  const auto waiter = std::make_shared<Completion<absl::StatusOr<ResolvedName>>>(executor_);
  question->waiters.push_back(waiter);
  const auto registration = cancellation.OnRequest([&](const absl::Status& reason) {
    if (!waiter->Set(reason)) return;
    std::erase(question->waiters, waiter);
    if (!question->waiters.empty()) return;
    // The last waiter is gone, so the answer is not needed, and a later lookup asks again.
    Retire(key, question);
    question->cancellation.Request(reason);
  });
  Completion<absl::StatusOr<ResolvedName>>& answer = *waiter;
  co_return co_await answer;
}

bool NameCache::Retire(const Key& key, const std::shared_ptr<Question>& question) {
  const auto found = asking_.find(key);
  if (found == asking_.end() || found->second != question) return false;
  asking_.erase(found);
  return true;
}

void NameCache::Ask(const Key& key, const std::shared_ptr<Question>& question) {
  ++counts_.name_lookups;
  Task<absl::StatusOr<ResolvedName>> task = network_.Lookup(key.first, key.second, question->cancellation);
  absl::AnyInvocable<void(absl::StatusOr<ResolvedName>)> done =
      [this, key, question](absl::StatusOr<ResolvedName> answer) {
        OnAnswer(key, question, std::move(answer));
      };
  Spawn<absl::StatusOr<ResolvedName>>(executor_, std::move(task), std::move(done));
}

void NameCache::OnAnswer(const Key& key, const std::shared_ptr<Question>& question,
                         absl::StatusOr<ResolvedName> answer) {
  // A question that was asked before Forget() is not among those of now.
  const bool current = Retire(key, question);
  const auto& [host, patience] = key;
  if (answer.ok()) {
    // An incomplete answer to a patient question has only the addresses that could not be reached, so it is
    // not kept.
    if (current && (answer->complete || patience == LookupPatience::kShort)) {
      answers_[host] = {*answer, clock_.Now(),
                        std::clamp(answer->time_to_live, kLeastTimeToLive, kMostTimeToLive)};
    }
  } else if (const auto old = answers_.find(host); old != answers_.end() && !question->waiters.empty()) {
    ++counts_.name_stale_answers;
    answer = old->second.name;
  }
  for (const Waiter& waiter : question->waiters) waiter->Set(answer);
}

}  // namespace thaw
