// The agent's side of a tracer: the routes of port 8126, what they take, and what they answer.
//
//   TraceReceiver receiver(options, sink);
//   HttpServer server(executor, clock, {}, receiver.Routes());
//
//   /v0.4/traces, /v0.5/traces   POST, PUT   200 {"rate_by_service":{}}
//   /v0.6/stats                  POST, PUT   202
//   those of ProxyRoutes()       POST        200
//   /info                        any         what this agent can do, as JSON
//   /debug/thaw                  GET         whatever the owner tells of itself, as JSON
//
// An answer tells the truth about who is to blame: 400 with the reason for what can't be read, 413 for what
// is more than there ever is room for, 429 when there is no room now, 503 and 500 for what went wrong here.
// The usual request is handled inside the server's turn; one with traces that is more work is answered later.
//
// One thread: the server's.

#ifndef THAW_CC_AGENT_TRACE_RECEIVER_H_
#define THAW_CC_AGENT_TRACE_RECEIVER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "cc/agent/http_exchange.h"
#include "cc/agent/http_route.h"
#include "cc/agent/proxied_request.h"
#include "cc/base/cancellation.h"
#include "cc/base/declare_counts.h"
#include "cc/base/task.h"
#include "cc/trace/trace_format.h"
#include "cc/trace/tracer_headers.h"

namespace thaw {

// A tracer's request. What it refers to stays as long as it is worked on.
struct TraceRequest {
  std::string_view body;
  TraceFormat format = TraceFormat::kV04;
  TracerHeaders headers;
  size_t body_memory = 0;  // HttpServerRequest::body_memory
};

// Where what was received goes. OK: it is taken over. InvalidArgument: it can't be read, and why. OutOfRange:
// there never is room for it. ResourceExhausted: no room now. Anything else: it could be read and was not
// taken over.
class TraceSink {
 public:
  virtual ~TraceSink() = default;
  // Nothing: it is more work than fits into a turn of the loop, and TakeTraces() is for it.
  virtual std::optional<absl::Status> TakeTracesAtOnce(const TraceRequest& request) = 0;
  // In turns between which others have theirs. The cancellation ends it; then nothing was taken over.
  virtual Task<absl::Status> TakeTraces(TraceRequest request, Cancellation& cancellation) = 0;
  // The same for client stats.
  virtual std::optional<absl::Status> TakeStatsAtOnce(const TraceRequest& request) = 0;
  virtual Task<absl::Status> TakeStats(TraceRequest request, Cancellation& cancellation) = 0;
  virtual absl::Status TakeProxied(ProxiedRequest request) = 0;
};

// X(name, what it counts)
#define THAW_TRACE_RECEIVER_COUNTERS(X)                                  \
  X(trace_requests, "requests with traces that were taken over")         \
  X(stats_requests, "requests with client stats that were taken over")   \
  X(proxied_requests, "requests for other intakes that were taken over") \
  X(refused_unreadable, "400: requests that can't be read")              \
  X(refused_too_large, "413: requests for which there never is room")    \
  X(turned_away, "429: requests for which there was no room")            \
  X(failed, "500 and 503: requests that were not taken over for a reason of our own")

struct TraceReceiverCounters {
  THAW_DECLARE_COUNTS(THAW_TRACE_RECEIVER_COUNTERS)
};

struct TraceReceiverOptions {
  std::string version;  // of this program
  // What the stats computed here are by.
  std::vector<std::string> peer_tags;
  std::vector<std::string> span_kinds;
  // "key:value;key:value", given to proxied requests.
  std::string additional_tags;
  // A JSON text; null: there is no /debug/thaw.
  std::function<std::string()> debug_json;
};

class TraceReceiver {
 public:
  // `sink` must outlive the receiver.
  TraceReceiver(TraceReceiverOptions options, TraceSink& sink);
  TraceReceiver(const TraceReceiver&) = delete;
  TraceReceiver& operator=(const TraceReceiver&) = delete;

  // They refer to the receiver, which must outlive the server that is given them.
  std::vector<HttpRoute> Routes();
  // What /info says.
  const std::string& info() const { return info_; }
  const TraceReceiverCounters& counters() const { return counters_; }

 private:
  void TakeTracesAtOnce(HttpServerRequest& request, TraceFormat format, HttpReply& reply);
  Task<void> TakeTraces(HttpServerRequest& request, TraceFormat format, HttpReply& reply,
                        Cancellation& cancellation);
  void AnswerTraces(const absl::Status& status, HttpReply& reply);
  void TakeStatsAtOnce(HttpServerRequest& request, HttpReply& reply);
  Task<void> TakeStats(HttpServerRequest& request, HttpReply& reply, Cancellation& cancellation);
  void AnswerStats(const absl::Status& status, HttpReply& reply);
  void TakeProxied(const ProxyRoute& route, HttpServerRequest& request, HttpReply& reply);
  void Refuse(const absl::Status& status, HttpReply& reply);

  const TraceReceiverOptions options_;
  TraceSink& sink_;
  const std::string info_;
  TraceReceiverCounters counters_;
};

}  // namespace thaw

#endif  // THAW_CC_AGENT_TRACE_RECEIVER_H_
