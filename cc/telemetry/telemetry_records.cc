#include "cc/telemetry/telemetry_records.h"

#include <algorithm>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cstddef>
#include <optional>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "cc/base/json_members.h"
#include "cc/base/utf8.h"
#include "cc/telemetry/json_elements.h"
#include "cc/telemetry/platform_records.h"

namespace thaw {
namespace {

namespace json = boost::json;
using boost::system::error_code;

// A platform record has a few hundred bytes; as a tree of values it takes many times its length.
constexpr size_t kMaxPlatformRecord = 64 * 1024;

// An element's members, as written.
constexpr std::string_view kTimeMember = "\"time\"";
constexpr std::string_view kTypeMember = "\"type\"";
constexpr std::string_view kRecordMember = "\"record\"";
constexpr std::string_view kElementMembers[] = {kTimeMember, kTypeMember, kRecordMember};

// Bytes of text that are repaired at once.
constexpr size_t kRepairPart = 64 * 1024;

// Work that a platform record counts for, and each byte of it as a tree of values. The takers of a record look
// for its invocation, and may evict others.
constexpr int64_t kPlatformRecordWork = 16 * 1024;
constexpr int64_t kPlatformByteWork = 4;

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
  size_t done_bytes() const { return done_bytes_; }

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
        done_bytes_ = elements_.begin() + elements_.text().size();
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
    } else if (const PlatformType* type = FindPlatformType(Unquoted(element.type))) {
      work -= kPlatformRecordWork +
              kPlatformByteWork * static_cast<int64_t>(std::min(element.record.size(), kMaxPlatformRecord));
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
    if (const auto time = ParseTelemetryTime(Unquoted(element.time))) {
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
  size_t done_bytes_ = 0;
  std::string_view text_;  // of the element
  size_t part_ = 0;        // the position up to which its text was checked or repaired
  std::string repaired_;
  std::optional<JsonMemberScan> members_;
  Element element_;
  TelemetryRecord record_;
  TelemetryBatch batch_;
};

TelemetryWork::TelemetryWork(std::string_view body, absl::Time received, bool is_utf8)
    : decoder_(std::make_unique<Decoder>(body, received, is_utf8)) {}

TelemetryWork::~TelemetryWork() = default;

bool TelemetryWork::Step(int64_t work, absl::FunctionRef<void(TelemetryRecord&&)> give) {
  return decoder_->Step(work, give);
}

TelemetryBatch TelemetryWork::Take() { return decoder_->Take(); }

size_t TelemetryWork::done_bytes() const { return decoder_->done_bytes(); }

TelemetryBatch DecodeTelemetry(std::string_view body, absl::Time received,
                               absl::FunctionRef<void(TelemetryRecord&&)> give) {
  TelemetryWork work(body, received, IsValidUtf8(body));
  work.Step(kUnlimitedWork, give);
  return work.Take();
}

}  // namespace thaw
