#include "python/bindings/call.h"

#include "absl/time/time.h"

namespace thaw::python {
namespace py = pybind11;
namespace {

// How often a waiting call looks for signals. A wait that ends sooner costs nothing of it.
constexpr absl::Duration kSignalCheckEvery = absl::Milliseconds(50);

bool InterpreterEnds() {
#if PY_VERSION_HEX >= 0x030d0000
  return Py_IsFinalizing() != 0;
#else
  return Py_IsInitialized() == 0 || _Py_IsFinalizing() != 0;
#endif
}

void ReleaseWithoutGil(const std::shared_ptr<ClientLoop>& loop) {
  if (PyGILState_Check() != 0) {
    const py::gil_scoped_release released;
    loop->Close();
  } else {
    loop->Close();
  }
}

}  // namespace

LoopHandle MakeLoopHandle(std::shared_ptr<ClientLoop> loop) {
  ClientLoop* const raw = loop.get();
  return LoopHandle(raw, [loop = std::move(loop)](ClientLoop*) mutable {
    if (loop->forked()) {
      // Its thread and its sockets are the parent's; to take them apart here would end them there.
      new std::shared_ptr<ClientLoop>(std::move(loop));
      return;
    }
    ReleaseWithoutGil(loop);
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
      const py::gil_scoped_release released;
      if (done.Wait(raised.has_value() ? absl::InfiniteDuration() : kSignalCheckEvery)) break;
    }
    if (PyErr_CheckSignals() == 0) continue;
    raised.emplace();
    cancel();
  }
  if (raised.has_value()) throw *std::move(raised);
}

AsyncAnswer::AsyncAnswer(absl::AnyInvocable<void()> cancel)
    : event_loop_(py::module_::import("asyncio").attr("get_running_loop")()),
      future_(event_loop_.attr("create_future")()) {
  const auto shared = std::make_shared<absl::AnyInvocable<void()>>(std::move(cancel));
  future_.attr("add_done_callback")(py::cpp_function([shared](const py::object& future) {
    if (future.attr("cancelled")().cast<bool>()) (*shared)();
    *shared = nullptr;
  }));
}

AsyncAnswer::~AsyncAnswer() {
  if (!event_loop_) return;
  if (InterpreterEnds()) {
    event_loop_.release();
    future_.release();
    return;
  }
  const py::gil_scoped_acquire acquired;
  event_loop_ = py::object();
  future_ = py::object();
}

void AsyncAnswer::Resolve(absl::AnyInvocable<py::object()> make) {
  if (InterpreterEnds()) return;
  const py::gil_scoped_acquire acquired;
  try {
    const char* how = "set_result";
    py::object value;
    try {
      value = make();
    } catch (const py::error_already_set& error) {
      how = "set_exception";
      value = error.value();
    }
    // Runs on the event loop's thread; by then the future may have been cancelled.
    py::cpp_function resolve([how](const py::object& future, const py::object& result) {
      if (!future.attr("done")().cast<bool>()) future.attr(how)(result);
    });
    event_loop_.attr("call_soon_threadsafe")(resolve, future_, value);
  } catch (const py::error_already_set&) {
    // The event loop was closed: nobody waits.
  }
  future_ = py::object();
  event_loop_ = py::object();
}

}  // namespace thaw::python
