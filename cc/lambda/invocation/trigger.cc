#include "cc/lambda/invocation/trigger.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "boost/json/object.hpp"
#include "boost/json/value.hpp"
#include "cc/lambda/invocation/event_bytes.h"
#include "cc/lambda/invocation/event_json.h"
#include "cc/lambda/invocation/function_tags.h"
#include "cc/lambda/sha256.h"

namespace thaw {
namespace {

namespace json = boost::json;

// In the order in which an event is held against them: some events would pass for two.
enum class Source {
  kHttpApi,
  kRestApi,
  kWebSocketApi,
  kLoadBalancer,
  kFunctionUrl,
  kMsk,
  kSqs,
  kSns,
  kDynamoDb,
  kS3,
  kEventBridge,
  kKinesis,
  kStepFunctions,
  kUnknown,
};

// Longest text within an event that is read as JSON: what SQS, SNS and Kinesis may carry.
constexpr size_t kMaxNestedJson = 1 << 20;

void Add(SpanTags& tags, std::string_view name, std::string_view value) {
  if (!value.empty()) tags.emplace(name, value);
}

// Part `index` of a text cut at each `separator`; empty if it has fewer.
std::string_view Part(std::string_view text, char separator, size_t index) {
  for (const std::string_view part : absl::StrSplit(text, separator))
    if (index-- == 0) return part;
  return {};
}

std::string_view LastPart(std::string_view text, char separator) {
  return text.substr(text.rfind(separator) + 1);
}

// A time as RFC 3339, or as a number of seconds since 1970 or of milliseconds, to the microsecond. Nothing
// that no clock says.
enum class TimeUnit : int { kSeconds = 1'000'000, kMilliseconds = 1'000 };
absl::Time TimeAt(const json::value& root, std::initializer_list<std::string_view> path, TimeUnit unit) {
  absl::Time time;
  std::string error;
  // Abseil also reads "infinite-future", whatever the format.
  if (absl::ParseTime(absl::RFC3339_full, TextAt(root, path), &time, &error))
    return time == absl::InfiniteFuture() ? absl::InfinitePast() : time;
  const double number = NumberAt(root, path).value_or(0);
  // Runtimes write milliseconds where AWS writes seconds.
  if (number > 1e11) unit = TimeUnit::kMilliseconds;
  const double microseconds = number * static_cast<int>(unit);
  if (microseconds <= 0 || microseconds > 1e17) return absl::InfinitePast();
  return absl::FromUnixMicros(std::llround(microseconds));
}

// The first of several values; a single one itself.
const json::value& FirstValue(const json::value& values) {
  const json::value* const first = FirstItem(values);
  return first == nullptr ? values : *first;
}

// The headers of `object` that may be of a trace context. Of several values the first counts.
HttpHeaders CarrierOf(const json::value* value) {
  HttpHeaders carrier;
  const json::object* object = value == nullptr ? nullptr : value->if_object();
  if (object == nullptr) return carrier;
  for (const json::key_value_pair& member : *object) {
    if (!IsTraceContextHeader(member.key())) continue;
    if (std::optional<std::string> text = ScalarText(FirstValue(member.value())))
      carrier.emplace_back(member.key(), *std::move(text));
  }
  return carrier;
}

// Whether a carrier names a trace, as far as that is to be seen without knowing which styles count.
bool NamesTrace(const HttpHeaders& carrier) {
  if (ParseDecimalId(FindHeader(carrier, "x-datadog-trace-id").value_or(std::string_view()))) return true;
  for (const char* name : {"traceparent", "b3", "x-b3-traceid"})
    if (!FindHeader(carrier, name).value_or(std::string_view()).empty()) return true;
  return false;
}

void AddCarrier(Trigger& trigger, HttpHeaders carrier) {
  if (!carrier.empty()) trigger.carriers.push_back(std::move(carrier));
}
void AddCarrier(Trigger& trigger, const json::value* value) { AddCarrier(trigger, CarrierOf(value)); }

// A header of an event whose names may be in any case.
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

// JSON within a text. Null if it is too long or none.
json::value ParseNested(std::string_view text) {
  if (text.empty() || text.size() > kMaxNestedJson) return nullptr;
  absl::StatusOr<EventJson> nested = ParseEventJson(text);
  return nested.ok() ? std::move(nested->root) : nullptr;
}

// JSON that is a text in AWS's event. A runtime may have parsed it already.
json::value NestedJson(const json::value* value) {
  if (value == nullptr) return nullptr;
  if (const json::string* text = value->if_string()) return ParseNested(*text);
  return value->is_object() ? *value : json::value();
}

// JSON that is bytes in AWS's event.
json::value NestedBytesJson(const json::value* value) {
  if (value == nullptr) return nullptr;
  const json::string* text = value->if_string();
  if (text != nullptr && text->size() > 2 * kMaxNestedJson) return nullptr;
  if (const std::optional<std::string> bytes = ListedOrBase64Bytes(*value))
    if (json::value parsed = ParseNested(*bytes); !parsed.is_null()) return parsed;
  return NestedJson(value);
}

// The first of the members that is there.
const json::value* AnyOf(const json::value& object, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names)
    if (const json::value* member = FindAt(object, {name}); member != nullptr && !member->is_null())
      return member;
  return nullptr;
}

// A text whose name may begin with a small letter.
std::string_view TextOf(const json::value& object, std::string_view name) {
  const std::string_view text = TextAt(object, {name});
  if (!text.empty()) return text;
  std::string small(name);
  small[0] = absl::ascii_tolower(static_cast<unsigned char>(small[0]));
  return TextAt(object, {small});
}

// The `_datadog` attribute of a message of a queue or a topic: JSON as text, or as bytes. Null if there is
// none.
json::value DatadogAttribute(const json::value& message) {
  const json::value* attributes = AnyOf(message, {"messageAttributes", "MessageAttributes"});
  const json::value* attribute = attributes == nullptr ? nullptr : FindAt(*attributes, {"_datadog"});
  if (attribute == nullptr || !attribute->is_object()) return NestedJson(attribute);
  const json::value* type = AnyOf(*attribute, {"dataType", "DataType", "Type", "type"});
  const json::value* text = AnyOf(*attribute, {"stringValue", "StringValue", "Value", "value"});
  const json::value* binary = AnyOf(*attribute, {"binaryValue", "BinaryValue", "Value", "value"});
  const bool is_binary = type != nullptr && type->is_string() &&
                         absl::StartsWith(std::string_view(type->get_string()), "Binary");
  if (!is_binary)
    if (json::value parsed = NestedJson(text); !parsed.is_null()) return parsed;
  return NestedBytesJson(binary);
}

// A member of `detail` tells an event whose source is missing from others that have a type.
bool IsEventBridge(const json::value& event) {
  return !TextAt(event, {"detail-type"}).empty() && AnyOf(event, {"source", "detail"}) != nullptr &&
         TextAt(event, {"source"}) != "aws.events";
}

bool IsSnsMessage(const json::value& message) {
  const bool has_topic = !TextAt(message, {"TopicArn"}).empty();
  const bool has_message = FindAt(message, {"Message"}) != nullptr;
  return TextAt(message, {"Type"}) == "Notification" ? has_topic || has_message : has_topic && has_message;
}

// The first record of a Kafka event, whatever its group is called. It has a topic, or the event says what it
// is.
const json::value* MskRecord(const json::value& event) {
  const json::value* groups = FindAt(event, {"records"});
  if (groups == nullptr || !groups->is_object()) return nullptr;
  const bool is_kafka = absl::StrContainsIgnoreCase(TextAt(event, {"eventSource"}), "kafka");
  for (const json::key_value_pair& group : groups->get_object()) {
    const json::value* const record = FirstItem(group.value());
    if (record != nullptr && record->is_object() && (is_kafka || FindAt(*record, {"topic"}) != nullptr))
      return record;
  }
  return nullptr;
}

// Whether this is a state machine's context object.
bool IsStep(const json::value& at) {
  return !TextAt(at, {"Execution", "Id"}).empty() && !TextAt(at, {"State", "Name"}).empty() &&
         !TextAt(at, {"State", "EnteredTime"}).empty();
}

// Where a state machine's context object is in an event.
const json::value* StepOf(const json::value& event) {
  for (const json::value* at : {&event, FindAt(event, {"Payload"}), FindAt(event, {"_datadog"}),
                                FindAt(event, {"Payload", "_datadog"})})
    if (at != nullptr && IsStep(*at)) return at;
  return nullptr;
}

// The trace of a state machine's step. The machine goes on with a trace that it was started in, and with that
// of the machine which started it; either is named beside the context object, or in the execution's input.
TraceContext ContextOfStepObject(const json::value& step) {
  const auto carried = [](const json::value& at) {
    return ExtractTraceContext(CarrierOf(&at),
                               {.styles = {PropagationStyle::kDatadog, PropagationStyle::kTraceContext}});
  };
  std::optional<TraceContext> trace = carried(step);
  std::string_view root = TextAt(step, {"RootExecutionId"});
  json::value started_by;
  if (!trace && root.empty()) {
    const json::value input = NestedJson(FindAt(step, {"Execution", "Input"}));
    started_by = NestedJson(FindAt(input, {"_datadog"}));
    trace = carried(started_by);
    root = TextAt(started_by, {"RootExecutionId"});
    if (root.empty()) root = TextAt(started_by, {"Execution", "Id"});
  }
  const auto count = [&step](std::initializer_list<std::string_view> path) {
    return static_cast<int>(std::clamp(NumberAt(step, path).value_or(0), 0.0, 1e9));
  };
  TraceContext context = ContextOfStep({.execution_id = TextAt(step, {"Execution", "Id"}),
                                        .root_execution_id = root,
                                        .state_name = TextAt(step, {"State", "Name"}),
                                        .entered_time = TextAt(step, {"State", "EnteredTime"}),
                                        .retry_count = count({"State", "RetryCount"}),
                                        .redrive_count = count({"Execution", "RedriveCount"})});
  if (!trace) return context;
  context.trace_id = trace->trace_id;
  context.trace_id_high = trace->trace_id_high;
  context.tags = std::move(trace->tags);
  return context;
}

// The name by which an API or a function was called.
std::string DomainOf(const json::value& event) {
  const std::string_view domain = TextAt(event, {"requestContext", "domainName"});
  return domain.empty() ? EventHeader(event, "host") : std::string(domain);
}

bool IsObjectAt(const json::value& root, std::initializer_list<std::string_view> path) {
  const json::value* value = FindAt(root, path);
  return value != nullptr && value->is_object();
}

// What called over HTTP; kUnknown if nothing did. The first three are told by the members that they have by
// the documentation, then the same ones by enough of them.
Source HttpSourceOf(const json::value& event) {
  const auto has = [&event](std::initializer_list<std::string_view> path) {
    const json::value* value = FindAt(event, path);
    return value != nullptr && !value->is_null();
  };
  const bool is_version_2 = ScalarAt(event, {"version"}) == "2.0" || ScalarAt(event, {"version"}) == "2";
  const bool is_url = (is_version_2 || IsObjectAt(event, {"requestContext"})) &&
                      absl::StrContains(DomainOf(event), "lambda-url");
  const bool has_raw_query = has({"rawQueryString"}) && (has({"requestContext"}) || has({"rawPath"}));
  if (is_version_2 && !is_url && (has_raw_query || IsObjectAt(event, {"requestContext", "http"})))
    return Source::kHttpApi;
  if (FindAt(event, {"requestContext", "stage"}) != nullptr && FindAt(event, {"httpMethod"}) != nullptr &&
      FindAt(event, {"resource"}) != nullptr)
    return Source::kRestApi;
  if (FindAt(event, {"requestContext", "messageDirection"}) != nullptr) return Source::kWebSocketApi;
  if (IsObjectAt(event, {"requestContext", "elb"})) return Source::kLoadBalancer;
  if (is_url) return Source::kFunctionUrl;
  if (!IsObjectAt(event, {"requestContext"})) return Source::kUnknown;
  const bool of_api = has({"requestContext", "stage"}) || has({"requestContext", "apiId"}) ||
                      has({"requestContext", "resourcePath"}) || has({"resource"});
  if (of_api && has({"requestContext", "connectionId"})) return Source::kWebSocketApi;
  if (of_api && (has({"httpMethod"}) || has({"requestContext", "httpMethod"}))) return Source::kRestApi;
  return Source::kUnknown;
}

// The classes of AWS's library for Java name some members in their own way, and so do events made of them
// again.
const json::value* RecordsOf(const json::value& event) { return AnyOf(event, {"Records", "records"}); }
const json::value* NotificationOf(const json::value& record) {
  const json::value* notification = FindAt(record, {"Sns"});
  return notification == nullptr ? FindAt(record, {"sns"}) : notification;
}
std::string_view ArnOf(const json::value& record) {
  const std::string_view arn = TextAt(record, {"eventSourceARN"});
  return arn.empty() ? TextAt(record, {"eventSourceArn"}) : arn;
}

bool IsOfService(const json::value& record, std::string_view service) {
  return TextAt(record, {"eventSource"}) == absl::StrCat("aws:", service) ||
         Part(ArnOf(record), ':', 2) == service;
}

// Of one of an event's records.
Source SourceOfRecord(const json::value& record) {
  if (IsOfService(record, "sqs")) return Source::kSqs;
  if (NotificationOf(record) != nullptr) return Source::kSns;
  if (FindAt(record, {"dynamodb"}) != nullptr) return Source::kDynamoDb;
  if (FindAt(record, {"s3"}) != nullptr) return Source::kS3;
  if (FindAt(record, {"kinesis"}) != nullptr) return Source::kKinesis;
  return Source::kUnknown;
}

// The first record that says what it is, which stands for all. Null if none does.
const json::value* KnownRecord(const json::value& event) {
  const json::value* records = RecordsOf(event);
  const json::value* known = nullptr;
  if (records == nullptr) return nullptr;
  ForEachItem(*records, [&known](const json::value& record) {
    if (known == nullptr && SourceOfRecord(record) != Source::kUnknown) known = &record;
  });
  return known;
}

Source SourceOf(const json::value& event) {
  if (const Source source = HttpSourceOf(event); source != Source::kUnknown) return source;
  if (MskRecord(event) != nullptr) return Source::kMsk;
  const json::value* const record = KnownRecord(event);
  const Source source = record == nullptr ? Source::kUnknown : SourceOfRecord(*record);
  if (source != Source::kUnknown && source != Source::kKinesis) return source;
  if (IsEventBridge(event)) return Source::kEventBridge;
  if (source != Source::kUnknown) return source;
  return StepOf(event) == nullptr ? Source::kUnknown : Source::kStepFunctions;
}

// Whose service a span has.
struct ServiceNames {
  std::string_view specific;  // id by which one sender is mapped
  std::string_view generic;   // key by which all of its kind are
  std::string_view instance;  // its own name
  std::string_view fallback;  // what it is without one, or if AWS services are not to be shown as such
};

std::string ServiceOf(const ServiceNames& names, const TriggerOptions& options) {
  for (const std::string_view key : {names.specific, names.generic})
    if (const auto mapped = options.service_mapping.find(key);
        !key.empty() && mapped != options.service_mapping.end())
      return mapped->second;
  return std::string(options.aws_service_representation && !names.instance.empty() ? names.instance
                                                                                   : names.fallback);
}

class Detector {
 public:
  Detector(const json::value& event, const TriggerOptions& options) : event_(event), options_(options) {}

