#include "cc/lambda/invocation/http_triggers.h"

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "boost/json/object.hpp"
#include "boost/json/value.hpp"
#include "cc/lambda/invocation/event_bytes.h"
#include "cc/lambda/invocation/event_json.h"
#include "cc/lambda/invocation/function_tags.h"
#include "cc/lambda/invocation/parameterize_path.h"
#include "cc/lambda/invocation/trigger_parts.h"

namespace thaw {
namespace {

namespace json = boost::json;

// Returns a header of an event, whose names may be in any case.
std::string EventHeader(const json::value& event, std::string_view name) {
  for (const char* member : {"headers", "multiValueHeaders"}) {
    const json::value* headers = FindAt(event, {member});
    if (headers == nullptr || !headers->is_object()) continue;
    for (const json::key_value_pair& header : headers->get_object()) {
      if (!absl::EqualsIgnoreCase(std::string_view(header.key()), name)) continue;
      if (std::optional<std::string> text = ScalarText(FirstValue(header.value()))) return *std::move(text);
    }
  }
  return "";
}

// Returns the domain name by which an API or a function was called.
std::string DomainOf(const json::value& event) {
  const std::string_view domain = TextAt(event, {"requestContext", "domainName"});
  return domain.empty() ? EventHeader(event, "host") : std::string(domain);
}

bool Has(const json::value& event, std::initializer_list<std::string_view> path) {
  const json::value* value = FindAt(event, path);
  return value != nullptr && !value->is_null();
}

bool IsVersion2(const json::value& event) {
  const std::string version = ScalarAt(event, {"version"});
  return version == "2.0" || version == "2";
}

// Returns whether an event has some of the members of an API's event.
bool IsOfApi(const json::value& event) {
  return IsObjectAt(event, {"requestContext"}) &&
         (Has(event, {"requestContext", "stage"}) || Has(event, {"requestContext", "apiId"}) ||
          Has(event, {"requestContext", "resourcePath"}) || Has(event, {"resource"}));
}

std::string ApiArn(std::string_view rest, const TriggerOptions& options) {
  return absl::StrCat("arn:", AwsPartition(options.region), ":apigateway:", options.region, "::", rest);
}

std::string_view EitherText(const json::value& event, std::initializer_list<std::string_view> path,
                            std::initializer_list<std::string_view> otherwise) {
  const std::string_view text = TextAt(event, path);
  return text.empty() ? TextAt(event, otherwise) : text;
}

// Returns the domain by which an API was called; if unknown, its default domain.
std::string ApiDomain(const json::value& event, std::string_view api, const TriggerOptions& options) {
  std::string domain = DomainOf(event);
  if (domain.empty() && !api.empty() && !options.region.empty())
    domain = absl::StrCat(api, ".execute-api.", options.region, ".amazonaws.com",
                          absl::StartsWith(options.region, "cn-") ? ".cn" : "");
  return domain;
}

// The facts common to all HTTP sources.
struct HttpRequestFacts {
  std::string_view method, path, domain, route, source_ip, user_agent, protocol, request_id;
};

// Makes the sender's span, and adds the request's tags and carriers to `trigger`.
InferredSpan HttpSpan(const json::value& event, Trigger& trigger, std::string_view name,
                      std::string_view type, const HttpRequestFacts& request) {
  const std::string url =
      request.domain.empty() ? "" : absl::StrCat("https://", request.domain, request.path);
  InferredSpan span{.name = std::string(name), .type = std::string(type)};
  const bool both = !request.method.empty() && !request.path.empty();
  span.resource = absl::StrCat(request.method, both ? " " : "", ParameterizePath(request.path));
  span.is_async = absl::EqualsIgnoreCase(EventHeader(event, "x-amz-invocation-type"), "Event");
  Add(span.tags, "endpoint", request.path);
  Add(span.tags, "http.url", url);
  Add(span.tags, "http.method", request.method);
  Add(span.tags, "http.protocol", request.protocol);
  Add(span.tags, "http.source_ip", request.source_ip);
  Add(span.tags, "http.user_agent", request.user_agent);
  Add(span.tags, "request_id", request.request_id);

  Add(trigger.tags, "http.url", url);
  Add(trigger.tags, "http.url_details.path", request.path);
  Add(trigger.tags, "http.method", request.method);
  Add(trigger.tags, "http.route", request.route);
  Add(trigger.tags, "http.referer", EventHeader(event, "referer"));
  Add(trigger.tags, "http.user_agent", request.user_agent);
  AddCarrier(trigger, FindAt(event, {"headers"}));
  return span;
}

}  // namespace

bool IsHttpApi(const json::value& event) {
  const bool has_raw_query =
      Has(event, {"rawQueryString"}) && (Has(event, {"requestContext"}) || Has(event, {"rawPath"}));
  return IsVersion2(event) && !IsFunctionUrl(event) &&
         (has_raw_query || IsObjectAt(event, {"requestContext", "http"}));
}

bool IsRestApi(const json::value& event) {
  // .NET has one class for both kinds of API, whose members are null where an event lacks them.
  return FindAt(event, {"requestContext", "stage"}) != nullptr && FindAt(event, {"httpMethod"}) != nullptr &&
         FindAt(event, {"resource"}) != nullptr && (Has(event, {"httpMethod"}) || !IsWebSocketApi(event));
}

bool IsWebSocketApi(const json::value& event) { return Has(event, {"requestContext", "messageDirection"}); }

bool IsLoadBalancer(const json::value& event) { return IsObjectAt(event, {"requestContext", "elb"}); }

bool IsFunctionUrl(const json::value& event) {
  return (IsVersion2(event) || IsObjectAt(event, {"requestContext"})) &&
         absl::StrContains(DomainOf(event), "lambda-url");
}

bool SeemsWebSocketApi(const json::value& event) {
  return IsOfApi(event) && Has(event, {"requestContext", "connectionId"});
}

bool SeemsRestApi(const json::value& event) {
  return IsOfApi(event) && (Has(event, {"httpMethod"}) || Has(event, {"requestContext", "httpMethod"}));
}

Trigger HttpApiTrigger(const json::value& event, const TriggerOptions& options) {
  Trigger trigger;
  trigger.source = "api-gateway";
  const std::string_view api = TextAt(event, {"requestContext", "apiId"});
  const std::string domain = ApiDomain(event, api, options);
  InferredSpan span = HttpSpan(event, trigger, "aws.httpapi", "web",
                               {.method = TextAt(event, {"requestContext", "http", "method"}),
                                .path = EitherText(event, {"rawPath"}, {"requestContext", "http", "path"}),
                                .domain = domain,
                                .route = LastPart(TextAt(event, {"routeKey"}), ' '),
                                .source_ip = TextAt(event, {"requestContext", "http", "sourceIp"}),
                                .user_agent = TextAt(event, {"requestContext", "http", "userAgent"}),
                                .protocol = TextAt(event, {"requestContext", "http", "protocol"}),
                                .request_id = TextAt(event, {"requestContext", "requestId"})});
  span.start = TimeAt(event, {"requestContext", "timeEpoch"}, TimeUnit::kMilliseconds);
  if (!api.empty()) {
    Add(span.tags, "dd_resource_key", ApiArn(absl::StrCat("/apis/", api), options));
    trigger.source_arn = ApiArn(
        absl::StrCat("/restapis/", api, "/stages/", TextAt(event, {"requestContext", "stage"})), options);
  }
  AddSpan(trigger, std::move(span), {api, "lambda_api_gateway", domain, domain}, options);
  return trigger;
}

Trigger RestApiTrigger(const json::value& event, const TriggerOptions& options) {
  Trigger trigger;
  trigger.source = "api-gateway";
  const std::string_view api = TextAt(event, {"requestContext", "apiId"});
  const std::string domain = ApiDomain(event, api, options);
  const std::string_view route = EitherText(event, {"resource"}, {"requestContext", "resourcePath"});
  InferredSpan span = HttpSpan(event, trigger, "aws.apigateway", "web",
                               {.method = EitherText(event, {"httpMethod"}, {"requestContext", "httpMethod"}),
                                .path = EitherText(event, {"path"}, {"requestContext", "path"}),
                                .domain = domain,
                                .route = route,
                                .source_ip = TextAt(event, {"requestContext", "identity", "sourceIp"}),
                                .user_agent = TextAt(event, {"requestContext", "identity", "userAgent"}),
                                .protocol = TextAt(event, {"requestContext", "protocol"}),
                                .request_id = TextAt(event, {"requestContext", "requestId"})});
  span.start = TimeAt(event, {"requestContext", "requestTimeEpoch"}, TimeUnit::kMilliseconds);
  Add(span.tags, "http.route", EitherText(event, {"requestContext", "resourcePath"}, {"resource"}));
  if (!api.empty()) {
    Add(span.tags, "dd_resource_key", ApiArn(absl::StrCat("/restapis/", api), options));
    trigger.source_arn = ApiArn(
        absl::StrCat("/restapis/", api, "/stages/", TextAt(event, {"requestContext", "stage"})), options);
  }
  AddCarrier(trigger, FindAt(event, {"multiValueHeaders"}));
  AddSpan(trigger, std::move(span), {api, "lambda_api_gateway", domain, domain}, options);
  return trigger;
}

Trigger WebSocketApiTrigger(const json::value& event, const TriggerOptions& options) {
  Trigger trigger;
  trigger.source = "api-gateway";
  const json::value& context = *FindAt(event, {"requestContext"});
  const std::string_view api = TextAt(context, {"apiId"});
  const std::string domain = ApiDomain(event, api, options);
  const std::string_view route = TextAt(context, {"routeKey"});
  const std::string_view stage = TextAt(context, {"stage"});
  const std::string url = domain.empty() ? "" : absl::StrCat("https://", domain, route);
  InferredSpan span{
      .name = "aws.apigateway", .type = "web", .resource = std::string(route), .is_async = true};
  span.start = TimeAt(context, {"requestTimeEpoch"}, TimeUnit::kMilliseconds);
  Add(span.tags, "endpoint", route);
  Add(span.tags, "resource_names", route);
  Add(span.tags, "http.url", url);
  Add(span.tags, "request_id", TextAt(context, {"requestId"}));
  Add(span.tags, "apiid", api);
  Add(span.tags, "stage", stage);
  Add(span.tags, "connection_id", TextAt(context, {"connectionId"}));
  Add(span.tags, "event_type", TextAt(context, {"eventType"}));
  Add(span.tags, "message_direction", TextAt(context, {"messageDirection"}));
  Add(trigger.tags, "http.url", url);
  Add(trigger.tags, "http.url_details.path", route);
  Add(trigger.tags, "http.referer", EventHeader(event, "referer"));
  if (!api.empty()) trigger.source_arn = ApiArn(absl::StrCat("/apis/", api, "/stages/", stage), options);
  AddCarrier(trigger, FindAt(event, {"headers"}));
  AddSpan(trigger, std::move(span), {api, "lambda_api_gateway", domain, domain}, options);
  return trigger;
}

Trigger LoadBalancerTrigger(const json::value& event, const TriggerOptions&) {
  Trigger trigger;
  trigger.source = "application-load-balancer";
  trigger.source_arn = TextAt(event, {"requestContext", "elb", "targetGroupArn"});
  Add(trigger.tags, "http.method", TextAt(event, {"httpMethod"}));
  AddCarrier(trigger, FindAt(event, {"headers"}));
  AddCarrier(trigger, FindAt(event, {"multiValueHeaders"}));
  return trigger;
}

Trigger FunctionUrlTrigger(const json::value& event, const TriggerOptions& options) {
  Trigger trigger;
  trigger.source = "lambda-function-url";
  const std::string domain = DomainOf(event);
  InferredSpan span = HttpSpan(event, trigger, "aws.lambda.url", "http",
                               {.method = TextAt(event, {"requestContext", "http", "method"}),
                                .path = EitherText(event, {"requestContext", "http", "path"}, {"rawPath"}),
                                .domain = domain,
                                .source_ip = TextAt(event, {"requestContext", "http", "sourceIp"}),
                                .user_agent = TextAt(event, {"requestContext", "http", "userAgent"}),
                                .protocol = TextAt(event, {"requestContext", "http", "protocol"}),
                                .request_id = TextAt(event, {"requestContext", "requestId"})});
  span.start = TimeAt(event, {"requestContext", "timeEpoch"}, TimeUnit::kMilliseconds);
  Add(span.tags, "operation_name", span.name);
  const std::string_view account = TextAt(event, {"requestContext", "accountId"});
  const bool has_account = absl::ascii_isdigit(static_cast<unsigned char>(account.empty() ? 0 : account[0]));
  trigger.source_arn =
      absl::StrCat("arn:", AwsPartition(options.region), ":lambda:", options.region, ":",
                   has_account ? account : options.account_id, ":url:", options.function_name);
  AddSpan(trigger, std::move(span),
          {TextAt(event, {"requestContext", "apiId"}), "lambda_url", domain, domain}, options);
  return trigger;
}

}  // namespace thaw
