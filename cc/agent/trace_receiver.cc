#include "cc/agent/trace_receiver.h"

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "boost/json/array.hpp"
#include "boost/json/object.hpp"
#include "boost/json/serialize.hpp"

namespace thaw {
namespace {

constexpr std::string_view kTracesV04 = "/v0.4/traces";
constexpr std::string_view kTracesV05 = "/v0.5/traces";
constexpr std::string_view kStats = "/v0.6/stats";
constexpr std::string_view kInfo = "/info";
constexpr std::string_view kDebug = "/debug/thaw";

// The limit that tracers keep to.
constexpr size_t kTracesBytes = 50 << 20;
constexpr size_t kStatsBytes = 10 << 20;
// A GET has no body, but one with a body is accepted too.
constexpr size_t kUnreadBytes = 64 << 10;

// The answer has no sampling rates, so that tracers keep their own.
constexpr std::string_view kTracesTaken = R"({"rate_by_service":{}})";

template <typename Strings>
boost::json::array ArrayOf(const Strings& strings) {
  boost::json::array array;
  for (const auto& text : strings) array.emplace_back(std::string_view(text));
  return array;
}

TraceRequest RequestOf(const HttpServerRequest& request, TraceFormat format) {
  return {.body = request.body,
          .format = format,
          .headers = TracerHeaders::FromViews(*request.headers),
          .body_memory = request.body_memory};
}

std::string Info(const TraceReceiverOptions& options) {
  std::vector<std::string_view> endpoints = {kTracesV04, kTracesV05, kStats, kInfo};
  for (const ProxyRoute& route : ProxyRoutes()) endpoints.push_back(route.path);
  boost::json::object info;
  info["version"] = options.version;
  info["endpoints"] = ArrayOf(endpoints);
  // A tracer must not drop spans (P0) that no stats would count.
  info["client_drop_p0s"] = false;
  info["span_meta_structs"] = true;
  info["evp_proxy_allowed_headers"] = ArrayOf(EvpForwardedHeaders());
  info["peer_tags"] = ArrayOf(options.peer_tags);
  info["span_kinds_stats_computed"] = ArrayOf(options.span_kinds);
  return boost::json::serialize(info);
}

}  // namespace

TraceReceiver::TraceReceiver(TraceReceiverOptions options, TraceSink& sink)
    : options_(std::move(options)),
      sink_(sink),
      info_(Info(options_)),
      via_(absl::StrCat("1.1 thaw-", options_.version)) {}

std::vector<HttpRoute> TraceReceiver::Routes() {
  std::vector<HttpRoute> routes;
  const auto add = [&routes](std::string_view path, std::vector<std::string> methods, size_t max_body_bytes,
                             HttpRoute::Handler handler) -> HttpRoute& {
    return routes.emplace_back(HttpRoute{.path = std::string(path),
                                         .methods = std::move(methods),
                                         .max_body_bytes = max_body_bytes,
                                         .handler = std::move(handler)});
  };
  const std::vector<std::string> post_or_put = {"POST", "PUT"};
  for (const auto& [path, format] :
       {std::pair(kTracesV04, TraceFormat::kV04), std::pair(kTracesV05, TraceFormat::kV05)}) {
    add(path, post_or_put, kTracesBytes,
        [this, format = format](HttpServerRequest& request, HttpReply& reply) {
          TakeTracesAtOnce(request, format, reply);
        })
        .task_handler = [this, format = format](HttpServerRequest& request, HttpReply& reply,
                                                Cancellation& cancellation) {
      return TakeTraces(request, format, reply, cancellation);
    };
  }
  add(kStats, post_or_put, kStatsBytes, [this](HttpServerRequest& request, HttpReply& reply) {
    TakeStatsAtOnce(request, reply);
  }).task_handler = [this](HttpServerRequest& request, HttpReply& reply, Cancellation& cancellation) {
    return TakeStats(request, reply, cancellation);
  };
  for (const ProxyRoute& route : ProxyRoutes()) {
    HttpRoute& added = add(
        route.path,
        route.is_general() ? std::vector<std::string>{"GET", "POST"} : std::vector<std::string>{"POST"},
        route.max_body_bytes,
        [this, &route](HttpServerRequest& request, HttpReply& reply) { TakeProxied(route, request, reply); });
    // The intake gets the bytes in the coding that the tracer chose.
    added.decode_body = false;
    added.with_paths_below = route.with_paths_below();
  }
  add(kInfo, {}, kUnreadBytes,
      [this](HttpServerRequest&, HttpReply& reply) { reply.Set(200, kJsonType, info_); });
  if (options_.debug_json) {
    add(kDebug, {"GET", "HEAD"}, kUnreadBytes,
        [this](HttpServerRequest&, HttpReply& reply) { reply.Set(200, kJsonType, options_.debug_json()); });
  }
  return routes;
}

void TraceReceiver::TakeTracesAtOnce(HttpServerRequest& request, TraceFormat format, HttpReply& reply) {
  if (const std::optional<absl::Status> status = sink_.TakeTracesAtOnce(RequestOf(request, format))) {
    AnswerTraces(*status, reply);
  } else {
    reply.Defer();
  }
}

Task<void> TraceReceiver::TakeTraces(HttpServerRequest& request, TraceFormat format, HttpReply& reply,
                                     Cancellation& cancellation) {
  Task<absl::Status> taking = sink_.TakeTraces(RequestOf(request, format), cancellation);
  const absl::Status status = co_await std::move(taking);
  AnswerTraces(status, reply);
}

void TraceReceiver::AnswerTraces(const absl::Status& status, HttpReply& reply) {
  if (!status.ok()) return Refuse(status, reply);
  ++counts_.trace_requests;
  reply.Set(200, kJsonType, kTracesTaken);
}

void TraceReceiver::TakeStatsAtOnce(HttpServerRequest& request, HttpReply& reply) {
  if (const std::optional<absl::Status> status =
          sink_.TakeStatsAtOnce(RequestOf(request, TraceFormat::kV04))) {
    AnswerStats(*status, reply);
  } else {
    reply.Defer();
  }
}

Task<void> TraceReceiver::TakeStats(HttpServerRequest& request, HttpReply& reply,
                                    Cancellation& cancellation) {
  Task<absl::Status> taking = sink_.TakeStats(RequestOf(request, TraceFormat::kV04), cancellation);
  const absl::Status status = co_await std::move(taking);
  AnswerStats(status, reply);
}

void TraceReceiver::AnswerStats(const absl::Status& status, HttpReply& reply) {
  if (!status.ok()) return Refuse(status, reply);
  ++counts_.stats_requests;
  reply.Set(202, kJsonType, "{}");
}

void TraceReceiver::TakeProxied(const ProxyRoute& route, HttpServerRequest& request, HttpReply& reply) {
  absl::StatusOr<ProxiedRequest> proxied = MakeProxiedRequest(
      route, request, {.tags = options_.additional_tags, .env = options_.env, .via = via_});
  const absl::Status status = proxied.ok() ? sink_.TakeProxied(*std::move(proxied)) : proxied.status();
  if (!status.ok()) return Refuse(status, reply);
  ++counts_.proxied_requests;
  reply.Set(200, kTextType, absl::StrCat("Acknowledged request for ", route.context));
}

void TraceReceiver::Refuse(const absl::Status& status, HttpReply& reply) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
      ++counts_.refused_unreadable;
      return reply.Set(400, kTextType, status.message());
    case absl::StatusCode::kOutOfRange:
      ++counts_.refused_too_large;
      return reply.Set(413, kTextType, status.message());
    case absl::StatusCode::kResourceExhausted:
      ++counts_.turned_away;
      return reply.Set(429, kTextType, status.message());
    case absl::StatusCode::kUnavailable:
      ++counts_.failed;
      return reply.Set(503, kTextType, status.message());
    default:
      ++counts_.failed;
      return reply.Set(500, kTextType, status.message());
  }
}

}  // namespace thaw
