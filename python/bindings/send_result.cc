// SendResult: the result of one request.

#include <string>

#include "cc/net/client.h"
#include "cc/net/exchange_failure.h"
#include "python/bindings/bindings.h"
#include "python/bindings/pickling.h"
#include "python/bindings/values.h"

namespace thaw::python {
namespace {

int StatusOf(const SendResult& result) { return result.response.has_value() ? result.response->status : 0; }

py::dict ToDict(const SendResult& self) {
  py::dict dict;
  dict["accepted"] = self.accepted;
  dict["status"] = StatusOf(self);
  dict["attempts"] = self.attempts;
  dict["unsent_laps"] = self.unsent_laps;
  dict["delayed"] = ToSeconds(self.delayed);
  dict["elapsed"] = ToSeconds(self.elapsed);
  dict["times"] = py::none();
  if (self.times.has_value()) dict["times"] = py::cast(*self.times).attr("to_dict")();
  dict["possible_duplicate"] = self.possible_duplicate;
  dict["may_have_been_accepted"] = self.may_have_been_accepted;
  py::list failures;
  for (const ExchangeFailure& failure : self.failures) failures.append(py::cast(failure).attr("to_dict")());
  dict["failures"] = failures;
  dict["last_class"] = py::none();
  if (self.last_class.has_value()) dict["last_class"] = LowerName(*self.last_class);
  return dict;
}

}  // namespace

template <>
struct Pickled<HttpResponse> {
  static py::object Out(const HttpResponse& value) {
    return MembersOut(value, &HttpResponse::status, &HttpResponse::headers, &HttpResponse::body,
                      &HttpResponse::body_whole);
  }
  static HttpResponse In(py::handle object) {
    return MembersIn<HttpResponse>(object, &HttpResponse::status, &HttpResponse::headers, &HttpResponse::body,
                                   &HttpResponse::body_whole);
  }
};

namespace {

// Makes a getter of a member.
constexpr auto kRead = [](auto member) { return [member](const SendResult& self) { return self.*member; }; };

void BindAnswer(py::class_<SendResult>& type) {
  type.def_property_readonly("accepted", kRead(&SendResult::accepted), "Whether a complete 2xx head came.")
      .def_property_readonly("status", &StatusOf,
                             "The status of the last complete answer, whatever it was; 0 if there was "
                             "none.")
      .def_property_readonly(
          "headers",
          [](const SendResult& self) {
            return self.response.has_value() ? self.response->headers : HttpHeaders();
          },
          "The headers of the last complete answer, in order.")
      .def_property_readonly(
          "body",
          [](const SendResult& self) {
            return self.response.has_value() ? py::bytes(self.response->body) : py::bytes();
          },
          "The body of the last complete answer, up to max_response_body_kept_bytes.")
      .def_property_readonly(
          "body_whole",
          [](const SendResult& self) { return self.response.has_value() && self.response->body_whole; },
          "Whether the answer's body came to its end.");
}

void BindTries(py::class_<SendResult>& type) {
  type.def_property_readonly("attempts", kRead(&SendResult::attempts),
                             "The number of tries that count against max_attempts.")
      .def_property_readonly("unsent_laps", kRead(&SendResult::unsent_laps),
                             "The number of tries that do not count: a reused connection died before a "
                             "byte was given to it.")
      .def_property_readonly(
          "delayed", [](const SendResult& self) { return ToSeconds(self.delayed); },
          "Seconds spent in backoff.")
      .def_property_readonly(
          "elapsed", [](const SendResult& self) { return ToSeconds(self.elapsed); },
          "The time from the call to the result, in seconds of the monotonic clock.")
      .def_property_readonly("times", kRead(&SendResult::times),
                             "The times of the last try that was answered, with any status; None if none "
                             "was.")
      .def_property_readonly("possible_duplicate", kRead(&SendResult::possible_duplicate),
                             "Whether it was sent again after the peer may have accepted it.")
      .def_property_readonly("may_have_been_accepted", kRead(&SendResult::may_have_been_accepted),
                             "Whether it counts as not accepted, although the peer may have accepted it.")
      .def_property_readonly("failures", kRead(&SendResult::failures), "Each failed try, in order.")
      .def_property_readonly("last_class", kRead(&SendResult::last_class),
                             "The class of the last failure; None if accepted.")
      .def(
          "raise_for_failure",
          [](const SendResult& self) {
            if (self.accepted) return;
            if (!self.failures.empty()) RaiseFailure(self.failures.back());
            Raise(absl::UnknownError("not accepted"));
          },
          "Raises the exception for the last failure if the request was not accepted: Unreachable, "
          "Misconfigured, "
          "Refused, Ambiguous, DeadlineExceeded or Closed.")
      .def("to_dict", &ToDict, "Every field but the answer's headers and body as a plain value.")
      .def("__repr__", [](const SendResult& self) { return Repr("SendResult", ToDict(self)); });
}

}  // namespace

void BindSendResult(py::module_& module) {
  using R = SendResult;
  py::class_<R> type(module, "SendResult", R"(The outcome of one request.

Nothing listens on port 1, so this one is refused:

>>> import thaw
>>> with thaw.Client(thaw.ClientOptions(max_attempts=1)) as client:
...     result = client.send("http://127.0.0.1:1/", b"")
>>> result.accepted, result.status, result.last_class
(False, 0, <RetryClass.UNREACHABLE: 1>)
>>> result.failures[0].phase
<Phase.CONNECT: 1>
)");
  BindPickling(type, &R::response, &R::accepted, &R::possible_duplicate, &R::may_have_been_accepted,
               &R::attempts, &R::unsent_laps, &R::delayed, &R::elapsed, &R::times, &R::failures,
               &R::last_class);
  BindAnswer(type);
  BindTries(type);
}

}  // namespace thaw::python
