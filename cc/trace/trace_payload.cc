#include "cc/trace/trace_payload.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cc/base/msgpack_reader.h"
#include "cc/base/utf8.h"
#include "cc/trace/normalize_tag.h"
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

// The tags of spans that say something of the whole process.
enum ProcessTag { kEnv, kVersion, kHostname, kRuntimeId, kProcessTags };

int ProcessTagOf(std::string_view key) {
  switch (key.size()) {
    case 3:
      return key == "env" ? kEnv : kProcessTags;
    case 7:
      return key == "version" ? kVersion : kProcessTags;
    case 10:
      return key == "runtime-id" ? kRuntimeId : kProcessTags;
    case 12:
      return key == "_dd.hostname" ? kHostname : kProcessTags;
    default:
      return kProcessTags;
  }
}

constexpr std::string_view kOriginTag = "_dd.origin";

}  // namespace

class TraceTranscoder {
 public:
  TraceTranscoder(std::string_view body, TracerHeaders headers) : reader_(body) {
    payload_.headers_ = std::move(headers);
    // Protobuf takes no more room than MessagePack, but for an entry of a map: at most 4 bytes each, which
    // keys that become field numbers make up for.
    payload_.chunk_fields_ = ProtobufWriter(body.size() + body.size() / 8 + 256);
  }

  absl::StatusOr<TracePayload> Run() {
    uint32_t chunks;
    if (!reader_.ReadArray(chunks)) return reader_.error();
    for (uint32_t i = 0; i < chunks; ++i)
      if (!Chunk()) return reader_.error();
    if (!reader_.at_end())
      return absl::InvalidArgumentError(absl::StrCat("at byte ", reader_.position(), ": ",
                                                     reader_.bytes_left(),
                                                     " bytes follow the end of the array of traces"));
    WriteProcessFields();
    payload_.chunk_fields_.Shrink();
    return std::move(payload_);
  }

 private:
  struct SpanNote {
    uint64_t span_id = 0;
    uint64_t parent_id = 0;
    size_t position = 0;  // of the span in the input
    int32_t priority = 0;
    bool has_priority = false;
  };

  ProtobufWriter& out() { return payload_.chunk_fields_; }
  TraceCounts& counts() { return payload_.counts_; }

  // False: the input can't be read on.
  bool Chunk() {
    if (reader_.TakeNil()) {
      ++counts().empty_chunks;
      return true;
    }
    uint32_t spans;
    if (!reader_.ReadArray(spans)) {
      Remember();
      ++counts().chunks_left_out;
      return reader_.Skip();
    }
    notes_.clear();
    if (spans > notes_.capacity()) notes_.reserve(std::max<size_t>(spans, 2 * notes_.capacity()));
    for (std::string_view& value : chunk_tags_) value = {};
    chunk_has_origin_ = false;

    const size_t field = out().size();
    const size_t chunk = out().BeginMessage(TracerPayloadField::kChunks);
    for (uint32_t i = 0; i < spans; ++i) {
      const size_t at_input = reader_.position();
      const size_t at_output = out().size();
      const TraceCounts before = counts();
      SpanNote note;
      note.position = at_input;
      if (Span(note)) {
        notes_.push_back(note);
        ++counts().spans;
        continue;
      }
      Remember();
      out().Truncate(at_output);
      counts() = before;
      ++counts().spans_left_out;
      reader_.MoveTo(at_input);
      if (!reader_.Skip()) return false;
    }
    if (notes_.empty()) {
      out().Truncate(field);
      ++counts().empty_chunks;
      return true;
    }
    FinishChunk();
    out().EndMessage(chunk);
    ++counts().chunks;
    return true;
  }

  // Keeps what the reader complains of, if it is the first complaint.
  void Remember() {
    if (payload_.first_problem_.empty()) payload_.first_problem_ = std::string(reader_.error().message());
  }

