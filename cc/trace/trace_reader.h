// Reads a tracer's request span by span.
//
//   TraceReader reader(body, TraceFormat::kV04);
//   SpanRecord span;
//   THAW_RETURN_IF_ERROR(reader.ForEachSpan(
//       span, counts, first_problem, [&](size_t spans) { notes.reserve(notes.size() + spans); },
//       [&](size_t position) { notes.emplace_back(span, position); }, [&] { EndTrace(); }));
//   reader.ReadAgain(position, span);
//
// A span that can't be read is left out and counted; its neighbours stay. So is a trace that is no array.
// What is no request at all, is cut off or nested too deep, is refused whole.
//
// Sources: the tracers' formats. /v0.4/traces: an array of traces, each an array of span maps with the keys
// service, name, resource, trace_id, span_id, parent_id, start, duration, error, meta, metrics, type,
// meta_struct, span_links, span_events; all optional, nil is the zero value, other keys are ignored.
// /v0.5/traces: an array of a table of strings and an array of traces, each an array of spans, each an array of
// 12: service, name, resource, trace id, span id, parent id, start, duration, error, meta, metrics, type. Text
// is a place in the table.

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

namespace thaw {

enum class TraceFormat { kV04, kV05 };

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

  // Calls on_trace(spans) before each trace, with how many spans to make room for; on_span(position) for each
  // span that could be read, which then is in `span`; and on_end() after the last of each trace that has any.
  // InvalidArgument names the byte, what was expected there and what was found. `first_problem` becomes what
  // was wrong with the first thing that was left out, if any was.
  template <typename OnTrace, typename OnSpan, typename OnEnd>
  absl::Status ForEachSpan(SpanRecord& span, TraceCounts& counts, std::string& first_problem,
                           OnTrace on_trace, OnSpan on_span, OnEnd on_end) {
    uint32_t traces;
    if (absl::Status head = ReadHead(traces); !head.ok()) return head;
    for (; traces > 0; --traces) {
      uint32_t spans;
      const Part trace = ReadTrace(spans);
      if (trace == Part::kUnreadable) {
        Remember(first_problem);
        ++counts.chunks_left_out;
        if (!reader_.Skip()) return reader_.error();
        continue;
      }
      // No reader of a lie reserves memory for it.
      on_trace(std::min<size_t>(spans, reader_.bytes_left() / kSmallSpan));
      bool any = false;
      for (; spans > 0; --spans) {
        const size_t position = reader_.position();
        if (Read(span)) {
          any = true;
          on_span(position);
          continue;
        }
        Remember(first_problem);
        ++counts.spans_left_out;
        reader_.MoveTo(position);
        if (!reader_.Skip()) return reader_.error();
      }
      if (any) {
        on_end();
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
  enum class Part { kRead, kUnreadable };
  // Bytes of a span with little more than its ids.
  static constexpr size_t kSmallSpan = 32;

  absl::Status ReadHead(uint32_t& traces);
  absl::Status ReadTable();
  absl::Status ReadTail();
  Part ReadTrace(uint32_t& spans);
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