  Trigger Run() {
    switch (SourceOf(event_)) {
      case Source::kHttpApi:
        HttpApi();
        break;
      case Source::kRestApi:
        RestApi();
        break;
      case Source::kWebSocketApi:
        WebSocketApi();
        break;
      case Source::kLoadBalancer:
        LoadBalancer();
        break;
      case Source::kFunctionUrl:
        FunctionUrl();
        break;
      case Source::kMsk:
        Msk();
        break;
      case Source::kSqs:
        Sqs();
        break;
      case Source::kSns:
        Sns();
        break;
      case Source::kDynamoDb:
        DynamoDb();
        break;
      case Source::kS3:
        S3();
        break;
      case Source::kEventBridge:
        trigger_.source = "eventbridge";
        trigger_.source_arn = TextAt(event_, {"source"});
        EventBridge(event_);
        break;
      case Source::kKinesis:
        Kinesis();
        break;
      case Source::kStepFunctions:
        StepFunctions();
        break;
      case Source::kUnknown:
        break;
    }
    return std::move(trigger_);
  }

 private:
  // What stands for all records, of sources that have some.
  const json::value& record() const { return *KnownRecord(event_); }
  // Calls visit(record) for each, until a sender's trace is known.
  void ForEachRecord(absl::FunctionRef<void(const json::value&)> visit) const {
    ForEachItem(*RecordsOf(event_), [this, visit](const json::value& each) {
      if (!knows_trace()) visit(each);
    });
  }
  bool knows_trace() const {
    return trigger_.generated_context.has_value() ||
           std::any_of(trigger_.carriers.begin(), trigger_.carriers.end(), NamesTrace);
  }
  // What a sender left as `_datadog`: headers, or the context object of a state machine's step.
  void TakeContext(const json::value* datadog) {
    if (datadog == nullptr) return;
    if (IsStep(*datadog)) {
      trigger_.generated_context = ContextOfStepObject(*datadog);
    } else {
      AddCarrier(trigger_, datadog);
    }
  }
  void TakeContextOfDetail(const json::value& event) {
    const json::value detail = NestedJson(FindAt(event, {"detail"}));
    const json::value datadog = NestedJson(FindAt(detail, {"_datadog"}));
    TakeContext(&datadog);
  }

