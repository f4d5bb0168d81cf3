// LogsPayload and LogsFlusher.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "cc/base/printable.h"
#include "cc/flush/log_flusher.h"
#include "cc/logs/json_text.h"
#include "cc/logs/log_batch.h"
#include "cc/logs/log_entry.h"
#include "cc/logs/log_text.h"
#include "python/bindings/bindings.h"
#include "python/bindings/flusher.h"
#include "python/bindings/status.h"
#include "python/bindings/values.h"

namespace thaw::python {
namespace {

constexpr size_t kMostLines = LogEncoding::kPipeline.limits.max_batch_entries;
constexpr size_t kMostBytes = LogEncoding::kPipeline.limits.max_batch_bytes;

struct LogsPayloadFace {
  LogBatch payload;
  int64_t cut = 0;
};

LogStatus ToLogStatus(const std::string& name) {
  std::string names;
  for (const LogStatus status : kLogStatuses) {
    if (ToString(status) == name) return status;
    absl::StrAppend(&names, names.empty() ? "" : ", ", ToString(status));
  }
  Raise(absl::InvalidArgumentError(absl::StrCat("status is \"", Printable(name), "\", not one of: ", names)));
}

std::string Escaped(std::string_view text) {
  std::string escaped;
  AppendJsonEscaped(text, escaped);
  return escaped;
}

LogsPayloadFace FromLines(const std::vector<GivenText>& lines, double timestamp,
                          const GivenText& function_arn, const GivenText& request_id,
                          const GivenText& service, const GivenText& tags, const GivenText& status) {
  if (lines.size() > kMostLines) {
    Raise(absl::InvalidArgumentError(
        absl::StrCat("lines are ", lines.size(), "; the intake takes at most ", kMostLines, " at once")));
  }
  if (!std::isfinite(timestamp)) {
    Raise(absl::InvalidArgumentError(absl::StrCat("timestamp is ", timestamp, "; it must be finite")));
  }
  LogEntryWriter writer({.function_arn = function_arn.text, .service = service.text});
  writer.SetTags(tags.text);
  const std::string escaped_id = Escaped(request_id.text);
  LogEntry entry = {.time = absl::UnixEpoch() + FromSeconds(timestamp, "timestamp"),
                    .status = ToLogStatus(status.text),
                    .request_id = escaped_id};
  LogsPayloadFace made;
  for (const GivenText& line : lines) {
    const std::string_view text = line.text;
    entry.pieces = absl::MakeConstSpan(&text, 1);
    made.payload.Begin();
    if (writer.Append(entry, made.payload.body)) ++made.cut;
  }
  made.payload.Close();
  if (made.payload.size() > kMostBytes) {
    Raise(absl::InvalidArgumentError(absl::StrCat("lines are ", made.payload.size(),
                                                  " bytes as JSON; the intake takes at most ", kMostBytes,
                                                  " at once")));
  }
  return made;
}

py::dict ToDict(const LogsPayloadFace& self) {
  py::dict dict;
  dict["lines"] = self.payload.entries;
  dict["cut"] = self.cut;
  dict["size"] = self.payload.size();
  return dict;
}

void BindLogsPayload(py::module_& module) {
  py::class_<LogsPayloadFace> type(module, "LogsPayload",
                                   R"(Log lines of one invocation, as the intake gets them.

It holds the intake's JSON, made in one pass. A line of more than 1 MB, which the intake would not take, is cut
and ends with a marker.

>>> import thaw
>>> thaw.LogsPayload.from_lines(["paid", "sent"], timestamp=1.5, request_id="r1").lines
2
>>> thaw.LogsPayload.from_lines(["paid"], timestamp=1.5, status="loud")
Traceback (most recent call last):
    ...
thaw.InvalidArgument: status is "loud", not one of: critical, error, warn, info, debug, trace
)");
  type.def_static(
      "from_lines", &FromLines,
      "`timestamp`: of all lines, in seconds since 1970. `function_arn`: the host that the intake "
      "names. `request_id`: of the invocation that wrote the lines. `tags`: name:value with commas "
      "between them. `status`: critical, error, warn, info, debug or trace. Raises InvalidArgument "
      "for more lines or bytes than the intake takes at once.",
      py::arg("lines"), py::kw_only(), py::arg("timestamp"), py::arg("function_arn") = GivenText{},
      py::arg("request_id") = GivenText{}, py::arg("service") = GivenText{}, py::arg("tags") = GivenText{},
      py::arg("status") = GivenText{"info"});
  type.def_property_readonly(
      "lines", [](const LogsPayloadFace& self) { return self.payload.entries; }, "Number of lines.");
  type.def_property_readonly(
      "cut", [](const LogsPayloadFace& self) { return self.cut; }, "Number of lines that were cut.");
  type.def_property_readonly(
      "size", [](const LogsPayloadFace& self) { return self.payload.size(); }, "Bytes as JSON.");
  type.def("to_dict", &ToDict, "Every count as a plain value.");
  type.def("__repr__", [](const LogsPayloadFace& self) {
    py::dict shown;
    for (const auto& [key, value] : ToDict(self))
      if (PyObject_IsTrue(value.ptr()) == 1) shown[key] = value;
    return Repr("LogsPayload", shown);
  });
}

}  // namespace

void BindLogsFlusher(py::module_& module) {
  BindLogsPayload(module);
  BindFlusher<LogFlusher, LogsPayloadFace>(module, "LogsFlusher",
                                           R"(Delivers log lines: keeps payloads until the intake took them.

Payloads are merged into requests of at most 1000 lines and 5 MB. Lives on its client's thread, and as long as
the client. Any thread may call it.

>>> import thaw
>>> with thaw.Client(thaw.ClientOptions(max_attempts=1)) as client:
...     flusher = thaw.LogsFlusher(client, endpoint="http://127.0.0.1:1", api_key="key")
...     flusher.add(thaw.LogsPayload.from_lines(["paid"], timestamp=1.5))
...     report = flusher.flush(deadline=2.0)
...     report.delivered, report.retained
1
(0, 1)
)");
}

}  // namespace thaw::python
