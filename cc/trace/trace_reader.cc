#include "cc/trace/trace_reader.h"

#include <cmath>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cc/base/msgpack_scalars.h"
#include "cc/base/reserve.h"
#include "cc/base/utf8.h"
#include "cc/trace/trace_fields.h"

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

// Returns `text` if it is UTF-8, else `repaired`.
std::string_view Utf8(std::string_view text, std::string& repaired, SpanRecord& span) {
  if (IsValidUtf8(text)) [[likely]]
    return text;
  ++span.strings_repaired;
  repaired = RepairUtf8(text);
  return repaired;
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

template <typename ReadValue>
bool TraceReader::Map(SpanRecord& span, ReadValue read) {
  uint32_t entries;
  return MapHead(entries) && Entries(span, entries, read);
}

// Reads a map's entries: `read` takes the value of each key that is not nil.
template <typename ReadValue>
bool TraceReader::Entries(SpanRecord& span, uint32_t entries, ReadValue read) {
  for (; entries > 0; --entries) {
    std::string_view key;
    if (!reader_.ReadString(key)) [[unlikely]] {
      if (!ReadScalarText(reader_, key_)) {
        // The value has no other name.
        if (reader_.ReadString(key) || !LeaveOut(span) || !reader_.Skip()) return false;
        continue;
      }
      if (!RoomForConverted(span)) return false;
      key = key_;
    }
    if (!reader_.TakeNil() && !read(key)) return false;
  }
  return true;
}

template <typename ReadItem>
bool TraceReader::Item(SpanRecord& span, ReadItem read) {
  const size_t position = reader_.position(), written = span.structures.size();
  if (read()) [[likely]]
    return true;
  span.structures.Truncate(written);
  if (problem_.empty()) problem_ = std::string(reader_.error().message());
  reader_.MoveTo(position);
  return LeaveOut(span);
}

template <typename ReadItem>
bool TraceReader::Items(SpanRecord& span, uint32_t count, ReadItem read) {
  for (; count > 0; --count)
    if (!Item(span, read)) return false;
  return true;
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

// -- Values of another type ------------------------------------------------------------------------------

bool TraceReader::ConvertToText(SpanRecord& span, std::string_view& text) {
  if (span.converted.taken() == kMaxConverted)
    return Bad(absl::StrCat("a span with more than ", kMaxConverted, " numbers in place of text"));
  std::string& converted = span.converted.Take();
  if (!ReadScalarText(reader_, converted)) return false;
  text = converted;
  return true;
}

bool TraceReader::ConvertToId(uint64_t& id) {
  // Beyond 53 bits a float does not say which integer was meant.
  constexpr double kExact = 9'007'199'254'740'992.0;
  const size_t position = reader_.position();
  double number;
  std::string_view text;
  if (reader_.ReadNumber(number)) {
    if (number >= 0 && number <= kExact && std::trunc(number) == number) {
      id = static_cast<uint64_t>(number);
      return true;
    }
  } else if (reader_.ReadString(text) && absl::SimpleAtoi(text, &id)) {
    return true;
  }
  reader_.MoveTo(position);
  return false;
}

bool TraceReader::ConvertToInteger(int64_t& value, bool may_be_bool) {
  const size_t position = reader_.position();
  double number;
  std::string_view text;
  if (reader_.ReadString(text) && absl::SimpleAtoi(text, &value)) return true;
  reader_.MoveTo(position);
  constexpr double kBeyond = 9'223'372'036'854'775'808.0;
  if (ConvertToNumber(number, may_be_bool) && number >= -kBeyond && number < kBeyond) {
    value = static_cast<int64_t>(std::round(number));
    // A value that is not zero must not become zero.
    if (may_be_bool && value == 0 && number != 0) value = 1;
    return true;
  }
  reader_.MoveTo(position);
  return false;
}

bool TraceReader::ConvertToNumber(double& value, bool may_be_bool) {
  const size_t position = reader_.position();
  bool flag;
  std::string_view text;
  if (reader_.ReadNumber(value)) return true;
  if (may_be_bool && reader_.ReadBool(flag)) {
    value = flag ? 1 : 0;
    return true;
  }
  if (reader_.ReadString(text) && absl::SimpleAtod(text, &value)) return true;
  reader_.MoveTo(position);
  return false;
}

bool TraceReader::ConvertToMoment(int64_t& nanos) {
  const size_t position = reader_.position();
  int64_t seconds;
  uint32_t rest;
  if (reader_.ReadTimestamp(seconds, rest) && !__builtin_mul_overflow(seconds, 1'000'000'000, &nanos) &&
      !__builtin_add_overflow(nanos, int64_t{rest}, &nanos)) {
    return true;
  }
  reader_.MoveTo(position);
  return false;
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

// A value of a structure becomes at most three times as many bytes: an empty value, or bytes that are not
// UTF-8. A converted one becomes more, by less than the framing.
constexpr size_t kStructureGrowth = 3, kStructureFraming = 64;

bool TraceReader::RoomForStructures(SpanRecord& span) {
  const size_t position = reader_.position();
  if (!reader_.Skip()) return false;
  structures_end_ = reader_.position();
  reader_.MoveTo(position);
  return RoomForConverted(span);
}

bool TraceReader::RoomForConverted(SpanRecord& span) {
  const size_t left = structures_end_ - std::min(structures_end_, reader_.position());
  memory_ = span.structures.ReserveMore(kStructureGrowth * left + kStructureFraming, charge_);
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

bool TraceReader::MetaStruct(SpanRecord& span) {
  return Map(span, [this, &span](std::string_view key) {
    std::string_view value;
    if (!reader_.ReadString(value)) return LeaveOut(span);
    std::string repaired;
    // The value has the type bytes: its content is not looked at.
    span.structures.StringEntry(SpanField::kMetaStruct, Utf8(key, repaired, span), value);
    return true;
  });
}

bool TraceReader::SpanLinks(SpanRecord& span) {
  uint32_t count;
  return ArrayHead(count) && Items(span, count, [this, &span] { return SpanLink(span); });
}

bool TraceReader::SpanLink(SpanRecord& span) {
  ProtobufWriter& out = span.structures;
  const size_t link = out.BeginMessage(SpanField::kSpanLinks);
  uint32_t entries;
  // An empty array is no link.
  const bool read =
      reader_.ReadMap(entries) && Entries(span, entries, [this, &span, &out](std::string_view key) {
        if (key == "trace_id") return IntegerField(span, SpanLinkField::kTraceId);
        if (key == "trace_id_high") return IntegerField(span, SpanLinkField::kTraceIdHigh);
        if (key == "span_id") return IntegerField(span, SpanLinkField::kSpanId);
        if (key == "tracestate") return StringField(span, SpanLinkField::kTracestate);
        if (key == "attributes") {
          return Item(span, [this, &span, &out] {
            return Map(span, [this, &span, &out](std::string_view name) {
              std::string_view value;
              std::string converted;
              if (!StructureText(span, value, converted)) return LeaveOut(span);
              std::string repaired_name, repaired_value;
              out.StringEntry(SpanLinkField::kAttributes, Utf8(name, repaired_name, span),
                              Utf8(value, repaired_value, span));
              return true;
            });
          });
        }
        if (key != "flags") return reader_.Skip();
        uint64_t value;
        if (!Id(value)) return false;
        if (const uint32_t flags = static_cast<uint32_t>(value); flags != 0)
          out.Varint(SpanLinkField::kFlags, flags);
        return true;
      });
  if (read) out.EndMessage(link);
  return read;
}

bool TraceReader::SpanEvents(SpanRecord& span) {
  uint32_t count;
  return ArrayHead(count) && Items(span, count, [this, &span] { return SpanEvent(span); });
}

bool TraceReader::SpanEvent(SpanRecord& span) {
  ProtobufWriter& out = span.structures;
  const size_t event = out.BeginMessage(SpanField::kSpanEvents);
  uint32_t entries;
  const bool read =
      reader_.ReadMap(entries) && Entries(span, entries, [this, &span, &out](std::string_view key) {
        if (key == "name") return StringField(span, SpanEventField::kName);
        if (key == "attributes") {
          return Item(span, [this, &span, &out] {
            return Map(span, [this, &span, &out](std::string_view name) {
              return Item(span, [this, &span, &out, name] {
                std::string repaired;
                const size_t entry = out.BeginMessage(SpanEventField::kAttributes);
                out.String(1, Utf8(name, repaired, span));
                const size_t value = out.BeginMessage(2);
                if (!AttributeValue(span, /*may_be_array=*/true)) return false;
                out.EndMessage(value);
                out.EndMessage(entry);
                return true;
              });
            });
          });
        }
        if (key != "time_unix_nano") return reader_.Skip();
        int64_t time;
        if (!Moment(time)) return false;
        if (time != 0) out.Fixed64(SpanEventField::kTimeUnixNano, static_cast<uint64_t>(time));
        return true;
      });
  if (read) out.EndMessage(event);
  return read;
}

// Reads an AttributeAnyValue, or an AttributeArrayValue, which holds no arrays.
bool TraceReader::AttributeValue(SpanRecord& span, bool may_be_array) {
  uint32_t entries;
  if (!reader_.ReadMap(entries)) return PlainAttributeValue(span, may_be_array) || reader_.ReadMap(entries);
  return Entries(span, entries, [this, &span, may_be_array](std::string_view key) {
    if (key == "type") return IntegerField(span, AttributeField::kType);
    if (key == "string_value") return StringField(span, AttributeField::kString);
    if (key == "int_value") return IntegerField(span, AttributeField::kInt);
    if (key == "array_value" && may_be_array) return AttributeArray(span);
    if (key == "bool_value") {
      bool boolean;
      if (!reader_.ReadBool(boolean)) return false;
      if (boolean) span.structures.Varint(AttributeField::kBool, 1);
      return true;
    }
    if (key == "double_value") {
      double number;
      if (!Number(number)) return false;
      if (number != 0) span.structures.Double(AttributeField::kDouble, number);
      return true;
    }
    return reader_.Skip();
  });
}

// Reads the value itself in place of a map that names its type.
bool TraceReader::PlainAttributeValue(SpanRecord& span, bool may_be_array) {
  constexpr int kFirstOfUint64 = 0xCF;
  if (!RoomForConverted(span)) return false;
  ProtobufWriter& out = span.structures;
  const bool may_be_large = reader_.next_byte() == kFirstOfUint64;
  std::string_view text;
  std::string repaired;
  bool boolean;
  uint64_t integer;
  double number;
  uint32_t count;
  if (reader_.ReadString(text)) {
    if (!text.empty()) out.String(AttributeField::kString, Utf8(text, repaired, span));
  } else if (reader_.ReadBool(boolean)) {
    out.Varint(AttributeField::kType, AttributeType::kBool);
    if (boolean) out.Varint(AttributeField::kBool, 1);
  } else if (reader_.ReadInteger(integer)) {
    // The field has a sign.
    const bool large = may_be_large && static_cast<int64_t>(integer) < 0;
    out.Varint(AttributeField::kType, large ? AttributeType::kDouble : AttributeType::kInt);
    if (large) {
      out.Double(AttributeField::kDouble, static_cast<double>(integer));
    } else if (integer != 0) {
      out.Varint(AttributeField::kInt, integer);
    }
  } else if (reader_.ReadNumber(number)) {
    out.Varint(AttributeField::kType, AttributeType::kDouble);
    if (number != 0) out.Double(AttributeField::kDouble, number);
  } else if (may_be_array && reader_.ReadArray(count)) {
    out.Varint(AttributeField::kType, AttributeType::kArray);
    const size_t array = out.BeginMessage(AttributeField::kArray);
    if (!AttributeItems(span, count)) return false;
    out.EndMessage(array);
  } else {
    return false;
  }
  return true;
}

bool TraceReader::AttributeArray(SpanRecord& span) {
  ProtobufWriter& out = span.structures;
  const size_t array = out.BeginMessage(AttributeField::kArray);
  const bool read = Map(span, [this, &span](std::string_view key) {
    if (key != "values") return reader_.Skip();
    uint32_t count;
    return ArrayHead(count) && AttributeItems(span, count);
  });
  if (read) out.EndMessage(array);
  return read;
}

bool TraceReader::AttributeItems(SpanRecord& span, uint32_t count) {
  return Items(span, count, [this, &span] {
    const size_t value = span.structures.BeginMessage(AttributeField::kArrayValues);
    if (!AttributeValue(span, /*may_be_array=*/false)) return false;
    span.structures.EndMessage(value);
    return true;
  });
}

bool TraceReader::IntegerField(SpanRecord& span, uint32_t field) {
  uint64_t value;
  if (!Id(value)) return false;
  if (value != 0) span.structures.Varint(field, value);
  return true;
}

bool TraceReader::StructureText(SpanRecord& span, std::string_view& text, std::string& buffer) {
  if (reader_.ReadString(text)) [[likely]]
    return true;
  if (!ReadScalarText(reader_, buffer)) return reader_.ReadString(text);
  text = buffer;
  return RoomForConverted(span);
}

bool TraceReader::StringField(SpanRecord& span, uint32_t field) {
  std::string_view text;
  std::string converted;
  if (!StructureText(span, text, converted)) return false;
  std::string repaired;
  if (!text.empty()) span.structures.String(field, Utf8(text, repaired, span));
  return true;
}

}  // namespace thaw
