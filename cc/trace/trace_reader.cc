#include "cc/trace/trace_reader.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "cc/base/reserve.h"
#include "cc/trace/trace_reader_internal.h"

namespace thaw {
namespace {

enum class SpanKey {
  kService,
  kName,
  kResource,
  kTraceId,
  kSpanId,
  kParentId,
  kStart,
  kDuration,
  kError,
  kMeta,
  kMetrics,
  kType,
  kMetaStruct,
  kSpanLinks,
  kSpanEvents,
  kUnknown,
};

SpanKey KeyOf(std::string_view key) {
  switch (key.size()) {
    case 4:
      return key == "name"   ? SpanKey::kName
             : key == "meta" ? SpanKey::kMeta
             : key == "type" ? SpanKey::kType
                             : SpanKey::kUnknown;
    case 5:
      return key == "start" ? SpanKey::kStart : key == "error" ? SpanKey::kError : SpanKey::kUnknown;
    case 7:
      return key == "service"   ? SpanKey::kService
             : key == "span_id" ? SpanKey::kSpanId
             : key == "metrics" ? SpanKey::kMetrics
                                : SpanKey::kUnknown;
    case 8:
      return key == "resource"   ? SpanKey::kResource
             : key == "trace_id" ? SpanKey::kTraceId
             : key == "duration" ? SpanKey::kDuration
                                 : SpanKey::kUnknown;
    case 9:
      return key == "parent_id" ? SpanKey::kParentId : SpanKey::kUnknown;
    case 10:
      return key == "span_links" ? SpanKey::kSpanLinks : SpanKey::kUnknown;
    case 11:
      return key == "meta_struct"   ? SpanKey::kMetaStruct
             : key == "span_events" ? SpanKey::kSpanEvents
                                    : SpanKey::kUnknown;
    default:
      return SpanKey::kUnknown;
  }
}

// The number of values of a v0.5 span, which come in a fixed order.
constexpr uint32_t kV05Values = 12;

}  // namespace

absl::Status TraceReader::ReadHead() {
  phase_ = Phase::kBegin;
  if (format_ != TraceFormat::kV05) return absl::OkStatus();
  uint32_t parts;
  if (!reader_.ReadArray(parts)) return reader_.error();
  if (parts != 2)
    return absl::InvalidArgumentError(
        absl::StrCat("at byte 0: expected an array of a string table and of traces, found one of ", parts));
  const size_t position = reader_.position();
  if (!reader_.ReadArray(strings_left_)) return reader_.error();
  if (strings_left_ > kMaxStrings)
    return absl::InvalidArgumentError(absl::StrCat("at byte ", position, ": expected a table of at most ",
                                                   kMaxStrings, " strings, found one of ", strings_left_));
  phase_ = Phase::kTable;
  return Reserve(strings_, strings_left_, charge_);
}

absl::Status TraceReader::ReadTable(int64_t& work) {
  for (; strings_left_ > 0 && work > 0; --strings_left_) {
    std::string_view text;
    if (skipping_.begun() || !reader_.ReadString(text)) {
      // An element that is no string loses only the spans that refer to it.
      THAW_ASSIGN_OR_RETURN(const bool passed, PassOver(work));
      if (!passed) return absl::OkStatus();
    }
    strings_.push_back(text);
    work -= kItemWork;
  }
  if (strings_left_ == 0) phase_ = Phase::kBegin;
  return absl::OkStatus();
}

absl::Status TraceReader::BeginTraces() {
  phase_ = Phase::kTraces;
  return reader_.ReadArray(traces_left_) ? absl::OkStatus() : reader_.error();
}

absl::StatusOr<bool> TraceReader::PassOver(int64_t& work) {
  const uint64_t values = skipping_.begun() ? skipping_.values() : 0;
  // A large value is skipped at once.
  constexpr int64_t kWorkOfValue = 4;
  const MsgpackReader::Skipped skipped =
      reader_.SkipOn(skipping_, static_cast<uint64_t>(std::max<int64_t>(work, kWorkOfValue)) / kWorkOfValue);
  if (skipped == MsgpackReader::Skipped::kFailed) return reader_.error();
  work -= kWorkOfValue * static_cast<int64_t>(skipping_.values() - values);
  return skipped == MsgpackReader::Skipped::kDone;
}

absl::Status TraceReader::ReadTail() {
  phase_ = Phase::kDone;
  if (reader_.at_end()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("at byte ", reader_.position(), ": ", reader_.bytes_left(),
                                                 " bytes follow the end of the array of traces"));
}

bool TraceReader::ReadTrace(uint32_t& spans) {
  spans = 0;
  problem_.clear();
  return reader_.TakeNil() || reader_.ReadArray(spans);
}

bool TraceReader::Read(SpanRecord& span) {
  problem_.clear();
  structures_end_ = 0;
  span.Clear();
  return format_ == TraceFormat::kV04 ? ReadV04(span) : ReadV05(span);
}

void TraceReader::Remember(std::string& first_problem) const {
  if (!first_problem.empty()) return;
  first_problem = problem_.empty() ? std::string(reader_.error().message()) : problem_;
}

bool TraceReader::Bad(std::string_view what) {
  problem_ = absl::StrCat("at byte ", reader_.position(), ": ", what);
  return false;
}

bool TraceReader::LeaveOut(SpanRecord& span) {
  if (!memory_.ok()) return false;
  if (problem_.empty()) problem_ = std::string(reader_.error().message());
  ++span.values_left_out;
  return reader_.Skip();
}

// PHP writes an empty map as an empty array.
bool TraceReader::MapHead(uint32_t& entries) {
  if (reader_.ReadMap(entries)) [[likely]]
    return true;
  const size_t position = reader_.position();
  if (reader_.ReadArray(entries) && entries == 0) return true;
  reader_.MoveTo(position);
  return reader_.ReadMap(entries);
}

bool TraceReader::ArrayHead(uint32_t& count) {
  if (reader_.ReadArray(count)) [[likely]]
    return true;
  const size_t position = reader_.position();
  if (reader_.ReadMap(count) && count == 0) return true;
  reader_.MoveTo(position);
  return reader_.ReadArray(count);
}

bool TraceReader::ReadV04(SpanRecord& span) {
  uint32_t entries;
  return reader_.ReadMap(entries) && Entries(span, entries, [this, &span](std::string_view key) {
           const auto text = [this, &span](std::string_view& value) {
             return reader_.ReadString(value) || Text(span, value);
           };
           switch (KeyOf(key)) {
             case SpanKey::kService:
               return text(span.service);
             case SpanKey::kName:
               return text(span.name);
             case SpanKey::kResource:
               return text(span.resource);
             case SpanKey::kType:
               return text(span.type);
             case SpanKey::kTraceId:
               return Id(span.trace_id);
             case SpanKey::kSpanId:
               return Id(span.span_id);
             case SpanKey::kParentId:
               return Id(span.parent_id);
             case SpanKey::kStart:
               return Moment(span.start);
             case SpanKey::kDuration:
               return Duration(span);
             case SpanKey::kError:
               return Error(span);
             case SpanKey::kMeta:
               return Meta(span, text, text);
             case SpanKey::kMetrics:
               return Metrics(span, text);
             case SpanKey::kMetaStruct:
               return RoomForStructures(span) && Item(span, [this, &span] { return MetaStruct(span); });
             case SpanKey::kSpanLinks:
               return RoomForStructures(span) && Item(span, [this, &span] { return SpanLinks(span); });
             case SpanKey::kSpanEvents:
               return RoomForStructures(span) && Item(span, [this, &span] { return SpanEvents(span); });
             case SpanKey::kUnknown:
               break;
           }
           return reader_.Skip();
         });
}

bool TraceReader::ReadV05(SpanRecord& span) {
  uint32_t values;
  if (!reader_.ReadArray(values)) return false;
  if (values != kV05Values)
    return Bad(absl::StrCat("expected the ", kV05Values, " values of a span, found ", values));
  const auto text = [this, &span](std::string_view& value) { return TableText(span, value); };
  const auto integer = [this](uint64_t& value) { return Id(value); };
  // nil is the zero value, as in v0.4.
  const auto optional = [this](auto read, auto& value) { return reader_.TakeNil() || read(value); };
  return optional(text, span.service) && optional(text, span.name) && optional(text, span.resource) &&
         optional(integer, span.trace_id) && optional(integer, span.span_id) &&
         optional(integer, span.parent_id) &&
         optional([this](int64_t& value) { return Moment(value); }, span.start) &&
         (reader_.TakeNil() || Duration(span)) && (reader_.TakeNil() || Error(span)) &&
         (reader_.TakeNil() || Meta(span, text, text)) && (reader_.TakeNil() || Metrics(span, text)) &&
         optional(text, span.type);
}

bool TraceReader::TableString(std::string_view& text) {
  const size_t position = reader_.position();
  uint64_t index;
  if (!reader_.ReadInteger(index)) return false;
  if (index < strings_.size() && strings_[index].data() != nullptr) {
    text = strings_[index];
    return true;
  }
  reader_.MoveTo(position);
  if (index < strings_.size())
    return Bad(absl::StrCat("entry ", index, " of the string table is not a string"));
  return Bad(absl::StrCat("there is no string ", index, " in the table of ", strings_.size()));
}

bool TraceReader::TableText(SpanRecord& span, std::string_view& text) {
  if (TableString(text)) [[likely]]
    return true;
  const size_t position = reader_.position();
  uint64_t index;
  if (reader_.ReadInteger(index)) {
    // An index of no string has no other meaning.
    reader_.MoveTo(position);
    return false;
  }
  return reader_.ReadString(text) || ConvertToText(span, text) || reader_.ReadInteger(index);
}

bool TraceReader::Text(SpanRecord& span, std::string_view& text) {
  if (reader_.ReadString(text)) [[likely]]
    return true;
  return ConvertToText(span, text) || reader_.ReadString(text);
}

bool TraceReader::Id(uint64_t& id) {
  if (reader_.ReadInteger(id)) [[likely]]
    return true;
  return ConvertToId(id) || reader_.ReadInteger(id);
}

bool TraceReader::Time(int64_t& nanos) {
  uint64_t bits;
  if (reader_.ReadInteger(bits)) [[likely]] {
    nanos = static_cast<int64_t>(bits);
    return true;
  }
  return ConvertToInteger(nanos, /*may_be_bool=*/false) || reader_.ReadInteger(bits);
}

bool TraceReader::Moment(int64_t& nanos) { return Time(nanos) || ConvertToMoment(nanos) || Time(nanos); }

bool TraceReader::Duration(SpanRecord& span) {
  int64_t duration;
  if (!Time(duration)) return false;
  span.duration = std::max<int64_t>(duration, 0);
  return true;
}

bool TraceReader::Error(SpanRecord& span) {
  uint64_t bits;
  int64_t error;
  if (reader_.ReadInteger(bits)) [[likely]] {
    error = static_cast<int64_t>(bits);
  } else if (!ConvertToInteger(error, /*may_be_bool=*/true)) {
    return reader_.ReadInteger(bits);
  }
  // A number that is too large is clamped, so that an error never becomes 0.
  constexpr int64_t kLow = std::numeric_limits<int32_t>::min(), kHigh = std::numeric_limits<int32_t>::max();
  span.error = static_cast<int32_t>(std::clamp(error, kLow, kHigh));
  return true;
}

bool TraceReader::Number(double& value) {
  if (reader_.ReadNumber(value)) [[likely]]
    return true;
  return ConvertToNumber(value, /*may_be_bool=*/true) || reader_.ReadNumber(value);
}

template <typename Container>
bool TraceReader::RoomIn(Container& container, size_t count) {
  // Spare places for the tags that processing adds.
  constexpr size_t kSpare = 8;
  if (count + kSpare <= container.capacity()) [[likely]]
    return true;
  memory_ = Reserve(container, std::max(count, 2 * container.capacity()) + kSpare, charge_);
  return memory_.ok();
}

// Room for all entries is made before any is read, so that nothing grows during the reading.

template <typename ReadKey, typename ReadText>
bool TraceReader::Meta(SpanRecord& span, ReadKey read_key, ReadText read_text) {
  uint32_t entries;
  if (!MapHead(entries)) return LeaveOut(span);
  size_t size = span.meta.size();
  if (size + entries > kMaxTags) return Bad(absl::StrCat("a span with more than ", kMaxTags, " tags"));
  if (!RoomIn(span.meta, size + entries)) return false;
  span.meta.resize(size + entries);
  for (; entries > 0; --entries) {
    SpanMeta& entry = span.meta[size];
    if (!read_key(entry.key)) [[unlikely]] {
      if (!LeaveOut(span) || !reader_.Skip()) return false;
      continue;
    }
    if (reader_.TakeNil()) continue;
    if (!read_text(entry.value)) [[unlikely]] {
      if (!LeaveOut(span)) return false;
      continue;
    }
    ++size;
  }
  span.meta.resize(size);
  return true;
}

template <typename ReadText>
bool TraceReader::Metrics(SpanRecord& span, ReadText read_text) {
  uint32_t entries;
  if (!MapHead(entries)) return LeaveOut(span);
  size_t size = span.metrics.size();
  if (size + entries > kMaxTags) return Bad(absl::StrCat("a span with more than ", kMaxTags, " metrics"));
  if (!RoomIn(span.metrics, size + entries)) return false;
  span.metrics.resize(size + entries);
  for (; entries > 0; --entries) {
    SpanMetric& metric = span.metrics[size];
    if (!read_text(metric.key)) [[unlikely]] {
      if (!LeaveOut(span) || !reader_.Skip()) return false;
      continue;
    }
    if (reader_.TakeNil()) continue;
    if (!Number(metric.value)) [[unlikely]] {
      if (!LeaveOut(span)) return false;
      continue;
    }
    if (std::isfinite(metric.value)) {
      ++size;
    } else {
      ++span.metrics_not_finite;
    }
  }
  span.metrics.resize(size);
  return true;
}

}  // namespace thaw
