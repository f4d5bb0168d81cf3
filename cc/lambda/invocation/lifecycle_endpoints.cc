#include "cc/lambda/invocation/lifecycle_endpoints.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "boost/json/value.hpp"
#include "cc/base/utf8.h"
#include "cc/lambda/invocation/invocation_span.h"
#include "cc/lambda/invocation/span_pointers.h"

namespace thaw {
namespace {

namespace json = boost::json;

constexpr std::string_view kRequestIdHeader = "lambda-runtime-aws-request-id";
constexpr std::string_view kPlainText = "text/plain; charset=utf-8";

std::string_view Header(const HttpHeaders& headers, std::string_view name) {
  return absl::StripAsciiWhitespace(FindHeader(headers, name).value_or(std::string_view()));
}

// Decodes an error's text, which tracers send in base64, or plain by mistake.
std::string ErrorText(std::string_view header) {
  std::string decoded;
  if (absl::Base64Unescape(header, &decoded) && IsValidUtf8(decoded)) return decoded;
  return std::string(header);
}

TracerEnd EndOf(const HttpHeaders& headers, const json::value& response) {
  TracerEnd end{.trace_id = ParseDecimalId(Header(headers, "x-datadog-trace-id")).value_or(0),
                .span_id = ParseDecimalId(Header(headers, "x-datadog-span-id")).value_or(0),
                .parent_id = ParseDecimalId(Header(headers, "x-datadog-parent-id")).value_or(0),
                .propagation_tags = ParsePropagationTags(Header(headers, "x-datadog-tags"))};
  end.sampling_priority = ParseSamplingPriority(Header(headers, "x-datadog-sampling-priority"));
  end.is_error = absl::EqualsIgnoreCase(Header(headers, "x-datadog-invocation-error"), "true");
  constexpr std::pair<std::string_view, std::string_view> kErrorHeaders[] = {
      {"x-datadog-invocation-error-msg", "error.msg"},
      {"x-datadog-invocation-error-type", "error.type"},
      {"x-datadog-invocation-error-stack", "error.stack"}};
  for (const auto& [header, tag] : kErrorHeaders) {
    const std::string_view text = Header(headers, header);
    if (text.empty()) continue;
    end.is_error = true;
    end.error_tags.emplace(tag, ErrorText(text));
  }
  const std::string code = ScalarAt(response, {"statusCode"});
  if (code.size() == 3 && std::all_of(code.begin(), code.end(), absl::ascii_isdigit))
    end.http_status_code = code;
  return end;
}

}  // namespace

LifecycleReply LifecycleEndpoints::Handle(const LifecycleRequest& request) {
  const auto is_method = [&request](std::string_view method) { return request.method == method; };
  std::string_view allowed = "POST";
  if (request.path == "/lambda/start-invocation") {
    if (is_method("POST")) return Start(request);
  } else if (request.path == "/lambda/end-invocation") {
    if (is_method("POST")) return End(request);
  } else if (request.path == "/lambda/hello") {
    allowed = "GET";
    if (is_method("GET")) {
      ++counts_.hellos;
      return {.body = "{}"};
    }
  } else {
    ++counts_.refused;
    return {.status = 404, .content_type = kPlainText, .body = "no such endpoint\n"};
  }
  ++counts_.refused;
  return {.status = 405,
          .content_type = kPlainText,
          .headers = {{"Allow", std::string(allowed)}},
          .body = "method not allowed\n"};
}

LifecycleReply LifecycleEndpoints::Start(const LifecycleRequest& request) {
  ++counts_.starts;
  const json::value event = Body(request);
  Trigger trigger = DetectTrigger(event, options_.trigger);
  std::optional<TraceContext> context =
      ExtractInvocationContext(event, trigger, request.headers, options_.propagation);

  LifecycleReply reply{.body = "{}"};
  if (context) {
    HttpHeaders of_context = TraceContextReplyHeaders(*context);
    std::move(of_context.begin(), of_context.end(), std::back_inserter(reply.headers));
  }
  assembler_.OnStartCall(Header(request.headers, kRequestIdHeader), [&](InvocationRecord& record) {
    record.upstream = std::move(context);
    record.span_pointers = SpanPointersOfEvent(event);
    if (pathways_ != nullptr) AddCheckpoints(event, options_.data_streams, *pathways_);
    // The carriers were read, and would only take memory.
    trigger.carriers.clear();
    trigger.generated_context.reset();
    record.trigger = std::move(trigger);
    counts_.values_left_out +=
        AddPayloadTags("function.request", event, options_.payload_tags, record.payload_tags);
  });
  return reply;
}

LifecycleReply LifecycleEndpoints::End(const LifecycleRequest& request) {
  ++counts_.ends;
  const json::value response = Body(request);
  assembler_.OnEndCall(Header(request.headers, kRequestIdHeader), [&](InvocationRecord& record) {
    record.end = EndOf(request.headers, response);
    counts_.values_left_out +=
        AddPayloadTags("function.response", response, options_.payload_tags, record.payload_tags);
  });
  return {.body = "{}"};
}

json::value LifecycleEndpoints::Body(const LifecycleRequest& request) {
  if (request.body_over_limit || request.body.size() > kMaxLifecycleBody) {
    ++counts_.bodies_over_limit;
    return nullptr;
  }
  if (request.body.empty()) return nullptr;
  absl::StatusOr<EventJson> body =
      request.parsed != nullptr ? std::move(*request.parsed) : ParseEventJson(request.body);
  if (!body.ok()) {
    ++counts_.bodies_not_json;
    return nullptr;
  }
  counts_.values_left_out += body->values_left_out;
  return std::move(body->root);
}

}  // namespace thaw
