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
//
// An exploration calls Explore(). Packets may then come late, so that connections overtake each other, and
// Fingerprint() tells two states apart.

#ifndef THAW_CC_SIM_SIM_WORLD_H_
#define THAW_CC_SIM_SIM_WORLD_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "cc/base/manual_executor.h"
#include "cc/base/seeded_random.h"
#include "cc/clock/alarm_queue.h"
#include "cc/clock/fake_clock.h"
#include "cc/sim/choices.h"
#include "cc/sim/state_hash.h"

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

  // Runs `event` outside the client after `delay`, whether the client is frozen by then or not. `what` is a
  // hash of what the event does; only an exploration needs it.
  void At(absl::Duration delay, absl::AnyInvocable<void()> event, uint64_t what = 0);
  // Does the same for what arrives at the client. Arrivals of one `channel` keep their order; those of
  // different channels may overtake each other in an exploration.
  void Arrive(uint64_t channel, absl::Duration delay, absl::AnyInvocable<void()> event, uint64_t what);
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
  // The number that the next connection or dial gets.
  uint64_t NextNumber() { return next_number_++; }

  // -- Exploration ---------------------------------------------------------------------------------------
  // Asks `choices` from now on whether a packet is late, `late` times at most, and keeps fingerprints.
  void Explore(Choices& choices, int late);
  // Asks for no further choices: nothing more is late.
  void StopChoosing() { late_left_ = 0; }
  bool exploring() const { return choices_ != nullptr; }
  // Notes something that the client learned from outside. Together, in order, all of that determines the
  // client's state, since the client is deterministic.
  void ClientSaw(uint64_t what) {
    if (exploring()) seen_ = Mixed(seen_, Mixed(what, PostedSoFar()));
  }
  // Returns a hash of what the client knows, of the clocks and of everything under way outside, except the
  // connections' own state (SimIntake::Fingerprint).
  uint64_t Fingerprint() const;

 private:
  // Notes each reading of the clock that the client takes.
  class WatchedClock : public FakeClock {
   public:
    explicit WatchedClock(SimWorld& world) : FakeClock(world.executor_), world_(world) {}
    ClockReading Now() const override;
    AlarmId SetAlarm(absl::Duration delay, LateAlarm late, absl::AnyInvocable<void()> fire) override;
    std::optional<absl::Duration> UntilAlarm(AlarmId id) const override;

   private:
    SimWorld& world_;
  };
  struct Pending {
    absl::Duration due;
    uint64_t number;  // the order in which they were set
    uint64_t what;
  };
  struct LateArrival {
    uint64_t what;
    absl::AnyInvocable<void()> event;
  };

  void AdvanceOutside(absl::Duration to);
  void ArriveInOrder(uint64_t channel, absl::AnyInvocable<void()> event, uint64_t what);
  void Release(uint64_t channel);
  // Returns the position in the client's queue that the next entry gets. Entries run in that order, so that
  // it says before which of the client's own entries something came.
  uint64_t PostedSoFar() const { return static_cast<uint64_t>(executor_.posted()); }

  SeededRandom random_;
  ManualExecutor executor_;
  WatchedClock clock_{*this};
  AlarmQueue outside_;
  absl::Duration now_;
  int64_t steps_ = 0;
  uint64_t next_number_ = 1;

  Choices* choices_ = nullptr;
  int late_left_ = 0;
  uint64_t seen_ = 0;
  uint64_t next_event_ = 1;
  std::vector<Pending> pending_;
  // Arrivals that are late, by channel, each channel's in order.
  std::map<uint64_t, std::vector<LateArrival>> late_;
};

}  // namespace thaw

#endif  // THAW_CC_SIM_SIM_WORLD_H_
