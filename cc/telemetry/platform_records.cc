#include "cc/telemetry/platform_records.h"

#include <algorithm>
#include <boost/json/value.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/time/civil_time.h"

namespace thaw {
namespace {

namespace json = boost::json;

// Largest number of dropped records that one record may report, so that sums don't overflow.
constexpr int64_t kMaxDropped = 1'000'000'000'000;

TelemetryStatus StatusOf(std::string_view text) {
  for (const TelemetryStatus status : kTelemetryStatuses)
    if (absl::EqualsIgnoreCase(text, ToString(status))) return status;
  return TelemetryStatus::kUnknown;
}

InitPhase PhaseOf(std::string_view text) {
  if (text == "init") return InitPhase::kInit;
  if (text == "invoke") return InitPhase::kInvoke;
  if (text == "snap-start") return InitPhase::kSnapStart;
  return InitPhase::kUnknown;
}

// Reads a status; an unknown word becomes kUnknown and is counted.
void ReadStatus(const JsonMembers& members, TelemetryStatus& into) {
  std::string text;
  members.Read("status", text);
  into = StatusOf(text);
  if (into == TelemetryStatus::kUnknown && !text.empty()) members.Ignore();
}

void ReadPhase(const JsonMembers& members, InitPhase& into) {
  std::string text;
  members.Read("phase", text);
  into = PhaseOf(text);
  if (into == InitPhase::kUnknown && !text.empty()) members.Ignore();
}

void ReadSpans(const JsonMembers& members, std::vector<TelemetrySpan>& into) {
  members.ForEach("spans", [&members, &into](const json::value& item) {
    const JsonMembers span = members.OfItem(item);
    TelemetrySpan read;
    std::optional<absl::Duration> duration;
    std::string start;
    span.Read("name", read.name);
    span.Read("start", start);
    span.ReadMilliseconds("durationMs", duration);
    if (read.name.empty() || !duration.has_value()) {
      members.Ignore();
      return;
    }
    read.start = ParseTelemetryTime(start).value_or(absl::InfinitePast());
    read.duration = *duration;
    into.push_back(std::move(read));
  });
}

// -- Record types: each reads its members and says whether the record is useful -----------------------------

void ReadInit(const JsonMembers& members, std::string& initialization_type, InitPhase& phase) {
  members.Read("initializationType", initialization_type);
  ReadPhase(members, phase);
}

template <typename Record>
void ReadEnd(const JsonMembers& members, Record& record) {
  ReadStatus(members, record.status);
  members.Read("errorType", record.error_type);
  ReadSpans(members, record.spans);
}

template <typename Record>
void ReadInstance(const JsonMembers& members, Record& record) {
  members.Read("runtimeVersion", record.runtime_version);
  members.Read("runtimeVersionArn", record.runtime_version_arn);
  members.Read("functionName", record.function_name);
  members.Read("functionVersion", record.function_version);
  members.Read("instanceId", record.instance_id);
  members.Read("instanceMaxMemory", record.instance_max_memory);
}

template <typename Record>
bool ReadRequest(const JsonMembers& members, Record& record) {
  members.Read("requestId", record.request_id);
  members.Of("tracing").Read("value", record.tracing_header);
  return !record.request_id.empty();
}

bool Read(const JsonMembers& members, PlatformInitStart& record) {
  ReadInit(members, record.initialization_type, record.phase);
  ReadInstance(members, record);
  return true;
}

bool Read(const JsonMembers& members, PlatformInitRuntimeDone& record) {
  ReadInit(members, record.initialization_type, record.phase);
  ReadEnd(members, record);
  return true;
}

bool Read(const JsonMembers& members, PlatformInitReport& record) {
  ReadInit(members, record.initialization_type, record.phase);
  ReadEnd(members, record);
  members.Of("metrics").ReadMilliseconds("durationMs", record.duration);
  return true;
}

bool Read(const JsonMembers& members, PlatformStart& record) {
  members.Read("version", record.version);
  members.Read("functionArn", record.function_arn);
  return ReadRequest(members, record);
}

bool Read(const JsonMembers& members, PlatformRuntimeDone& record) {
  ReadEnd(members, record);
  const JsonMembers metrics = members.Of("metrics");
  metrics.ReadMilliseconds("durationMs", record.duration);
  metrics.Read("producedBytes", record.produced_bytes);
  return ReadRequest(members, record);
}

bool Read(const JsonMembers& members, PlatformReport& record) {
  ReadEnd(members, record);
  const JsonMembers metrics = members.Of("metrics");
  metrics.ReadMilliseconds("durationMs", record.duration);
  metrics.ReadMilliseconds("billedDurationMs", record.billed_duration);
  metrics.Read("memorySizeMB", record.memory_size_megabytes);
  metrics.Read("maxMemoryUsedMB", record.max_memory_used_megabytes);
  metrics.ReadMilliseconds("initDurationMs", record.init_duration);
  metrics.ReadMilliseconds("restoreDurationMs", record.restore_duration);
  metrics.ReadMilliseconds("billedRestoreDurationMs", record.billed_restore_duration);
  return ReadRequest(members, record);
}

bool Read(const JsonMembers& members, PlatformRestoreStart& record) {
  ReadInstance(members, record);
  return true;
}

bool Read(const JsonMembers& members, PlatformRestoreRuntimeDone& record) {
  ReadEnd(members, record);
  return true;
}

bool Read(const JsonMembers& members, PlatformRestoreReport& record) {
  ReadEnd(members, record);
  members.Of("metrics").ReadMilliseconds("durationMs", record.duration);
  return true;
}

bool Read(const JsonMembers& members, PlatformExtension& record) {
  members.Read("name", record.name);
  members.Read("state", record.state);
  members.Read("events", record.events);
  members.Read("errorType", record.error_type);
  return true;
}

bool Read(const JsonMembers& members, PlatformTelemetrySubscription& record) {
  members.Read("name", record.name);
  members.Read("state", record.state);
  members.Read("types", record.types);
  return true;
}

bool Read(const JsonMembers& members, PlatformLogsDropped& record) {
  members.Read("reason", record.reason);
  std::optional<int64_t> records, bytes;
  members.Read("droppedRecords", records);
  members.Read("droppedBytes", bytes);
  record.dropped_records = std::min(records.value_or(0), kMaxDropped);
  record.dropped_bytes = std::min(bytes.value_or(0), kMaxDropped);
  return true;
}

template <typename Record>
bool ReadInto(const JsonMembers& members, TelemetryRecord& into) {
  return Read(members, into.record.emplace<Record>());
}

constexpr PlatformType kPlatformTypes[] = {
    {"platform.start", ReadInto<PlatformStart>},
    {"platform.runtimeDone", ReadInto<PlatformRuntimeDone>},
    {"platform.report", ReadInto<PlatformReport>},
    {"platform.initStart", ReadInto<PlatformInitStart>},
    {"platform.initRuntimeDone", ReadInto<PlatformInitRuntimeDone>},
    {"platform.initReport", ReadInto<PlatformInitReport>},
    {"platform.restoreStart", ReadInto<PlatformRestoreStart>},
    {"platform.restoreRuntimeDone", ReadInto<PlatformRestoreRuntimeDone>},
    {"platform.restoreReport", ReadInto<PlatformRestoreReport>},
    {"platform.extension", ReadInto<PlatformExtension>},
    {"platform.telemetrySubscription", ReadInto<PlatformTelemetrySubscription>},
    {"platform.logsDropped", ReadInto<PlatformLogsDropped>},
};

// -- Times --------------------------------------------------------------------------------------------------

// Reads the one form in which Lambda writes times. Returns nullopt for other forms and for fields out of range.
std::optional<absl::Time> ParseUtcMillis(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00T00:00:00.000Z";
  if (text.size() != kForm.size()) return std::nullopt;
  for (size_t i = 0; i < kForm.size(); ++i) {
    const bool fits =
        kForm[i] == '0' ? absl::ascii_isdigit(static_cast<unsigned char>(text[i])) : text[i] == kForm[i];
    if (!fits) return std::nullopt;
  }
  const auto number = [text](size_t at, size_t digits) {
    int64_t value = 0;
    for (const char digit : text.substr(at, digits)) value = 10 * value + (digit - '0');
    return value;
  };
  const int64_t month = number(5, 2), day = number(8, 2);
  const int64_t hour = number(11, 2), minute = number(14, 2), second = number(17, 2);
  // A day that is out of range becomes one of another month.
  const absl::CivilDay date(number(0, 4), month, day);
  if (date.month() != month || date.day() != day || hour > 23 || minute > 59 || second > 59)
    return std::nullopt;
  const int64_t seconds = 60 * (60 * (24 * (date - absl::CivilDay()) + hour) + minute) + second;
  return absl::FromUnixMillis(1000 * seconds + number(20, 3));
}

}  // namespace

const PlatformType* FindPlatformType(std::string_view name) {
  for (const PlatformType& type : kPlatformTypes) {
    if (type.name == name) return &type;
  }
  return nullptr;
}

std::optional<absl::Time> ParseTelemetryTime(std::string_view text) {
  if (const std::optional<absl::Time> usual = ParseUtcMillis(text)) return usual;
  absl::Time time;
  if (!absl::ParseTime(absl::RFC3339_full, text, &time, nullptr)) return std::nullopt;
  return time;
}

}  // namespace thaw