  std::string ApiArn(std::string_view rest) const {
    return absl::StrCat("arn:", AwsPartition(options_.region), ":apigateway:", options_.region, "::", rest);
  }

  std::string_view EitherText(std::initializer_list<std::string_view> path,
                              std::initializer_list<std::string_view> otherwise) const {
    const std::string_view text = TextAt(event_, path);
    return text.empty() ? TextAt(event_, otherwise) : text;
  }

  // The name that an API was called by. Where nothing says it, the one that each has from the start.
  std::string ApiDomain(std::string_view api) const {
    std::string domain = DomainOf(event_);
    if (domain.empty() && !api.empty() && !options_.region.empty())
      domain = absl::StrCat(api, ".execute-api.", options_.region, ".amazonaws.com",
                            absl::StartsWith(options_.region, "cn-") ? ".cn" : "");
    return domain;
  }

  // What is the same for all that come over HTTP.
  struct HttpRequestFacts {
    std::string_view method, path, domain, route, source_ip, user_agent, protocol, request_id;
  };
  InferredSpan HttpSpan(std::string_view name, std::string_view type, const HttpRequestFacts& request) {
    const std::string url =
        request.domain.empty() ? "" : absl::StrCat("https://", request.domain, request.path);
    InferredSpan span{.name = std::string(name), .type = std::string(type)};
    const bool both = !request.method.empty() && !request.path.empty();
    span.resource = absl::StrCat(request.method, both ? " " : "", ParameterizePath(request.path));
    span.is_async = absl::EqualsIgnoreCase(EventHeader(event_, "x-amz-invocation-type"), "Event");
    Add(span.tags, "endpoint", request.path);
    Add(span.tags, "http.url", url);
    Add(span.tags, "http.method", request.method);
    Add(span.tags, "http.protocol", request.protocol);
    Add(span.tags, "http.source_ip", request.source_ip);
    Add(span.tags, "http.user_agent", request.user_agent);
    Add(span.tags, "request_id", request.request_id);

    Add(trigger_.tags, "http.url", url);
    Add(trigger_.tags, "http.url_details.path", request.path);
    Add(trigger_.tags, "http.method", request.method);
    Add(trigger_.tags, "http.route", request.route);
    Add(trigger_.tags, "http.referer", EventHeader(event_, "referer"));
    Add(trigger_.tags, "http.user_agent", request.user_agent);
    AddCarrier(trigger_, FindAt(event_, {"headers"}));
    return span;
  }

