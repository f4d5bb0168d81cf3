#include "cc/sim/sim_world.h"

#include <string>

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

}  // namespace
}  // namespace thaw
