#include "cc/flush/outage_budget.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"

namespace thaw {

void OutageBudget::Spent::Add(absl::Duration idle, absl::Duration now) {
  // Adds at most `idle`, since `until` may lie before a freeze.
  total += std::clamp(now - until, absl::ZeroDuration(), idle);
  until = std::max(until, now);
}

OutageBudget::State& OutageBudget::StateOf(const Destination& destination) {
  const auto found = states_.find(destination);
  if (found != states_.end()) return found->second;
  return states_
      .try_emplace(destination, Breaker(clock_, options_.breaker),
                   Reach(ToString(destination), "can't be reached", counts_))
      .first->second;
}

const OutageBudget::State* OutageBudget::Find(const Destination& destination) const {
  const auto found = states_.find(destination);
  return found == states_.end() ? nullptr : &found->second;
}

absl::Duration OutageBudget::left(const Destination& destination) const {
  const State* const state = Find(destination);
  const absl::Duration spent =
      std::max(spent_.total, state == nullptr ? absl::ZeroDuration() : state->spent.total);
  return std::max(options_.total - spent, absl::ZeroDuration());
}

bool OutageBudget::breaker_open(const Destination& destination) const {
  const State* const state = Find(destination);
  return state != nullptr && state->breaker.open();
}

bool OutageBudget::would_skip(const Destination& destination) const {
  const State* const state = Find(destination);
  return state != nullptr && state->breaker.would_skip() && !state->breaker.probing();
}

int OutageBudget::open_breakers() const {
  return static_cast<int>(std::count_if(states_.begin(), states_.end(),
                                        [](const auto& entry) { return entry.second.breaker.open(); }));
}

StallWatch::Limits OutageBudget::probe_limits() const {
  // To a destination so far away that no answer can come in time, progress is made step by step: one round
  // trip may take as long as the probe budget, within the precision of the checks.
  const absl::Duration look_every = options_.probe_budget / 12;
  return {.idle_limit = options_.probe_budget - look_every,
          .at_least = options_.probe_budget,
          .look_every = look_every};
}

Task<OutageBudget::Pass> OutageBudget::Enter(Destination destination, Cancellation& cancellation) {
  State& state = StateOf(destination);
  if (!state.breaker.open() && left(destination) == absl::ZeroDuration()) {
    state.breaker.Open();
    state.opened_at = answers_;
    ++counts_.opened;
    ++counts_.exhausted;
  }
  Pass pass{.destination = std::move(destination)};
  while (true) {
    pass.kind = state.breaker.Decide();
    if (pass.kind != Breaker::Decision::kSkip || !state.breaker.probing() || cancellation.requested()) break;
    Completion<bool> found(executor_);
    state.waiting.push_back(&found);
    const auto registration = cancellation.OnRequest([&found](const absl::Status&) { found.Set(true); });
    co_await found;
    std::erase(state.waiting, &found);
  }
  if (pass.kind == Breaker::Decision::kProbe) ++counts_.probes;
  if (pass.kind == Breaker::Decision::kSkip) ++counts_.skips;
  pass.number = ++passes_;
  co_return pass;
}

void OutageBudget::EndWaits(State& state) {
  for (Completion<bool>* waiting : std::exchange(state.waiting, {})) waiting->Set(true);
}

void OutageBudget::OnProbeAnswered(const Pass& pass) {
  State& state = StateOf(pass.destination);
  ++counts_.probes_answered;
  state.breaker.OnProbeAnswered();
  EndWaits(state);
}

void OutageBudget::OnFlush() {
  for (auto& [destination, state] : states_) state.breaker.OnFlush();
}

void OutageBudget::OnAnswer(const Destination& destination) {
  ++answers_;
  StateOf(destination).spent.total = absl::ZeroDuration();
  spent_.total = absl::ZeroDuration();
}

void OutageBudget::OnIdle(const Destination& destination, absl::Duration idle) {
  const absl::Duration now = clock_.Now().monotonic;
  StateOf(destination).spent.Add(idle, now);
  spent_.Add(idle, now);
}

void OutageBudget::OnRefusals(absl::Duration time) { refusals_.Add(time, clock_.Now().monotonic); }

void OutageBudget::OnNoRefusal(absl::Duration given_back) {
  refusals_.total = std::max(refusals_.total - given_back, absl::ZeroDuration());
}

absl::Duration OutageBudget::left_for_refusals() const {
  return std::max(options_.total - refusals_.total, absl::ZeroDuration());
}

void OutageBudget::OnOutOfReach(const Destination& destination, std::string_view why, Reach& accepts) {
  Reach& reach = StateOf(destination).reach;
  accepts.lost() ? reach.TakeOver(accepts, why) : reach.Lost(why, clock_.Now());
}

void OutageBudget::OnInReach(const Destination& destination) {
  const auto found = states_.find(destination);
  if (found != states_.end()) found->second.reach.Found(clock_.Now());
}

void OutageBudget::OnRefused(const Destination& destination, std::string_view why, Reach& accepts) {
  Reach& reach = StateOf(destination).reach;
  reach.lost() ? accepts.TakeOver(reach, why) : accepts.Lost(why, clock_.Now());
}

const Reach* OutageBudget::Lost(const Destination& destination) const {
  const State* const state = Find(destination);
  return state != nullptr && state->reach.lost() ? &state->reach : nullptr;
}

std::vector<std::string> OutageBudget::OutOfReach() const {
  std::vector<std::string> lost;
  for (const auto& [destination, state] : states_)
    if (state.reach.lost()) lost.push_back(state.reach.ToString());
  return lost;
}

void OutageBudget::Align(State& state) {
  if (state.opened_at != answers_) return;
  for (auto& [destination, other] : states_) {
    if (&other != &state && other.breaker.open() && other.opened_at == answers_)
      state.breaker.WaitLike(other.breaker);
  }
}

void OutageBudget::Leave(const Pass& pass, End end) {
  if (pass.kind == Breaker::Decision::kSkip) return;
  State& state = StateOf(pass.destination);
  switch (end) {
    case End::kProgress:
      state.breaker.OnProgress();
      break;
    case End::kNothingLearned:
      if (pass.kind == Breaker::Decision::kProbe) state.breaker.OnNothingLearned();
      break;
    case End::kFailed: {
      // Flushes that fail side by side are one strike: none of them knew about the other's.
      if (pass.number <= state.struck_at) break;
      state.struck_at = passes_;
      ++counts_.strikes;
      const bool was_open = state.breaker.open();
      state.breaker.OnStrike();
      if (!was_open && state.breaker.open()) {
        state.opened_at = answers_;
        ++counts_.opened;
      }
      if (state.breaker.open()) Align(state);
      break;
    }
  }
  EndWaits(state);
}

}  // namespace thaw
