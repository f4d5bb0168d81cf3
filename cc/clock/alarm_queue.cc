#include "cc/clock/alarm_queue.h"

#include <algorithm>
#include <utility>

#include "absl/log/check.h"

namespace thaw {
namespace {

constexpr int kPlaceBits = 24;
constexpr size_t kMostAlarms = size_t{1} << kPlaceBits;
// Stands for a place in the heap once the alarm has left it.
constexpr size_t kPosted = SIZE_MAX;

size_t PlaceOf(AlarmId id) { return id & (kMostAlarms - 1); }

template <typename Due>
bool Before(const Due& a, const Due& b) {
  return a.due != b.due ? a.due < b.due : a.id < b.id;
}

}  // namespace

AlarmId AlarmQueue::Set(absl::Duration now, absl::Duration delay, LateAlarm late,
                        absl::AnyInvocable<void()> fire) {
  delay = std::max(delay, absl::ZeroDuration());
  if (free_.empty()) {
    CHECK_LT(alarms_.size(), kMostAlarms) << "too many alarms";
    free_.push_back(alarms_.size());
    alarms_.emplace_back();
  }
  const size_t place = free_.back();
  free_.pop_back();
  Alarm& alarm = alarms_[place];
  alarm.id = (next_number_++ << kPlaceBits) | place;
  alarm.late = late;
  alarm.delay = delay;
  alarm.fire = std::move(fire);
  const AlarmId id = alarm.id;
  heap_.push_back({now + delay, id});
  MoveUp(heap_.size() - 1);
  return id;
}

bool AlarmQueue::Cancel(AlarmId id) {
  Alarm* const alarm = Find(id);
  if (alarm == nullptr) return false;
  if (alarm->in_heap != kPosted) RemoveAt(alarm->in_heap);
  // The function is destroyed last, since destroying what it holds may set and cancel alarms.
  const absl::AnyInvocable<void()> fire = Release(*alarm);
  return true;
}

std::optional<absl::Duration> AlarmQueue::Until(AlarmId id, absl::Duration now) const {
  const Alarm* const alarm = Find(id);
  if (alarm == nullptr) return std::nullopt;
  if (alarm->in_heap == kPosted) return absl::ZeroDuration();
  return std::max(heap_[alarm->in_heap].due - now, absl::ZeroDuration());
}

std::optional<absl::Duration> AlarmQueue::NextDue() const {
  if (heap_.empty()) return std::nullopt;
  return heap_.front().due;
}

void AlarmQueue::FireDue(absl::Duration now, absl::FunctionRef<void(absl::AnyInvocable<void()>)> post) {
  while (!heap_.empty() && heap_.front().due <= now && heap_.front().due != absl::InfiniteDuration()) {
    const auto [due, id] = heap_.front();
    Alarm& alarm = alarms_[PlaceOf(id)];
    if (alarm.late == LateAlarm::kRearm && now - due > kAlarmLateAfter) {
      // The time that remained when the loop last turned, never more than the alarm was set for.
      const absl::Duration remainder = std::min(due - last_turn_, alarm.delay);
      if (remainder > absl::ZeroDuration()) {
        ++late_;
        alarm.delay = remainder;
        heap_.front().due = now + remainder;
        MoveDown(0);
        continue;
      }
    }
    RemoveAt(0);
    alarm.in_heap = kPosted;
    post([this, id = id] { RunPosted(id); });
  }
}

AlarmQueue::Alarm* AlarmQueue::Find(AlarmId id) {
  const size_t place = PlaceOf(id);
  if (id == kNoAlarm || place >= alarms_.size() || alarms_[place].id != id) return nullptr;
  return &alarms_[place];
}

absl::AnyInvocable<void()> AlarmQueue::Release(Alarm& alarm) {
  free_.push_back(PlaceOf(alarm.id));
  alarm.id = kNoAlarm;
  return std::exchange(alarm.fire, nullptr);
}

void AlarmQueue::RunPosted(AlarmId id) {
  Alarm* const alarm = Find(id);
  if (alarm == nullptr) return;
  Release (*alarm)();
}

void AlarmQueue::Put(size_t at, const Due& due) {
  heap_[at] = due;
  alarms_[PlaceOf(due.id)].in_heap = at;
}

void AlarmQueue::MoveUp(size_t at) {
  const Due moved = heap_[at];
  while (at > 0) {
    const size_t parent = (at - 1) / 2;
    if (!Before(moved, heap_[parent])) break;
    Put(at, heap_[parent]);
    at = parent;
  }
  Put(at, moved);
}

void AlarmQueue::MoveDown(size_t at) {
  const Due moved = heap_[at];
  for (size_t child = 2 * at + 1; child < heap_.size(); child = 2 * at + 1) {
    if (child + 1 < heap_.size() && Before(heap_[child + 1], heap_[child])) ++child;
    if (!Before(heap_[child], moved)) break;
    Put(at, heap_[child]);
    at = child;
  }
  Put(at, moved);
}

void AlarmQueue::RemoveAt(size_t at) {
  const Due last = heap_.back();
  heap_.pop_back();
  if (at == heap_.size()) return;
  Put(at, last);
  MoveUp(at);
  MoveDown(alarms_[PlaceOf(last.id)].in_heap);
}

}  // namespace thaw