  void Finish(InferredSpan span, const ServiceNames& names) {
    span.service = ServiceOf(names, options_);
    if (span.service.empty()) span.service = trigger_.source;
    trigger_.spans.push_back(std::move(span));
  }

  void HttpApi() {
    trigger_.source = "api-gateway";
    const std::string_view api = TextAt(event_, {"requestContext", "apiId"});
    const std::string domain = ApiDomain(api);
    InferredSpan span = HttpSpan("aws.httpapi", "web",
                                 {.method = TextAt(event_, {"requestContext", "http", "method"}),
                                  .path = EitherText({"rawPath"}, {"requestContext", "http", "path"}),
                                  .domain = domain,
                                  .route = LastPart(TextAt(event_, {"routeKey"}), ' '),
                                  .source_ip = TextAt(event_, {"requestContext", "http", "sourceIp"}),
                                  .user_agent = TextAt(event_, {"requestContext", "http", "userAgent"}),
                                  .protocol = TextAt(event_, {"requestContext", "http", "protocol"}),
                                  .request_id = TextAt(event_, {"requestContext", "requestId"})});
    span.start = TimeAt(event_, {"requestContext", "timeEpoch"}, TimeUnit::kMilliseconds);
    if (!api.empty()) {
      Add(span.tags, "dd_resource_key", ApiArn(absl::StrCat("/apis/", api)));
      trigger_.source_arn =
          ApiArn(absl::StrCat("/restapis/", api, "/stages/", TextAt(event_, {"requestContext", "stage"})));
    }
    Finish(std::move(span), {api, "lambda_api_gateway", domain, domain});
  }

