// Reads the structures of a v0.4 span, which are meta_struct, its links and its events, and writes them as fields of
// the intake's Span.

#include <algorithm>

#include "cc/base/msgpack_scalars.h"
#include "cc/trace/trace_fields.h"
#include "cc/trace/trace_reader.h"
#include "cc/trace/trace_reader_internal.h"

namespace thaw {

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
