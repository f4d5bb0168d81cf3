// Assembles invocations from their parts, and makes the `aws.lambda` span for tracers that leave it to the
// extension.
//
//   InvocationAssembler assembler(options, store, clock, std::move(random));
//   assembler.OnStartCall(request_id, fill);     // a tracer called; see LifecycleEndpoints
//   assembler.OnInvoke(request_id, {.cold_start = true});   // the platform's side of the same invocation
//   // Queues its spans, once all expected parts have come.
//   assembler.OnEnd(request_id, {.start = start, .duration = duration});
//   assembler.OnReport(request_id);              // no further parts are expected
//   for (OwnTrace& trace : assembler.TakeOwnTraces()) ...
//
// An invocation's parts come by four ways in any order: /next, telemetry, a tracer's calls, a tracer's spans.
// They are paired by request id. A call without one belongs to the running invocation; if several may run at
// once and the call could mean more than one, it belongs to none. A call that comes before its invocation
// waits for it, for a short active time of this process.
//
// Spans made here are queued until their taker asks for them: no call of the assembler calls out. The trace
// processor may therefore call InvocationLinks at any time, also while spans are queued.
//
// The assembler is the tracer's side of an InvocationStore, whose bounds hold. An ended invocation that is
// evicted is sent as it is. Nothing random is drawn before an invocation has ended or a tracer has sent a
// span, so that clones of a snapshot don't share ids. One thread.

#ifndef THAW_CC_LAMBDA_INVOCATION_INVOCATION_ASSEMBLER_H_
#define THAW_CC_LAMBDA_INVOCATION_INVOCATION_ASSEMBLER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "cc/base/byte_account.h"
#include "cc/base/declare_counts.h"
#include "cc/clock/clock.h"
#include "cc/lambda/invocation/environment_start.h"
#include "cc/lambda/invocation/invocation_span.h"
#include "cc/lambda/invocation/invocation_store.h"
#include "cc/trace/process/invocation_links.h"

namespace thaw {

// X(name, what it counts)
#define THAW_ASSEMBLER_COUNTS(X)                                                                          \
  X(contexts, "invocations whose caller's trace is known")                                                \
  X(waited, "calls that came before their invocation")                                                    \
  X(repeated, "calls of an invocation that had one")                                                      \
  X(unpaired, "calls whose invocation is not known, and never was")                                       \
  X(given_up, "invocations left out for lack of room before they had ended")                              \
  X(sent_early, "ended invocations sent for lack of room before all that was due had come")               \
  X(finished, "invocations that ended, with a span or without")                                           \
  X(traces, "of these, those whose span is made here")                                                    \
  X(errors, "ended invocations that failed, as the platform or a tracer says")                            \
  X(trace_ids_made, "traces whose id is made here, since no caller and no tracer gave one")               \
  X(placeholders, "tracers' spans that were taken into the one made here")                                \
  X(placeholders_late, "tracers' spans that came when the one made here was sent, or never was expected") \
  X(environment_starts, "spans of cold starts and restores")

struct AssemblerCounts {
  THAW_DECLARE_COUNTS(THAW_ASSEMBLER_COUNTS)
};

struct AssemblerOptions {
  InvocationSpanOptions span;
  // Several invocations may run at once (managed instances).
  bool concurrent = false;
};

// A trace made here, as the body of a /v0.4/traces request.
struct OwnTrace {
  std::string body;
  bool client_computed_stats = false;
};

class InvocationAssembler : public InvocationLinks, private InvocationStore::View {
 public:
  // `store` and `clock` must outlive the assembler.
  InvocationAssembler(AssemblerOptions options, InvocationStore& store, Clock& clock, RandomId random);
  InvocationAssembler(const InvocationAssembler&) = delete;
  InvocationAssembler& operator=(const InvocationAssembler&) = delete;

  // A tracer's calls. `request_id` is empty if the call names none. `fill` adds what the call says to its
  // invocation's record; it is not called if the invocation is unknown or had such a call. At the end, `fill`
  // must set the record's `end`.
  void OnStartCall(std::string_view request_id, absl::FunctionRef<void(InvocationRecord&)> fill);
  void OnEndCall(std::string_view request_id, absl::FunctionRef<void(InvocationRecord&)> fill);

