// Reads a tracer's request span by span.
//
//   TraceReader reader(body, TraceFormat::kV04);
//   SpanRecord span;
//   THAW_RETURN_IF_ERROR(reader.ReadAll(span, counts, first_problem, visitor));   // or ReadOn(), in steps
//   reader.ReadAgain(position, span);
//
// A span that can't be read is left out and counted; its neighbours stay. The same holds for a trace that is
// no array. A body that is no request, is cut off or nested too deep is refused as a whole.
//
// A value of the wrong type is converted where no meaning is lost: floats and numbers written as text to
// integers and numbers, numbers and booleans to text, integers as keys to text, an empty array to an empty
// map and the other way round, a MessagePack timestamp to a start, a plain value to a span event's attribute.
// Fractions of a nanosecond are dropped. A tag, metric, link, event, attribute or entry of meta_struct that
// means nothing as such is left out and counted; its span stays. A field of the span itself that means
// nothing loses the span.
//
// Sources: the tracers' formats. /v0.4/traces: an array of traces, each an array of span maps with the keys
// service, name, resource, trace_id, span_id, parent_id, start, duration, error, meta, metrics, type,
// meta_struct, span_links, span_events; all optional, nil is the zero value, other keys are ignored.
// /v0.5/traces: an array of a table of strings and an array of traces, each an array of spans, each an array
// of 12: service, name, resource, trace id, span id, parent id, start, duration, error, meta, metrics, type.
// Text is an index in the table, or text.

#ifndef THAW_CC_TRACE_TRACE_READER_H_
#define THAW_CC_TRACE_TRACE_READER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "cc/base/byte_account.h"
#include "cc/base/msgpack_reader.h"
#include "cc/base/status_macros.h"
#include "cc/trace/span_record.h"
#include "cc/trace/trace_counts.h"
#include "cc/trace/trace_format.h"

namespace thaw {

class TraceReader {
 public:
  // Largest number of tags of either kind, more than any tracer gives a span; a span with more is left out. A
  // tag may take many times its bytes in the request while it is read.
  static constexpr uint32_t kMaxTags = 65'536;
  // Largest table of strings, for the same reason; a request with a larger one is refused.
  static constexpr uint32_t kMaxStrings = 4 << 20;

  // Largest number of values converted to text in a span, for the same reason.
  static constexpr size_t kMaxConverted = 4'096;
  static constexpr size_t kMaxKept = 1'024;
  // Largest number of values of a span in a large request: more would hold up the reading thread.
  static constexpr uint64_t kMaxValues = 1 << 20;
  // Size from which on a request's spans are measured before they are read.
  static constexpr size_t kLargeBody = 1 << 20;

  // `charge`: is charged with memory whose size follows from the request; may be null.
  TraceReader(std::string_view body, TraceFormat format, ByteCharge* charge = nullptr)
      : body_(body), format_(format), charge_(charge), reader_(body) {}
  TraceReader(const TraceReader&) = delete;
  TraceReader& operator=(const TraceReader&) = delete;

  // Reads on for about `work` bytes' worth of work and subtracts what it did from `work`. Returns true once
  // all is read. Calls `visitor` in this order; a status that is not OK ends the reading:
  //   BeginRequest(traces), with how many traces to make room for;
  //   BeginTrace(spans) before each trace, with how many spans to make room for;
  //   OnSpan(position) for each span that could be read, which then is in `span`;
  //   EndTrace() after the last span of each trace that has any.
  // InvalidArgument names the byte, what was expected there and what was found; ResourceExhausted and
  // OutOfRange: there is no memory. `first_problem` is set to what was wrong with the first item that was
  // left out, if any.
  template <typename Visitor>
  absl::StatusOr<bool> ReadOn(SpanRecord& span, TraceCounts& counts, std::string& first_problem,
                              Visitor& visitor, int64_t& work) {
    while (work > 0) {
      absl::Status status;
      switch (phase_) {
        case Phase::kHead:
          status = ReadHead();
          break;
        case Phase::kTable:
          status = ReadTable(work);
          break;
        case Phase::kBegin:
          status = BeginTraces();
          if (status.ok()) status = visitor.BeginRequest(RoomFor(traces_left_));
          break;
        case Phase::kTraces:
          status = NextTrace(counts, first_problem, visitor, work);
          break;
        case Phase::kSpans:
          status = NextSpan(span, counts, first_problem, visitor, work);
          break;
        case Phase::kDone:
          return true;
      }
      if (!status.ok()) return status;
    }
    return phase_ == Phase::kDone;
  }

