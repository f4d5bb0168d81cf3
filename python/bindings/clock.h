// thaw.Clock and thaw.FakeClock as objects that a Client may be given.

#ifndef THAW_PYTHON_BINDINGS_CLOCK_H_
#define THAW_PYTHON_BINDINGS_CLOCK_H_

#include <memory>

#include "absl/functional/any_invocable.h"
#include "cc/base/manual_executor.h"
#include "cc/clock/fake_clock.h"

namespace thaw::python {

struct SystemClockFace {};

// A clock of its own, and the same moves again for the clock of the client that runs by it: that one is
// used by another thread.
struct FakeClockFace {
  using Move = void (FakeClock::*)(FakeClock::Step);

  ManualExecutor executor;
  FakeClock clock{executor};
  // Alive while a client runs by this clock; then this moves that client's, and returns when its alarms
  // that are due by then are in its queue.
  std::weak_ptr<void> client;
  absl::AnyInvocable<void(Move, FakeClock::Step)> move_client;
};

}  // namespace thaw::python

#endif  // THAW_PYTHON_BINDINGS_CLOCK_H_
