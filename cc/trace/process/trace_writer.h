// Writes the traces of a request that are kept into payloads: reads each span again, processes it, encodes it
// and shows it to the observer. A trace that does not fit into a payload goes on in the next one.
//
//   TraceWriter writer(request, body);
//   THAW_RETURN_IF_ERROR(writer.BeginPayload());
//   // Once, and again until it returns kTraceDone.
//   THAW_ASSIGN_OR_RETURN(const TraceWriter::Progress progress, writer.WriteTrace(trace));
//   writer.EndPayload(/*last=*/true);
//   TracePayload payload = writer.TakePart();
//
// One thread.

#ifndef THAW_CC_TRACE_PROCESS_TRACE_WRITER_H_
#define THAW_CC_TRACE_PROCESS_TRACE_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cc/base/protobuf_writer.h"
#include "cc/trace/process/request_state.h"
#include "cc/trace/process/text_work.h"
#include "cc/trace/span_note.h"
#include "cc/trace/trace_payload.h"

namespace thaw {

class TraceWriter {
 public:
  enum class Progress {
    kMore,       // no work is left in this step
    kPart,       // a payload is full; the trace goes on in the next one
    kTraceDone,  // the trace is written
  };

  // `body`: the request. Both must outlive the writer.
  TraceWriter(RequestState& request, std::string_view body)
      : request_(request), text_work_(body, request.charge.account()) {}

  // Begins a payload. The first has room for the whole of a small request.
  absl::Status BeginPayload();
  // Continues with the trace as far as the request's work allows.
  absl::StatusOr<Progress> WriteTrace(const NotedTrace& trace);
  void EndPayload(bool last);

  TracePayload TakePart() { return std::move(part_); }
  // Returns the charge of the part that was taken, which is charged elsewhere from then on.
  size_t TakePartCharge() { return std::exchange(part_charge_, 0); }
  // Returns the number of texts that were hidden because they would be too much work.
  int64_t texts_hidden() const { return text_work_.hidden(); }

 private:
  enum class Phase { kBegin, kTraceTags, kSpans };

  ProtobufWriter& out() { return payload_.chunk_fields_; }

  bool IsRejected(const NotedTrace& trace);
  // Returns false if the trace is neither sent nor observed.
  bool BeginTrace(const NotedTrace& trace);
  // Ends the trace's chunk in this payload, if there is one.
  void EndChunk(const NotedTrace& trace);
  // Ends the payload, of which the trace has more.
  absl::Status CutTrace(const NotedTrace& trace);

  // Takes the tags of placeholders and of a root that are left out. Returns true once all spans were looked
  // at.
  bool CollectTraceTags(const NotedTrace& trace);
  void TakeTraceTags(const SpanNote& note);
  // Adds these tags to the span, except for those it has itself.
  absl::Status GiveTraceTags();
  // Adds the metric by which the intake knows that the error sampler has kept the trace.
  absl::Status GiveErrorsRate();

  // Process a span and encode it. Return true if the span does not fit into the payload and must be written
  // into another.
  absl::StatusOr<bool> WriteSpanOf(const SpanNote& note);
  absl::StatusOr<bool> EncodeSpan();
  // Shortens and hides texts of a large span that would hold up the loop, and charges the memory that its
  // text takes on the way. Returns the charge.
  absl::StatusOr<size_t> BoundLargeSpan();
  void CutLongTexts();
  void HideBrokenTexts();
  size_t ScratchBytes() const;
  absl::Status ObserveSpan();

  RequestState& request_;
  TextWork text_work_;

  // State of the trace that is being written.
  Phase phase_ = Phase::kBegin;
  size_t next_ = 0;                // the next note
  bool dropped_ = false;           // shown to the observer, but not sent
  bool give_errors_rate_ = false;  // to the root, or to the next span if the root is left out
  size_t root_ = 0;                // index of the root's note
  int64_t written_ = 0;
  bool chunk_open_ = false;
  size_t chunk_ = 0;
  std::string_view origin_;    // named by its tracer
  int placeholders_left_ = 0;  // whose tags are taken
  std::vector<std::pair<std::string, std::string>> trace_tags_;
  std::optional<double> trace_priority_;
  bool give_trace_tags_ = false;  // to the next span

  TracePayload payload_;  // being written
  int64_t payloads_ = 0;
  int64_t spans_before_ = 0;
  TracePayload part_;  // finished, to be taken
  size_t part_charge_ = 0;
};

}  // namespace thaw

#endif  // THAW_CC_TRACE_PROCESS_TRACE_WRITER_H_
