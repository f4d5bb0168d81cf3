#include "python/bindings/request.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cc/net/destination.h"
#include "python/bindings/bindings.h"
#include "python/bindings/functions.h"
#include "python/bindings/gil.h"
#include "python/bindings/pickling.h"
#include "python/bindings/status.h"
#include "python/bindings/values.h"

namespace thaw::python {
namespace {

std::string Text(py::handle given, const std::string& what) {
  if (!PyUnicode_Check(given.ptr())) RaiseWrongType(what, "str", given);
  Py_ssize_t size = 0;
  const char* const bytes = PyUnicode_AsUTF8AndSize(given.ptr(), &size);
  if (bytes == nullptr) {
    PyErr_Clear();
    Raise(absl::InvalidArgumentError(absl::StrCat(what, " has characters that UTF-8 doesn't have")));
  }
  return {bytes, static_cast<size_t>(size)};
}

void AddHeader(py::handle name, py::handle value, const std::string& where, HttpHeaders& headers) {
  std::string text = Text(name, absl::StrCat("the name of ", where));
  std::string content = Text(value, absl::StrCat("the value of header ", py::repr(name).cast<std::string>()));
  headers.emplace_back(std::move(text), std::move(content));
}

// Adds the name and value of one pair. A text of two characters would pass for a pair, too.
void AddPair(py::handle pair, size_t index, HttpHeaders& headers) {
  const std::string where = absl::StrCat("headers[", index, "]");
  if (PyUnicode_Check(pair.ptr()) || PySequence_Check(pair.ptr()) == 0) {
    RaiseWrongType(where, "a pair of name and value", pair);
  }
  const py::object both = CallPython([pair] { return PySequence_Tuple(pair.ptr()); });
  if (PyTuple_GET_SIZE(both.ptr()) != 2) RaiseWrongType(where, "a pair of name and value", pair);
  AddHeader(PyTuple_GET_ITEM(both.ptr(), 0), PyTuple_GET_ITEM(both.ptr(), 1), where, headers);
}

// Adds Basic credentials (RFC 7617), as a browser sends them.
void AddCredentials(const std::string& userinfo, HttpHeaders& headers) {
  if (userinfo.empty()) return;
  if (FindHeader(headers, "authorization").has_value()) {
    Raise(absl::InvalidArgumentError("credentials stand both in the URL and in the header Authorization"));
  }
  headers.emplace_back("Authorization", BasicCredentials(userinfo));
}

}  // namespace

HttpHeaders ToHeaders(const GivenHeaders& given) {
  HttpHeaders headers;
  const py::handle object = given.given;
  if (object.is_none()) return headers;
  const bool mapping = PyDict_Check(object.ptr()) || PyObject_HasAttrString(object.ptr(), "keys") != 0;
  const py::object items = CallPython(
      [object, mapping] { return mapping ? PyMapping_Items(object.ptr()) : PySequence_List(object.ptr()); });
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(items.ptr()); ++i) {
    AddPair(PyList_GET_ITEM(items.ptr(), i), static_cast<size_t>(i), headers);
  }
  return headers;
}

std::vector<HttpRequest> ToHttpRequests(const py::typing::Iterable<HttpRequest>& given) {
  const py::object list = CallPython([&given] { return PySequence_List(given.ptr()); });
  std::vector<HttpRequest> requests;
  requests.reserve(static_cast<size_t>(PyList_GET_SIZE(list.ptr())));
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list.ptr()); ++i) {
    const py::handle item = PyList_GET_ITEM(list.ptr(), i);
    if (!py::isinstance<HttpRequest>(item) || !IsInitialised(item)) {
      RaiseWrongType(absl::StrCat("requests[", i, "]"), "thaw.Request", item);
    }
    requests.push_back(item.cast<const HttpRequest&>());
  }
  return requests;
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

HttpRequest ToHttpRequest(const GivenText& url, const py::buffer& body, const GivenText& method,
                          const GivenHeaders& headers) {
  Url parsed = Unwrap(ParseUrl(url.text));
  HttpRequest request;
  request.destination = std::move(parsed.destination);
  request.method = method.text;
  request.target = std::move(parsed.target);
  request.headers = ToHeaders(headers);
  AddCredentials(parsed.userinfo, request.headers);
  ThrowIfError(request.Validate());
  py::buffer_info holder;
  const std::string_view bytes = BytesOf(body, holder);
  if (!bytes.empty()) request.body = std::make_shared<const std::string>(bytes);
  return request;
}

void BindRequest(py::module_& module) {
  py::class_<HttpRequest> type(module, "Request",
                               R"(One request, parsed and copied once; may be sent any number of times.

>>> import thaw
>>> request = thaw.Request("https://intake.example/api/v0.2/traces", b"...", headers={"DD-API-KEY": "key"})
>>> request.method, request.url, request.body
('POST', 'https://intake.example/api/v0.2/traces', b'...')
>>> thaw.Request("ftp://intake.example")  # doctest: +IGNORE_EXCEPTION_DETAIL
Traceback (most recent call last):
    ...
thaw.InvalidArgument: ...
)");
  const auto out = [](const HttpRequest& self) {
    return py::make_tuple(ToString(self.destination) + self.target, self.method,
                          Pickled<HttpHeaders>::Out(self.headers),
                          self.body ? py::bytes(*self.body) : py::bytes());
  };
  BindEquality(type, out, [](const HttpRequest& self) { return py::make_tuple(self.target, self.method); });
  type.def(py::pickle(out, [](const py::tuple& state) {
    if (state.size() != 4) Raise(absl::InvalidArgumentError("not the pickle of a Request"));
    HttpRequest request;
    Url url = Unwrap(ParseUrl(state[0].cast<std::string>()));
    request.destination = std::move(url.destination);
    request.target = std::move(url.target);
    request.method = state[1].cast<std::string>();
    request.headers = Pickled<HttpHeaders>::In(state[2]);
    auto body = state[3].cast<std::string>();
    if (!body.empty()) request.body = std::make_shared<const std::string>(std::move(body));
    ThrowIfError(request.Validate());
    return request;
  }));
  type.def(py::init(&ToHttpRequest),
           "`url`: http:// or https://; user:password@ in it becomes Basic credentials. `body`: anything "
           "with the "
           "buffer protocol. `headers`: names and values as a mapping or as pairs, without Host, "
           "Content-Length, "
           "Transfer-Encoding, Connection and their like, which the client writes itself. Raises "
           "InvalidArgument, "
           "and TypeError for what is no text.",
           py::arg("url"), py::arg("body") = py::bytes(), py::arg("method") = GivenText{"POST"},
           py::arg("headers") = GivenHeaders())
      .def_property_readonly(
          "url", [](const HttpRequest& self) { return ToString(self.destination) + self.target; },
          "Its "
          "URL.")
      .def_property_readonly(
          "method", [](const HttpRequest& self) { return self.method; }, "The HTTP method.")
      .def_property_readonly(
          "headers", [](const HttpRequest& self) { return self.headers; },
          "Names and values, in the order given.")
      .def_property_readonly(
          "body", [](const HttpRequest& self) { return self.body ? py::bytes(*self.body) : py::bytes(); },
          "Its body.")
      .def("__repr__",
           [](const HttpRequest& self) { return absl::StrCat("<Request ", self.ToString(), ">"); });
}

}  // namespace thaw::python
