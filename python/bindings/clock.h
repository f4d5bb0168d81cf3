// thaw.Clock and thaw.FakeClock as objects that a Client may be given.

#ifndef THAW_PYTHON_BINDINGS_CLOCK_H_
#define THAW_PYTHON_BINDINGS_CLOCK_H_

#include <memory>

#include "absl/functional/any_invocable.h"
#include "cc/base/manual_executor.h"
#include "cc/clock/fake_clock.h"

namespace thaw::python {

class ClientLoop;

struct SystemClockFace {};

// A clock of its own, and the same moves again for the clock of the client that runs by it: that one is
// used by another thread.
struct FakeClockFace {
  using Move = void (FakeClock::*)(FakeClock::Step);

  ManualExecutor executor;
  FakeClock clock{executor};
  // A client that is about to be one of this clock.
  bool claimed = false;
  // The client that runs by this clock, until it is closed; `move_client` moves that one's, and returns when
  // its alarms that are due by then are in its queue.
  std::weak_ptr<ClientLoop> client;
  absl::AnyInvocable<void(Move, FakeClock::Step)> move_client;
};

}  // namespace thaw::python

#endif  // THAW_PYTHON_BINDINGS_CLOCK_H_