  // Reads the whole request.
  template <typename Visitor>
  absl::Status ReadAll(SpanRecord& span, TraceCounts& counts, std::string& first_problem, Visitor& visitor) {
    absl::StatusOr<bool> done = false;
    while (done.ok() && !*done) {
      int64_t work = std::numeric_limits<int64_t>::max();
      done = ReadOn(span, counts, first_problem, visitor, work);
    }
    return done.status();
  }

  // Returns a text of the span that was read last such that it lives as long as the reader and the request:
  // text converted from another type is copied, since it dies with its span. Empty beyond kMaxKept copies.
  std::string_view Keep(std::string_view text) {
    const std::less<const char*> before;
    const bool in_request =
        !before(text.data(), body_.data()) && before(text.data(), body_.data() + body_.size());
    if (in_request || text.empty()) return text;
    if (kept_.size() == kMaxKept) return {};
    return *kept_.emplace_back(std::make_unique<std::string>(text));
  }

  // Reads the span again that OnSpan() was called for with `position`, then continues where the reader was.
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

  // Returns for how many of `count` announced spans or traces to make room: no more than the input can hold,
  // and a bounded number, so that a false count reserves no memory.
  size_t RoomFor(uint32_t count) const {
    return std::min({size_t{count}, reader_.bytes_left() / kSmallSpan, kMostRoom});
  }

  enum class Phase { kHead, kTable, kBegin, kTraces, kSpans, kDone };
  // The work of each item of a request beside its bytes.
  static constexpr int64_t kItemWork = 32;
  static constexpr int64_t kSpanWork = 256;

  template <typename Visitor>
  absl::Status NextTrace(TraceCounts& counts, std::string& first_problem, Visitor& visitor, int64_t& work) {
    if (traces_left_ == 0) return ReadTail();
    if (!skipping_.begun()) {
      work -= kItemWork;
      if (ReadTrace(spans_left_)) {
        --traces_left_;
        any_span_ = false;
        phase_ = Phase::kSpans;
        return visitor.BeginTrace(RoomFor(spans_left_));
      }
      Remember(first_problem);
      ++counts.chunks_left_out;
    }
    THAW_ASSIGN_OR_RETURN(const bool passed, PassOver(work));
    if (passed) --traces_left_;
    return absl::OkStatus();
  }

  template <typename Visitor>
  absl::Status NextSpan(SpanRecord& span, TraceCounts& counts, std::string& first_problem, Visitor& visitor,
                        int64_t& work) {
    if (spans_left_ == 0) {
      phase_ = Phase::kTraces;
      if (any_span_) return visitor.EndTrace();
      ++counts.empty_chunks;
      return absl::OkStatus();
    }
    size_t position = reader_.position(), end = position;
    bool readable = true;
    if (body_.size() >= kLargeBody) {
      THAW_ASSIGN_OR_RETURN(const bool passed, PassOver(work));
      if (!passed) return absl::OkStatus();
      position = skipping_.position();
      end = reader_.position();
      reader_.MoveTo(position);
      problem_.clear();
      readable = skipping_.values() <= kMaxValues ||
                 Bad(absl::StrCat("a span of more than ", kMaxValues, " values"));
    }
    --spans_left_;
    if (readable && Read(span)) {
      any_span_ = true;
      if (span.values_left_out > 0) [[unlikely]]
        Remember(first_problem);
      work -= kSpanWork + static_cast<int64_t>(reader_.position() - position);
      return visitor.OnSpan(position);
    }
    if (!memory_.ok()) return memory_;
    Remember(first_problem);
    ++counts.spans_left_out;
    reader_.MoveTo(std::max(position, end));
    if (end == position && !reader_.Skip()) return reader_.error();
    work -= kSpanWork + static_cast<int64_t>(reader_.position() - position);
    return absl::OkStatus();
  }

