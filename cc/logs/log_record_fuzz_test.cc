// For any log record, what is sent is a JSON array of UTF-8 with as many entries as lines were passed on.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "boost/json/array.hpp"
#include "boost/json/parse.hpp"
#include "boost/json/value.hpp"
#include "cc/base/utf8.h"
#include "cc/logs/log_batch.h"
#include "cc/logs/log_entry.h"
#include "cc/logs/log_processor.h"
#include "cc/logs/processing_rules.h"
#include "cc/telemetry/telemetry_records.h"

namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

void Try(std::string_view body, std::string_view rules_json) {
  std::vector<std::string> errors;
  thaw::LogProcessorOptions options;
  options.rules = thaw::ProcessingRules(rules_json, errors);
  thaw::LogEntryWriter writer({.function_arn = "arn", .service = "s"});
  writer.SetTags("a:b");
  thaw::LogBatch batch;
  thaw::LogProcessor processor(std::move(options), [&](const thaw::LogEntry& entry) {
    batch.Begin();
    writer.Append(entry, batch.body);
  });
  thaw::DecodeTelemetry(body, absl::UnixEpoch(),
                        [&](thaw::TelemetryRecord&& record) { processor.Take(record); });
  processor.ReleaseHeld();
  Check(processor.counts().lines == batch.entries);
  batch.Close();
  if (batch.empty()) return;
  Check(thaw::IsValidUtf8(batch.body));
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(batch.body, error);
  Check(!error);
  Check(static_cast<int64_t>(value.as_array().size()) == batch.entries);
  for (const boost::json::value& entry : value.as_array()) {
    const boost::json::object& object = entry.as_object();
    Check(object.size() == 5);
    Check(object.at("message").as_object().size() == 4);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  constexpr std::string_view kStart =
      R"({"time":"2026-01-02T03:04:05.678Z","type":"platform.start","record":{"requestId":"before"}})";
  for (const std::string_view type : {"function", "extension", "platform.report"}) {
    const std::string record = absl::StrCat(R"({"type":")", type, R"(","record":)", input, "}");
    for (const std::string_view rules :
         {"", R"([{"type":"mask_sequences","name":"m","pattern":"[a-c]+","replace_placeholder":"<$0>"}])"}) {
      Try(absl::StrCat("[", record, ",", kStart, ",", record, "]"), rules);
      Try(absl::StrCat("[", kStart, ",", record, "]"), rules);
    }
  }
  return 0;
}