  // What is known only when all spans are.
  void FinishChunk() {
    const SpanNote& root = notes_[Root()];
    int32_t priority = kNoPriority;
    if (root.has_priority) {
      priority = root.priority;
    } else {
      const auto found =
          std::find_if(notes_.begin(), notes_.end(), [](const SpanNote& note) { return note.has_priority; });
      if (found != notes_.end()) priority = found->priority;
    }
    if (priority != 0)
      out().Varint(TraceChunkField::kPriority, static_cast<uint64_t>(static_cast<int64_t>(priority)));

    bool wanted = chunk_has_origin_;
    for (int tag = 0; tag < kProcessTags; ++tag)
      wanted |= process_tags_[tag].empty() && !chunk_tags_[tag].empty();
    if (!wanted) return;
    std::string_view root_tags[kProcessTags];
    std::string_view origin;
    ReadRootTags(root.position, root_tags, origin);
    if (!origin.empty()) String(TraceChunkField::kOrigin, origin);
    for (int tag = 0; tag < kProcessTags; ++tag)
      if (process_tags_[tag].empty())
        process_tags_[tag] = root_tags[tag].empty() ? chunk_tags_[tag] : root_tags[tag];
  }

  // The last span without a parent; else the last whose parent is not here; else the last.
  size_t Root() {
    for (size_t i = notes_.size(); i-- > 0;)
      if (notes_[i].parent_id == 0) return i;
    ids_.clear();
    for (const SpanNote& note : notes_) ids_.push_back(note.span_id);
    std::sort(ids_.begin(), ids_.end());
    for (size_t i = notes_.size(); i-- > 0;)
      if (!std::binary_search(ids_.begin(), ids_.end(), notes_[i].parent_id)) return i;
    return notes_.size() - 1;
  }

  // A span that was read before, for a few of its tags.
  void ReadRootTags(size_t position, std::string_view (&tags)[kProcessTags], std::string_view& origin) {
    const size_t back = reader_.position();
    reader_.MoveTo(position);
    uint32_t fields = 0;
    reader_.ReadMap(fields);
    for (; fields > 0; --fields) {
      std::string_view key;
      uint32_t entries;
      if (!reader_.ReadString(key)) break;
      if (key != "meta" || !reader_.ReadMap(entries)) {
        reader_.Skip();
        continue;
      }
      for (; entries > 0; --entries) {
        std::string_view name, value;
        if (!reader_.ReadString(name) || (!reader_.TakeNil() && !reader_.ReadString(value))) break;
        if (name == kOriginTag) origin = value;
        if (const int tag = ProcessTagOf(name); tag != kProcessTags) tags[tag] = value;
      }
    }
    reader_.MoveTo(back);
  }

  bool Span(SpanNote& note) {
    const size_t span = out().BeginMessage(TraceChunkField::kSpans);
    const bool read = Map([this, &note](std::string_view key) {
      const SpanKey which = KeyOf(key);
      return which == SpanKey::kUnknown ? reader_.Skip() : Field(which, note);
    });
    if (read) out().EndMessage(span);
    return read;
  }

  bool Field(SpanKey key, SpanNote& note) {
    switch (key) {
      case SpanKey::kService:
        return StringField(SpanField::kService);
      case SpanKey::kName:
        return StringField(SpanField::kName);
      case SpanKey::kResource:
        return StringField(SpanField::kResource);
      case SpanKey::kType:
        return StringField(SpanField::kType);
      case SpanKey::kTraceId: {
        uint64_t unused;
        return IntegerField(SpanField::kTraceId, unused);
      }
      case SpanKey::kSpanId:
        return IntegerField(SpanField::kSpanId, note.span_id);
      case SpanKey::kParentId:
        return IntegerField(SpanField::kParentId, note.parent_id);
      case SpanKey::kStart: {
        uint64_t unused;
        return IntegerField(SpanField::kStart, unused);
      }
      case SpanKey::kDuration: {
        // Tracers are known to send rubbish here, which is no reason to lose a span.
        uint64_t duration;
        if (!reader_.ReadInteger(duration)) return reader_.Skip();
        if (static_cast<int64_t>(duration) > 0) out().Varint(SpanField::kDuration, duration);
        return true;
      }
      case SpanKey::kError: {
        uint64_t error;
        if (!reader_.ReadInteger(error)) return false;
        const int32_t narrow = static_cast<int32_t>(error);
        if (narrow != 0) out().Varint(SpanField::kError, static_cast<uint64_t>(static_cast<int64_t>(narrow)));
        return true;
      }
      case SpanKey::kMeta:
        return Meta();
      case SpanKey::kMetrics:
        return Metrics(note);
      case SpanKey::kMetaStruct:
        return MetaStruct();
      case SpanKey::kSpanLinks:
        return Each([this] { return SpanLink(); });
      case SpanKey::kSpanEvents:
        return Each([this] { return SpanEvent(); });
      case SpanKey::kUnknown:
        break;
    }
    return false;
  }

