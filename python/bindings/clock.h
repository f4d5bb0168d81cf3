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

// A clock that repeats its moves on the clock of its client, which another thread uses.
struct FakeClockFace {
  using Move = void (FakeClock::*)(FakeClock::Step);

  ManualExecutor executor;
  FakeClock clock{executor};
  // A client is being made with this clock.
  bool claimed = false;
  // The client that runs by this clock, until it is closed; `move_client` moves the client's clock, and
  // returns when the alarms due by then are in the client's queue.
  std::weak_ptr<ClientLoop> client;
  absl::AnyInvocable<void(Move, FakeClock::Step)> move_client;
};

}  // namespace thaw::python

#endif  // THAW_PYTHON_BINDINGS_CLOCK_H_