  void RestApi() {
    trigger_.source = "api-gateway";
    const std::string_view api = TextAt(event_, {"requestContext", "apiId"});
    const std::string domain = ApiDomain(api);
    const std::string_view route = EitherText({"resource"}, {"requestContext", "resourcePath"});
    InferredSpan span = HttpSpan("aws.apigateway", "web",
                                 {.method = EitherText({"httpMethod"}, {"requestContext", "httpMethod"}),
                                  .path = EitherText({"path"}, {"requestContext", "path"}),
                                  .domain = domain,
                                  .route = route,
                                  .source_ip = TextAt(event_, {"requestContext", "identity", "sourceIp"}),
                                  .user_agent = TextAt(event_, {"requestContext", "identity", "userAgent"}),
                                  .protocol = TextAt(event_, {"requestContext", "protocol"}),
                                  .request_id = TextAt(event_, {"requestContext", "requestId"})});
    span.start = TimeAt(event_, {"requestContext", "requestTimeEpoch"}, TimeUnit::kMilliseconds);
    Add(span.tags, "http.route", EitherText({"requestContext", "resourcePath"}, {"resource"}));
    if (!api.empty()) {
      Add(span.tags, "dd_resource_key", ApiArn(absl::StrCat("/restapis/", api)));
      trigger_.source_arn =
          ApiArn(absl::StrCat("/restapis/", api, "/stages/", TextAt(event_, {"requestContext", "stage"})));
    }
    AddCarrier(trigger_, FindAt(event_, {"multiValueHeaders"}));
    Finish(std::move(span), {api, "lambda_api_gateway", domain, domain});
  }

  void WebSocketApi() {
    trigger_.source = "api-gateway";
    const json::value& context = *FindAt(event_, {"requestContext"});
    const std::string_view api = TextAt(context, {"apiId"});
    const std::string domain = ApiDomain(api);
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
    Add(trigger_.tags, "http.url", url);
    Add(trigger_.tags, "http.url_details.path", route);
    Add(trigger_.tags, "http.referer", EventHeader(event_, "referer"));
    if (!api.empty()) trigger_.source_arn = ApiArn(absl::StrCat("/apis/", api, "/stages/", stage));
    AddCarrier(trigger_, FindAt(event_, {"headers"}));
    Finish(std::move(span), {api, "lambda_api_gateway", domain, domain});
  }

  void LoadBalancer() {
    trigger_.source = "application-load-balancer";
    trigger_.source_arn = TextAt(event_, {"requestContext", "elb", "targetGroupArn"});
    Add(trigger_.tags, "http.method", TextAt(event_, {"httpMethod"}));
    AddCarrier(trigger_, FindAt(event_, {"headers"}));
    AddCarrier(trigger_, FindAt(event_, {"multiValueHeaders"}));
  }

  void FunctionUrl() {
    trigger_.source = "lambda-function-url";
    const std::string domain = DomainOf(event_);
    InferredSpan span = HttpSpan("aws.lambda.url", "http",
                                 {.method = TextAt(event_, {"requestContext", "http", "method"}),
                                  .path = EitherText({"requestContext", "http", "path"}, {"rawPath"}),
                                  .domain = domain,
                                  .source_ip = TextAt(event_, {"requestContext", "http", "sourceIp"}),
                                  .user_agent = TextAt(event_, {"requestContext", "http", "userAgent"}),
                                  .protocol = TextAt(event_, {"requestContext", "http", "protocol"}),
                                  .request_id = TextAt(event_, {"requestContext", "requestId"})});
    span.start = TimeAt(event_, {"requestContext", "timeEpoch"}, TimeUnit::kMilliseconds);
    Add(span.tags, "operation_name", span.name);
    const std::string_view account = TextAt(event_, {"requestContext", "accountId"});
    const bool has_account =
        absl::ascii_isdigit(static_cast<unsigned char>(account.empty() ? 0 : account[0]));
    trigger_.source_arn =
        absl::StrCat("arn:", AwsPartition(options_.region), ":lambda:", options_.region, ":",
                     has_account ? account : options_.account_id, ":url:", options_.function_name);
    Finish(std::move(span), {TextAt(event_, {"requestContext", "apiId"}), "lambda_url", domain, domain});
  }

