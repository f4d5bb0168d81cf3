// The one table from Status and RetryClass to Python exceptions.
//
// Every exception of the package is made here and carries `.failure`: the ExchangeFailure that caused it, or
// None. Everything here requires the GIL.

#ifndef THAW_PYTHON_BINDINGS_STATUS_H_
#define THAW_PYTHON_BINDINGS_STATUS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cc/flush/flush_report.h"
#include "cc/net/exchange_failure.h"
#include "pybind11/pybind11.h"

namespace thaw::python {

// The part of the package that an error comes from, where the status alone does not tell.
enum class Source {
  kCall,     // the arguments of a call, the client
  kPayload,  // bytes that should have been a payload
  kOutbox,   // a flusher that has no room
};

// Raises the exception for `status`, which is an error.
[[noreturn]] void Raise(const absl::Status& status, Source source = Source::kCall);

// Raises the exception for a failed exchange, by its fault and class.
[[noreturn]] void RaiseFailure(const ExchangeFailure& failure);

// Return the exception as an object, for futures, instead of raising it.
pybind11::object ExceptionFor(const absl::Status& status, Source source = Source::kCall);

// Raises the exception for undelivered data of a flush, by the failure that was its cause.
[[noreturn]] void RaiseUndelivered(const FlushReport& report);

// Raises Forked: an object belongs to the process before a fork.
[[noreturn]] void RaiseForked();

// Raises the exception for an invariant that a simulation found broken.
[[noreturn]] void RaiseInvariantBroken(const std::string& message);

inline void ThrowIfError(const absl::Status& status, Source source = Source::kCall) {
  if (!status.ok()) Raise(status, source);
}
template <typename T>
T Unwrap(absl::StatusOr<T> value, Source source = Source::kCall) {
  if (!value.ok()) Raise(value.status(), source);
  return *std::move(value);
}

// Adds the exception types to the module.
void BindErrors(pybind11::module_& module);

}  // namespace thaw::python

#endif  // THAW_PYTHON_BINDINGS_STATUS_H_