  // A map: `read` takes the value of each key that is not nil.
  template <typename Read>
  bool Map(Read read) {
    uint32_t entries;
    if (!reader_.ReadMap(entries)) return false;
    for (; entries > 0; --entries) {
      std::string_view key;
      if (!reader_.ReadString(key)) return false;
      if (!reader_.TakeNil() && !read(key)) return false;
    }
    return true;
  }

  bool Meta() {
    return Map([this](std::string_view key) {
      std::string_view value;
      if (!reader_.ReadString(value)) return false;
      StringEntry(SpanField::kMeta, key, value);
      if (const int tag = ProcessTagOf(key); tag != kProcessTags) {
        if (chunk_tags_[tag].empty()) chunk_tags_[tag] = value;
      } else if (key == kOriginTag) {
        chunk_has_origin_ = true;
      }
      return true;
    });
  }

  bool Metrics(SpanNote& note) {
    return Map([this, &note](std::string_view key) {
      double value;
      if (!reader_.ReadNumber(value)) return false;
      if (!std::isfinite(value)) {
        ++counts().metrics_not_finite;
        return true;
      }
      std::string repaired;
      out().DoubleEntry(SpanField::kMetrics, Utf8(key, repaired), value);
      if (key == kSamplingPriorityMetric) {
        constexpr double kLow = std::numeric_limits<int32_t>::min();
        constexpr double kHigh = std::numeric_limits<int32_t>::max();
        note.priority = static_cast<int32_t>(std::clamp(value, kLow, kHigh));
        note.has_priority = true;
      }
      return true;
    });
  }

  bool MetaStruct() {
    return Map([this](std::string_view key) {
      std::string_view value;
      if (!reader_.ReadString(value)) return false;
      std::string repaired;
      // The value is of type bytes: what is in it is not looked at.
      out().StringEntry(SpanField::kMetaStruct, Utf8(key, repaired), value);
      return true;
    });
  }

  template <typename Read>
  bool Each(Read read) {
    uint32_t count;
    if (!reader_.ReadArray(count)) return false;
    for (; count > 0; --count)
      if (!read()) return false;
    return true;
  }

  bool SpanLink() {
    const size_t link = out().BeginMessage(SpanField::kSpanLinks);
    const bool read = Map([this](std::string_view key) {
      uint64_t value;
      if (key == "trace_id") return IntegerField(SpanLinkField::kTraceId, value);
      if (key == "trace_id_high") return IntegerField(SpanLinkField::kTraceIdHigh, value);
      if (key == "span_id") return IntegerField(SpanLinkField::kSpanId, value);
      if (key == "attributes") return LinkAttributes();
      if (key == "tracestate") return StringField(SpanLinkField::kTracestate);
      if (key != "flags") return reader_.Skip();
      if (!reader_.ReadInteger(value)) return false;
      if (const uint32_t flags = static_cast<uint32_t>(value); flags != 0)
        out().Varint(SpanLinkField::kFlags, flags);
      return true;
    });
    if (read) out().EndMessage(link);
    return read;
  }

  bool LinkAttributes() {
    return Map([this](std::string_view key) {
      std::string_view value;
      if (!reader_.ReadString(value)) return false;
      StringEntry(SpanLinkField::kAttributes, key, value);
      return true;
    });
  }

  bool SpanEvent() {
    const size_t event = out().BeginMessage(SpanField::kSpanEvents);
    const bool read = Map([this](std::string_view key) {
      if (key == "name") return StringField(SpanEventField::kName);
      if (key == "attributes") return EventAttributes();
      if (key != "time_unix_nano") return reader_.Skip();
      uint64_t time;
      if (!reader_.ReadInteger(time)) return false;
      if (time != 0) out().Fixed64(SpanEventField::kTimeUnixNano, time);
      return true;
    });
    if (read) out().EndMessage(event);
    return read;
  }

