#include "cc/sim/sim_world.h"

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "cc/sim/choices.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

TEST(SimWorld, TheClientAndTheOutsideShareOneTime) {
  SimWorld world(1);
  std::string order;
  world.At(absl::Seconds(2), [&] { order += 'o'; });
  const Alarm alarm(world.clock(), absl::Seconds(1), [&] { order += 'c'; });
  while (world.Step()) {
  }
  EXPECT_EQ(order, "co");
  EXPECT_EQ(world.now(), absl::Seconds(2));
}

TEST(SimWorld, TheOutsideGoesOnDuringAFreezeAndTheClientDoesNot) {
  SimWorld world(1);
  int outside = 0;
  int client = 0;
  world.At(absl::Seconds(5), [&] {
    ++outside;
    world.executor().Post([&] { ++client; });
  });
  world.Freeze(absl::Seconds(10), FrozenClocks::kAllAdvance);
  EXPECT_EQ(outside, 1);
  EXPECT_EQ(client, 0);
  world.Step();
  EXPECT_EQ(client, 1);
}

TEST(SimWorld, ClocksMayMissTheFreeze) {
  SimWorld world(1);
  const ClockReading before = world.clock().Now();
  world.Freeze(absl::Seconds(10), FrozenClocks::kMonotonicStandsStill);
  const ClockReading after = world.clock().Now();
  EXPECT_EQ(after.wall - before.wall, absl::Seconds(10));
  EXPECT_EQ(after.monotonic, before.monotonic);
  world.Freeze(absl::Seconds(10), FrozenClocks::kAllStandStill);
  EXPECT_EQ(world.clock().Now().wall, after.wall);
  EXPECT_EQ(world.now(), absl::Seconds(20));
  world.Freeze(absl::Seconds(10), FrozenClocks::kWallSetBack);
  EXPECT_EQ(world.clock().Now().wall, after.wall - absl::Seconds(10));
  EXPECT_EQ(world.clock().Now().monotonic, before.monotonic + absl::Seconds(10));
}

// Returns the fingerprint while two arrivals of one channel wait for something that overtakes them.
uint64_t FingerprintWithLateArrivals(uint64_t second_arrival) {
  RecordedChoices choices({1});
  SimWorld world(1);
  world.Explore(choices, /*late=*/1);
  world.At(absl::Milliseconds(10), [] {}, 9);
  world.Arrive(1, absl::Milliseconds(1), [] {}, 7);
  world.Step();
  world.Arrive(1, absl::Milliseconds(2), [] {}, second_arrival);
  world.Step();
  EXPECT_EQ(world.now(), absl::Milliseconds(3));
  return world.Fingerprint();
}

TEST(SimWorld, AFingerprintTellsLateArrivalsApart) {
  EXPECT_EQ(FingerprintWithLateArrivals(8), FingerprintWithLateArrivals(8));
  EXPECT_NE(FingerprintWithLateArrivals(8), FingerprintWithLateArrivals(10));
}

}  // namespace
}  // namespace thaw
