#include "cc/telemetry/telemetry_records.h"

#include <algorithm>
#include <bitset>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cstddef>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cc/base/json_members.h"
#include "cc/base/utf8.h"

namespace thaw {
namespace {

namespace json = boost::json;
using boost::system::error_code;

// A function's log line is the user's JSON: deeper than any platform record, and bounded all the same, since
// the parser goes down by recursion.
constexpr size_t kMaxDepth = 128;

// An array of which this many times its own size was read in vain is given up. What is merely broken here and
// there stays far below it; it bounds what a hostile body costs.
constexpr size_t kMaxWasteFactor = 32;

// A record of the platform is a few hundred bytes long; as a tree of values it takes many times its length.
constexpr size_t kMaxPlatformRecord = 64 * 1024;

// What one record can say was dropped, so that sums have room.
constexpr int64_t kMaxDropped = 1'000'000'000'000;

// Takes what the parser finds and does nothing: the parser itself checks.
struct Ignore {
  static constexpr size_t max_array_size = std::numeric_limits<size_t>::max();
  static constexpr size_t max_object_size = std::numeric_limits<size_t>::max();
  static constexpr size_t max_string_size = std::numeric_limits<size_t>::max();
  static constexpr size_t max_key_size = std::numeric_limits<size_t>::max();

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_array_begin(error_code&) { return true; }
  bool on_array_end(size_t, error_code&) { return true; }
  bool on_object_begin(error_code&) { return true; }
  bool on_object_end(size_t, error_code&) { return true; }
  bool on_string_part(json::string_view, size_t, error_code&) { return true; }
  bool on_string(json::string_view, size_t, error_code&) { return true; }
  bool on_key_part(json::string_view, size_t, error_code&) { return true; }
  bool on_key(json::string_view, size_t, error_code&) { return true; }
  bool on_number_part(json::string_view, error_code&) { return true; }
  bool on_int64(int64_t, json::string_view, error_code&) { return true; }
  bool on_uint64(uint64_t, json::string_view, error_code&) { return true; }
  bool on_double(double, json::string_view, error_code&) { return true; }
  bool on_bool(bool, error_code&) { return true; }
  bool on_null(error_code&) { return true; }
  bool on_comment_part(json::string_view, error_code&) { return true; }
  bool on_comment(json::string_view, error_code&) { return true; }
};

// Bytes that are not UTF-8 are looked for apart, so that they can be repaired; half a surrogate pair, which
// JavaScript writes, is well-formed JSON.
json::parse_options Leniently() {
  json::parse_options options;
  options.max_depth = kMaxDepth;
  options.allow_invalid_utf8 = true;
  options.allow_invalid_utf16 = true;
  return options;
}

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

size_t SkipSpace(std::string_view text, size_t at) {
  while (at < text.size() && IsSpace(text[at])) ++at;
  return at;
}

// The byte behind the string that begins at `at`; npos if it doesn't end.
size_t StringEnd(std::string_view text, size_t at) {
  while (true) {
    at = text.find_first_of("\"\\", at + 1);
    if (at == std::string_view::npos) return at;
    if (text[at] == '"') return at + 1;
    ++at;  // what is escaped
  }
}

// The byte behind the value that begins at `at`, by its quotes and brackets alone; npos if it doesn't end or
// its brackets don't match. What stands between two commas counts as a value.
size_t BracketedEnd(std::string_view text, size_t at) {
  size_t depth = 0;
  std::bitset<kMaxDepth> is_object;  // deeper ones aren't told apart
  for (size_t i = at; i < text.size(); ++i) {
    switch (text[i]) {
      case '"':
        i = StringEnd(text, i);
        if (i == std::string_view::npos || depth == 0) return i;
        --i;
        break;
      case '{':
      case '[':
        if (depth < is_object.size()) is_object[depth] = text[i] == '{';
        ++depth;
        break;
      case '}':
      case ']':
        // The end of what the value stands in, or one too many.
        if (depth == 0) return i == at ? i + 1 : i;
        --depth;
        if (depth < is_object.size() && is_object[depth] != (text[i] == '}')) return std::string_view::npos;
        if (depth == 0) return i + 1;
        break;
      case ',':
        if (depth == 0) return i;
        break;
      default:
        break;
    }
  }
  return std::string_view::npos;
}

// Where, from `at`, the next element seems to begin: an object of an array whose first member is one of an
// element's. For what can't be told by brackets any more.
size_t NextElement(std::string_view text, size_t at) {
  for (size_t i = text.find('{', at); i != std::string_view::npos; i = text.find('{', i + 1)) {
    size_t before = i;
    while (before > 0 && IsSpace(text[before - 1])) --before;
    if (before > 0 && text[before - 1] != ',' && text[before - 1] != '[') continue;
    const std::string_view rest = text.substr(SkipSpace(text, i + 1));
    for (const std::string_view key : {"\"time\"", "\"type\"", "\"record\""}) {
      if (absl::StartsWith(rest, key)) return i;
    }
  }
  return text.size();
}

std::optional<absl::Time> ParseTime(std::string_view text) {
  absl::Time time;
  if (!absl::ParseTime(absl::RFC3339_full, text, &time, nullptr)) return std::nullopt;
  return time;
}

TelemetryStatus StatusOf(std::string_view text) {
  for (const TelemetryStatus status : {TelemetryStatus::kSuccess, TelemetryStatus::kError,
                                       TelemetryStatus::kFailure, TelemetryStatus::kTimeout}) {
    if (absl::EqualsIgnoreCase(text, ToString(status))) return status;
  }
  return TelemetryStatus::kUnknown;
}

InitPhase PhaseOf(std::string_view text) {
  if (text == "init") return InitPhase::kInit;
  if (text == "invoke") return InitPhase::kInvoke;
  if (text == "snap-start") return InitPhase::kSnapStart;
  return InitPhase::kUnknown;
}

// A word that is not known leaves what it is read into unknown, and is counted.
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
    read.start = ParseTime(start).value_or(absl::InfinitePast());
    read.duration = *duration;
    into.push_back(std::move(read));
  });
}

