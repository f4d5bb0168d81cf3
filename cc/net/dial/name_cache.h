// Caches the resolver's answers for their time to live.
//
//   NameCache cache(executor, clock, network, counts);
//   absl::StatusOr<ResolvedName> name = co_await cache.Lookup("intake.example", cancellation);
//   if (!name->complete)  // and none of its addresses answers
//     name = co_await cache.LookupBothFamilies("intake.example", cancellation);
//
// The age of an answer is measured by the clock that advanced most, so that an answer from before a freeze is
// old after it. If the resolver fails, an expired answer is used and counted. Only one question per name is
// asked at a time; all lookups of that name wait for it.

#ifndef THAW_CC_NET_DIAL_NAME_CACHE_H_
#define THAW_CC_NET_DIAL_NAME_CACHE_H_

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cc/base/cancellation.h"
#include "cc/base/completion.h"
#include "cc/base/executor.h"
#include "cc/base/task.h"
#include "cc/clock/clock.h"
#include "cc/net/client_counts.h"
#include "cc/net/network.h"

namespace thaw {

class NameCache {
 public:
  static constexpr absl::Duration kLeastTimeToLive = absl::Seconds(5);
  static constexpr absl::Duration kMostTimeToLive = absl::Seconds(60);

  // Asks `network` for names that are not cached. All must outlive the cache, and the cache its lookups.
  NameCache(Executor& executor, Clock& clock, Network& network, ConnectionCounts& counts)
      : executor_(executor), clock_(clock), network_(network), counts_(counts) {}
  NameCache(const NameCache&) = delete;
  NameCache& operator=(const NameCache&) = delete;

  Task<absl::StatusOr<ResolvedName>> Lookup(std::string host, Cancellation& cancellation);

  // Looks `host` up anew, waiting for the family that an incomplete answer lacked; for callers that reached
  // none of its addresses in time. The incomplete answer is forgotten, and another one is not cached.
  Task<absl::StatusOr<ResolvedName>> LookupBothFamilies(std::string host, Cancellation& cancellation);

  // Forgets all answers. Questions under way go on for the lookups that wait for them, but later lookups ask
  // anew, and the answers to the old questions are not kept.
  void Forget() {
    answers_.clear();
    asking_.clear();
  }

 private:
  struct Answer {
    ResolvedName name;
    ClockReading since;
    absl::Duration time_to_live;
  };
  using Waiter = std::shared_ptr<Completion<absl::StatusOr<ResolvedName>>>;
  using Key = std::pair<std::string, LookupPatience>;
  struct Question {
    Cancellation cancellation;
    std::vector<Waiter> waiters;
  };

  const Answer* Fresh(const std::string& host) const;
  // Waits for the answer to the question, which is asked unless it is already.
  Task<absl::StatusOr<ResolvedName>> Await(Key key, Cancellation& cancellation);
  void Ask(const Key& key, const std::shared_ptr<Question>& question);
  void OnAnswer(const Key& key, const std::shared_ptr<Question>& question,
                absl::StatusOr<ResolvedName> answer);
  // Ensures that no further lookup waits for the question. Returns false if that was so already.
  bool Retire(const Key& key, const std::shared_ptr<Question>& question);

  Executor& executor_;
  Clock& clock_;
  Network& network_;
  ConnectionCounts& counts_;
  std::map<std::string, Answer> answers_;
  std::map<Key, std::shared_ptr<Question>> asking_;
};

}  // namespace thaw

#endif  // THAW_CC_NET_DIAL_NAME_CACHE_H_
