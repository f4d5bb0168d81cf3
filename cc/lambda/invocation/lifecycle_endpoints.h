// Serves the local endpoints that tracers call at the start and at the end of a handler: reads the calls,
// gives them to the assembler, and answers.
//
//   LifecycleEndpoints endpoints(options, assembler);
//   LifecycleReply reply = endpoints.Handle(
//       {.method = "POST", .path = "/lambda/start-invocation", .headers = headers, .body = body});
//
// A body over the limit, or invalid JSON, loses only its own content. One thread.
//
// Source: the calls of Datadog's tracers for Java, .NET, Go and others in Lambda.

#ifndef THAW_CC_LAMBDA_INVOCATION_LIFECYCLE_ENDPOINTS_H_
#define THAW_CC_LAMBDA_INVOCATION_LIFECYCLE_ENDPOINTS_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "boost/json/fwd.hpp"
#include "cc/base/declare_counts.h"
#include "cc/lambda/invocation/data_streams.h"
#include "cc/lambda/invocation/event_json.h"
#include "cc/lambda/invocation/invocation_assembler.h"
#include "cc/lambda/invocation/payload_tags.h"
#include "cc/lambda/invocation/trace_context.h"
#include "cc/lambda/invocation/trigger.h"
#include "cc/net/http_message.h"
#include "cc/stats/pathway_stats.h"

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
  // The body's tree if it was parsed already; it is moved from.
  absl::StatusOr<EventJson>* parsed = nullptr;
};

struct LifecycleReply {
  int status = 200;
  std::string_view content_type = "application/json";  // a constant
  HttpHeaders headers;                                 // without Content-Type
  std::string body;
};

// X(name, what it counts)
#define THAW_LIFECYCLE_COUNTS(X)                                             \
  X(starts, "calls at the start of a handler")                               \
  X(ends, "calls at the end of a handler")                                   \
  X(hellos, "calls that only ask whether somebody is there")                 \
  X(refused, "calls of no endpoint")                                         \
  X(bodies_over_limit, "events and responses that were too long to be read") \
  X(bodies_not_json, "events and responses that were no JSON")               \
  X(values_left_out, "values of events, responses and their tags beyond the limits")

struct LifecycleCounts {
  THAW_DECLARE_COUNTS(THAW_LIFECYCLE_COUNTS)
};

struct LifecycleOptions {
  TriggerOptions trigger;
  PropagationOptions propagation;
  PayloadTagOptions payload_tags;
  DataStreamsOptions data_streams;
};

class LifecycleEndpoints {
 public:
  // `assembler` and `pathways` must outlive the endpoints. `pathways` gets the checkpoints of each invocation's
  // messages, once; null: none are made.
  LifecycleEndpoints(LifecycleOptions options, InvocationAssembler& assembler,
                     PathwayStats* pathways = nullptr)
      : options_(std::move(options)), assembler_(assembler), pathways_(pathways) {}
  LifecycleEndpoints(const LifecycleEndpoints&) = delete;
  LifecycleEndpoints& operator=(const LifecycleEndpoints&) = delete;

  // Serves POST /lambda/start-invocation, POST /lambda/end-invocation and GET /lambda/hello; answers 404 and
  // 405 otherwise. A call takes effect before the reply is made, so that a tracer's end is known before the
  // platform's.
  LifecycleReply Handle(const LifecycleRequest& request);

  const LifecycleCounts& counts() const { return counts_; }

 private:
  LifecycleReply Start(const LifecycleRequest& request);
  LifecycleReply End(const LifecycleRequest& request);
  // Returns the body as JSON; null if there is none that can be read.
  boost::json::value Body(const LifecycleRequest& request);

  const LifecycleOptions options_;
  InvocationAssembler& assembler_;
  PathwayStats* const pathways_;
  LifecycleCounts counts_;
};

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_INVOCATION_LIFECYCLE_ENDPOINTS_H_
