// What tracers say of invocations, and what is made of it: the local endpoints for the start and the end of a
// handler, and the `aws.lambda` span of those tracers that leave it to the extension.
//
//   InvocationLifecycle lifecycle(options, clock, random, sink);
//   LifecycleReply reply = lifecycle.Handle({.method = "POST", .path = "/lambda/start-invocation", ...});
//   lifecycle.OnInvoke(request_id, {...});      // the platform's side of the same invocation
//   lifecycle.OnEnd(request_id, {...});         // the sink gets its spans, once all that is due has come
//   lifecycle.OnReport(request_id);             // what has not come by now will not
//
// An invocation's parts come by four ways in any order: /next, telemetry, a tracer's calls, a tracer's spans.
// They are paired by request id. A call without one belongs to the invocation that runs; where several may
// run at once, and more than one could be meant, to none. What comes before its invocation waits for it, for
// a short time in which this process could run.
//
// A body over the limit, or one that is no JSON, loses what it would have said and nothing else.
//
// The store is bounded in number and in bytes; what is over goes the oldest first, ended ones before others.
// Nothing random is drawn before an invocation has ended or a tracer has sent a span, so that clones of a
// snapshot don't share ids. One thread.
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

// Lambda's longest event and response.
inline constexpr size_t kMaxLifecycleBody = 6 << 20;

struct LifecycleRequest {
  std::string_view method;
  std::string_view path;  // without a query
  const HttpHeaders& headers;
  std::string_view body;
  // The body was longer than kMaxLifecycleBody and is not here, which is no reason to refuse the call.
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

// Once for each invocation that ended.
struct FinishedInvocation {
  std::string request_id;
  bool is_error = false;  // by the platform's account or the tracer's: once, whoever says so
  bool timed_out = false;
  bool out_of_memory = false;
};

// Where spans go. Called within calls of the lifecycle's, but for those of InvocationLinks; must not call it.
class LifecycleSink {
 public:
  virtual ~LifecycleSink() = default;
  // The body of a /v0.4/traces request, to be processed within this call: what the processor then asks of
  // InvocationLinks is known to be about spans made here.
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
  // What the store is charged to; may be null. Must outlive the lifecycle.
  ByteAccount* account = nullptr;
  // How long a call may come before its invocation is known, by the clock that advances most.
  absl::Duration wait_for_invocation = absl::Seconds(2);
};

class InvocationLifecycle : public InvocationLinks {
 public:
  // `clock` and `sink` must outlive it.
  InvocationLifecycle(LifecycleOptions options, Clock& clock, RandomId random, LifecycleSink& sink);
  InvocationLifecycle(const InvocationLifecycle&) = delete;
  InvocationLifecycle& operator=(const InvocationLifecycle&) = delete;

  // POST /lambda/start-invocation, POST /lambda/end-invocation, GET /lambda/hello; 404 and 405 else. What a
  // call says is taken in before the reply is made, so that a tracer's end is known before the platform's.
  LifecycleReply Handle(const LifecycleRequest& request);

  // The platform's side. An invocation begins with OnInvoke, also one whose request id was had before.
  struct Invoke {
    bool cold_start = false;
    bool proactive_initialization = false;
  };
  void OnInvoke(std::string_view request_id, const Invoke& invoke);
  void OnEnd(std::string_view request_id, PlatformEnd end);
  void OnReport(std::string_view request_id);
  // The environment was started or restored, with all that is known by now; of each kind the latest counts, a
  // restore more than a start. Its duration may follow later.
  void OnEnvironmentStart(bool is_restore, absl::Time start, std::optional<absl::Duration> duration);
  // Nothing more will come: what has ended is sent as it is.
  void FinishAll();
  // Sends what has ended and is known by its placeholder, though the tracer's call at its end is missing:
  // that call is made while the handler runs, or never. To be called before a flush.
  void FinishIdentified();
  // Sends what has become whole by tracers' spans. To be called after each request of theirs was processed:
  // the calls of InvocationLinks come from within that, when nothing can be processed.
  void SendReady();

  // What the function's runtime is called, when it is known.
  void set_runtime(std::string runtime) { options_.span.runtime = std::move(runtime); }

  // InvocationLinks:
  uint64_t OnLoadSpan(uint64_t trace_id, uint64_t span_id) override;
  void OnPlaceholder(const SpanView& span, std::string_view meta_struct, bool client_computed_stats) override;
  uint64_t ParentOf(uint64_t trace_id, uint64_t parent_id) override;

  // Invocations in the store, and bytes that they hold, about.
  size_t size() const { return entries_.size(); }
  size_t bytes() const { return bytes_; }
  const LifecycleCounts& counts() const { return counts_; }

 private:
  struct Entry {
    InvocationRecord record;
    ClockReading arrived;
    bool invoked = false;
    bool started = false;  // by a tracer's call
    bool platform_ended = false;
    uint64_t seen_trace_id = 0;  // of spans that came meanwhile
    size_t bytes = 0;
  };
  using Entries = std::list<Entry>;  // the oldest first

  LifecycleReply Start(const LifecycleRequest& request);
  LifecycleReply End(const LifecycleRequest& request);
  // The invocation that a call is of; null if it can't be told.
  Entry* EntryOfCall(const LifecycleRequest& request, bool is_start);
  Entry* Find(std::string_view request_id);
  Entry& Add(std::string_view request_id);
  // The latest for which `wanted` holds. Where several may run at once: only if it is the only one.
  Entry* LatestOf(bool (*wanted)(const Entry&));
  // The body as JSON; null if there is none that can be read.
  boost::json::value Body(const LifecycleRequest& request);
  void Updated(Entry& entry);
  void SetBytes(Entry& entry, size_t bytes);
  // Sends it and removes it, if nothing is due any more, or if nothing is waited for.
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
  ByteCharge charge_;          // of as many
  bool tracer_calls_ = false;  // a tracer has called: the extension makes the span of every invocation

  bool may_lack_trace_id_ = false;  // otherwise none does
  bool sending_ = false;

  // The start whose span is not sent yet, and the latest whose is.
  std::optional<EnvironmentStart> environment_start_;
  bool has_start_duration_ = false;
  absl::Time sent_start_ = absl::InfinitePast();
  bool start_span_sent_ = false;  // and no later start has come
  // The span beside which it stands. May be known first.
  std::optional<OwnedSpan> first_span_;
  uint64_t start_span_id_ = 0;  // given away already; 0: not yet
  LifecycleCounts counts_;
};

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_INVOCATION_LIFECYCLE_ENDPOINTS_H_
