#include "cc/lambda/invocation/invocation_tracker.h"

#include <algorithm>
#include <functional>
#include <type_traits>
#include <utility>
#include <variant>

namespace thaw {
namespace {

using Change = InvocationStore::Change;

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
bool KeepLatest(std::optional<Timed<Record>>& kept, absl::Time time, const Record& record) {
  if (kept.has_value() && kept->time > time) return false;
  kept = {time, record};
  return true;
}

bool IsKnown(const InvocationStore::Entry& entry) { return entry.platform.known; }

}  // namespace

InvocationTracker::InvocationTracker(Clock& clock, InvocationTrackerOptions options, InvocationStore& store,
                                     InvocationObserver& observer)
    : clock_(clock), options_(options), store_(store), observer_(observer), ready_(clock.Now()) {
  store_.AddView(*this);
}

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
  const Change change(store_);
  const ClockReading now = clock_.Now();
  Entry* target = store_.Oldest(event.request_id, [](const Entry& entry) {
    return IsKnown(entry) && !entry.platform.invocation.invoke.has_value();
  });
  if (target == nullptr) target = &Begin(event.request_id);
  Invocation& invocation = target->platform.invocation;
  invocation.started_as = StartedAs(now);
  invoked_before_ = true;
  invocation.invoke = {now.wall, std::move(event)};
  for (auto& [sequence, entry] : store_.entries()) {
    const Invocation& other = entry.platform.invocation;
    if (&entry == target || !other.invoke.has_value() || other.ended()) continue;
    if (++entry.platform.overtaken >= ProofOfEnd(options_.telemetry))
      Conclude(entry, InvocationOutcome::kUnknown);
  }
  Updated(*target);
  ForgetReported();
}

void InvocationTracker::OnNext(std::string_view request_id) {
  Entry* const entry = store_.Oldest(request_id, [](const Entry& each) {
    const Invocation& invocation = each.platform.invocation;
    return invocation.invoke.has_value() && !invocation.next_called.has_value();
  });
  if (entry != nullptr) entry->platform.invocation.next_called = clock_.Now().wall;
}

void InvocationTracker::OnShutdown(const ShutdownEvent& event) {
  shutdown_outcome_ = OutcomeOf(event.reason);
  shut_down_ = clock_.Now().wall;
  if (!options_.telemetry) ConcludeAll();
}

void InvocationTracker::ConcludeAll() {
  const Change change(store_);
  for (auto& [sequence, entry] : store_.entries()) {
    InvocationStore::PlatformSide& side = entry.platform;
    if (!IsKnown(entry) || side.invocation.ended()) continue;
    // An invocation that another one followed did not end by the shutdown.
    if (side.overtaken == 0) side.invocation.shut_down = shut_down_;
    Conclude(entry, side.overtaken == 0 ? shutdown_outcome_ : InvocationOutcome::kUnknown);
  }
}

void InvocationTracker::Conclude(Entry& entry, InvocationOutcome outcome) {
  entry.platform.invocation.concluded = {clock_.Now().wall, outcome};
  Updated(entry);
}

// -- Telemetry ---------------------------------------------------------------------------------------------

void InvocationTracker::OnTelemetry(const TelemetryRecord& record) {
  const Change change(store_);
  std::visit([this, &record](const auto& typed) { Take(record.time, typed); }, record.record);
}

void InvocationTracker::Take(absl::Time time, const PlatformStart& record) {
  TakeOf(&Invocation::start, time, record);
}
void InvocationTracker::Take(absl::Time time, const PlatformRuntimeDone& record) {
  ++counts_.runtime_records;
  TakeOf(&Invocation::runtime_done, time, record);
}
void InvocationTracker::Take(absl::Time time, const PlatformReport& record) {
  TakeOf(&Invocation::report, time, record);
}
void InvocationTracker::Take(absl::Time time, const PlatformInitStart& record) {
  if (KeepLatest(initialization_.start, time, record)) observer_.InitializationChanged(initialization_);
}
void InvocationTracker::Take(absl::Time time, const PlatformInitRuntimeDone& record) {
  if (KeepLatest(initialization_.runtime_done, time, record))
    observer_.InitializationChanged(initialization_);
}
void InvocationTracker::Take(absl::Time time, const PlatformInitReport& record) {
  if (KeepLatest(initialization_.report, time, record)) observer_.InitializationChanged(initialization_);
}
void InvocationTracker::Take(absl::Time time, const PlatformRestoreStart& record) {
  if (KeepLatest(restore_.start, time, record)) observer_.RestoreChanged(restore_);
}
void InvocationTracker::Take(absl::Time time, const PlatformRestoreRuntimeDone& record) {
  if (KeepLatest(restore_.runtime_done, time, record)) observer_.RestoreChanged(restore_);
}
void InvocationTracker::Take(absl::Time time, const PlatformRestoreReport& record) {
  if (KeepLatest(restore_.report, time, record)) observer_.RestoreChanged(restore_);
}

