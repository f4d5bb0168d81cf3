#include "cc/lambda/invocation/trigger.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "boost/json/array.hpp"
#include "boost/json/object.hpp"
#include "cc/lambda/invocation/event_json.h"
#include "cc/lambda/invocation/function_tags.h"
#include "cc/lambda/invocation/sha256.h"

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

const json::array* ArrayAt(const json::value& root, std::initializer_list<std::string_view> path) {
  const json::value* value = FindAt(root, path);
  const json::array* array = value == nullptr ? nullptr : value->if_array();
  return array == nullptr || array->empty() ? nullptr : array;
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

// A number of seconds since 1970, or of milliseconds, to the microsecond. Nothing that no clock says.
enum class TimeUnit : int { kSeconds = 1'000'000, kMilliseconds = 1'000 };
absl::Time TimeAt(const json::value& root, std::initializer_list<std::string_view> path, TimeUnit unit) {
  const double microseconds = NumberAt(root, path).value_or(0) * static_cast<int>(unit);
  if (microseconds <= 0 || microseconds > 1e17) return absl::InfinitePast();
  return absl::FromUnixMicros(std::llround(microseconds));
}

absl::Time Rfc3339At(const json::value& root, std::initializer_list<std::string_view> path) {
  absl::Time time;
  std::string error;
  return absl::ParseTime(absl::RFC3339_full, TextAt(root, path), &time, &error) ? time : absl::InfinitePast();
}

// The headers of `object` that may be of a trace context. Of several values the first counts.
HttpHeaders CarrierOf(const json::value* value) {
  HttpHeaders carrier;
  const json::object* object = value == nullptr ? nullptr : value->if_object();
  if (object == nullptr) return carrier;
  for (const json::key_value_pair& member : *object) {
    if (!IsTraceContextHeader(member.key())) continue;
    const json::array* values = member.value().if_array();
    const json::value& first = values != nullptr && !values->empty() ? values->front() : member.value();
    if (std::optional<std::string> text = ScalarText(first))
      carrier.emplace_back(member.key(), *std::move(text));
  }
  return carrier;
}

void AddCarrier(Trigger& trigger, const json::value* value) {
  if (HttpHeaders carrier = CarrierOf(value); !carrier.empty())
    trigger.carriers.push_back(std::move(carrier));
}

// A header of an event whose names may be in any case.
std::string EventHeader(const json::value& event, std::string_view name) {
  const json::value* headers = FindAt(event, {"headers"});
  if (headers == nullptr || !headers->is_object()) return "";
  for (const json::key_value_pair& member : headers->get_object())
    if (absl::EqualsIgnoreCase(std::string_view(member.key()), name))
      return ScalarText(member.value()).value_or("");
  return "";
}

// JSON within a text. Null if it is too long or none.
json::value ParseNested(std::string_view text) {
  if (text.empty() || text.size() > kMaxNestedJson) return nullptr;
  absl::StatusOr<EventJson> nested = ParseEventJson(text);
  return nested.ok() ? std::move(nested->root) : nullptr;
}

json::value ParseNestedBase64(std::string_view text) {
  std::string decoded;
  if (text.size() > 2 * kMaxNestedJson || !absl::Base64Unescape(text, &decoded)) return nullptr;
  return ParseNested(decoded);
}

// A `_datadog` attribute of a message: JSON as text, or as base64.
json::value AttributeJson(const json::value& attribute, std::string_view type, std::string_view text,
                          std::string_view binary) {
  const std::string_view kind = TextAt(attribute, {type});
  const std::string_view as_text = TextAt(attribute, {text});
  const std::string_view as_binary = TextAt(attribute, {binary});
  if (absl::StartsWith(kind, "Binary") || as_text.empty()) return ParseNestedBase64(as_binary);
  return ParseNested(as_text);
}

json::value SqsAttribute(const json::value& record) {
  const json::value* attribute = FindAt(record, {"messageAttributes", "_datadog"});
  return attribute == nullptr ? nullptr : AttributeJson(*attribute, "dataType", "stringValue", "binaryValue");
}

json::value SnsAttribute(const json::value& message) {
  const json::value* attribute = FindAt(message, {"MessageAttributes", "_datadog"});
  return attribute == nullptr ? nullptr : AttributeJson(*attribute, "Type", "Value", "Value");
}

bool IsEventBridge(const json::value& event) {
  return !TextAt(event, {"detail-type"}).empty() && FindAt(event, {"source"}) != nullptr &&
         TextAt(event, {"source"}) != "aws.events";
}

bool IsSnsMessage(const json::value& message) {
  return TextAt(message, {"Type"}) == "Notification" && !TextAt(message, {"TopicArn"}).empty();
}

// The first record of an MSK event, whatever its group is called.
const json::value* MskRecord(const json::value& event) {
  const json::value* records = FindAt(event, {"records"});
  if (records == nullptr || !records->is_object() || records->get_object().empty()) return nullptr;
  const json::array* group = records->get_object().begin()->value().if_array();
  if (group == nullptr || group->empty() || FindAt(group->front(), {"topic"}) == nullptr) return nullptr;
  return &group->front();
}

// Where a state machine's context object is in an event.
const json::value* StepOf(const json::value& event) {
  const auto is_step = [](const json::value* at) {
    return at != nullptr && !TextAt(*at, {"Execution", "Id"}).empty() &&
           !TextAt(*at, {"State", "Name"}).empty() && !TextAt(*at, {"State", "EnteredTime"}).empty();
  };
  for (const json::value* at : {&event, FindAt(event, {"Payload"}), FindAt(event, {"_datadog"}),
                                FindAt(event, {"Payload", "_datadog"})})
    if (is_step(at)) return at;
  return nullptr;
}

Source SourceOf(const json::value& event) {
  const std::string_view domain = TextAt(event, {"requestContext", "domainName"});
  const bool is_url = absl::StrContains(domain, "lambda-url");
  if (TextAt(event, {"version"}) == "2.0" && FindAt(event, {"rawQueryString"}) != nullptr &&
      !domain.empty() && !is_url)
    return Source::kHttpApi;
  if (FindAt(event, {"requestContext", "stage"}) != nullptr && FindAt(event, {"httpMethod"}) != nullptr &&
      FindAt(event, {"resource"}) != nullptr)
    return Source::kRestApi;
  if (FindAt(event, {"requestContext", "messageDirection"}) != nullptr) return Source::kWebSocketApi;
  if (FindAt(event, {"requestContext", "elb", "targetGroupArn"}) != nullptr) return Source::kLoadBalancer;
  if (is_url) return Source::kFunctionUrl;
  if (MskRecord(event) != nullptr) return Source::kMsk;
  const json::array* records = ArrayAt(event, {"Records"});
  const json::value none;
  const json::value& record = records == nullptr ? none : records->front();
  if (TextAt(record, {"eventSource"}) == "aws:sqs") return Source::kSqs;
  if (FindAt(record, {"Sns"}) != nullptr) return Source::kSns;
  if (FindAt(record, {"dynamodb"}) != nullptr) return Source::kDynamoDb;
  if (FindAt(record, {"s3"}) != nullptr) return Source::kS3;
  if (IsEventBridge(event)) return Source::kEventBridge;
  if (FindAt(record, {"kinesis"}) != nullptr) return Source::kKinesis;
  if (StepOf(event) != nullptr) return Source::kStepFunctions;
  return Source::kUnknown;
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
  const json::array& records() const { return *ArrayAt(event_, {"Records"}); }

  std::string ApiArn(std::string_view rest) const {
    return absl::StrCat("arn:", AwsPartition(options_.region), ":apigateway:", options_.region, "::", rest);
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
    trigger_.spans.push_back(std::move(span));
  }

  void HttpApi() {
    trigger_.source = "api-gateway";
    const std::string_view api = TextAt(event_, {"requestContext", "apiId"});
    const std::string_view domain = TextAt(event_, {"requestContext", "domainName"});
    InferredSpan span = HttpSpan("aws.httpapi", "web",
                                 {.method = TextAt(event_, {"requestContext", "http", "method"}),
                                  .path = TextAt(event_, {"rawPath"}),
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
    const std::string_view domain = TextAt(event_, {"requestContext", "domainName"});
    InferredSpan span = HttpSpan("aws.apigateway", "web",
                                 {.method = TextAt(event_, {"httpMethod"}),
                                  .path = TextAt(event_, {"path"}),
                                  .domain = domain,
                                  .route = TextAt(event_, {"resource"}),
                                  .source_ip = TextAt(event_, {"requestContext", "identity", "sourceIp"}),
                                  .user_agent = TextAt(event_, {"requestContext", "identity", "userAgent"}),
                                  .protocol = TextAt(event_, {"requestContext", "protocol"}),
                                  .request_id = TextAt(event_, {"requestContext", "requestId"})});
    span.start = TimeAt(event_, {"requestContext", "requestTimeEpoch"}, TimeUnit::kMilliseconds);
    Add(span.tags, "http.route", TextAt(event_, {"requestContext", "resourcePath"}));
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
    const std::string_view domain = TextAt(context, {"domainName"});
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
    const std::string_view domain = TextAt(event_, {"requestContext", "domainName"});
    InferredSpan span = HttpSpan("aws.lambda.url", "http",
                                 {.method = TextAt(event_, {"requestContext", "http", "method"}),
                                  .path = TextAt(event_, {"requestContext", "http", "path"}),
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
    for (const json::key_value_pair& group : FindAt(event_, {"records"})->get_object()) {
      const json::array* of_group = group.value().if_array();
      if (of_group == nullptr) continue;
      for (const json::value& each : *of_group)
        if (HttpHeaders carrier = MskCarrier(each); !carrier.empty())
          trigger_.carriers.push_back(std::move(carrier));
    }
    // arn:aws:kafka:<region>:<account>:cluster/<name>/<uuid>
    Finish(std::move(span), {Part(arn, '/', 1), "lambda_msk", Part(arn, '/', 1), "msk"});
  }

  // Kafka's headers: a list of {name: bytes}, the bytes as a list or as {"0": 104, …}.
  static HttpHeaders MskCarrier(const json::value& record) {
    HttpHeaders carrier;
    const json::array* headers = ArrayAt(record, {"headers"});
    if (headers == nullptr) return carrier;
    for (const json::value& header : *headers) {
      if (!header.is_object()) continue;
      for (const json::key_value_pair& member : header.get_object()) {
        if (!IsTraceContextHeader(member.key())) continue;
        std::string text;
        const auto add_byte = [&text](const json::value& byte) {
          if (const int64_t* number = byte.if_int64(); number != nullptr && *number >= 0 && *number < 256)
            text.push_back(static_cast<char>(*number));
        };
        if (const json::array* bytes = member.value().if_array()) {
          for (const json::value& byte : *bytes) add_byte(byte);
        } else if (const json::object* bytes = member.value().if_object()) {
          for (size_t i = 0; const json::value* byte = bytes->if_contains(absl::StrCat(i)); ++i)
            add_byte(*byte);
        }
        carrier.emplace_back(member.key(), std::move(text));
      }
    }
    return carrier;
  }

  void Sqs() {
    trigger_.source = "sqs";
    const json::value& record = records().front();
    const std::string_view arn = TextAt(record, {"eventSourceARN"});
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
    const json::value body = ParseNested(TextAt(record, {"body"}));
    if (IsSnsMessage(body)) {
      SnsSpan(body);
    } else if (IsEventBridge(body)) {
      EventBridge(body, /*carrier=*/false);
    }
    for (const json::value& each : records()) {
      const json::value attribute = SqsAttribute(each);
      AddCarrier(trigger_, &attribute);
      if (attribute.is_null()) {
        const json::value inner = ParseNested(TextAt(each, {"body"}));
        if (IsSnsMessage(inner)) {
          const json::value inner_attribute = SnsAttribute(inner);
          AddCarrier(trigger_, &inner_attribute);
        } else {
          AddCarrier(trigger_, FindAt(inner, {"detail", "_datadog"}));
        }
      }
      if (!trigger_.carriers.empty()) break;
    }
    trigger_.generated_context = ContextOfXrayHeader(TextAt(record, {"attributes", "AWSTraceHeader"}));
    Finish(std::move(span), {queue, "lambda_sqs", queue, "sqs"});
  }

  void Sns() {
    trigger_.source = "sns";
    const json::value& message = *FindAt(records().front(), {"Sns"});
    trigger_.source_arn = TextAt(message, {"TopicArn"});
    const json::value inner = ParseNested(TextAt(message, {"Message"}));
    if (IsEventBridge(inner)) EventBridge(inner, /*carrier=*/false);
    for (const json::value& each : records()) {
      const json::value* sns = FindAt(each, {"Sns"});
      if (sns == nullptr) continue;
      const json::value attribute = SnsAttribute(*sns);
      AddCarrier(trigger_, &attribute);
      if (attribute.is_null())
        if (const json::value event = ParseNested(TextAt(*sns, {"Message"})); IsEventBridge(event))
          AddCarrier(trigger_, FindAt(event, {"detail", "_datadog"}));
      if (!trigger_.carriers.empty()) break;
    }
    SnsSpan(message, TextAt(records().front(), {"EventSubscriptionArn"}));
  }

  // A notification, as Lambda gets it or as a queue does.
  void SnsSpan(const json::value& message, std::string_view subscription = {}) {
    const std::string_view arn = TextAt(message, {"TopicArn"});
    const std::string_view topic = LastPart(arn, ':');
    InferredSpan span{.name = "aws.sns", .type = "web", .resource = std::string(topic), .is_async = true};
    span.start = Rfc3339At(message, {"Timestamp"});
    Add(span.tags, "operation_name", span.name);
    Add(span.tags, "topicname", topic);
    Add(span.tags, "topic_arn", arn);
    Add(span.tags, "message_id", TextAt(message, {"MessageId"}));
    Add(span.tags, "type", TextAt(message, {"Type"}));
    Add(span.tags, "subject", TextAt(message, {"Subject"}));
    Add(span.tags, "event_subscription_arn", subscription);
    Finish(std::move(span), {topic, "lambda_sns", topic, "sns"});
  }

  void EventBridge(const json::value& event, bool carrier = true) {
    const json::value* datadog = FindAt(event, {"detail", "_datadog"});
    const std::string_view source = TextAt(event, {"source"});
    const std::string_view named =
        datadog == nullptr ? std::string_view() : TextAt(*datadog, {"x-datadog-resource-name"});
    const std::string_view resource = named.empty() ? source : named;
    InferredSpan span{
        .name = "aws.eventbridge", .type = "web", .resource = std::string(resource), .is_async = true};
    if (datadog != nullptr) span.start = TimeAt(*datadog, {"x-datadog-start-time"}, TimeUnit::kMilliseconds);
    if (span.start == absl::InfinitePast()) span.start = Rfc3339At(event, {"time"});
    Add(span.tags, "operation_name", span.name);
    Add(span.tags, "detail_type", TextAt(event, {"detail-type"}));
    if (carrier) AddCarrier(trigger_, datadog);
    Finish(std::move(span), {resource, "lambda_eventbridge", resource, "eventbridge"});
  }

  void DynamoDb() {
    trigger_.source = "dynamodb";
    const json::value& record = records().front();
    const std::string_view arn = TextAt(record, {"eventSourceARN"});
    const std::string_view table = Part(arn, '/', 1);
    trigger_.source_arn = arn;
    InferredSpan span{.name = "aws.dynamodb", .type = "web", .is_async = true};
    span.resource = absl::StrCat(TextAt(record, {"eventName"}), " ", table);
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
    const json::value& record = records().front();
    const std::string_view arn = TextAt(record, {"s3", "bucket", "arn"});
    const std::string_view bucket = TextAt(record, {"s3", "bucket", "name"});
    trigger_.source_arn = arn;
    InferredSpan span{.name = "aws.s3", .type = "web", .resource = std::string(bucket), .is_async = true};
    span.start = Rfc3339At(record, {"eventTime"});
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
    const json::value& record = records().front();
    const std::string_view arn = TextAt(record, {"eventSourceARN"});
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
    for (const json::value& each : records()) {
      const json::value data = ParseNestedBase64(TextAt(each, {"kinesis", "data"}));
      AddCarrier(trigger_, FindAt(data, {"_datadog"}));
      if (!trigger_.carriers.empty()) break;
    }
    Finish(std::move(span), {stream, "lambda_kinesis", stream, "kinesis"});
  }

  void StepFunctions() {
    trigger_.source = "states";
    const json::value& step = *StepOf(event_);
    trigger_.source_arn = TextAt(step, {"StateMachine", "Id"});
    const auto count = [&step](std::initializer_list<std::string_view> path) {
      return static_cast<int>(std::clamp(NumberAt(step, path).value_or(0), 0.0, 1e9));
    };
    TraceContext context = ContextOfStep({.execution_id = TextAt(step, {"Execution", "Id"}),
                                          .root_execution_id = TextAt(step, {"RootExecutionId"}),
                                          .state_name = TextAt(step, {"State", "Name"}),
                                          .entered_time = TextAt(step, {"State", "EnteredTime"}),
                                          .retry_count = count({"State", "RetryCount"}),
                                          .redrive_count = count({"Execution", "RedriveCount"})});
    // A trace that the state machine was started in goes on through it.
    const std::optional<uint64_t> trace_id = ParseDecimalId(ScalarAt(step, {"x-datadog-trace-id"}));
    const std::string_view tags = TextAt(step, {"x-datadog-tags"});
    if (trace_id && !tags.empty()) {
      const std::optional<TraceContext> carried = ExtractTraceContext(
          {{"x-datadog-trace-id", absl::StrCat(*trace_id)}, {"x-datadog-tags", std::string(tags)}},
          {.styles = {PropagationStyle::kDatadog}});
      context.trace_id = carried->trace_id;
      context.trace_id_high = carried->trace_id_high;
      context.tags = carried->tags;
    }
    trigger_.generated_context = std::move(context);
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
