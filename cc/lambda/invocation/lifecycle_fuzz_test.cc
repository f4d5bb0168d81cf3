// Any headers and bodies sent to the lifecycle's endpoints get a reply, the store keeps its bounds, and the
// result is a trace request that loses no span.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "cc/base/manual_executor.h"
#include "cc/base/seeded_random.h"
#include "cc/clock/fake_clock.h"
#include "cc/lambda/invocation/invocation_assembler.h"
#include "cc/lambda/invocation/invocation_store.h"
#include "cc/lambda/invocation/lifecycle_endpoints.h"
#include "cc/trace/trace_payload.h"

namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

struct World {
  void Invocation(const thaw::HttpHeaders& headers, std::string_view event, std::string_view response) {
    assembler.OnInvoke("r", {});
    Check(
        endpoints
            .Handle({.method = "POST", .path = "/lambda/start-invocation", .headers = headers, .body = event})
            .status == 200);
    Check(endpoints
              .Handle(
                  {.method = "POST", .path = "/lambda/end-invocation", .headers = headers, .body = response})
              .status == 200);
    assembler.OnEnd("r", {.start = absl::UnixEpoch() + absl::Hours(500'000), .duration = absl::Seconds(1)});
    assembler.OnReport("r");
    for (const thaw::OwnTrace& trace : assembler.TakeOwnTraces()) {
      const absl::StatusOr<thaw::TracePayload> payload = thaw::TracePayload::FromMsgpack(trace.body);
      Check(payload.ok() && payload->counts().spans > 0 && payload->counts().spans_left_out == 0);
      ++traces;
    }
  }

  explicit World(thaw::LifecycleOptions options) : endpoints(std::move(options), assembler) {}

  thaw::ManualExecutor executor;
  thaw::FakeClock clock{executor};
  thaw::InvocationStore store{{.max_bytes = 1 << 20}};
  thaw::InvocationAssembler assembler{
      {}, store, clock, [random = thaw::SeededRandom(1)]() mutable { return random.Next(); }};
  thaw::LifecycleEndpoints endpoints;
  int traces = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  thaw::LifecycleOptions options;
  options.payload_tags.enabled = true;
  options.propagation.http_baggage = true;
  options.propagation.styles = {thaw::PropagationStyle::kDatadog, thaw::PropagationStyle::kTraceContext,
                                thaw::PropagationStyle::kB3, thaw::PropagationStyle::kB3Multi,
                                thaw::PropagationStyle::kBaggage};
  options.propagation.baggage_tag_keys = {"*"};
  World world(std::move(options));

  world.Invocation({}, input, input);
  const std::string text(input.substr(0, 4096));
  thaw::HttpHeaders headers;
  for (const char* name : {"x-datadog-trace-id", "x-datadog-parent-id", "x-datadog-span-id", "x-datadog-tags",
                           "x-datadog-sampling-priority", "traceparent", "tracestate", "b3", "x-b3-traceid",
                           "x-b3-spanid", "baggage", "ot-baggage-a", "x-datadog-invocation-error-msg"})
    headers.emplace_back(name, text);
  world.Invocation(headers, "{}", "{}");
  // Wrap the input in an event, which most inputs lack.
  const std::string escaped = absl::Utf8SafeCEscape(text), base64 = absl::Base64Escape(text);
  world.Invocation(
      {{"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
       {"tracestate", "dd=" + text}},
      absl::StrCat("{\"Records\":[{\"eventSource\":\"aws:sqs\",\"body\":\"", escaped,
                   "\",\"attributes\":{\"AWSTraceHeader\":\"", escaped,
                   "\"},\"messageAttributes\":{\"_datadog\":{\"dataType\":\"Binary\",\"binaryValue\":\"",
                   base64, "\"}}}]}"),
      absl::StrCat("{\"statusCode\":", text, "}"));
  world.Invocation({}, absl::StrCat("{\"Records\":[{\"kinesis\":{\"data\":\"", base64, "\"}},", text, "]}"),
                   "");
  world.Invocation(
      {},
      absl::StrCat("{\"requestContext\":{\"stage\":", text, ",\"domainName\":\"d\"},\"httpMethod\":\"",
                   escaped, "\",\"resource\":0,\"path\":\"", escaped, "\"}"),
      "");
  world.Invocation({},
                   absl::StrCat("{\"Execution\":{\"Id\":\"", escaped, "\"},\"State\":{\"Name\":\"", escaped,
                                "\",\"EnteredTime\":\"", escaped, "\"},\"x-datadog-tags\":\"", escaped,
                                "\",\"x-datadog-trace-id\":\"7\"}"),
                   "");
  // The input stands in each place where bytes, or a value that a runtime may have parsed, are read.
  world.Invocation(
      {},
      absl::StrCat("{\"eventSource\":\"aws:kafka\",\"records\":{\"t-0\":[{\"topic\":\"t\",\"headers\":["
                   "{\"x-datadog-trace-id\":",
                   text, "},{\"baggage\":\"", escaped, "\"},", text, "]}],\"t-1\":", text, "}}"),
      "");
  world.Invocation(
      {},
      absl::StrCat("{\"Records\":{\"0\":{\"eventSource\":\"aws:sqs\",\"body\":", text,
                   ",\"messageAttributes\":{\"_datadog\":{\"dataType\":\"Binary\",\"binaryValue\":", text,
                   "}}}}}"),
      "");
  world.Invocation({},
                   absl::StrCat("{\"Payload\":{\"Execution\":{\"Id\":\"a\",\"Input\":", text,
                                "},\"State\":{\"Name\":\"b\",\"EnteredTime\":\"c\"}}}"),
                   "");
  world.Invocation({},
                   absl::StrCat("{\"version\":\"2.0\",\"rawQueryString\":", text, ",\"headers\":", text,
                                ",\"requestContext\":", text, "}"),
                   "");
  Check(world.assembler.counts().finished == 10 && world.traces == 10);
  Check(world.assembler.unfinished() == 0 && world.store.bytes() == 0);
  return 0;
}
