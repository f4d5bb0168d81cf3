// Assembles invocations from tracers' calls and spans: serves the local endpoints for the start and the end
// of a handler, and makes the `aws.lambda` span for tracers that leave it to the extension.
//
//   InvocationLifecycle lifecycle(options, clock, std::move(random), sink);
//   LifecycleReply reply = lifecycle.Handle(
//       {.method = "POST", .path = "/lambda/start-invocation", .headers = headers, .body = body});
//   lifecycle.OnInvoke(request_id, {.cold_start = true});   // the platform's side of the same invocation
//   lifecycle.OnEnd(request_id, {...});         // the sink gets its spans, once all expected parts have come
//   lifecycle.OnReport(request_id);             // no further parts are expected
//
// An invocation's parts come by four ways in any order: /next, telemetry, a tracer's calls, a tracer's spans.
// They are paired by request id. A call without one belongs to the running invocation; if several may run at
// once and the call could mean more than one, it belongs to none. A part that comes before its invocation
// waits for it, for a short active time of this process.
//
// A body over the limit, or invalid JSON, loses only its own content.
//
// The store is bounded in number and in bytes; above the bounds the oldest leave first, ended ones before
// others. Nothing random is drawn before an invocation has ended or a tracer has sent a span, so that clones
// of a snapshot don't share ids. One thread.
//
// Source: the calls of Datadog's tracers for Java, .NET, Go and others in Lambda.

#ifndef THAW_CC_LAMBDA_INVOCATION_LIFECYCLE_ENDPOINTS_H_
#define THAW_CC_LAMBDA_INVOCATION_LIFECYCLE_ENDPOINTS_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "boost/json/fwd.hpp"
#include "cc/base/byte_account.h"
#include "cc/base/declare_counts.h"
#include "cc/clock/clock.h"
#include "cc/lambda/invocation/invocation_span.h"
#include "cc/lambda/invocation/payload_tags.h"
#include "cc/lambda/invocation/trace_context.h"
#include "cc/lambda/invocation/trigger.h"
#include "cc/net/http_message.h"
#include "cc/trace/process/invocation_links.h"

namespace thaw {

// The longest event and response that Lambda allows.
inline constexpr size_t kMaxLifecycleBody = 6 << 20;

struct LifecycleRequest {
  std::string_view method;
  std::string_view path;  // without a query
  const HttpHeaders& headers;
  std::string_view body;
  // The body was longer than kMaxLifecycleBody and is omitted; the call is accepted nevertheless.
  bool body_over_limit = false;
};

struct LifecycleReply {
  int status = 200;
  HttpHeaders headers;
  std::string body;
};

// X(name, what it counts)
#define THAW_LIFECYCLE_COUNTS(X)                                                                          \
  X(starts, "calls at the start of a handler")                                                            \
  X(ends, "calls at the end of a handler")                                                                \
  X(hellos, "calls that only ask whether somebody is there")                                              \
  X(refused, "calls of no endpoint")                                                                      \
  X(bodies_over_limit, "events and responses that were too long to be read")                              \
  X(bodies_not_json, "events and responses that were no JSON")                                            \
  X(values_left_out, "values of events, responses and their tags beyond the limits")                      \
  X(contexts, "invocations whose caller's trace is known")                                                \
  X(waited, "calls that came before their invocation")                                                    \
  X(repeated, "calls of an invocation that had one")                                                      \
  X(unpaired, "calls whose invocation is not known, and never was")                                       \
  X(given_up, "invocations left out for lack of room before they had ended")                              \
  X(sent_early, "ended invocations sent for lack of room before all that was due had come")               \
  X(finished, "invocations that ended, with a span or without")                                           \
  X(traces, "of these, those whose span is made here")                                                    \
  X(errors, "of those that ended, those that failed by anybody's account")                                \
  X(trace_ids_made, "traces whose id nobody gave")                                                        \
  X(placeholders, "tracers' spans that were taken into the one made here")                                \
  X(placeholders_late, "tracers' spans that came when the one made here was sent, or never was expected") \
  X(environment_starts, "spans of cold starts and restores")

struct LifecycleCounts {
  THAW_DECLARE_COUNTS(THAW_LIFECYCLE_COUNTS)
};

// An invocation that ended, reported once.
struct FinishedInvocation {
  std::string request_id;
  bool is_error = false;  // the platform or the tracer says that it failed
  bool timed_out = false;
  bool out_of_memory = false;
};

// Receives spans, within calls of the lifecycle except those of InvocationLinks; must not call it.
class LifecycleSink {
 public:
  virtual ~LifecycleSink() = default;
  // Takes the body of a /v0.4/traces request, which it must process within this call: the processor's calls
  // of InvocationLinks are thereby known to concern spans made here.
  virtual void TakeTrace(std::string body, bool client_computed_stats) = 0;
  virtual void InvocationFinished(const FinishedInvocation& invocation) = 0;
};

struct LifecycleOptions {
  InvocationSpanOptions span;
  TriggerOptions trigger;
  PropagationOptions propagation;
  PayloadTagOptions payload_tags;
  // Several invocations may run at once (managed instances).
  bool concurrent = false;
  size_t max_invocations = 500;
  size_t max_bytes = 4 << 20;
  // The account that the store is charged to; may be null. Must outlive the lifecycle.
  ByteAccount* account = nullptr;
  // Longest time from a call until its invocation is known, by the clock that advances most.
  absl::Duration wait_for_invocation = absl::Seconds(2);
};

class InvocationLifecycle : public InvocationLinks {
 public:
  // `clock` and `sink` must outlive the lifecycle.
  InvocationLifecycle(LifecycleOptions options, Clock& clock, RandomId random, LifecycleSink& sink);
  InvocationLifecycle(const InvocationLifecycle&) = delete;
  InvocationLifecycle& operator=(const InvocationLifecycle&) = delete;

