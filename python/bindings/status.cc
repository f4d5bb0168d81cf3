#include "python/bindings/status.h"

#include <string>

#include "absl/base/no_destructor.h"
#include "absl/strings/str_cat.h"
#include "cc/base/printable.h"

namespace thaw::python {
namespace py = pybind11;
namespace {

// Borrowed for ever, since exception types live as long as the interpreter.
struct Types {
  py::handle thaw_error;
  py::handle invalid_argument;
  py::handle payload_error;
  py::handle outbox_full;
  py::handle deadline_exceeded;
  py::handle unreachable;
  py::handle misconfigured;
  py::handle refused;
  py::handle ambiguous;
  py::handle closed;
  py::handle forked;
  py::handle invariant_broken;
};
Types& types() {
  static absl::NoDestructor<Types> instance;
  return *instance;
}

py::handle TypeFor(absl::StatusCode code, Source source) {
  if (source == Source::kPayload) return types().payload_error;
  if (source == Source::kOutbox && code == absl::StatusCode::kResourceExhausted) return types().outbox_full;
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
      return types().invalid_argument;
    case absl::StatusCode::kDeadlineExceeded:
      return types().deadline_exceeded;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kNotFound:
      return types().unreachable;
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
      return types().misconfigured;
    case absl::StatusCode::kResourceExhausted:
      return types().refused;
    case absl::StatusCode::kAborted:
      return types().ambiguous;
    case absl::StatusCode::kCancelled:
      return types().closed;
    case absl::StatusCode::kDataLoss:
      return types().payload_error;
    default:
      return types().thaw_error;
  }
}

py::handle TypeFor(const ExchangeFailure& failure) {
  if (failure.fault == Fault::kTimeout) return types().deadline_exceeded;
  switch (ClassOf(failure)) {
    case RetryClass::kMisconfigured:
      return types().misconfigured;
    case RetryClass::kStale:
    case RetryClass::kAmbiguous:
      return types().ambiguous;
    case RetryClass::kRefusedForNow:
    case RetryClass::kRefusedForGood:
      return types().refused;
    case RetryClass::kCancelled:
      return types().closed;
    case RetryClass::kUnsent:
    case RetryClass::kUnreachable:
    case RetryClass::kIncomplete:
      return types().unreachable;
  }
  return types().thaw_error;
}

[[noreturn]] void RaiseInstance(py::handle type, const py::object& instance) {
  PyErr_SetObject(type.ptr(), instance.ptr());
  throw py::error_already_set();
}

}  // namespace

py::object ExceptionFor(const absl::Status& status, Source source) {
  // A message may have the name of a file in it, which may be any bytes.
  return TypeFor(status.code(), source)(Printable(status.message()));
}

void Raise(const absl::Status& status, Source source) {
  RaiseInstance(TypeFor(status.code(), source), ExceptionFor(status, source));
}

void RaiseFailure(const ExchangeFailure& failure) {
  const py::handle type = TypeFor(failure);
  const py::object instance = type(failure.ToString());
  instance.attr("failure") = py::cast(failure);
  RaiseInstance(type, instance);
}

void RaiseUndelivered(const FlushReport& report) {
  py::handle type = types().thaw_error;
  if (report.cause.has_value()) {
    type = TypeFor(*report.cause);
  } else if (report.skipped) {
    // No attempt was made, since the destination is known to be unreachable.
    type = types().unreachable;
  }
  const py::object instance = type(report.Undelivered());
  if (report.cause.has_value()) instance.attr("failure") = py::cast(*report.cause);
  RaiseInstance(type, instance);
}

void RaiseForked() {
  RaiseInstance(
      types().forked,
      types().forked("made before a fork: its thread did not come along. Make a new thaw.Client here"));
}

void RaiseInvariantBroken(const std::string& message) {
  RaiseInstance(types().invariant_broken, types().invariant_broken(message));
}

void BindErrors(py::module_& module) {
  const auto add = [&module](py::handle& type, const char* name, const py::tuple& bases, const char* text) {
    py::dict attributes;
    attributes["failure"] = py::none();
    const std::string qualified_name = absl::StrCat(module.attr("__name__").cast<std::string>(), ".", name);
    type = PyErr_NewExceptionWithDoc(qualified_name.c_str(), text, bases.ptr(), attributes.ptr());
    if (!type) throw py::error_already_set();
    module.add_object(name, type);
  };
  const auto builtin = [](PyObject* type) { return py::reinterpret_borrow<py::object>(type); };
  Types& t = types();
  add(t.thaw_error, "ThawError", py::tuple(py::make_tuple(builtin(PyExc_Exception))),
      "Every error of this package. `failure` is the ExchangeFailure it comes from, or None.");
  const auto derived = [&](py::handle& type, const char* name, PyObject* also, const char* text) {
    py::list bases;
    bases.append(types().thaw_error);
    if (also != nullptr) bases.append(builtin(also));
    add(type, name, py::tuple(bases), text);
  };
  derived(t.invalid_argument, "InvalidArgument", PyExc_ValueError,
          "An argument is invalid; the text names it and its value.");
  derived(t.payload_error, "PayloadError", PyExc_ValueError,
          "Bytes are not a valid payload; the text names the fault and its byte.");
  derived(t.outbox_full, "OutboxFull", nullptr,
          "Payloads that were never tried fill a flusher's outbox, so that it did not take this one. "
          "Flush, then add it.");
  derived(t.deadline_exceeded, "DeadlineExceeded", PyExc_TimeoutError,
          "The time limit of the call was over.");
  derived(t.unreachable, "Unreachable", PyExc_ConnectionError,
          "There was no connection, or it ended before the whole request was written: no address, "
          "refused, reset.");
  derived(t.misconfigured, "Misconfigured", PyExc_ConnectionError,
          "A certificate, a host name or a proxy's credential is wrong; another try would not help.");
  derived(t.refused, "Refused", PyExc_ConnectionError, "The peer answered with a status that is not 2xx.");
  derived(t.ambiguous, "Ambiguous", PyExc_ConnectionError,
          "The whole request was written and no answer came: the peer may have taken it.");
  derived(t.closed, "Closed", nullptr, "The client was closed, or the call was cancelled.");
  derived(t.forked, "Forked", PyExc_RuntimeError,
          "An object that was made before a fork was used after it, where its thread does not exist.");
  derived(t.invariant_broken, "InvariantBroken", PyExc_AssertionError,
          "A simulation found an invariant broken; the message has the seed and the step to replay it.");
}

}  // namespace thaw::python