// -- Record types: each reads its members and says whether the record is of any use -----------------------

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

struct PlatformType {
  std::string_view name;
  bool (*read)(const JsonMembers&, TelemetryRecord&);
};

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

// -- The body ---------------------------------------------------------------------------------------------

class Decoder {
 public:
  Decoder(std::string_view body, absl::Time received, absl::FunctionRef<void(TelemetryRecord&&)> give)
      : body_(body), received_(received), give_(give), check_(Leniently()) {}

  TelemetryBatch Run() {
    size_t at = SkipSpace(body_, 0);
    if (at == body_.size() || body_[at] != '[') {
      ++counts().bodies_refused;
      Note(at, "the body is no array");
      return std::move(batch_);
    }
    all_utf8_ = IsValidUtf8(body_);
    size_t waste_left = kMaxWasteFactor * body_.size();
    for (++at;;) {
      at = SkipSpace(body_, at);
      if (at == body_.size()) {
        ++counts().bodies_cut;
        Note(at, "the array is not closed");
        break;
      }
      if (body_[at] == ']') break;
      if (body_[at] == ',') {
        ++at;
        continue;
      }
      const size_t checked = Check(at);
      if (!check_.last_error()) {
        TakeElement(at, checked);
        at = checked;
        continue;
      }
      ++counts().malformed;
      Note(at, absl::StrCat("an element is broken at its byte ", checked - at, ": ",
                            check_.last_error().message()));
      const size_t end = BracketedEnd(body_, at);
      const size_t read_to = end == std::string_view::npos ? body_.size() : end;
      const size_t wasted = (checked - at) + (read_to - at);
      at = end == std::string_view::npos ? NextElement(body_, at + 1) : end;
      if (wasted > waste_left) {
        ++counts().bodies_given_up;
        break;
      }
      waste_left -= wasted;
    }
    return std::move(batch_);
  }

 private:
  struct Element {
    std::string_view time, type, record;
  };

  TelemetryCounts& counts() { return batch_.counts; }

  void Note(size_t at, std::string_view problem) {
    if (batch_.first_problem.empty()) batch_.first_problem = absl::StrCat("byte ", at, ": ", problem);
  }

  // The byte behind the JSON value that begins at `at`, or where it is found to be none: last_error().
  size_t Check(size_t at) {
    check_.reset();
    error_code error;
    const std::string_view rest = body_.substr(at);
    const size_t used = check_.write_some(/*more=*/false, rest.data(), rest.size(), error);
    return at + used;
  }

