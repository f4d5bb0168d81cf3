#include "cc/trace/process/span_processor.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/strings/match.h"
#include "cc/base/reserve.h"
#include "cc/base/utf8.h"
#include "cc/trace/obfuscate/obfuscate_http.h"
#include "cc/trace/obfuscate/obfuscate_redis.h"
#include "cc/trace/obfuscate/obfuscate_sql.h"
#include "cc/trace/obfuscate/sql_dialect.h"
#include "cc/trace/process/normalize_span.h"
#include "cc/trace/process/replace_all.h"
#include "cc/trace/process/replace_rules.h"
#include "cc/trace/process/text_work.h"
#include "cc/trace/span_tags.h"

namespace thaw {
namespace {

// The service that tracers report for a function without a configured service.
constexpr std::string_view kLambdaService = "aws.lambda";

std::map<std::string, std::string> TagsOfEverySpan(const TraceProcessorOptions& options,
                                                   bool backend_computes_stats) {
  std::map<std::string, std::string> tags = options.function_tags;
  tags["origin"] = kLambdaOrigin;
  tags[std::string(kOriginTag)] = kLambdaOrigin;
  if (backend_computes_stats) tags[std::string(kComputeStatsTag)] = "1";
  // Replacement rules come last, and these values never change, so the rules are applied once.
  std::string buffer;
  for (auto& [key, value] : tags) value = std::string(options.replace_rules.ApplyToTag(key, value, buffer));
  return tags;
}

std::string ServiceTag(const TraceProcessorOptions& options) {
  const auto tag = options.function_tags.find("service");
  return tag == options.function_tags.end() ? "" : tag->second;
}

std::string BaseService(const TraceProcessorOptions& options) {
  if (options.service_representation) {
    if (!options.service.empty()) return options.service;
    if (!options.function_name.empty()) return options.function_name;
  }
  return std::string(kLambdaService);
}

void SetMetric(SpanRecord& span, std::string_view key, double value) {
  for (SpanMetric& metric : span.metrics) {
    if (metric.key != key) continue;
    metric.value = value;
    return;
  }
  span.metrics.push_back({key, value});
}

// Replaces a text for whose obfuscation or replacement no work is left.
constexpr std::string_view kHidden = "?";

int64_t WorkOf(std::string_view text, int64_t rate) { return rate * static_cast<int64_t>(text.size()); }

std::string_view ObfuscateQuery(std::string_view query, SqlDialect dialect, ScratchText& scratch,
                                TextWork& work) {
  if (const std::string* known = work.Find(query, dialect); known != nullptr) {
    if (!work.Take(static_cast<int64_t>(known->size()))) return kNotParsableSql;
    return scratch.Take() = *known;
  }
  if (!work.Take(WorkOf(query, TextWork::kSqlRate))) return kNotParsableSql;
  std::string& result = scratch.Take();
  ObfuscateSql(query, dialect, result);
  work.Remember(query, dialect, result);
  return result;
}

// Returns whether a resource is a query, or either is the beginning of the other: tracers cut long ones, and leave
// out the semicolon.
bool IsPartOf(std::string_view resource, std::string_view query) {
  const auto trimmed = [](std::string_view text) {
    constexpr std::string_view kAround = " \t\r\n;";
    const size_t begin = text.find_first_not_of(kAround);
    return begin == text.npos ? std::string_view()
                              : text.substr(begin, text.find_last_not_of(kAround) + 1 - begin);
  };
  resource = trimmed(resource);
  query = trimmed(query);
  return absl::StartsWith(query, resource) || absl::StartsWith(resource, query);
}

}  // namespace

SpanProcessor::SpanProcessor(const TraceProcessorOptions& options)
    : options_(options),
      fixed_(TagsOfEverySpan(options, /*backend_computes_stats=*/false)),
      with_compute_stats_(TagsOfEverySpan(options, /*backend_computes_stats=*/true)),
      service_tag_(ServiceTag(options)),
      base_service_(BaseService(options)) {}

void SpanProcessor::NormalizeFields(SpanRecord& span, absl::Time now, ScratchText& scratch) const {
  span.service = NormalizeService(span.service, scratch.Take());
  span.name = NormalizeOperationName(span.name, scratch.Take());
  span.resource = NormalizeResource(span.resource, span.name);
  span.type = NormalizeSpanType(span.type);
  const SpanTimes times = NormalizeTimes({span.start, span.duration}, now);
  span.start = times.start_unix_nanos;
  span.duration = times.duration_nanos;
}

bool SpanProcessor::NormalizeTagValue(MetaTag tag, SpanMeta& entry, ScratchText& scratch) const {
  if (tag == MetaTag::kEnv) entry.value = NormalizeEnv(entry.value, scratch.Take());
  return tag != MetaTag::kHttpStatusCode || IsHttpStatusCode(entry.value);
}

void SpanProcessor::Normalize(SpanRecord& span, absl::Time now, ScratchText& scratch) const {
  span.RepairText(scratch);
  NormalizeFields(span, now, scratch);
  std::erase_if(span.meta, [this, &scratch](SpanMeta& entry) {
    return !NormalizeTagValue(MetaTagOf(entry.key), entry, scratch);
  });
}

void SpanProcessor::Process(SpanRecord& span, const FixedTags& fixed, bool top_level, absl::Time now,
                            ScratchText& scratch, TextWork& work) const {
  work.BeginSpan();
  span.RepairText(scratch);
  NormalizeFields(span, now, scratch);
  if (top_level) SetMetric(span, kTopLevelMetric, 1);
  if (span.service == kLambdaService && !service_tag_.empty()) span.service = service_tag_;

  Found found;
  bool is_inferred = false, has_base_service = fixed.Contains(kBaseServiceTag);
  size_t kept = 0;
  for (SpanMeta& entry : span.meta) {
    const MetaTag tag = MetaTagOf(entry.key);
    if (!NormalizeTagValue(tag, entry, scratch) || fixed.Contains(entry.key)) continue;
    SpanMeta& place = span.meta[kept++] = entry;
    switch (tag) {
      case MetaTag::kHttpUrl:
        found.url = &place;
        break;
      case MetaTag::kSqlQuery:
        found.sql_query = &place;
        break;
      case MetaTag::kDatabaseType:
        found.database_type = &place;
        break;
      case MetaTag::kDatabaseSystem:
        found.database_system = &place;
        break;
      case MetaTag::kInferredSpanSource:
        is_inferred = true;
        break;
      case MetaTag::kBaseService:
        has_base_service = true;
        break;
      default:
        break;
    }
  }
  span.meta.resize(kept);
  Obfuscate(span, fixed, found, scratch, work);
  if (is_inferred && !has_base_service) span.meta.push_back({kBaseServiceTag, base_service_});
  if (!options_.replace_rules.empty()) Replace(span, scratch, work);
}

void SpanProcessor::Obfuscate(SpanRecord& span, const FixedTags& fixed, const Found& found,
                              ScratchText& scratch, TextWork& work) const {
  if (span.type == "web" || span.type == "http") {
    if (found.url == nullptr) return;
    std::string_view& url = found.url->value;
    url = work.Take(WorkOf(url, TextWork::kUrlRate))
              ? ObfuscateUrl(url, options_.http_obfuscation, scratch.Take())
              : kHidden;
  } else if (span.type == "sql" || span.type == "cassandra") {
    ObfuscateQueries(span, fixed, found, scratch, work);
  } else if (span.type == "redis" || span.type == "valkey") {
    if (!work.Take(WorkOf(span.resource, TextWork::kRedisRate))) {
      span.resource = kHidden;
      return;
    }
    std::string& commands = scratch.Take();
    QuantizeRedisCommands(span.resource, commands);
    span.resource = commands;
  } else if (found.database() != nullptr && MayBeSql(found.database()->value)) {
    // A span of OpenTelemetry's API has no type, or another one; its resource may be the query's summary.
    ObfuscateQueryTags(span, found, SqlDialectOf(found.database()->value), scratch, work);
  }
}

void SpanProcessor::ObfuscateQueryTags(SpanRecord& span, const Found& found, SqlDialect dialect,
                                       ScratchText& scratch, TextWork& work) const {
  bool is_resource = false;
  for (SpanMeta& entry : span.meta) {
    if (entry.key != kDatabaseStatementTag && entry.key != kDatabaseQueryTextTag && &entry != found.sql_query)
      continue;
    if (entry.value.empty()) continue;
    is_resource |= IsPartOf(span.resource, entry.value);
    entry.value = ObfuscateQuery(entry.value, dialect, scratch, work);
  }
  if (is_resource) span.resource = ObfuscateQuery(span.resource, dialect, scratch, work);
}

void SpanProcessor::ObfuscateQueries(SpanRecord& span, const FixedTags& fixed, const Found& found,
                                     ScratchText& scratch, TextWork& work) const {
  const SpanMeta* database = found.database();
  const SqlDialect dialect = database == nullptr ? SqlDialect::kGeneric : SqlDialectOf(database->value);
  const std::string_view query = ObfuscateQuery(span.resource, dialect, scratch, work);
  for (SpanMeta& entry : span.meta) {
    if (entry.key != kDatabaseStatementTag && entry.key != kDatabaseQueryTextTag) continue;
    if (entry.value.empty()) continue;
    // The query is mostly the resource once more.
    entry.value = entry.value == span.resource ? query : ObfuscateQuery(entry.value, dialect, scratch, work);
  }
  span.resource = query;
  if (found.sql_query != nullptr) {
    found.sql_query->value = query;
  } else if (!fixed.Contains(kSqlQueryTag)) {
    span.meta.push_back({kSqlQueryTag, query});
  }
}

void SpanProcessor::Replace(SpanRecord& span, ScratchText& scratch, TextWork& work) const {
  std::string* buffer = &scratch.Take();
  const auto replace = [&](int rules, std::string_view& text, auto apply) {
    if (rules == 0) return;
    if (!work.Take(WorkOf(text, TextWork::kMatchRate * rules))) {
      text = kHidden;
      return;
    }
    const int64_t left = work.left_in_span();
    ReplaceLimits limits{.work = left, .charge = &work.replaced()};
    const std::optional<std::string_view> replaced = apply(limits);
    if (limits.work < left) work.Spend(left - limits.work);
    // A pattern may match a part of a character, so the result may not be UTF-8.
    const bool broken = replaced.has_value() && replaced->data() == buffer->data() && !IsValidUtf8(*buffer);
    if (!replaced.has_value() || (broken && buffer->size() >= kLargeAllocation)) {
      work.CountHidden();
      text = kHidden;
    } else if (replaced->data() == buffer->data()) {
      if (broken) *buffer = RepairUtf8(*buffer);
      text = *buffer;
      buffer = &scratch.Take();
    }
  };
  const ReplaceRules& rules = options_.replace_rules;
  for (SpanMeta& entry : span.meta)
    replace(rules.RulesOfTag(entry.key), entry.value,
            [&](ReplaceLimits& limits) { return rules.ApplyToTag(entry.key, entry.value, limits, *buffer); });
  replace(rules.RulesOfResource(), span.resource,
          [&](ReplaceLimits& limits) { return rules.ApplyToResource(span.resource, limits, *buffer); });
}

}  // namespace thaw
