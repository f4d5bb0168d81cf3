// What a Python caller gives to be sent, as the native request.

#ifndef THAW_PYTHON_BINDINGS_REQUEST_H_
#define THAW_PYTHON_BINDINGS_REQUEST_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "cc/net/http_message.h"
#include "pybind11/pybind11.h"
#include "pybind11/stl.h"
#include "pybind11/typing.h"

namespace thaw::python {

// Headers as a dict or as pairs.
using GivenHeaders = std::optional<std::variant<pybind11::typing::Dict<pybind11::str, pybind11::str>,
                                                std::vector<std::pair<std::string, std::string>>>>;

// Raises InvalidArgument: a line end or NUL in a header, which would start another one.
HttpHeaders ToHeaders(const GivenHeaders& given);

// Raises InvalidArgument: the URL; headers. Copies the body once; resends share it.
HttpRequest ToHttpRequest(std::string_view url, const pybind11::buffer& body, std::string_view method,
                          const GivenHeaders& headers);

// The bytes of anything with the buffer protocol.
std::string_view BytesOf(const pybind11::buffer& buffer, pybind11::buffer_info& holder);

}  // namespace thaw::python

#endif  // THAW_PYTHON_BINDINGS_REQUEST_H_
