// For any body posted to the listener, records passed on are well-formed, and the neighbours of broken
// elements are passed on.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "boost/json/parse.hpp"
#include "cc/base/utf8.h"
#include "cc/telemetry/telemetry_records.h"

namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

bool IsJson(std::string_view text) {
  boost::json::parse_options options;
  options.max_depth = 256;
  options.allow_invalid_utf16 = true;
  boost::system::error_code error;
  boost::json::parse(text, error, {}, options);
  return !error;
}

struct Seen {
  int64_t before = 0;
  int64_t after = 0;
};

Seen Try(std::string_view body) {
  Seen seen;
  int64_t given = 0;
  const thaw::TelemetryBatch batch =
      thaw::DecodeTelemetry(body, absl::UnixEpoch(), [&](thaw::TelemetryRecord&& record) {
        ++given;
        if (const auto* log = std::get_if<thaw::FunctionLog>(&record.record)) {
          Check(thaw::IsValidUtf8(log->json));
          Check(IsJson(log->json));
        } else if (const auto* start = std::get_if<thaw::PlatformStart>(&record.record)) {
          Check(!start->request_id.empty());
          seen.before += start->request_id == "before";
          seen.after += start->request_id == "after";
        }
      });
  Check(batch.counts.records == given);
  const thaw::TelemetryCounts& counts = batch.counts;
  const int64_t problems = counts.repaired + counts.times_replaced + counts.members_ignored +
                           counts.unknown_types + counts.incomplete + counts.malformed +
                           counts.bodies_refused + counts.bodies_cut;
  Check(batch.first_problem.empty() == (problems == 0));
  return seen;
}

constexpr std::string_view kBefore =
    R"({"time":"2026-01-02T03:04:05.678Z","type":"platform.start","record":{"requestId":"before"}})";
constexpr std::string_view kAfter =
    R"({"time":"2026-01-02T03:04:05.678Z","type":"platform.start","record":{"requestId":"after"}})";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  Try(input);
  // The input is used as an element, as a log record and as the record of each type.
  Check(Try(absl::StrCat("[", kBefore, ",", input, ",", kAfter, "]")).before >= 1);
  for (const std::string_view type :
       {"function", "platform.start", "platform.runtimeDone", "platform.report", "platform.initStart",
        "platform.initReport", "platform.restoreReport", "platform.extension", "platform.logsDropped"}) {
    const Seen seen =
        Try(absl::StrCat("[", kBefore, R"(,{"type":")", type, R"(","record":)", input, "},", kAfter, "]"));
    Check(seen.before >= 1);
    // Valid JSON does not break its neighbours.
    if (IsJson(input)) Check(seen.after >= 1);
  }
  return 0;
}
