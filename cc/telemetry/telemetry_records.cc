#include "cc/telemetry/telemetry_records.h"

#include <algorithm>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cstddef>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cc/base/json_members.h"
#include "cc/base/utf8.h"
#include "cc/telemetry/json_elements.h"

namespace thaw {
namespace {

namespace json = boost::json;
using boost::system::error_code;

// A platform record has a few hundred bytes; as a tree of values it takes many times its length.
constexpr size_t kMaxPlatformRecord = 64 * 1024;

// Largest number of dropped records that one record may report, so that sums don't overflow.
constexpr int64_t kMaxDropped = 1'000'000'000'000;

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
    read.start = ParseTime(start).value_or(absl::InfinitePast());
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

// An element's members, as written.
constexpr std::string_view kTimeMember = "\"time\"";
constexpr std::string_view kTypeMember = "\"type\"";
constexpr std::string_view kRecordMember = "\"record\"";
constexpr std::string_view kElementMembers[] = {kTimeMember, kTypeMember, kRecordMember};

// Bytes of text that are repaired at once.
constexpr size_t kRepairPart = 64 * 1024;

// Nanoseconds, about, that a byte of a platform record takes as a tree of values.
constexpr int64_t kPlatformWork = 4;

}  // namespace

class TelemetryWork::Decoder {
 public:
  Decoder(std::string_view body, absl::Time received, bool is_utf8)
      : received_(received), is_utf8_(is_utf8), elements_(body, kElementMembers) {}

  bool Step(int64_t work, absl::FunctionRef<void(TelemetryRecord&&)> give) {
    while (!done_ && work > 0) {
      switch (doing_) {
        case Doing::kFinding:
          TakeFound(elements_.Next(work));
          work -= kElementWork;
          break;
        case Doing::kChecking:
          Check(work);
          break;
        case Doing::kRepairing:
          Repair(work);
          break;
        case Doing::kReading:
          Read(work, give);
          break;
      }
    }
    return done_;
  }

  TelemetryBatch Take() { return std::move(batch_); }

 private:
  struct Element {
    std::string_view time, type, record;
  };
  // The part of an element's decoding that is under way.
  enum class Doing { kFinding, kChecking, kRepairing, kReading };

  TelemetryCounts& counts() { return batch_.counts; }

  template <typename... Parts>
  void Note(size_t at, const Parts&... problem) {
    if (batch_.first_problem.empty()) batch_.first_problem = absl::StrCat("byte ", at, ": ", problem...);
  }

  void TakeFound(JsonElements::Found found) {
    const size_t at = elements_.begin();
    switch (found) {
      case JsonElements::Found::kMore:
        return;
      case JsonElements::Found::kElement:
        text_ = elements_.text();
        part_ = 0;
        if (is_utf8_) return BeginReading();
        doing_ = Doing::kChecking;
        return;
      case JsonElements::Found::kBroken:
        ++counts().malformed;
        if (batch_.first_problem.empty())
          Note(at, "an element is broken at its byte ", elements_.broken_at(), ": ", elements_.error());
        return;
      case JsonElements::Found::kNoArray:
        ++counts().bodies_refused;
        Note(at, "the body is not an array");
        break;
      case JsonElements::Found::kNotClosed:
        ++counts().bodies_cut;
        Note(at, "the array is not closed");
        break;
      case JsonElements::Found::kTooBroken:
        ++counts().bodies_given_up;
        break;
      case JsonElements::Found::kEnd:
        break;
    }
    done_ = true;
  }

  // Returns the next part of the element's text.
  std::string_view NextPart(int64_t& work) {
    const size_t end = Utf8Cut(text_, std::min(text_.size(), part_ + kRepairPart));
    const std::string_view part = text_.substr(part_, end - part_);
    part_ = end;
    work -= static_cast<int64_t>(part.size());
    return part;
  }

  void Check(int64_t& work) {
    if (!IsValidUtf8(NextPart(work))) {
      ++counts().repaired;
      Note(elements_.begin(), "an element is not UTF-8");
      repaired_.clear();
      repaired_.reserve(3 * text_.size());
      part_ = 0;
      doing_ = Doing::kRepairing;
    } else if (part_ == text_.size()) {
      BeginReading();
    }
  }

