#include "python/bindings/fork_gate.h"

#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <new>

#include "absl/base/no_destructor.h"

namespace thaw::python {
namespace {

// A fork goes ahead after this: a hanging child is better than a hanging parent.
constexpr std::chrono::seconds kForkPatience{2};

// Uses the standard library, not Abseil: these can be remade in the child, whatever state they were in.
struct Gate {
  std::mutex mutex;
  std::condition_variable changed;
  int passes = 0;
  bool forking = false;
};
Gate& gate() {
  static absl::NoDestructor<Gate> instance;
  return *instance;
}

void (*run_in_child)() = nullptr;

void Prepare() {
  std::unique_lock<std::mutex> lock(gate().mutex);
  gate().forking = true;
  gate().changed.wait_for(lock, kForkPatience, [] { return gate().passes == 0; });
  lock.release();  // until the fork is over
}
void InParent() {
  gate().forking = false;
  gate().mutex.unlock();
  gate().changed.notify_all();
}
void InChild() {
  new (&gate()) Gate();
  run_in_child();
}

}  // namespace

ForkGate::Pass::Pass() {
  std::unique_lock<std::mutex> lock(gate().mutex);
  gate().changed.wait(lock, [] { return !gate().forking; });
  ++gate().passes;
}
ForkGate::Pass::~Pass() {
  const std::lock_guard<std::mutex> lock(gate().mutex);
  --gate().passes;
  gate().changed.notify_all();
}

void ForkGate::Install(void (*in_child)()) {
  run_in_child = in_child;
  pthread_atfork(&Prepare, &InParent, &InChild);
}

}  // namespace thaw::python
