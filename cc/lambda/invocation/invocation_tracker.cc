#include "cc/lambda/invocation/invocation_tracker.h"

#include <algorithm>
#include <functional>
#include <type_traits>
#include <variant>

namespace thaw {
namespace {

// Number of forgotten invocations that are remembered, to recognise their late records.
constexpr size_t kMaxForgotten = 256;

// Returns how many later INVOKEs prove that an invocation has ended.
int ProofOfEnd(bool telemetry) { return telemetry ? 2 : 1; }

// The hash is the same in every process, so that a run can be repeated.
size_t HashOf(std::string_view request_id) { return std::hash<std::string_view>()(request_id); }

InvocationOutcome OutcomeOf(ShutdownReason reason) {
  switch (reason) {
    case ShutdownReason::kTimeout:
      return InvocationOutcome::kTimeout;
    case ShutdownReason::kFailure:
      return InvocationOutcome::kFailure;
    case ShutdownReason::kSpindown:
    case ShutdownReason::kOther:
      break;
  }
  return InvocationOutcome::kUnknown;
}

absl::Time LastRecord(const Invocation& invocation) {
  absl::Time last = absl::InfinitePast();
  if (invocation.start.has_value()) last = std::max(last, invocation.start->time);
  if (invocation.runtime_done.has_value()) last = std::max(last, invocation.runtime_done->time);
  if (invocation.report.has_value()) last = std::max(last, invocation.report->time);
  return last;
}

// Keeps the later of two records; returns whether it is the new one.
template <typename Record>
bool KeepLatest(std::optional<Timed<Record>>& kept, absl::Time time, Record&& record) {
  if (kept.has_value() && kept->time > time) return false;
  kept = {time, std::move(record)};
  return true;
}

}  // namespace

InvocationTracker::InvocationTracker(Clock& clock, InvocationTrackerOptions options,
                                     InvocationObserver& observer)
    : clock_(clock), options_(options), observer_(observer), ready_(clock.Now()) {}

// -- Events of /next ---------------------------------------------------------------------------------------

InvocationStart InvocationTracker::StartedAs(const ClockReading& now) const {
  if (invoked_before_) return InvocationStart::kWarm;
  absl::Duration ready_for = LargestAdvance(ready_, now);
  if (options_.restored_from_snapshot) {
    // The time before the restore was spent in another environment.
    ready_for = restore_.start.has_value() ? now.wall - restore_.start->time : absl::ZeroDuration();
  }
  return ready_for > options_.proactive_after ? InvocationStart::kProactive : InvocationStart::kCold;
}

void InvocationTracker::OnInvoke(InvokeEvent event) {
  const ClockReading now = clock_.Now();
  Entry* target = nullptr;
  if (const auto found = by_request_id_.find(event.request_id); found != by_request_id_.end()) {
    for (const Sequence sequence : found->second) {
      Entry& entry = invocations_.at(sequence);
      if (target == nullptr && !entry.invocation.invoke.has_value()) target = &entry;
    }
  }
  if (target == nullptr) target = &Add(event.request_id);
  target->invocation.started_as = StartedAs(now);
  invoked_before_ = true;
  target->invocation.invoke = {now.wall, std::move(event)};
  for (auto& [sequence, entry] : invocations_) {
    if (&entry == target || !entry.invocation.invoke.has_value() || entry.invocation.ended()) continue;
    if (++entry.overtaken >= ProofOfEnd(options_.telemetry)) Conclude(entry, InvocationOutcome::kUnknown);
  }
  Updated(*target);
  KeepBounds();
}

void InvocationTracker::OnNext(std::string_view request_id) {
  const auto found = by_request_id_.find(request_id);
  if (found == by_request_id_.end()) return;
  for (const Sequence sequence : found->second) {
    Invocation& invocation = invocations_.at(sequence).invocation;
    if (!invocation.invoke.has_value() || invocation.next_called.has_value()) continue;
    invocation.next_called = clock_.Now().wall;
    return;
  }
}

void InvocationTracker::OnShutdown(const ShutdownEvent& event) {
  shutdown_outcome_ = OutcomeOf(event.reason);
  shut_down_ = clock_.Now().wall;
  if (!options_.telemetry) ConcludeAll();
}

void InvocationTracker::ConcludeAll() {
  for (auto& [sequence, entry] : invocations_) {
    if (entry.invocation.ended()) continue;
    // An invocation that another one followed did not end by the shutdown.
    if (entry.overtaken == 0) entry.invocation.shut_down = shut_down_;
    Conclude(entry, entry.overtaken == 0 ? shutdown_outcome_ : InvocationOutcome::kUnknown);
  }
}

void InvocationTracker::Conclude(Entry& entry, InvocationOutcome outcome) {
  entry.invocation.concluded = {clock_.Now().wall, outcome};
  Updated(entry);
}

// -- Telemetry ---------------------------------------------------------------------------------------------

void InvocationTracker::OnTelemetry(TelemetryRecord&& record) {
  const absl::Time time = record.time;
  const auto take = [this, time](auto&& typed) {
    using Record = std::decay_t<decltype(typed)>;
    if constexpr (std::is_same_v<Record, PlatformStart>) {
      TakeRecord(time, std::move(typed), &Invocation::start);
    } else if constexpr (std::is_same_v<Record, PlatformRuntimeDone>) {
      TakeRecord(time, std::move(typed), &Invocation::runtime_done);
    } else if constexpr (std::is_same_v<Record, PlatformReport>) {
      TakeRecord(time, std::move(typed), &Invocation::report);
    } else if constexpr (std::is_same_v<Record, PlatformInitStart>) {
      if (KeepLatest(initialization_.start, time, std::move(typed))) {
        observer_.InitializationChanged(initialization_);
      }
    } else if constexpr (std::is_same_v<Record, PlatformInitRuntimeDone>) {
      if (KeepLatest(initialization_.runtime_done, time, std::move(typed))) {
        observer_.InitializationChanged(initialization_);
      }
    } else if constexpr (std::is_same_v<Record, PlatformInitReport>) {
      if (KeepLatest(initialization_.report, time, std::move(typed))) {
        observer_.InitializationChanged(initialization_);
      }
    } else if constexpr (std::is_same_v<Record, PlatformRestoreStart>) {
      if (KeepLatest(restore_.start, time, std::move(typed))) observer_.RestoreChanged(restore_);
    } else if constexpr (std::is_same_v<Record, PlatformRestoreRuntimeDone>) {
      if (KeepLatest(restore_.runtime_done, time, std::move(typed))) observer_.RestoreChanged(restore_);
    } else if constexpr (std::is_same_v<Record, PlatformRestoreReport>) {
      if (KeepLatest(restore_.report, time, std::move(typed))) observer_.RestoreChanged(restore_);
    }
  };
  std::visit(take, std::move(record.record));
}

template <typename Record>
void InvocationTracker::TakeRecord(absl::Time time, Record&& record,
                                   std::optional<Timed<Record>> Invocation::* slot) {
  Entry* target = nullptr;
  if (const auto found = by_request_id_.find(record.request_id); found != by_request_id_.end()) {
    for (const Sequence sequence : found->second) {
      Entry& entry = invocations_.at(sequence);
      const std::optional<Timed<Record>>& held = entry.invocation.*slot;
      if (held.has_value() && held->time == time) {
        ++counts_.duplicate_records;
        return;
      }
      if (target == nullptr && !held.has_value()) target = &entry;
    }
  }
  if (target == nullptr) {
    // A retry of a forgotten invocation begins with a start; any other record under its id is late.
    constexpr bool begins = std::is_same_v<Record, PlatformStart>;
    if (IsLate(record.request_id, begins ? time : absl::InfinitePast())) {
      ++counts_.late_records;
      return;
    }
    target = &Add(record.request_id);
  }
  target->invocation.*slot = {time, std::move(record)};
  if (target->invocation.runtime_done.has_value() || target->invocation.report.has_value()) {
    target->invocation.concluded.reset();
  }
  Updated(*target);
  KeepBounds();
}

bool InvocationTracker::IsLate(std::string_view request_id, absl::Time time) const {
  const size_t hash = HashOf(request_id);
  return std::any_of(forgotten_.begin(), forgotten_.end(), [hash, time](const Forgotten& forgotten) {
    return forgotten.request_id_hash == hash && time <= forgotten.last_record;
  });
}

// -- The store ---------------------------------------------------------------------------------------------

InvocationTracker::Entry& InvocationTracker::Add(std::string_view request_id) {
  const Sequence sequence = next_sequence_++;
  Entry& entry = invocations_[sequence];
  entry.sequence = sequence;
  entry.invocation.request_id = request_id;
  absl::InlinedVector<Sequence, 1>& same = by_request_id_[request_id];
  if (!same.empty()) ++counts_.retried;
  same.push_back(sequence);
  std::erase_if(forgotten_, [hash = HashOf(request_id)](const Forgotten& forgotten) {
    return forgotten.request_id_hash == hash;
  });
  ++open_;
  return entry;
}

void InvocationTracker::Updated(Entry& entry) {
  const Invocation& invocation = entry.invocation;
  const size_t bytes = invocation.memory();
  bytes_ += bytes - entry.bytes;
  entry.bytes = bytes;
  if (!std::exchange(entry.started, true)) {
    ++counts_.started;
    observer_.InvocationStarted(invocation);
  }
  if (invocation.ended() && !std::exchange(entry.ended, true)) {
    --open_;
    ++counts_.ended;
    if (invocation.concluded.has_value()) ++counts_.concluded;
    observer_.InvocationEnded(invocation);
  }
  if (invocation.report.has_value() && !std::exchange(entry.reported, true)) {
    ++counts_.reported;
    reported_.push_back(entry.sequence);
    observer_.InvocationReported(invocation);
  }
}

void InvocationTracker::KeepBounds() {
  while (reported_.size() > options_.max_reported) {
    const auto position = invocations_.find(reported_.front());
    reported_.pop_front();
    if (position != invocations_.end()) Forget(position);
  }
  while (invocations_.size() > options_.max_invocations || bytes_ > options_.max_bytes) {
    auto victim = std::find_if(invocations_.begin(), invocations_.end(),
                               [](const auto& entry) { return entry.second.ended; });
    if (victim == invocations_.end()) victim = invocations_.begin();
    if (!victim->second.ended) {
      ++counts_.forgotten_open;
    } else if (!victim->second.reported) {
      ++counts_.forgotten_ended;
    }
    Forget(victim);
  }
}

void InvocationTracker::Forget(std::map<Sequence, Entry>::iterator position) {
  const Entry& entry = position->second;
  const auto found = by_request_id_.find(entry.invocation.request_id);
  absl::InlinedVector<Sequence, 1>& same = found->second;
  same.erase(std::find(same.begin(), same.end(), position->first));
  forgotten_.push_back({HashOf(entry.invocation.request_id), LastRecord(entry.invocation)});
  if (forgotten_.size() > kMaxForgotten) forgotten_.pop_front();
  if (same.empty()) by_request_id_.erase(found);
  if (!entry.ended) --open_;
  bytes_ -= entry.bytes;
  invocations_.erase(position);
}

// -- Questions ---------------------------------------------------------------------------------------------

const Invocation* InvocationTracker::Find(std::string_view request_id) const {
  const auto found = by_request_id_.find(request_id);
  return found == by_request_id_.end() ? nullptr : &invocations_.at(found->second.back()).invocation;
}

bool InvocationTracker::HasEnded(std::string_view request_id) const {
  const auto found = by_request_id_.find(request_id);
  return found == by_request_id_.end() ||
         std::all_of(found->second.begin(), found->second.end(),
                     [this](Sequence sequence) { return invocations_.at(sequence).invocation.ended(); });
}

void InvocationTracker::ForEach(absl::FunctionRef<void(const Invocation&)> visit) const {
  for (const auto& [sequence, entry] : invocations_) visit(entry.invocation);
}

}  // namespace thaw
