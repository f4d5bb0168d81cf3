// Leaves out spans of a trace that came before, ties the others to invocations, and then finds the trace's
// root, its sampling priority and its top-level spans. A trace may have millions of spans, so each of these
// can stop after any span.
//
//   TraceLinker linker(request);
//   THAW_ASSIGN_OR_RETURN(const bool done, linker.Link(trace));   // until it is done, for each trace in turn
//
// One thread.

#ifndef THAW_CC_TRACE_PROCESS_TRACE_LINKER_H_
#define THAW_CC_TRACE_PROCESS_TRACE_LINKER_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "cc/trace/process/request_state.h"
#include "cc/trace/span_note.h"

namespace thaw {

class TraceLinker {
 public:
  explicit TraceLinker(RequestState& request) : request_(request) {}

  // Continues with the trace as far as the request's work allows. Returns true once its facts are settled.
  absl::StatusOr<bool> Link(NotedTrace& trace);

 private:
  enum class Phase { kBegin, kSpans, kIndex, kRoot, kTopLevel };

  void BeginTrace(const NotedTrace& trace);
  // Each returns true once it has come to the trace's last span.
  bool KeepNewSpans(const NotedTrace& trace);
  bool FindRoot(const NotedTrace& trace);
  bool MarkTopLevel(const NotedTrace& trace);
  void LinkToInvocation(SpanNote& note);
  // Takes the origin and the process's tags from the root.
  void TakeRootTags(NotedTrace& trace);

  RequestState& request_;
  // Progress within the trace.
  Phase phase_ = Phase::kBegin;
  size_t next_ = 0;  // the next note
  size_t kept_ = 0;  // the place of the next note that is kept
  // Facts of the spans that were kept.
  std::optional<size_t> root_;  // the last without a parent
  bool any_error_ = false;
  std::optional<int32_t> first_priority_;  // of the first that has one
  bool any_parent_ = false;                // a span names its parent
};

}  // namespace thaw

#endif  // THAW_CC_TRACE_PROCESS_TRACE_LINKER_H_
