// Reads a tracer's request span by span.
//
//   TraceReader reader(body, TraceFormat::kV04);
//   SpanRecord span;
//   THAW_RETURN_IF_ERROR(reader.ForEachSpan(span, counts, first_problem, visitor));
//   reader.ReadAgain(position, span);
//
// A span that can't be read is left out and counted; its neighbours stay. So is a trace that is no array.
// What is no request at all, is cut off or nested too deep, is refused whole.
//
// Sources: the tracers' formats. /v0.4/traces: an array of traces, each an array of span maps with the keys
// service, name, resource, trace_id, span_id, parent_id, start, duration, error, meta, metrics, type,
// meta_struct, span_links, span_events; all optional, nil is the zero value, other keys are ignored.
// /v0.5/traces: an array of a table of strings and an array of traces, each an array of spans, each an array
// of 12: service, name, resource, trace id, span id, parent id, start, duration, error, meta, metrics, type.
// Text is a place in the table.

#ifndef THAW_CC_TRACE_TRACE_READER_H_
#define THAW_CC_TRACE_TRACE_READER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "cc/base/msgpack_reader.h"
#include "cc/trace/span_record.h"
#include "cc/trace/trace_counts.h"
#include "cc/trace/trace_format.h"

namespace thaw {

class TraceReader {
 public:
  // More tags, of either kind, than any tracer gives a span: such a span is left out. What a tag costs while
  // it is read may be many times its bytes in the request.
  static constexpr uint32_t kMaxTags = 65'536;
  // A table of strings that is larger is refused, for the same reason.
  static constexpr uint32_t kMaxStrings = 4 << 20;

  TraceReader(std::string_view body, TraceFormat format) : format_(format), reader_(body) {}
  TraceReader(const TraceReader&) = delete;
  TraceReader& operator=(const TraceReader&) = delete;

  // Reads all of the request. Calls of `visitor`, in this order:
  //   BeginRequest(traces), with how many traces to make room for;
  //   BeginTrace(spans) before each trace, with how many spans to make room for;
  //   OnSpan(position) for each span that could be read, which then is in `span`;
  //   EndTrace() after the last of each trace that has any.
  // InvalidArgument names the byte, what was expected there and what was found. `first_problem` becomes what
  // was wrong with the first thing that was left out, if any was.
  template <typename Visitor>
  absl::Status ForEachSpan(SpanRecord& span, TraceCounts& counts, std::string& first_problem,
                           Visitor& visitor) {
    uint32_t traces;
    if (absl::Status head = ReadHead(traces); !head.ok()) return head;
    visitor.BeginRequest(RoomFor(traces));
    for (; traces > 0; --traces) {
      uint32_t spans;
      if (!ReadTrace(spans)) {
        Remember(first_problem);
        ++counts.chunks_left_out;
        if (!reader_.Skip()) return reader_.error();
        continue;
      }
      visitor.BeginTrace(RoomFor(spans));
      bool any = false;
      for (; spans > 0; --spans) {
        const size_t position = reader_.position();
        if (Read(span)) {
          any = true;
          visitor.OnSpan(position);
          continue;
        }
        Remember(first_problem);
        ++counts.spans_left_out;
        reader_.MoveTo(position);
        if (!reader_.Skip()) return reader_.error();
      }
      if (any) {
        visitor.EndTrace();
      } else {
        ++counts.empty_chunks;
      }
    }
    return ReadTail();
  }

  // The span that on_span() was called for with `position`. Goes on afterwards where it was.
  void ReadAgain(size_t position, SpanRecord& span) {
    const size_t back = reader_.position();
    reader_.MoveTo(position);
    Read(span);
    reader_.MoveTo(back);
  }

 private:
  // Bytes of a span with little more than its ids.
  static constexpr size_t kSmallSpan = 32;
  static constexpr size_t kMostRoom = 16'384;

  // Of `count` spans or traces that are announced, as many as there is input for, and not very many: nobody
  // shall reserve memory for a lie.
  size_t RoomFor(uint32_t count) const {
    return std::min({size_t{count}, reader_.bytes_left() / kSmallSpan, kMostRoom});
  }

  absl::Status ReadHead(uint32_t& traces);
  absl::Status ReadTable();
  absl::Status ReadTail();
  bool ReadTrace(uint32_t& spans);
  // False: error() says why.
  bool Read(SpanRecord& span);
  bool ReadV04(SpanRecord& span);
  bool ReadV05(SpanRecord& span);
  void Remember(std::string& first_problem) const;
  bool Bad(std::string_view what);

  template <typename ReadValue>
  bool Map(ReadValue read);
  template <typename ReadValue>
  bool Each(ReadValue read);
  template <typename ReadText>
  bool Meta(SpanRecord& span, ReadText read_text);
  template <typename ReadText>
  bool Metrics(SpanRecord& span, ReadText read_text);
  bool TableString(std::string_view& text);
  bool Duration(SpanRecord& span);
  bool Error(SpanRecord& span);
  bool Signed(int64_t& value);

  bool MetaStruct(SpanRecord& span);
  bool SpanLink(SpanRecord& span);
  bool SpanEvent(SpanRecord& span);
  bool AttributeValue(SpanRecord& span, bool may_be_array);
  bool AttributeArray(SpanRecord& span);
  bool IntegerField(SpanRecord& span, uint32_t field);
  bool StringField(SpanRecord& span, uint32_t field);

  const TraceFormat format_;
  MsgpackReader reader_;
  // Of v0.5; what is no string in it has no data.
  std::vector<std::string_view> strings_;
  // What is wrong beyond what the MessagePack reader knows, with the span being read.
  std::string problem_;
};

}  // namespace thaw

#endif  // THAW_CC_TRACE_TRACE_READER_H_