  void Msk() {
    trigger_.source = "msk";
    const json::value& record = *MskRecord(event_);
    const std::string_view arn = TextAt(event_, {"eventSourceArn"});
    const std::string_view topic = TextAt(record, {"topic"});
    trigger_.source_arn = arn;
    InferredSpan span{.name = "aws.msk", .type = "web", .resource = std::string(topic), .is_async = true};
    span.start = TimeAt(record, {"timestamp"}, TimeUnit::kMilliseconds);
    Add(span.tags, "operation_name", span.name);
    Add(span.tags, "topic", topic);
    Add(span.tags, "partition", ScalarAt(record, {"partition"}));
    Add(span.tags, "event_source", TextAt(event_, {"eventSource"}));
    Add(span.tags, "event_source_arn", arn);
    for (const json::key_value_pair& group : FindAt(event_, {"records"})->get_object())
      ForEachItem(group.value(), [this](const json::value& each) {
        if (!knows_trace()) AddMskCarriers(each);
      });
    // arn:aws:kafka:<region>:<account>:cluster/<name>/<uuid>
    Finish(std::move(span), {Part(arn, '/', 1), "lambda_msk", Part(arn, '/', 1), "msk"});
  }

  // Kafka's headers: a list of {name: bytes}, or one object of all.
  void AddMskCarriers(const json::value& record) {
    const json::value* headers = FindAt(record, {"headers"});
    if (headers == nullptr) return;
    // Some runtimes write bytes as base64, which a text by itself doesn't show.
    HttpHeaders carrier, decoded;
    const auto add = [&carrier, &decoded](std::string_view name, const json::value& value) {
      if (!IsTraceContextHeader(name)) return;
      std::optional<std::string> bytes = ListedBytes(value);
      if (!bytes) {
        const json::string* text = value.if_string();
        if (text == nullptr) return;
        if (std::optional<std::string> of_base64 = ListedOrBase64Bytes(value))
          decoded.emplace_back(name, *std::move(of_base64));
        carrier.emplace_back(name, std::string_view(*text));
        return;
      }
      decoded.emplace_back(name, *bytes);
      carrier.emplace_back(name, *std::move(bytes));
    };
    const auto add_all = [&add](const json::value& header) {
      const json::object* object = header.if_object();
      if (object == nullptr) return;
      if (const json::value* value = AnyOf(header, {"value", "Value"}))
        if (const json::value* key = AnyOf(header, {"key", "Key"}); key != nullptr && key->is_string())
          add(key->get_string(), *value);
      for (const json::key_value_pair& member : *object) add(member.key(), member.value());
    };
    if (FirstItem(*headers) != nullptr) {
      ForEachItem(*headers, add_all);
    } else {
      add_all(*headers);
    }
    if (decoded == carrier) decoded.clear();
    AddCarrier(trigger_, std::move(carrier));
    AddCarrier(trigger_, std::move(decoded));
  }

  void Sqs() {
    trigger_.source = "sqs";
    const json::value& record = this->record();
    const std::string_view arn = ArnOf(record);
    const std::string_view queue = LastPart(arn, ':');
    trigger_.source_arn = arn;
    InferredSpan span{.name = "aws.sqs", .type = "web", .resource = std::string(queue), .is_async = true};
    span.start = TimeAt(record, {"attributes", "SentTimestamp"}, TimeUnit::kMilliseconds);
    Add(trigger_.tags, "retry_count", ScalarAt(record, {"attributes", "ApproximateReceiveCount"}));
    Add(trigger_.tags, "sender_id", TextAt(record, {"attributes", "SenderId"}));
    Add(trigger_.tags, "source_arn", arn);
    Add(trigger_.tags, "aws_region", TextAt(record, {"awsRegion"}));
    span.tags = trigger_.tags;
    Add(span.tags, "operation_name", span.name);
    Add(span.tags, "receipt_handle", TextAt(record, {"receiptHandle"}));

    // What fed the queue stands before it.
    const json::value body = NestedJson(FindAt(record, {"body"}));
    if (IsSnsMessage(body)) {
      SnsSpan(body);
    } else if (IsEventBridge(body)) {
      EventBridge(body, /*carrier=*/false);
    }
    ForEachRecord([this](const json::value& each) {
      const json::value attribute = DatadogAttribute(each);
      TakeContext(&attribute);
      if (knows_trace()) return;
      const json::value inner = NestedJson(FindAt(each, {"body"}));
      if (IsSnsMessage(inner)) {
        TakeContextOfNotification(inner);
      } else {
        TakeContextOfDetail(inner);
      }
    });
    // What AWS says of the message is the last resort.
    ForEachItem(*RecordsOf(event_), [this](const json::value& each) {
      if (!trigger_.generated_context)
        trigger_.generated_context = ContextOfXrayHeader(TextAt(each, {"attributes", "AWSTraceHeader"}));
    });
    Finish(std::move(span), {queue, "lambda_sqs", queue, "sqs"});
  }

  // Of a topic's message: its attribute, or what the bus said that fed the topic.
  void TakeContextOfNotification(const json::value& message) {
    const json::value attribute = DatadogAttribute(message);
    TakeContext(&attribute);
    if (!knows_trace()) TakeContextOfDetail(NestedJson(AnyOf(message, {"Message", "message"})));
  }

  void Sns() {
    trigger_.source = "sns";
    const json::value& message = *NotificationOf(record());
    trigger_.source_arn = TextOf(message, "TopicArn");
    ForEachRecord([this](const json::value& each) {
      if (const json::value* sns = NotificationOf(each)) TakeContextOfNotification(*sns);
    });
    SnsSpan(message, TextOf(record(), "EventSubscriptionArn"));
  }