  bool EventAttributes() {
    return Map([this](std::string_view key) {
      std::string repaired;
      const size_t entry = out().BeginMessage(SpanEventField::kAttributes);
      out().String(1, Utf8(key, repaired));
      const size_t value = out().BeginMessage(2);
      if (!AttributeValue(/*may_be_array=*/true)) return false;
      out().EndMessage(value);
      out().EndMessage(entry);
      return true;
    });
  }

  // An AttributeAnyValue, or an AttributeArrayValue, which holds no arrays.
  bool AttributeValue(bool may_be_array) {
    return Map([this, may_be_array](std::string_view key) {
      uint64_t integer;
      if (key == "type") return IntegerField(AttributeField::kType, integer);
      if (key == "string_value") return StringField(AttributeField::kString);
      if (key == "int_value") return IntegerField(AttributeField::kInt, integer);
      if (key == "array_value" && may_be_array) return AttributeArray();
      if (key == "bool_value") {
        bool boolean;
        if (!reader_.ReadBool(boolean)) return false;
        if (boolean) out().Varint(AttributeField::kBool, 1);
        return true;
      }
      if (key == "double_value") {
        double number;
        if (!reader_.ReadNumber(number)) return false;
        if (number != 0) out().Double(AttributeField::kDouble, number);
        return true;
      }
      return reader_.Skip();
    });
  }

  bool AttributeArray() {
    const size_t array = out().BeginMessage(AttributeField::kArray);
    const bool read = Map([this](std::string_view key) {
      if (key != "values") return reader_.Skip();
      return Each([this] {
        const size_t value = out().BeginMessage(AttributeField::kArrayValues);
        if (!AttributeValue(/*may_be_array=*/false)) return false;
        out().EndMessage(value);
        return true;
      });
    });
    if (read) out().EndMessage(array);
    return read;
  }

  bool IntegerField(uint32_t field, uint64_t& value) {
    if (!reader_.ReadInteger(value)) return false;
    if (value != 0) out().Varint(field, value);
    return true;
  }

  bool StringField(uint32_t field) {
    std::string_view text;
    if (!reader_.ReadString(text)) return false;
    if (!text.empty()) String(field, text);
    return true;
  }

  void String(uint32_t field, std::string_view text) {
    std::string repaired;
    out().String(field, Utf8(text, repaired));
  }

  void StringEntry(uint32_t field, std::string_view key, std::string_view value) {
    std::string repaired_key, repaired_value;
    out().StringEntry(field, Utf8(key, repaired_key), Utf8(value, repaired_value));
  }

  // `text` if it is UTF-8, else `repaired`.
  std::string_view Utf8(std::string_view text, std::string& repaired) {
    if (IsValidUtf8(text)) [[likely]]
      return text;
    ++counts().strings_repaired;
    repaired = RepairUtf8(text);
    return repaired;
  }

  void WriteProcessFields() {
    ProtobufWriter& fields = payload_.process_fields_;
    const auto add = [&](uint32_t field, std::string_view value) {
      std::string repaired;
      if (!value.empty()) fields.String(field, Utf8(value, repaired));
    };
    const TracerHeaders& headers = payload_.headers_;
    add(TracerPayloadField::kContainerId, headers.container_id);
    add(TracerPayloadField::kLanguageName, headers.lang);
    add(TracerPayloadField::kLanguageVersion, headers.lang_version);
    add(TracerPayloadField::kTracerVersion, headers.tracer_version);
    add(TracerPayloadField::kRuntimeId, process_tags_[kRuntimeId]);
    std::string repaired;
    add(TracerPayloadField::kEnv, NormalizeTag(Utf8(process_tags_[kEnv], repaired)));
    add(TracerPayloadField::kHostname, process_tags_[kHostname]);
    add(TracerPayloadField::kAppVersion, process_tags_[kVersion]);
  }

  MsgpackReader reader_;
  TracePayload payload_;
  std::vector<SpanNote> notes_;  // of the chunk being read
  std::vector<uint64_t> ids_;
  std::string_view chunk_tags_[kProcessTags];    // the first that is not empty in the chunk
  std::string_view process_tags_[kProcessTags];  // of the payload
  bool chunk_has_origin_ = false;
};

absl::StatusOr<TracePayload> TracePayload::FromMsgpack(std::string_view body, TracerHeaders headers) {
  return TraceTranscoder(body, std::move(headers)).Run();
}

}  // namespace thaw