  void Repair(int64_t& work) {
    repaired_ += RepairUtf8(NextPart(work));
    if (part_ < text_.size()) return;
    text_ = repaired_;
    BeginReading();
  }

  void BeginReading() {
    doing_ = Doing::kFinding;
    if (text_.front() != '{') {
      ++counts().malformed;
      Note(elements_.begin(), "an element is not an object");
      return;
    }
    element_ = {};
    members_.emplace(text_);
    doing_ = Doing::kReading;
  }

  // Reads the relevant members of a well-formed object, the last of two with one name. A name or value with
  // needless escapes is not recognised.
  void Read(int64_t& work, absl::FunctionRef<void(TelemetryRecord&&)> give) {
    switch (members_->Next(work)) {
      case JsonMemberScan::Found::kMore:
        return;
      case JsonMemberScan::Found::kMember:
        if (members_->key() == kTimeMember) {
          element_.time = members_->value();
        } else if (members_->key() == kTypeMember) {
          element_.type = members_->value();
        } else if (members_->key() == kRecordMember) {
          element_.record = members_->value();
        }
        return;
      case JsonMemberScan::Found::kEnd:
        doing_ = Doing::kFinding;
        TakeElement(element_, elements_.begin(), work, give);
    }
  }

  void TakeElement(const Element& element, size_t begin, int64_t& work,
                   absl::FunctionRef<void(TelemetryRecord&&)> give) {
    TelemetryRecord& record = record_;
    if (Is(element.type, "function")) {
      record.record.emplace<FunctionLog>(FunctionLog{element.record});
    } else if (Is(element.type, "extension")) {
      record.record.emplace<ExtensionLog>(ExtensionLog{element.record});
    } else if (const PlatformType* type = Find(element.type)) {
      work -= kPlatformWork * static_cast<int64_t>(std::min(element.record.size(), kMaxPlatformRecord));
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
      Note(begin, "an element has no readable time");
    }
    ++counts().records;
    give(std::move(record));
  }

  // Returns the text of a JSON string without escapes; empty for other values.
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
      Note(begin, "the record of ", type.name, " is longer than ", kMaxPlatformRecord, " bytes");
      return false;
    }
    unsigned char buffer[4096];
    json::monotonic_resource memory(buffer);
    error_code error;
    const json::value value = json::parse(raw, error, &memory, LenientJson());
    if (error || !value.is_object()) {
      ++counts().incomplete;
      Note(begin, "the record of ", type.name, " is not an object");
      return false;
    }
    const int64_t ignored = counts().members_ignored;
    const bool useful = type.read(JsonMembers(&value.get_object(), counts().members_ignored), into);
    if (counts().members_ignored != ignored) {
      Note(begin, "a member of ", type.name, " is of a wrong type or out of range");
    }
    if (!useful) {
      ++counts().incomplete;
      Note(begin, "the record of ", type.name, " has no requestId");
      return false;
    }
    if (const auto* dropped = std::get_if<PlatformLogsDropped>(&into.record)) {
      counts().platform_dropped_records += dropped->dropped_records;
      counts().platform_dropped_bytes += dropped->dropped_bytes;
    }
    return true;
  }

  const absl::Time received_;
  const bool is_utf8_;
  JsonElements elements_;
  Doing doing_ = Doing::kFinding;
  bool done_ = false;
  std::string_view text_;  // of the element
  size_t part_ = 0;        // the position up to which its text was checked or repaired
  std::string repaired_;
  std::optional<JsonMemberScan> members_;
  Element element_;
  TelemetryRecord record_;
  TelemetryBatch batch_;
};

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

TelemetryWork::TelemetryWork(std::string_view body, absl::Time received, bool is_utf8)
    : decoder_(std::make_unique<Decoder>(body, received, is_utf8)) {}

TelemetryWork::~TelemetryWork() = default;

bool TelemetryWork::Step(int64_t work, absl::FunctionRef<void(TelemetryRecord&&)> give) {
  return decoder_->Step(work, give);
}

TelemetryBatch TelemetryWork::Take() { return decoder_->Take(); }

TelemetryBatch DecodeTelemetry(std::string_view body, absl::Time received,
                               absl::FunctionRef<void(TelemetryRecord&&)> give) {
  TelemetryWork work(body, received, IsValidUtf8(body));
  work.Step(kUnlimitedWork, give);
  return work.Take();
}

}  // namespace thaw