  // A notification, as Lambda gets it or as a queue does, and before it the bus that fed the topic.
  void SnsSpan(const json::value& message, std::string_view subscription = {}) {
    const json::value inner = NestedJson(AnyOf(message, {"Message", "message"}));
    if (IsEventBridge(inner)) EventBridge(inner, /*carrier=*/false);
    const std::string_view arn = TextOf(message, "TopicArn");
    const std::string_view topic = LastPart(arn, ':');
    InferredSpan span{.name = "aws.sns", .type = "web", .resource = std::string(topic), .is_async = true};
    span.start = TimeAt(message, {"Timestamp"}, TimeUnit::kMilliseconds);
    if (span.start == absl::InfinitePast())
      span.start = TimeAt(message, {"timestamp"}, TimeUnit::kMilliseconds);
    Add(span.tags, "operation_name", span.name);
    Add(span.tags, "topicname", topic);
    Add(span.tags, "topic_arn", arn);
    Add(span.tags, "message_id", TextOf(message, "MessageId"));
    Add(span.tags, "type", TextOf(message, "Type"));
    Add(span.tags, "subject", TextOf(message, "Subject"));
    Add(span.tags, "event_subscription_arn", subscription);
    Finish(std::move(span), {topic, "lambda_sns", topic, "sns"});
  }

  void EventBridge(const json::value& event, bool carrier = true) {
    const json::value detail = NestedJson(FindAt(event, {"detail"}));
    const json::value datadog = NestedJson(FindAt(detail, {"_datadog"}));
    const std::string_view source = TextAt(event, {"source"});
    const std::string_view named = TextAt(datadog, {"x-datadog-resource-name"});
    const std::string_view resource = named.empty() ? source : named;
    InferredSpan span{
        .name = "aws.eventbridge", .type = "web", .resource = std::string(resource), .is_async = true};
    span.start = TimeAt(datadog, {"x-datadog-start-time"}, TimeUnit::kMilliseconds);
    if (span.start == absl::InfinitePast()) span.start = TimeAt(event, {"time"}, TimeUnit::kMilliseconds);
    Add(span.tags, "operation_name", span.name);
    Add(span.tags, "detail_type", TextAt(event, {"detail-type"}));
    if (carrier) TakeContext(&datadog);
    Finish(std::move(span), {resource, "lambda_eventbridge", resource, "eventbridge"});
  }

  void DynamoDb() {
    trigger_.source = "dynamodb";
    const json::value& record = this->record();
    const std::string_view arn = ArnOf(record);
    const std::string_view table = Part(arn, '/', 1);
    trigger_.source_arn = arn;
    InferredSpan span{.name = "aws.dynamodb", .type = "web", .is_async = true};
    span.resource = absl::StripAsciiWhitespace(absl::StrCat(TextAt(record, {"eventName"}), " ", table));
    span.start = TimeAt(record, {"dynamodb", "ApproximateCreationDateTime"}, TimeUnit::kSeconds);
    Add(span.tags, "operation_name", span.name);
    Add(span.tags, "event_id", TextAt(record, {"eventID"}));
    Add(span.tags, "event_name", TextAt(record, {"eventName"}));
    Add(span.tags, "event_version", TextAt(record, {"eventVersion"}));
    Add(span.tags, "event_source_arn", arn);
    Add(span.tags, "size_bytes", ScalarAt(record, {"dynamodb", "SizeBytes"}));
    Add(span.tags, "stream_view_type", TextAt(record, {"dynamodb", "StreamViewType"}));
    Add(span.tags, "table_name", table);
    Finish(std::move(span), {table, "lambda_dynamodb", table, "dynamodb"});
  }

  void S3() {
    trigger_.source = "s3";
    const json::value& record = this->record();
    const std::string_view arn = TextAt(record, {"s3", "bucket", "arn"});
    const std::string_view bucket = TextAt(record, {"s3", "bucket", "name"});
    trigger_.source_arn = arn;
    InferredSpan span{.name = "aws.s3", .type = "web", .resource = std::string(bucket), .is_async = true};
    span.start = TimeAt(record, {"eventTime"}, TimeUnit::kMilliseconds);
    Add(span.tags, "operation_name", span.name);
    Add(span.tags, "event_name", TextAt(record, {"eventName"}));
    Add(span.tags, "bucketname", bucket);
    Add(span.tags, "bucket_arn", arn);
    Add(span.tags, "object_key", TextAt(record, {"s3", "object", "key"}));
    Add(span.tags, "object_size", ScalarAt(record, {"s3", "object", "size"}));
    Add(span.tags, "object_etag", TextAt(record, {"s3", "object", "eTag"}));
    Finish(std::move(span), {bucket, "lambda_s3", bucket, "s3"});
  }

