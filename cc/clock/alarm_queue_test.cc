#include "cc/clock/alarm_queue.h"

#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

class AlarmQueueTest : public testing::Test {
 protected:
  void FireAt(absl::Duration now) {
    queue_.FireDue(now, [](absl::AnyInvocable<void()> fire) { fire(); });
  }

  AlarmQueue queue_;
};

TEST_F(AlarmQueueTest, AnIdOfAnAlarmThatIsOverMeansNoLaterAlarm) {
  int fired = 0;
  const AlarmId first = queue_.Set(absl::ZeroDuration(), absl::Seconds(1), LateAlarm::kFire, [] {});
  EXPECT_TRUE(queue_.Cancel(first));
  const AlarmId second =
      queue_.Set(absl::ZeroDuration(), absl::Seconds(1), LateAlarm::kFire, [&fired] { ++fired; });
  EXPECT_FALSE(queue_.Cancel(first));
  EXPECT_EQ(queue_.Until(first, absl::ZeroDuration()), std::nullopt);
  FireAt(absl::Seconds(1));
  EXPECT_EQ(fired, 1);
  EXPECT_FALSE(queue_.Cancel(second));
  EXPECT_FALSE(queue_.Cancel(kNoAlarm));
  EXPECT_TRUE(queue_.empty());
}

TEST_F(AlarmQueueTest, AnAlarmMaySetAndCancelOthersWhileItRuns) {
  std::string order;
  AlarmId cancelled = kNoAlarm;
  queue_.Set(absl::ZeroDuration(), absl::Seconds(1), LateAlarm::kFire, [&] {
    order += 'a';
    EXPECT_TRUE(queue_.Cancel(cancelled));
    for (int i = 0; i < 100; ++i) {
      queue_.Set(absl::Seconds(1), absl::ZeroDuration(), LateAlarm::kFire, [&order] { order += 'c'; });
    }
  });
  cancelled = queue_.Set(absl::ZeroDuration(), absl::Seconds(1), LateAlarm::kFire, [&] { order += 'x'; });
  queue_.Set(absl::ZeroDuration(), absl::Seconds(1), LateAlarm::kFire, [&] { order += 'b'; });
  FireAt(absl::Seconds(1));
  EXPECT_EQ(order, "ab" + std::string(100, 'c'));
}

TEST_F(AlarmQueueTest, ACancelledAlarmReleasesWhatItsFunctionHolds) {
  const auto held = std::make_shared<int>();
  const AlarmId id = queue_.Set(absl::ZeroDuration(), absl::Seconds(1), LateAlarm::kFire, [held] {});
  EXPECT_EQ(held.use_count(), 2);
  queue_.Cancel(id);
  EXPECT_EQ(held.use_count(), 1);
}

// Many alarms with few different times, in an order that has no pattern, a third of them cancelled.
TEST_F(AlarmQueueTest, ManyAlarmsFireInOrderOfDueTimeThenOfSetting) {
  constexpr int kAlarms = 1000;
  std::multimap<int, int> expected;  // equal keys keep the order of insertion
  std::vector<int> fired;
  std::vector<std::pair<AlarmId, std::multimap<int, int>::iterator>> set;
  uint32_t number = 1;
  for (int i = 0; i < kAlarms; ++i) {
    number = number * 1664525 + 1013904223;
    const int due = static_cast<int>(number >> 16) % 50;
    const AlarmId id = queue_.Set(absl::ZeroDuration(), absl::Seconds(due), LateAlarm::kFire,
                                  [&fired, i] { fired.push_back(i); });
    set.emplace_back(id, expected.emplace(due, i));
    if (i % 3 != 2) continue;
    number = number * 1664525 + 1013904223;
    const auto victim = set.begin() + static_cast<int64_t>((number >> 16) % set.size());
    EXPECT_TRUE(queue_.Cancel(victim->first));
    expected.erase(victim->second);
    set.erase(victim);
  }
  for (const auto& [id, each] : set)
    EXPECT_EQ(queue_.Until(id, absl::ZeroDuration()), absl::Seconds(each->first));
  for (int now = 0; now < 50; ++now) {
    FireAt(absl::Seconds(now));
    const auto later = expected.upper_bound(now);
    EXPECT_EQ(fired.size(), static_cast<size_t>(std::distance(expected.begin(), later)));
  }
  std::vector<int> order;
  for (const auto& [due, i] : expected) order.push_back(i);
  EXPECT_EQ(fired, order);
}

}  // namespace
}  // namespace thaw
