#include "python/bindings/request.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "cc/net/destination.h"
#include "python/bindings/bindings.h"
#include "python/bindings/status.h"
#include "python/bindings/values.h"

namespace thaw::python {
namespace {

void CheckHeader(const std::string& name, const std::string& value) {
  static constexpr std::string_view kNoToken("\0\t\r\n \"(),/:;<=>?@[\\]{}", 22);
  static constexpr std::string_view kNoValue("\0\r\n", 3);
  if (name.empty() || name.find_first_of(kNoToken) != std::string::npos) {
    Raise(absl::InvalidArgumentError(absl::StrCat("\"", name, "\" is no header name")));
  }
  if (value.find_first_of(kNoValue) != std::string::npos) {
    Raise(absl::InvalidArgumentError(
        absl::StrCat("the value of header ", name, " has a line end or NUL in it")));
  }
}

}  // namespace

HttpHeaders ToHeaders(const GivenHeaders& given) {
  HttpHeaders headers;
  if (!given.has_value()) return headers;
  if (const auto* pairs = std::get_if<1>(&*given)) {
    headers.assign(pairs->begin(), pairs->end());
  } else {
    for (const auto& [name, value] : std::get<0>(*given)) {
      headers.emplace_back(name.cast<std::string>(), value.cast<std::string>());
    }
  }
  for (const auto& [name, value] : headers) CheckHeader(name, value);
  return headers;
}

std::string_view BytesOf(const py::buffer& buffer, py::buffer_info& holder) {
  if (PyBytes_Check(buffer.ptr())) {
    return {PyBytes_AS_STRING(buffer.ptr()), static_cast<size_t>(PyBytes_GET_SIZE(buffer.ptr()))};
  }
  holder = buffer.request();
  if (PyBuffer_IsContiguous(holder.view(), 'C') == 0) {
    Raise(absl::InvalidArgumentError("the bytes don't lie in one piece"));
  }
  return {static_cast<const char*>(holder.ptr), static_cast<size_t>(holder.size * holder.itemsize)};
}

HttpRequest ToHttpRequest(std::string_view url, const py::buffer& body, std::string_view method,
                          const GivenHeaders& headers) {
  Url parsed = Unwrap(ParseUrl(url));
  CheckHeader(std::string(method), "");
  HttpRequest request;
  request.destination = std::move(parsed.destination);
  request.method = method;
  request.target = std::move(parsed.target);
  request.headers = ToHeaders(headers);
  py::buffer_info holder;
  const std::string_view bytes = BytesOf(body, holder);
  if (!bytes.empty()) request.body = std::make_shared<const std::string>(bytes);
  return request;
}

void BindRequest(py::module_& module) {
  py::class_<HttpRequest>(module, "Request",
                          R"(One request, parsed and copied once; may be sent any number of times.

>>> import thaw
>>> request = thaw.Request("https://intake.example/api/v0.2/traces", b"...", headers={"DD-API-KEY": "key"})
>>> request.method, request.url, request.body
('POST', 'https://intake.example/api/v0.2/traces', b'...')
>>> thaw.Request("ftp://intake.example")  # doctest: +IGNORE_EXCEPTION_DETAIL
Traceback (most recent call last):
    ...
thaw.InvalidArgument: ...
)")
      .def(py::init(&ToHttpRequest),
           "`body`: anything with the buffer protocol. `headers`: without Host, Content-Length and "
           "Connection, which "
           "the client adds. Raises InvalidArgument.",
           py::arg("url"), py::arg("body") = py::bytes(), py::arg("method") = "POST",
           py::arg("headers") = py::none())
      .def_property_readonly(
          "url", [](const HttpRequest& self) { return ToString(self.destination) + self.target; },
          "Where it goes.")
      .def_property_readonly(
          "method", [](const HttpRequest& self) { return self.method; }, "The HTTP method.")
      .def_property_readonly(
          "headers", [](const HttpRequest& self) { return self.headers; },
          "Names and values, in the order given.")
      .def_property_readonly(
          "body", [](const HttpRequest& self) { return self.body ? py::bytes(*self.body) : py::bytes(); },
          "Its bytes.")
      .def("__repr__",
           [](const HttpRequest& self) { return absl::StrCat("<Request ", self.ToString(), ">"); });
}

}  // namespace thaw::python
