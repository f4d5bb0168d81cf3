// The span tags that have a meaning here, told apart by their length first.

#ifndef THAW_CC_TRACE_SPAN_TAGS_H_
#define THAW_CC_TRACE_SPAN_TAGS_H_

#include <cstdint>
#include <string_view>

namespace thaw {

inline constexpr std::string_view kOriginTag = "_dd.origin";
// The origin of all spans that come from a function.
inline constexpr std::string_view kLambdaOrigin = "lambda";
inline constexpr std::string_view kBaseServiceTag = "_dd.base_service";
inline constexpr std::string_view kComputeStatsTag = "_dd.compute_stats";
inline constexpr std::string_view kFunctionTagsTag = "_dd.tags.function";
inline constexpr std::string_view kSqlQueryTag = "sql.query";
inline constexpr std::string_view kTopLevelMetric = "_top_level";
// The prefix of tags that hold for a whole trace.
inline constexpr std::string_view kPropagationTagPrefix = "_dd.p.";
// OpenTelemetry's newer name for `db.system`, and its names for a query. Only spans of databases are searched
// for queries.
inline constexpr std::string_view kDatabaseSystemNameTag = "db.system.name";
inline constexpr std::string_view kDatabaseStatementTag = "db.statement";
inline constexpr std::string_view kDatabaseQueryTextTag = "db.query.text";

enum class MetaTag : uint8_t {
  // Tags that describe the whole process come first.
  kEnv,
  kVersion,
  kHostname,
  kRuntimeId,
  kOrigin,
  kHttpUrl,
  kHttpStatusCode,
  kTcpRemoteHost,
  kTcpRemotePort,
  kDnsAddress,
  kDatabaseType,
  kDatabaseSystem,
  kSqlQuery,
  kInferredSpanSource,
  kBaseService,
  kOther,
};
inline constexpr int kProcessTags = static_cast<int>(MetaTag::kRuntimeId) + 1;
inline constexpr int kMetaTags = static_cast<int>(MetaTag::kOther);

inline MetaTag MetaTagOf(std::string_view key) {
  const auto either = [key](std::string_view name, MetaTag tag) {
    return key == name ? tag : MetaTag::kOther;
  };
  switch (key.size()) {
    case 3:
      return either("env", MetaTag::kEnv);
    case 7:
      return key == "version" ? MetaTag::kVersion : either("db.type", MetaTag::kDatabaseType);
    case 8:
      return either("http.url", MetaTag::kHttpUrl);
    case 9:
      return key == "db.system" ? MetaTag::kDatabaseSystem : either(kSqlQueryTag, MetaTag::kSqlQuery);
    case 10:
      return key == "runtime-id" ? MetaTag::kRuntimeId : either(kOriginTag, MetaTag::kOrigin);
    case 11:
      return either("dns.address", MetaTag::kDnsAddress);
    case 12:
      return either("_dd.hostname", MetaTag::kHostname);
    case 14:
      return either(kDatabaseSystemNameTag, MetaTag::kDatabaseSystem);
    case 15:
      return key == "tcp.remote.host" ? MetaTag::kTcpRemoteHost
                                      : either("tcp.remote.port", MetaTag::kTcpRemotePort);
    case 16:
      return key == "http.status_code" ? MetaTag::kHttpStatusCode
                                       : either(kBaseServiceTag, MetaTag::kBaseService);
    case 25:
      return either("_inferred_span.tag_source", MetaTag::kInferredSpanSource);
    default:
      return MetaTag::kOther;
  }
}

enum class MetricTag : uint8_t {
  kSamplingPriority,
  kTracerTopLevel,
  kTopLevel,
  kMeasured,
  kSnapshot,
  kOther
};

inline MetricTag MetricTagOf(std::string_view key) {
  switch (key.size()) {
    case 10:
      return key == kTopLevelMetric ? MetricTag::kTopLevel : MetricTag::kOther;
    case 12:
      return key == "_dd.measured" ? MetricTag::kMeasured : MetricTag::kOther;
    case 13:
      return key == "_dd.top_level" ? MetricTag::kTracerTopLevel : MetricTag::kOther;
    case 19:
      return key == "_dd.partial_version" ? MetricTag::kSnapshot : MetricTag::kOther;
    case 20:
      return key == "_dd.was_long_running" ? MetricTag::kSnapshot : MetricTag::kOther;
    case 21:
      return key == "_sampling_priority_v1" ? MetricTag::kSamplingPriority : MetricTag::kOther;
    default:
      return MetricTag::kOther;
  }
}

}  // namespace thaw

#endif  // THAW_CC_TRACE_SPAN_TAGS_H_
