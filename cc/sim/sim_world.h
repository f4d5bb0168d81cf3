// The simulated machine and its surroundings: one virtual time, a client that can be frozen between any two
// of its steps, and peers that go on meanwhile.
//
//   SimWorld world(seed);
//   Spawn(world.executor(), Deliver());           // the client's work
//   world.At(absl::Milliseconds(3), [] { ... });  // an event outside the client
//   while (world.Step()) {}                       // or RunUntil(...)
//   world.Freeze(absl::Seconds(60), FrozenClocks::kAllAdvance);  // the client stands still, the rest goes on
//
// A step is one entry of the client's queue or, if that is empty, the next event in time. All randomness
// comes from one seed: two processes with the same seed run the same steps.

#ifndef THAW_CC_SIM_SIM_WORLD_H_
#define THAW_CC_SIM_SIM_WORLD_H_

#include <cstdint>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "cc/base/manual_executor.h"
#include "cc/base/seeded_random.h"
#include "cc/clock/alarm_queue.h"
#include "cc/clock/fake_clock.h"

namespace thaw {

// The clocks of the frozen machine that count the frozen time.
enum class FrozenClocks {
  kAllAdvance,  // as measured for on-demand freezes (SIGSTOP and the cgroup freezer behave the same)
  kMonotonicStandsStill,  // a paused virtual machine whose wall clock is set right afterwards
  kAllStandStill,         // a paused virtual machine whose clocks are not corrected
  kWallSetBack,           // the wall clock is set back by as much time as passed
};
inline constexpr FrozenClocks kAllFrozenClocks[] = {FrozenClocks::kAllAdvance,
                                                    FrozenClocks::kMonotonicStandsStill,
                                                    FrozenClocks::kAllStandStill, FrozenClocks::kWallSetBack};

class SimWorld {
 public:
  explicit SimWorld(uint64_t seed) : random_(seed) {}
  SimWorld(const SimWorld&) = delete;
  SimWorld& operator=(const SimWorld&) = delete;

  ManualExecutor& executor() { return executor_; }
  FakeClock& clock() { return clock_; }
  SeededRandom& random() { return random_; }

  // Runs `event` outside the client after `delay`, whether the client is frozen by then or not.
  void At(absl::Duration delay, absl::AnyInvocable<void()> event);
  // The time since the world began, independent of the machine's clocks.
  absl::Duration now() const { return now_; }

  // Runs one step. Returns false if nothing is left to happen.
  bool Step();
  // Runs steps until `done` returns true or nothing is left; returns done().
  bool RunUntil(absl::FunctionRef<bool()> done);
  // Lets `duration` pass with the client running.
  void Run(absl::Duration duration);

  // Lets `duration` pass with the client frozen.
  void Freeze(absl::Duration duration, FrozenClocks clocks);

  int64_t steps() const { return steps_; }

 private:
  void AdvanceOutside(absl::Duration to);

  SeededRandom random_;
  ManualExecutor executor_;
  FakeClock clock_{executor_};
  AlarmQueue outside_;
  absl::Duration now_;
  int64_t steps_ = 0;
};

}  // namespace thaw

#endif  // THAW_CC_SIM_SIM_WORLD_H_
