// Converts a Python caller's arguments to native requests.

#ifndef THAW_PYTHON_BINDINGS_REQUEST_H_
#define THAW_PYTHON_BINDINGS_REQUEST_H_

#include <string_view>
#include <vector>

#include "cc/net/http_message.h"
#include "pybind11/pybind11.h"
#include "pybind11/typing.h"
#include "python/bindings/values.h"

namespace thaw::python {

// Headers as a mapping, as pairs, or None. ToHeaders checks the content and names what is wrong.
struct GivenHeaders {
  pybind11::object given = pybind11::none();
};

// Raises TypeError, which names the item, for a name or value that is no text. HttpRequest::Validate decides
// what may be sent.
HttpHeaders ToHeaders(const GivenHeaders& given);

// Raises InvalidArgument for the URL, the headers, or credentials in both. Copies the body once; resends
// share it.
HttpRequest ToHttpRequest(const GivenText& url, const pybind11::buffer& body, const GivenText& method,
                          const GivenHeaders& headers);

// Returns copies of all requests. Raises TypeError, which names the item that is no Request.
std::vector<HttpRequest> ToHttpRequests(const pybind11::typing::Iterable<HttpRequest>& given);

// Returns the bytes of any object with the buffer protocol.
std::string_view BytesOf(const pybind11::buffer& buffer, pybind11::buffer_info& holder);

}  // namespace thaw::python

namespace pybind11::detail {
template <>
struct type_caster<thaw::python::GivenHeaders> {
  PYBIND11_TYPE_CASTER(thaw::python::GivenHeaders,
                       const_name("collections.abc.Mapping[str, str] | "
                                  "collections.abc.Iterable[tuple[str, str]] | None"));

  bool load(handle source, bool) {
    const bool text = PyUnicode_Check(source.ptr()) || PyBytes_Check(source.ptr());
    if (text || (!source.is_none() && Py_TYPE(source.ptr())->tp_iter == nullptr &&
                 PySequence_Check(source.ptr()) == 0)) {
      return false;
    }
    value.given = reinterpret_borrow<object>(source);
    return true;
  }
  static handle cast(const thaw::python::GivenHeaders& headers, return_value_policy, handle) {
    return object(headers.given).release();
  }
};
}  // namespace pybind11::detail

#endif  // THAW_PYTHON_BINDINGS_REQUEST_H_
