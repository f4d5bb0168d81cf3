#include "cc/trace/tracer_headers.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/hash/hash.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cc/base/utf8.h"

namespace thaw {
namespace {

template <typename Headers>
std::string Text(const Headers& headers, std::string_view name) {
  // Tracers send less than 100 bytes each; an intake that gets much more refuses the whole request.
  constexpr size_t kAtMost = 256;
  std::string_view value = FindHeader(headers, name).value_or("");
  if (value.size() > kAtMost) {
    size_t whole = kAtMost;
    while (whole > 0 && (static_cast<uint8_t>(value[whole]) & 0xC0) == 0x80) --whole;
    value = value.substr(0, whole);
  }
  // The values go into protobuf strings, which must be UTF-8.
  return IsValidUtf8(value) ? std::string(value) : RepairUtf8(value);
}

template <typename Headers>
bool Truth(const Headers& headers, std::string_view name) {
  const std::string_view value = FindHeader(headers, name).value_or("");
  for (const std::string_view no : {"", "0", "f", "F", "false", "False", "FALSE"})
    if (value == no) return false;
  return true;
}

template <typename Headers>
uint64_t Number(const Headers& headers, std::string_view name) {
  uint64_t value = 0;
  return absl::SimpleAtoi(FindHeader(headers, name).value_or(""), &value) ? value : 0;
}

template <typename Headers>
TracerHeaders Read(const Headers& headers) {
  TracerHeaders tracer;
  tracer.lang = Text(headers, "Datadog-Meta-Lang");
  tracer.lang_version = Text(headers, "Datadog-Meta-Lang-Version");
  tracer.lang_interpreter = Text(headers, "Datadog-Meta-Lang-Interpreter");
  tracer.lang_interpreter_vendor = Text(headers, "Datadog-Meta-Lang-Interpreter-Vendor");
  tracer.tracer_version = Text(headers, "Datadog-Meta-Tracer-Version");
  tracer.container_id = Text(headers, "Datadog-Container-ID");
  tracer.client_computed_top_level = Truth(headers, "Datadog-Client-Computed-Top-Level");
  tracer.client_computed_stats = Truth(headers, "Datadog-Client-Computed-Stats");
  tracer.dropped_p0_traces = Number(headers, "Datadog-Client-Dropped-P0-Traces");
  tracer.dropped_p0_spans = Number(headers, "Datadog-Client-Dropped-P0-Spans");
  return tracer;
}

}  // namespace

TracerHeaders TracerHeaders::FromRequest(const HttpHeaders& headers) { return Read(headers); }
TracerHeaders TracerHeaders::FromViews(const HttpHeaderViews& headers) { return Read(headers); }

HttpHeaders TracerHeaders::ForIntake() const {
  HttpHeaders headers = {{"Datadog-Send-Real-Http-Status", "1"}};
  const auto add = [&headers](std::string_view name, const std::string& value) {
    if (!value.empty()) headers.emplace_back(name, value);
  };
  add("Datadog-Meta-Lang", lang);
  add("Datadog-Meta-Lang-Version", lang_version);
  add("Datadog-Meta-Lang-Interpreter", lang_interpreter);
  add("Datadog-Meta-Lang-Interpreter-Vendor", lang_interpreter_vendor);
  add("Datadog-Meta-Tracer-Version", tracer_version);
  add("Datadog-Container-ID", container_id);
  if (client_computed_top_level) add("Datadog-Client-Computed-Top-Level", "true");
  if (client_computed_stats) add("Datadog-Client-Computed-Stats", "true");
  if (dropped_p0_traces > 0) add("Datadog-Client-Dropped-P0-Traces", absl::StrCat(dropped_p0_traces));
  if (dropped_p0_spans > 0) add("Datadog-Client-Dropped-P0-Spans", absl::StrCat(dropped_p0_spans));
  return headers;
}

bool TracerHeaders::MergesWith(const TracerHeaders& other) const {
  return lang == other.lang && lang_version == other.lang_version &&
         lang_interpreter == other.lang_interpreter &&
         lang_interpreter_vendor == other.lang_interpreter_vendor && tracer_version == other.tracer_version &&
         container_id == other.container_id && client_computed_top_level == other.client_computed_top_level &&
         client_computed_stats == other.client_computed_stats;
}

size_t TracerHeaders::memory() const {
  size_t bytes = 0;
  for (const std::string* text :
       {&lang, &lang_version, &lang_interpreter, &lang_interpreter_vendor, &tracer_version, &container_id})
    bytes += text->capacity();
  return bytes;
}

size_t TracerHeaders::MergeHash() const {
  return absl::HashOf(lang, lang_version, lang_interpreter, lang_interpreter_vendor, tracer_version,
                      container_id, client_computed_top_level, client_computed_stats);
}

void TracerHeaders::Merge(const TracerHeaders& other) {
  const auto add = [](uint64_t& sum, uint64_t more) {
    sum = more > UINT64_MAX - sum ? UINT64_MAX : sum + more;
  };
  add(dropped_p0_traces, other.dropped_p0_traces);
  add(dropped_p0_spans, other.dropped_p0_spans);
}

}  // namespace thaw
