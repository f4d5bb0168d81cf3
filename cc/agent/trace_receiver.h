// The agent as a tracer sees it: the routes of port 8126.
//
//   TraceReceiver receiver(options, sink);
//   HttpServer server(executor, clock, {}, receiver.Routes());
//
//   /v0.4/traces, /v0.5/traces   POST, PUT   200 {"rate_by_service":{}}
//   /v0.6/stats                  POST, PUT   202
//   paths of ProxyRoutes()       POST        200; GET too below /evp_proxy/v2/ and /evp_proxy/v4/
//   /info                        any         the agent's features, as JSON
//   /debug/thaw                  GET         the owner's state, as JSON
//
// The status tells the reason: 400, with an explanation, for a request that can't be read; 413 for one that
// is larger than there can ever be room for; 429 if there is no room at present; 503 and 500 for failures
// here. The usual request is handled inside the server's turn; a larger one with traces is answered later.
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

// A tracer's request. The memory that it refers to must stay valid while it is processed.
struct TraceRequest {
  std::string_view body;
  TraceFormat format = TraceFormat::kV04;
  TracerHeaders headers;
  size_t body_memory = 0;  // HttpServerRequest::body_memory
};

// Takes over received requests. Returns OK: taken over; InvalidArgument: unreadable, with the reason;
// OutOfRange: there can never be room for it; ResourceExhausted: no room at present; any other status:
// readable, but not taken over.
class TraceSink {
 public:
  virtual ~TraceSink() = default;
  // Returns nullopt if this is too much for one turn of the loop: TakeTraces() must do it.
  virtual std::optional<absl::Status> TakeTracesAtOnce(const TraceRequest& request) = 0;
  // Works in turns between which others have theirs. A cancellation ends it; nothing was taken over then.
  virtual Task<absl::Status> TakeTraces(TraceRequest request, Cancellation& cancellation) = 0;
  // The same for client stats.
  virtual std::optional<absl::Status> TakeStatsAtOnce(const TraceRequest& request) = 0;
  virtual Task<absl::Status> TakeStats(TraceRequest request, Cancellation& cancellation) = 0;
  virtual absl::Status TakeProxied(ProxiedRequest request) = 0;
};

// X(name, what it counts)
#define THAW_TRACE_RECEIVER_COUNTS(X)                                    \
  X(trace_requests, "requests with traces that were taken over")         \
  X(stats_requests, "requests with client stats that were taken over")   \
  X(proxied_requests, "requests for other intakes that were taken over") \
  X(refused_unreadable, "400: requests that can't be read")              \
  X(refused_too_large, "413: requests for which there never is room")    \
  X(turned_away, "429: requests for which there was no room")            \
  X(failed, "500 and 503: requests that were not taken over for a reason of our own")

struct TraceReceiverCounts {
  THAW_DECLARE_COUNTS(THAW_TRACE_RECEIVER_COUNTS)
};

struct TraceReceiverOptions {
  std::string version;  // this program's
  // The peer tags and span kinds by which stats are computed here.
  std::vector<std::string> peer_tags;
  std::vector<std::string> span_kinds;
  // "key:value;key:value", added to proxied requests.
  std::string additional_tags;
  // The function's env, which requests of the EVP proxy name; may be empty.
  std::string env;
  // Returns a JSON text; null: there is no /debug/thaw.
  std::function<std::string()> debug_json;
};

class TraceReceiver {
 public:
  // `sink` must outlive the receiver.
  TraceReceiver(TraceReceiverOptions options, TraceSink& sink);
  TraceReceiver(const TraceReceiver&) = delete;
  TraceReceiver& operator=(const TraceReceiver&) = delete;

  // The routes refer to the receiver, which must outlive their server.
  std::vector<HttpRoute> Routes();
  // Returns the answer to /info.
  const std::string& info() const { return info_; }
  const TraceReceiverCounts& counts() const { return counts_; }

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
  const std::string via_;
  TraceReceiverCounts counts_;
};

}  // namespace thaw

#endif  // THAW_CC_AGENT_TRACE_RECEIVER_H_