template <typename Record>
void InvocationTracker::TakeOf(std::optional<Timed<Record>> Invocation::* slot, absl::Time time,
                               const Record& record) {
  const Entry* const same = store_.Oldest(record.request_id, [slot, time](const Entry& entry) {
    const std::optional<Timed<Record>>& held = entry.platform.invocation.*slot;
    return held.has_value() && held->time == time;
  });
  if (same != nullptr) {
    ++counts_.duplicate_records;
    return;
  }
  Entry* target = store_.Oldest(record.request_id, [slot](const Entry& entry) {
    return IsKnown(entry) && !(entry.platform.invocation.*slot).has_value();
  });
  if (target == nullptr) {
    // A retry of a forgotten invocation begins with a start; any other record under its id is late.
    constexpr bool begins = std::is_same_v<Record, PlatformStart>;
    if (IsLate(record.request_id, begins ? time : absl::InfinitePast())) {
      ++counts_.late_records;
      return;
    }
    target = &Begin(record.request_id);
  }
  Invocation& invocation = target->platform.invocation;
  invocation.*slot = {time, record};
  if (invocation.runtime_done.has_value() || invocation.report.has_value()) invocation.concluded.reset();
  Updated(*target);
  ForgetReported();
}

bool InvocationTracker::IsLate(std::string_view request_id, absl::Time time) const {
  const size_t hash = HashOf(request_id);
  return std::any_of(forgotten_.begin(), forgotten_.end(), [hash, time](const Forgotten& forgotten) {
    return forgotten.request_id_hash == hash && time <= forgotten.last_record;
  });
}

// -- The platform's side of the store ----------------------------------------------------------------------

InvocationTracker::Entry& InvocationTracker::Begin(std::string_view request_id) {
  if (store_.Oldest(request_id, IsKnown) != nullptr) ++counts_.retried;
  Entry* entry = store_.Oldest(request_id, [](const Entry& each) { return !IsKnown(each); });
  if (entry == nullptr) entry = &store_.Add(request_id);
  std::erase_if(forgotten_, [hash = HashOf(request_id)](const Forgotten& forgotten) {
    return forgotten.request_id_hash == hash;
  });
  entry->platform.known = true;
  ++size_;
  ++open_;
  return *entry;
}

void InvocationTracker::Updated(Entry& entry) {
  InvocationStore::PlatformSide& side = entry.platform;
  const Invocation& invocation = side.invocation;
  store_.Update(entry);
  if (!std::exchange(side.started, true)) {
    ++counts_.started;
    observer_.InvocationStarted(invocation);
  }
  observer_.InvocationUpdated(invocation);
  if (invocation.ended() && !std::exchange(side.ended, true)) {
    --open_;
    ++counts_.ended;
    if (invocation.concluded.has_value()) ++counts_.concluded;
    observer_.InvocationEnded(invocation);
  }
  if (invocation.report.has_value() && !std::exchange(side.reported, true)) {
    ++counts_.reported;
    reported_.push_back(entry.sequence);
    observer_.InvocationReported(invocation);
  }
}

void InvocationTracker::ForgetReported() {
  while (reported_.size() > store_.options().max_reported) {
    Entry* const entry = store_.At(reported_.front());
    reported_.pop_front();
    if (entry != nullptr && IsKnown(*entry)) Forget(*entry);
  }
}

void InvocationTracker::BeforeEviction(Entry& entry) {
  if (!IsKnown(entry)) return;
  if (!entry.platform.ended) {
    ++counts_.forgotten_open;
  } else if (!entry.platform.reported) {
    ++counts_.forgotten_ended;
  }
  Forget(entry);
}

void InvocationTracker::Forget(Entry& entry) {
  InvocationStore::PlatformSide& side = entry.platform;
  forgotten_.push_back({HashOf(entry.request_id()), LastRecord(side.invocation)});
  if (forgotten_.size() > kMaxForgotten) forgotten_.pop_front();
  --size_;
  if (!side.ended) --open_;
  // A tracer's side that is still of use keeps the entry and its request id.
  InvocationStore::PlatformSide nothing;
  nothing.invocation.request_id = std::move(side.invocation.request_id);
  side = std::move(nothing);
  store_.Update(entry);
}

// -- Questions ---------------------------------------------------------------------------------------------

const Invocation* InvocationTracker::Find(std::string_view request_id) const {
  const Entry* const entry = std::as_const(store_).Latest(request_id, IsKnown);
  return entry == nullptr ? nullptr : &entry->platform.invocation;
}

bool InvocationTracker::HasEnded(std::string_view request_id) const {
  return store_.Oldest(request_id, [](const Entry& entry) {
    return IsKnown(entry) && !entry.platform.invocation.ended();
  }) == nullptr;
}

bool InvocationTracker::HandlerIsOver(std::string_view request_id) const {
  const Entry* const entry = std::as_const(store_).Latest(request_id, IsKnown);
  if (entry == nullptr || entry->tracer == nullptr) return false;
  const InvocationRecord& record = entry->tracer->record;
  return record.end.has_value() || record.placeholder.has_value();
}

bool InvocationTracker::TracerSaysFailed(std::string_view request_id) const {
  const Entry* const entry = std::as_const(store_).Latest(request_id, IsKnown);
  if (entry == nullptr || entry->tracer == nullptr) return false;
  const auto& end = entry->tracer->record.end;
  return end.has_value() && end->is_error;
}

void InvocationTracker::ForEach(absl::FunctionRef<void(const Invocation&)> visit) const {
  for (const auto& [sequence, entry] : store_.entries())
    if (IsKnown(entry)) visit(entry.platform.invocation);
}

}  // namespace thaw
