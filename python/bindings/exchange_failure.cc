// ExchangeFailure and its enums.

#include "cc/net/exchange_failure.h"

#include <string>
#include <utility>
#include <vector>

#include "pybind11/native_enum.h"
#include "python/bindings/bindings.h"
#include "python/bindings/pickling.h"
#include "python/bindings/values.h"

namespace thaw::python {
namespace {

std::vector<std::pair<std::string, std::optional<std::string>>> Addresses(const ExchangeFailure& failure) {
  std::vector<std::pair<std::string, std::optional<std::string>>> addresses;
  for (const AddressOutcome& outcome : failure.addresses) {
    std::optional<std::string> error;
    if (!outcome.status.ok()) error = std::string(outcome.status.message());
    addresses.emplace_back(outcome.address, std::move(error));
  }
  return addresses;
}

py::dict ToDict(const ExchangeFailure& failure) {
  py::dict dict;
  dict["phase"] = std::string(ToString(failure.phase));
  dict["fault"] = LowerName(failure.fault);
  dict["retry_class"] = LowerName(ClassOf(failure));
  dict["reused"] = failure.reused;
  dict["epoch_crossed"] = failure.epoch_crossed;
  dict["bytes_written"] = LowerName(failure.bytes_written);
  dict["response_begun"] = failure.response_begun;
  dict["head_complete"] = failure.head_complete;
  dict["status"] = failure.status;
  dict["idle_for"] = ToSeconds(failure.idle_for);
  dict["retry_after"] = Face<std::optional<absl::Duration>>::Plain(failure.retry_after);
  dict["addresses"] = py::cast(Addresses(failure));
  dict["error"] = std::string(failure.error.message());
  return dict;
}

}  // namespace

template <>
struct Pickled<AddressOutcome> {
  static py::object Out(const AddressOutcome& value) {
    return MembersOut(value, &AddressOutcome::address, &AddressOutcome::status);
  }
  static AddressOutcome In(py::handle object) {
    return MembersIn<AddressOutcome>(object, &AddressOutcome::address, &AddressOutcome::status);
  }
};

namespace {

void BindEnums(py::module_& module) {
  py::native_enum<Phase>(module, "Phase", "enum.Enum", "How far an exchange had come.")
      .value("RESOLVE", Phase::kResolve)
      .value("CONNECT", Phase::kConnect)
      .value("PROXY", Phase::kProxy)
      .value("TLS", Phase::kTls)
      .value("WRITE", Phase::kWrite)
      .value("HEAD", Phase::kHead)
      .value("BODY", Phase::kBody)
      .finalize();
  KeepMembers<Phase>(module, "Phase");
  py::native_enum<BytesWritten>(module, "BytesWritten", "enum.Enum",
                                "How much of the request the transport below TLS took.")
      .value("NONE", BytesWritten::kNone)
      .value("PART", BytesWritten::kPart)
      .value("ALL", BytesWritten::kAll)
      .finalize();
  KeepMembers<BytesWritten>(module, "BytesWritten");
  py::native_enum<Fault>(module, "Fault", "enum.Enum", "What went wrong, apart from where.")
      .value("NONE", Fault::kNone, "nothing: answered, with a status that is not 2xx")
      .value("RESET", Fault::kReset,
             "reset by the peer, or another error of the system on an open connection")
      .value("END", Fault::kEnd, "the peer ended the stream in order")
      .value("TIMEOUT", Fault::kTimeout, "the deadline passed, or the grace after a resume")
      .value("PROTOCOL", Fault::kProtocol, "bytes that are not HTTP or not TLS, or past a limit")
      .value("NOT_FOUND", Fault::kNotFound, "no such name")
      .value("REFUSED", Fault::kRefused, "no connection: refused, unreachable, no resolver")
      .value("CERTIFICATE", Fault::kCertificate, "chain, host name or validity refused by us")
      .value("CREDENTIAL", Fault::kCredential, "the proxy wants a credential (407)")
      .value("PROXY_STATUS", Fault::kProxyStatus, "the proxy answered CONNECT with another status")
      .value("CANCELLED", Fault::kCancelled, "the caller gave up")
      .finalize();
  KeepMembers<Fault>(module, "Fault");
  py::native_enum<RetryClass>(module, "RetryClass", "enum.Enum",
                              "What follows from a failure; each failure has exactly one.")
      .value("UNSENT", RetryClass::kUnsent, "at once on another connection; not an attempt")
      .value("UNREACHABLE", RetryClass::kUnreachable, "backoff, counted; otherwise the outbox")
      .value("MISCONFIGURED", RetryClass::kMisconfigured, "not again in this flush; outbox")
      .value("INCOMPLETE", RetryClass::kIncomplete, "once on a fresh connection; can't be a duplicate")
      .value("STALE", RetryClass::kStale, "once on a fresh connection, marked possible_duplicate")
      .value("AMBIGUOUS", RetryClass::kAmbiguous, "if the pipeline allows it; marked possible_duplicate")
      .value("REFUSED_FOR_NOW", RetryClass::kRefusedForNow, "408, 429, 5xx: backoff; otherwise the outbox")
      .value("REFUSED_FOR_GOOD", RetryClass::kRefusedForGood, "3xx, other 4xx: dropped, counted by status")
      .value("CANCELLED", RetryClass::kCancelled, "kept by the caller that cancelled")
      .finalize();
  KeepMembers<RetryClass>(module, "RetryClass");
}

void BindMembers(py::class_<ExchangeFailure>& type) {
  const auto read = [](auto member) {
    return [member](const ExchangeFailure& self) { return self.*member; };
  };
  type.def_property_readonly("phase", read(&ExchangeFailure::phase), "How far the exchange had come.")
      .def_property_readonly("fault", read(&ExchangeFailure::fault), "What went wrong.")
      .def_property_readonly(
          "retry_class", [](const ExchangeFailure& self) { return ClassOf(self); },
          "The class that decides what follows.")
      .def_property_readonly("reused", read(&ExchangeFailure::reused),
                             "Whether the connection had carried a request before.")
      .def_property_readonly("epoch_crossed", read(&ExchangeFailure::epoch_crossed),
                             "Whether the environment was frozen since the exchange, or its connection, "
                             "began.")
      .def_property_readonly("bytes_written", read(&ExchangeFailure::bytes_written),
                             "How much of the request the transport took.")
      .def_property_readonly("response_begun", read(&ExchangeFailure::response_begun),
                             "Whether a byte of the answer came.")
      .def_property_readonly("head_complete", read(&ExchangeFailure::head_complete),
                             "Whether the whole head of the answer came.")
      .def_property_readonly("status", read(&ExchangeFailure::status),
                             "The status of the answer, or of the proxy's answer to CONNECT; 0 if there "
                             "was none.")
      .def_property_readonly(
          "idle_for", [](const ExchangeFailure& self) { return ToSeconds(self.idle_for); },
          "How long the connection had been idle before, in seconds.")
      .def_property_readonly(
          "retry_after",
          [](const ExchangeFailure& self) {
            return Face<std::optional<absl::Duration>>::To(self.retry_after);
          },
          "The answer's Retry-After in seconds; None without one.")
      .def_property_readonly("addresses", &Addresses,
                             "Each address that was tried, in order, with its error or None.")
      .def_property_readonly(
          "error", [](const ExchangeFailure& self) { return std::string(self.error.message()); },
          "The failure in words: what happened, and where.")
      .def("to_dict", &ToDict, "Every field as a plain value.")
      .def("__str__", [](const ExchangeFailure& self) { return self.ToString(); })
      .def("__repr__", [](const ExchangeFailure& self) { return Repr("ExchangeFailure", ToDict(self)); });
}

}  // namespace

void BindExchangeFailure(py::module_& module) {
  BindEnums(module);
  using F = ExchangeFailure;
  py::class_<F> type(module, "ExchangeFailure",
                     R"(The reason for which an exchange failed, with all that decides whether it is retried.

>>> import thaw
>>> with thaw.Client(thaw.ClientOptions(max_attempts=1)) as client:
...     (failure,) = client.send("http://127.0.0.1:1/", budget=5.0).failures
>>> failure.phase.name, failure.fault.name, failure.bytes_written.name, failure.retry_class.name
('CONNECT', 'REFUSED', 'NONE', 'UNREACHABLE')
)");
  BindPickling(type, &F::phase, &F::fault, &F::reused, &F::epoch_crossed, &F::bytes_written,
               &F::response_begun, &F::head_complete, &F::status, &F::idle_for, &F::retry_after,
               &F::addresses, &F::error);
  BindMembers(type);
}

}  // namespace thaw::python
