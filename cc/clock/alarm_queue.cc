#include "cc/clock/alarm_queue.h"

#include <algorithm>

namespace thaw {

AlarmId AlarmQueue::Set(absl::Duration now, absl::Duration delay, LateAlarm late,
                        absl::AnyInvocable<void()> fire) {
  const AlarmId id = next_id_++;
  delay = std::max(delay, absl::ZeroDuration());
  const absl::Duration due = now + delay;
  alarms_.emplace(Key(due, id), Entry{late, delay, std::move(fire)});
  due_.emplace(id, due);
  return id;
}

bool AlarmQueue::Cancel(AlarmId id) {
  const auto found = due_.find(id);
  if (found == due_.end()) return posted_.erase(id) > 0;
  alarms_.erase(Key(found->second, id));
  due_.erase(found);
  return true;
}

std::optional<absl::Duration> AlarmQueue::Until(AlarmId id, absl::Duration now) const {
  const auto found = due_.find(id);
  if (found != due_.end()) return std::max(found->second - now, absl::ZeroDuration());
  if (posted_.contains(id)) return absl::ZeroDuration();
  return std::nullopt;
}

std::optional<absl::Duration> AlarmQueue::NextDue() const {
  if (alarms_.empty()) return std::nullopt;
  return alarms_.begin()->first.first;
}

void AlarmQueue::FireDue(absl::Duration now, absl::FunctionRef<void(absl::AnyInvocable<void()>)> post) {
  while (!alarms_.empty() && alarms_.begin()->first.first <= now &&
         alarms_.begin()->first.first != absl::InfiniteDuration()) {
    auto node = alarms_.extract(alarms_.begin());
    const auto [due, id] = node.key();
    // The time that remained when the loop last turned, never more than the alarm was set for.
    const absl::Duration remainder = std::min(due - last_turn_, node.mapped().delay);
    if (node.mapped().late == LateAlarm::kRearm && now - due > kAlarmLateAfter &&
        remainder > absl::ZeroDuration()) {
      ++late_;
      const absl::Duration again = now + remainder;
      node.key() = Key(again, id);
      node.mapped().delay = remainder;
      due_[id] = again;
      alarms_.insert(std::move(node));
      continue;
    }
    due_.erase(id);
    posted_.emplace(id, std::move(node.mapped().fire));
    post([this, id = id] {
      if (auto ready = posted_.extract(id)) ready.mapped()();
    });
  }
}

}  // namespace thaw