  absl::Status ReadHead();
  absl::Status ReadTable(int64_t& work);
  absl::Status BeginTraces();
  absl::Status ReadTail();
  bool ReadTrace(uint32_t& spans);
  // Skips the next value, of any type, as far as `work` allows. Returns true once it is skipped.
  absl::StatusOr<bool> PassOver(int64_t& work);
  // Returns false if the span can't be read; error() says why.
  bool Read(SpanRecord& span);
  bool ReadV04(SpanRecord& span);
  bool ReadV05(SpanRecord& span);
  void Remember(std::string& first_problem) const;
  bool Bad(std::string_view what);

  // Leaves out the value at the position, because of the last failure of a read. Returns false if it can't be
  // passed over, or if there was no memory for it.
  bool LeaveOut(SpanRecord& span);

  // Read the header of a map or an array; an empty one of the other kind counts as empty.
  bool MapHead(uint32_t& entries);
  bool ArrayHead(uint32_t& count);
  template <typename ReadValue>
  bool Map(SpanRecord& span, ReadValue read);
  template <typename ReadValue>
  bool Entries(SpanRecord& span, uint32_t entries, ReadValue read);
  template <typename ReadItem>
  bool Items(SpanRecord& span, uint32_t count, ReadItem read);
  // Reads one item that is written to span.structures, or leaves it out.
  template <typename ReadItem>
  bool Item(SpanRecord& span, ReadItem read);
  template <typename ReadKey, typename ReadText>
  bool Meta(SpanRecord& span, ReadKey read_key, ReadText read_text);
  template <typename ReadText>
  bool Metrics(SpanRecord& span, ReadText read_text);
  // Makes room for `count` elements, or for `bytes` of structures; returns false if there is no memory.
  template <typename Container>
  bool RoomIn(Container& container, size_t count);
  bool RoomForStructures(SpanRecord& span);
  // Makes room for a converted value beside the rest of the structure.
  bool RoomForConverted(SpanRecord& span);

  bool Text(SpanRecord& span, std::string_view& text);
  bool TableString(std::string_view& text);
  bool TableText(SpanRecord& span, std::string_view& text);
  bool Id(uint64_t& id);
  bool Time(int64_t& nanos);
  // Reads a time since 1970, which may be a MessagePack timestamp.
  bool Moment(int64_t& nanos);
  bool Duration(SpanRecord& span);
  bool Error(SpanRecord& span);
  bool Number(double& value);

  // Convert a value of the wrong type, which the reader has not consumed yet. Return false if it has no
  // meaning as the right type; error() says what was expected.
  bool ConvertToText(SpanRecord& span, std::string_view& text);
  bool ConvertToId(uint64_t& id);
  bool ConvertToInteger(int64_t& value, bool may_be_bool);
  bool ConvertToNumber(double& value, bool may_be_bool);
  bool ConvertToMoment(int64_t& nanos);

  bool MetaStruct(SpanRecord& span);
  bool SpanLinks(SpanRecord& span);
  bool SpanLink(SpanRecord& span);
  bool SpanEvents(SpanRecord& span);
  bool SpanEvent(SpanRecord& span);
  bool AttributeValue(SpanRecord& span, bool may_be_array);
  bool PlainAttributeValue(SpanRecord& span, bool may_be_array);
  bool AttributeArray(SpanRecord& span);
  bool AttributeItems(SpanRecord& span, uint32_t count);
  bool IntegerField(SpanRecord& span, uint32_t field);
  bool StringField(SpanRecord& span, uint32_t field);
  // Reads text, converted into `buffer` if it is a number or a boolean.
  bool StructureText(SpanRecord& span, std::string_view& text, std::string& buffer);

  const std::string_view body_;
  const TraceFormat format_;
  ByteCharge* const charge_;
  MsgpackReader reader_;
  Phase phase_ = Phase::kHead;
  uint32_t strings_left_ = 0;  // strings of the table still to read
  uint32_t traces_left_ = 0;
  uint32_t spans_left_ = 0;  // spans of the trace still to read
  bool any_span_ = false;    // a span of the trace could be read
  MsgpackReader::Skipping skipping_;
  absl::Status memory_;  // not OK: memory ran out
  // The table of v0.5; an element that is no string has no data.
  std::vector<std::string_view> strings_;
  std::vector<std::unique_ptr<std::string>> kept_;
  // The first problem of the current span that is not the MessagePack reader's last.
  std::string problem_;
  std::string key_;            // converted from a number
  size_t structures_end_ = 0;  // of the value that is written to the span's structures
};

}  // namespace thaw

#endif  // THAW_CC_TRACE_TRACE_READER_H_