  // The platform's side. OnInvoke begins a new invocation, even if its request id came before.
  struct Invoke {
    bool cold_start = false;
    bool proactive_initialization = false;
  };
  void OnInvoke(std::string_view request_id, const Invoke& invoke);
  void OnEnd(std::string_view request_id, PlatformEnd end);
  void OnReport(std::string_view request_id);
  // The environment was started or restored: see EnvironmentStartSpan.
  void OnEnvironmentStart(bool is_restore, absl::Time start, std::optional<absl::Duration> duration);
  // Finishes each ended invocation as it is: nothing more will come.
  void FinishAll() { TryFinishEach(/*wait=*/false); }
  // Finishes each ended invocation that its placeholder identifies, although the tracer's call at its end is
  // missing: that call is made while the handler runs, or never. Call this before a flush.
  void FinishIdentified();

  // Returns the traces that were made since the last call. Call this after each call of the others, and after
  // each request of a tracer: an invocation whose trace id only its spans tell is finished here.
  std::vector<OwnTrace> TakeOwnTraces();

  // Sets the runtime's name once it is known.
  void set_runtime(std::string runtime) { options_.span.runtime = std::move(runtime); }

  // InvocationLinks:
  uint64_t OnLoadSpan(uint64_t trace_id, uint64_t span_id) override;
  void OnPlaceholder(const SpanView& span, std::string_view meta_struct, bool client_computed_stats) override;
  void OnInvocationSpan(const SpanView& span) override {
    if (on_invocation_span_) on_invocation_span_(span);
  }
  uint64_t ParentOf(uint64_t trace_id, uint64_t parent_id) override;

  // Sets a function that gets each span that a tracer sends of an invocation, or in its place.
  void set_on_invocation_span(absl::AnyInvocable<void(const SpanView&)> on_invocation_span) {
    on_invocation_span_ = std::move(on_invocation_span);
  }

  // Returns the number of invocations that are not finished.
  size_t unfinished() const;
  const AssemblerCounts& counts() const { return counts_; }

 private:
  using Entry = InvocationStore::Entry;
  using TracerSide = InvocationStore::TracerSide;

  // InvocationStore::View:
  void BeforeEviction(Entry& entry) override;

  // Returns the invocation that a call belongs to; null if it is unknown.
  Entry* EntryOfCall(std::string_view request_id, bool is_start);
  // Returns the latest unfinished invocation of the request id; null if there is none.
  Entry* Find(std::string_view request_id);
  // Returns the latest unfinished invocation for which `wanted` holds; if several may run at once, only if it
  // is the only one.
  Entry* LatestOf(absl::FunctionRef<bool(const TracerSide&)> wanted);
  // Gives the tracer's side to the oldest entry of the request id that never had one, or to a new entry.
  Entry& Begin(std::string_view request_id);
  // Finishes the invocation if nothing more is expected of it, or, if `wait` is false, if it has ended.
  // Returns whether it is finished, and its tracer's side gone.
  bool TryFinish(Entry& entry, bool wait);
  void TryFinishEach(bool wait);
  void Finish(TracerSide& side);
  void GiveUp(Entry& entry);
  void EndSide(Entry& entry);
  void TryFinishOrUpdate(Entry& entry);
  void DropStale();
  void TryMakeEnvironmentStart();
  void Queue(absl::Span<const OwnedSpan> trace, bool client_computed_stats);

  AssemblerOptions options_;
  InvocationStore& store_;
  Clock& clock_;
  RandomId random_;
  bool tracer_calls_ = false;       // a tracer called: the extension makes every invocation's span
  bool may_lack_trace_id_ = false;  // some invocation may lack a trace id
  bool trace_id_seen_ = false;      // a span has told an invocation's since the last TakeOwnTraces()
  EnvironmentStartSpan environment_start_;
  std::vector<OwnTrace> own_traces_;
  ByteCharge own_traces_charge_;
  AssemblerCounts counts_;
  absl::AnyInvocable<void(const SpanView&)> on_invocation_span_;
};

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_INVOCATION_INVOCATION_ASSEMBLER_H_
