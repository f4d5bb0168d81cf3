#include "python/bindings/gil.h"

#include <atomic>

#include "absl/time/clock.h"

namespace thaw::python {
namespace {

// Threads that run native code without the GIL.
std::atomic<int> released_threads{0};

}  // namespace

GilReleased::GilReleased() { Release(); }
GilReleased::~GilReleased() { Take(); }

void GilReleased::Release() {
  released_threads.fetch_add(1, std::memory_order_relaxed);
  state_ = PyEval_SaveThread();
}

void GilReleased::Take() {
  released_threads.fetch_sub(1, std::memory_order_release);
  OrPark([state = state_] { PyEval_RestoreThread(state); });
}

bool AwaitReleasedThreads(absl::Duration limit) {
  constexpr absl::Duration kLookEvery = absl::Milliseconds(1);
  for (absl::Duration waited; released_threads.load(std::memory_order_acquire) > 0; waited += kLookEvery) {
    if (waited >= limit) return false;
    absl::SleepFor(kLookEvery);
  }
  return true;
}

void ForgetReleasedThreads() { released_threads.store(0, std::memory_order_relaxed); }

}  // namespace thaw::python
