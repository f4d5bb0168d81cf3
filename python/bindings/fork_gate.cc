#include "python/bindings/fork_gate.h"

#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <new>

#include "absl/base/no_destructor.h"
#include "cc/clock/processor_time.h"

namespace thaw::python {
namespace {

// The time between two looks, and the number of looks in a row after which a fork goes ahead if at none of them a
// thread with a Pass had made progress, that is, used the processor: a hanging child is better than a hanging parent.
// Time alone is no sign: threads of a busy machine wait seconds for a processor, and a machine may be frozen between
// two looks.
constexpr std::chrono::milliseconds kBetweenLooks{100};
constexpr int kMostIdleLooks = 20;

// Uses the standard library, not Abseil: these can be remade in the child, whatever state they were in.
struct Gate {
  std::mutex mutex;
  std::condition_variable changed;
  ForkGate::Pass* passes = nullptr;  // a list
  bool forking = false;
};
Gate& gate() {
  static absl::NoDestructor<Gate> instance;
  return *instance;
}

void (*run_in_child)() = nullptr;

// Returns the processor's time that the threads with a Pass have used.
int64_t NanosecondsOfPasses() {
  int64_t nanoseconds = 0;
  for (const ForkGate::Pass* pass = gate().passes; pass != nullptr; pass = pass->next())
    nanoseconds += ProcessorNanoseconds(pass->thread_clock());
  return nanoseconds;
}

void Prepare() {
  std::unique_lock<std::mutex> lock(gate().mutex);
  gate().forking = true;
  int64_t used = NanosecondsOfPasses();
  for (int idle = 0; gate().passes != nullptr && idle < kMostIdleLooks;) {
    gate().changed.wait_for(lock, kBetweenLooks);
    const int64_t now = NanosecondsOfPasses();
    idle = now == used ? idle + 1 : 0;
    used = now;
  }
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
  if (pthread_getcpuclockid(pthread_self(), &thread_clock_) != 0) thread_clock_ = CLOCK_MONOTONIC;
  next_ = gate().passes;
  gate().passes = this;
}
ForkGate::Pass::~Pass() {
  const std::lock_guard<std::mutex> lock(gate().mutex);
  Pass** place = &gate().passes;
  while (*place != nullptr && *place != this) place = &(*place)->next_;
  if (*place == this) *place = next_;
  gate().changed.notify_all();
}

void ForkGate::Install(void (*in_child)()) {
  run_in_child = in_child;
  pthread_atfork(&Prepare, &InParent, &InChild);
}

}  // namespace thaw::python