  void Kinesis() {
    trigger_.source = "kinesis";
    const json::value& record = this->record();
    const std::string_view arn = ArnOf(record);
    const std::string_view stream = Part(arn, '/', 1);
    const std::string_view event_id = TextAt(record, {"eventID"});
    trigger_.source_arn = arn;
    InferredSpan span{
        .name = "aws.kinesis", .type = "web", .resource = std::string(stream), .is_async = true};
    span.start = TimeAt(record, {"kinesis", "approximateArrivalTimestamp"}, TimeUnit::kSeconds);
    Add(span.tags, "operation_name", span.name);
    Add(span.tags, "stream_name", stream);
    Add(span.tags, "shard_id", Part(event_id, ':', 0));
    Add(span.tags, "event_source_arn", arn);
    Add(span.tags, "event_id", event_id);
    Add(span.tags, "event_name", TextAt(record, {"eventName"}));
    Add(span.tags, "event_version", TextAt(record, {"eventVersion"}));
    Add(span.tags, "partition_key", TextAt(record, {"kinesis", "partitionKey"}));
    ForEachRecord([this](const json::value& each) {
      const json::value data = NestedBytesJson(FindAt(each, {"kinesis", "data"}));
      const json::value datadog = NestedJson(FindAt(data, {"_datadog"}));
      TakeContext(&datadog);
    });
    Finish(std::move(span), {stream, "lambda_kinesis", stream, "kinesis"});
  }

  void StepFunctions() {
    trigger_.source = "states";
    const json::value& step = *StepOf(event_);
    trigger_.source_arn = TextAt(step, {"StateMachine", "Id"});
    trigger_.generated_context = ContextOfStepObject(step);
  }

  const json::value& event_;
  const TriggerOptions& options_;
  Trigger trigger_;
};

// Eight bytes of a digest as an id, which is never 0 and fits 63 bits.
uint64_t IdOf(const std::array<uint8_t, 32>& digest, size_t first) {
  uint64_t id = 0;
  for (size_t i = first; i < first + 8; ++i) id = id << 8 | digest[i];
  id &= INT64_MAX;
  return id == 0 ? 1 : id;
}

bool AllOf(std::string_view text, bool (*is)(unsigned char)) {
  return std::all_of(text.begin(), text.end(), [is](char c) { return is(static_cast<unsigned char>(c)); });
}

// Digits, a UUID or a ULID.
bool LooksLikeId(std::string_view segment) {
  if (segment.empty()) return false;
  if (AllOf(segment, absl::ascii_isdigit)) return true;
  // Crockford's base 32; its first character holds three bits.
  if (segment.size() == 26)
    return segment[0] >= '0' && segment[0] <= '7' && AllOf(segment, absl::ascii_isalnum) &&
           segment.find_first_of("ILOUilou") == std::string_view::npos;
  if (segment.size() != 36) return false;
  for (size_t i = 0; i < segment.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? segment[i] != '-' : !absl::ascii_isxdigit(static_cast<unsigned char>(segment[i])))
      return false;
  }
  return true;
}

// "users" is "user", "categories" is "category"; enough for the names of ids.
std::string Singular(std::string_view word) {
  if (absl::ConsumeSuffix(&word, "ies")) return absl::StrCat(word, "y");
  for (const std::string_view ending : {"sses", "shes", "ches", "xes"})
    if (absl::EndsWith(word, ending)) return std::string(word.substr(0, word.size() - 2));
  if (absl::EndsWith(word, "s") && !absl::EndsWith(word, "ss")) word.remove_suffix(1);
  return std::string(word);
}

}  // namespace

Trigger DetectTrigger(const json::value& event, const TriggerOptions& options) {
  return Detector(event, options).Run();
}

std::optional<TraceContext> ExtractInvocationContext(const json::value& event, const Trigger& trigger,
                                                     const HttpHeaders& call_headers,
                                                     const PropagationOptions& options) {
  for (const HttpHeaders& carrier : trigger.carriers)
    if (std::optional<TraceContext> context = ExtractTraceContext(carrier, options)) return context;
  if (trigger.generated_context) return trigger.generated_context;
  for (const json::value* headers : {FindAt(event, {"request", "headers"}), FindAt(event, {"headers"})})
    if (std::optional<TraceContext> context = ExtractTraceContext(CarrierOf(headers), options))
      return context;
  return ExtractTraceContext(call_headers, options);
}

std::string ParameterizePath(std::string_view path) {
  if (absl::StrContains(path, '{')) return std::string(path);
  std::vector<std::string> segments;
  std::string_view before;
  for (const std::string_view segment : absl::StrSplit(path, '/')) {
    if (!LooksLikeId(segment)) {
      segments.emplace_back(segment);
    } else if (before.empty() || LooksLikeId(before)) {
      segments.emplace_back("{id}");
    } else {
      segments.push_back(absl::StrCat("{", Singular(before), "_id}"));
    }
    before = segment;
  }
  return absl::StrJoin(segments, "/");
}

TraceContext ContextOfStep(const StepFunctionsStep& step) {
  const std::array<uint8_t, 32> trace =
      Sha256(step.root_execution_id.empty() ? step.execution_id : step.root_execution_id);
  std::string parent = absl::StrCat(step.execution_id, "#", step.state_name, "#", step.entered_time);
  if (step.retry_count != 0 || step.redrive_count != 0)
    absl::StrAppend(&parent, "#", step.retry_count, "#", step.redrive_count);
  TraceContext context{.trace_id = IdOf(trace, 8),
                       .trace_id_high = IdOf(trace, 0),
                       .parent_id = IdOf(Sha256(parent), 0),
                       .sampling_priority = 1,
                       .origin = "states"};
  context.tags.emplace(kTraceIdHighTag, absl::StrCat(absl::Hex(context.trace_id_high, absl::kZeroPad16)));
  return context;
}

}  // namespace thaw
