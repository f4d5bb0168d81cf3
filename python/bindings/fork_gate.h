// Keeps forks out of the moments at which a child would inherit a lock, or an initialization, that another
// thread of its parent is in the middle of.
//
//   const ForkGate::Pass pass;     // a fork by any thread waits until it is gone
//
// A child has only the thread that forked: what another one had begun never ends there.

#ifndef THAW_PYTHON_BINDINGS_FORK_GATE_H_
#define THAW_PYTHON_BINDINGS_FORK_GATE_H_

namespace thaw::python {

class ForkGate {
 public:
  // Hold it for short work that does not wait for the GIL: who forks may hold that.
  class Pass {
   public:
    Pass();
    ~Pass();
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;
  };

  // Once, before threads are started. `in_child` runs in the child of each fork, while no Pass is held.
  static void Install(void (*in_child)());
};

}  // namespace thaw::python

#endif  // THAW_PYTHON_BINDINGS_FORK_GATE_H_