  // `body_` from `begin` to `end` is well-formed but for its UTF-8.
  void TakeElement(size_t begin, size_t end) {
    std::string_view text = body_.substr(begin, end - begin);
    if (!all_utf8_ && !IsValidUtf8(text)) {
      repaired_ = RepairUtf8(text);
      text = repaired_;
      ++counts().repaired;
      Note(begin, "an element is not UTF-8");
    }
    if (text.front() != '{') {
      ++counts().malformed;
      Note(begin, "an element is no object");
      return;
    }
    const Element element = Take(text);
    TelemetryRecord& record = record_;
    if (Is(element.type, "function")) {
      record.record.emplace<FunctionLog>(FunctionLog{element.record});
    } else if (Is(element.type, "extension")) {
      record.record.emplace<ExtensionLog>(ExtensionLog{element.record});
    } else if (const PlatformType* type = Find(element.type)) {
      if (!TakePlatform(begin, *type, element.record, record)) return;
    } else {
      ++counts().unknown_types;
      Note(begin, "an element's type is not known");
      return;
    }
    if (element.record.empty()) {
      ++counts().incomplete;
      Note(begin, "an element has no record");
      return;
    }
    if (const auto time = ParseTime(Unquoted(element.time))) {
      record.time = *time;
    } else {
      record.time = received_;
      ++counts().times_replaced;
      Note(begin, "an element has no time that can be read");
    }
    ++counts().records;
    give_(std::move(record));
  }

  // The members of a well-formed object that matter; of two of one name the last. A name or value written
  // with escapes that it doesn't need is taken for another.
  static Element Take(std::string_view text) {
    Element element;
    for (size_t at = SkipSpace(text, 1); text[at] != '}'; at = SkipSpace(text, at)) {
      if (text[at] == ',') {
        ++at;
        continue;
      }
      const size_t key_end = StringEnd(text, at);
      const std::string_view key = text.substr(at, key_end - at);
      const size_t value = SkipSpace(text, SkipSpace(text, key_end) + 1);  // behind the colon
      at = BracketedEnd(text, value);
      std::string_view raw = absl::StripTrailingAsciiWhitespace(text.substr(value, at - value));
      if (key == "\"time\"") {
        element.time = raw;
      } else if (key == "\"type\"") {
        element.type = raw;
      } else if (key == "\"record\"") {
        element.record = raw;
      }
    }
    return element;
  }

  // The text of a JSON string without escapes; empty if it is no string.
  static std::string_view Unquoted(std::string_view raw) {
    if (raw.size() < 2 || raw.front() != '"') return {};
    return raw.substr(1, raw.size() - 2);
  }
  static bool Is(std::string_view raw, std::string_view name) { return Unquoted(raw) == name; }

  static const PlatformType* Find(std::string_view raw) {
    for (const PlatformType& type : kPlatformTypes) {
      if (Is(raw, type.name)) return &type;
    }
    return nullptr;
  }

  bool TakePlatform(size_t begin, const PlatformType& type, std::string_view raw, TelemetryRecord& into) {
    if (raw.size() > kMaxPlatformRecord) {
      ++counts().incomplete;
      Note(begin,
           absl::StrCat("the record of ", type.name, " is longer than ", kMaxPlatformRecord, " bytes"));
      return false;
    }
    unsigned char buffer[4096];
    json::monotonic_resource memory(buffer);
    error_code error;
    const json::value value = json::parse(raw, error, &memory, Leniently());
    if (error || !value.is_object()) {
      ++counts().incomplete;
      Note(begin, absl::StrCat("the record of ", type.name, " is no object"));
      return false;
    }
    const int64_t ignored = counts().members_ignored;
    const bool useful = type.read(JsonMembers(&value.get_object(), counts().members_ignored), into);
    if (counts().members_ignored != ignored) {
      Note(begin, absl::StrCat("a member of ", type.name, " is of a wrong type or out of range"));
    }
    if (!useful) {
      ++counts().incomplete;
      Note(begin, absl::StrCat("the record of ", type.name, " has no requestId"));
      return false;
    }
    if (const auto* dropped = std::get_if<PlatformLogsDropped>(&into.record)) {
      counts().platform_dropped_records += dropped->dropped_records;
      counts().platform_dropped_bytes += dropped->dropped_bytes;
    }
    return true;
  }

  const std::string_view body_;
  const absl::Time received_;
  const absl::FunctionRef<void(TelemetryRecord&&)> give_;
  json::basic_parser<Ignore> check_;
  bool all_utf8_ = false;
  std::string repaired_;
  TelemetryRecord record_;
  TelemetryBatch batch_;
};

}  // namespace

std::string_view ToString(TelemetryStatus status) {
  switch (status) {
    case TelemetryStatus::kUnknown:
      return "unknown";
    case TelemetryStatus::kSuccess:
      return "success";
    case TelemetryStatus::kError:
      return "error";
    case TelemetryStatus::kFailure:
      return "failure";
    case TelemetryStatus::kTimeout:
      return "timeout";
  }
  return "unknown";
}

TelemetryBatch DecodeTelemetry(std::string_view body, absl::Time received,
                               absl::FunctionRef<void(TelemetryRecord&&)> give) {
  return Decoder(body, received, give).Run();
}

}  // namespace thaw
