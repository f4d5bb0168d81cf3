#include "python/bindings/call.h"

#include "absl/time/time.h"

namespace thaw::python {
namespace py = pybind11;
namespace {

// Interval at which a waiting call checks for signals. A wait that ends sooner is not delayed.
constexpr absl::Duration kSignalCheckEvery = absl::Milliseconds(50);

}  // namespace

LoopHandle MakeLoopHandle(std::shared_ptr<ClientLoop> loop) {
  ClientLoop* const raw = loop.get();
  return LoopHandle(raw, [loop = std::move(loop)](ClientLoop*) mutable {
    if (loop->forked()) {
      // The thread and its sockets are the parent's; destroying them here would end them there.
      new std::shared_ptr<ClientLoop>(std::move(loop));
      return;
    }
    const GilReleased released;
    loop->Close();
  });
}

void CheckUsable(const ClientLoop& loop) {
  if (loop.forked()) RaiseForked();
}

void RaiseClosed() { Raise(absl::CancelledError("the client is closed")); }

void WaitInterruptibly(Signal& done, absl::AnyInvocable<void()> cancel) {
  std::optional<py::error_already_set> raised;
  while (true) {
    {
      const GilReleased released;
      if (done.Wait(raised.has_value() ? absl::InfiniteDuration() : kSignalCheckEvery)) break;
    }
    if (PyErr_CheckSignals() == 0) continue;
    raised.emplace();
    cancel();
  }
  if (raised.has_value()) throw *std::move(raised);
}

}  // namespace thaw::python