  // Serves POST /lambda/start-invocation, POST /lambda/end-invocation and GET /lambda/hello; answers 404 and
  // 405 otherwise. A call takes effect before the reply is made, so that a tracer's end is known before the
  // platform's.
  LifecycleReply Handle(const LifecycleRequest& request);

  // The platform's side. OnInvoke begins a new invocation, even if its request id came before.
  struct Invoke {
    bool cold_start = false;
    bool proactive_initialization = false;
  };
  void OnInvoke(std::string_view request_id, const Invoke& invoke);
  void OnEnd(std::string_view request_id, PlatformEnd end);
  void OnReport(std::string_view request_id);
  // The environment was started or restored; pass all that is known by now, its duration may follow later.
  // The latest of each kind counts, and a restore more than a start.
  void OnEnvironmentStart(bool is_restore, absl::Time start, std::optional<absl::Duration> duration);
  // Sends each ended invocation as it is: nothing more will come.
  void FinishAll();
  // Sends each ended invocation that its placeholder identifies, although the tracer's call at its end is
  // missing: that call is made while the handler runs, or never. Call this before a flush.
  void FinishIdentified();
  // Sends the invocations that tracers' spans have completed. Call this after each request of theirs was
  // processed: the calls of InvocationLinks come from within that, when nothing can be processed.
  void SendReady();

  // Sets the runtime's name once it is known.
  void set_runtime(std::string runtime) { options_.span.runtime = std::move(runtime); }

  // InvocationLinks:
  uint64_t OnLoadSpan(uint64_t trace_id, uint64_t span_id) override;
  void OnPlaceholder(const SpanView& span, std::string_view meta_struct, bool client_computed_stats) override;
  uint64_t ParentOf(uint64_t trace_id, uint64_t parent_id) override;

  // The number of invocations in the store, and about the bytes that they hold.
  size_t size() const { return entries_.size(); }
  size_t bytes() const { return bytes_; }
  const LifecycleCounts& counts() const { return counts_; }

 private:
  struct Entry {
    InvocationRecord record;
    ClockReading arrived;
    bool invoked = false;
    bool started = false;  // a tracer called
    bool platform_ended = false;
    uint64_t seen_trace_id = 0;  // from spans that came meanwhile
    size_t bytes = 0;
  };
  using Entries = std::list<Entry>;  // oldest first

  LifecycleReply Start(const LifecycleRequest& request);
  LifecycleReply End(const LifecycleRequest& request);
  // Returns the invocation that a call belongs to; null if it is unknown.
  Entry* EntryOfCall(const LifecycleRequest& request, bool is_start);
  Entry* Find(std::string_view request_id);
  Entry& Add(std::string_view request_id);
  // Returns the latest entry for which `wanted` holds; if several may run at once, only if it is the only
  // one.
  Entry* LatestOf(bool (*wanted)(const Entry&));
  // Returns the body as JSON; null if there is none that can be read.
  boost::json::value Body(const LifecycleRequest& request);
  void Updated(Entry& entry);
  void SetBytes(Entry& entry, size_t bytes);
  // Sends and removes the entry if nothing more is expected of it, or if `wait` is false.
  bool TryFinish(Entry& entry, bool wait);
  void Remove(Entry& entry);
  void DropStale();
  void KeepBounds();
  void TrySendEnvironmentStart();
  void Send(absl::Span<const OwnedSpan> trace, bool client_computed_stats);

  LifecycleOptions options_;
  Clock& clock_;
  RandomId random_;
  LifecycleSink& sink_;
  Entries entries_;
  size_t bytes_ = 0;
  ByteCharge charge_;          // as large as bytes_
  bool tracer_calls_ = false;  // a tracer called: the extension makes every invocation's span

  bool may_lack_trace_id_ = false;  // some entry may lack a trace id
  bool sending_ = false;

  // The start whose span is not sent yet, and the time of the latest whose span is.
  std::optional<EnvironmentStart> environment_start_;
  bool has_start_duration_ = false;
  absl::Time sent_start_ = absl::InfinitePast();
  bool start_span_sent_ = false;  // and no later start came
  // The invocation's span beside which the start's stands. May be known before the start.
  std::optional<OwnedSpan> first_span_;
  uint64_t start_span_id_ = 0;  // given to a tracer already; 0: not yet
  LifecycleCounts counts_;
};

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_INVOCATION_LIFECYCLE_ENDPOINTS_H_
