// Delays forks during moments at which a child would inherit a lock, or an initialization, that another
// thread of its parent holds half-done.
//
//   const ForkGate::Pass pass;     // a fork by any thread waits until it is gone
//
// A child has only the thread that forked: work that another thread had begun never ends there.

#ifndef THAW_PYTHON_BINDINGS_FORK_GATE_H_
#define THAW_PYTHON_BINDINGS_FORK_GATE_H_

#include <time.h>

namespace thaw::python {

class ForkGate {
 public:
  // Hold it only for short work that does not wait for the GIL: the forking thread may hold the GIL.
  class Pass {
   public:
    Pass();
    ~Pass();
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;

    // The clock of the processor's time of the thread that holds it, and the Pass that was made before it.
    clockid_t thread_clock() const { return thread_clock_; }
    const Pass* next() const { return next_; }

   private:
    clockid_t thread_clock_;
    Pass* next_;
  };

  // Call once, before threads are started. `in_child` runs in the child of each fork, while no Pass is held.
  static void Install(void (*in_child)());
};

}  // namespace thaw::python

#endif  // THAW_PYTHON_BINDINGS_FORK_GATE_H_
