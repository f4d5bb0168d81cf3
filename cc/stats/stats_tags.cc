#include "cc/stats/stats_tags.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <limits>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "cc/stats/grpc_status.h"
#include "cc/trace/span_tags.h"

namespace thaw {
namespace {

constexpr std::string_view kHttpStatus = "http.status_code";
constexpr std::string_view kSnapshotVersion = "_dd.partial_version";
// The first tag that yields a status counts.
constexpr std::string_view kGrpcStatus[] = {"rpc.grpc.status_code", "grpc.code", "rpc.grpc.status.code",
                                            "grpc.status.code"};
constexpr size_t kGrpcKeys = std::size(kGrpcStatus);

// Returns an index in kGrpcStatus, or its size.
size_t GrpcKeyOf(std::string_view key) {
  return std::find(std::begin(kGrpcStatus), std::end(kGrpcStatus), key) - std::begin(kGrpcStatus);
}

template <typename Integer>
std::optional<Integer> WholeNumber(double value) {
  if (!(value >= 0 && value <= std::numeric_limits<Integer>::max()) || value != std::floor(value))
    return std::nullopt;
  return static_cast<Integer>(value);
}

bool IsKind(std::string_view kind, std::string_view expected) {
  return absl::EqualsIgnoreCase(kind, expected);
}

// Values of which one is chosen when all tags are read: a status may stand in several tags, and as a text or a
// number.
struct Candidates {
  std::string_view route;
  std::string_view http_status_text;
  std::optional<uint32_t> http_status;
  std::array<std::string_view, kGrpcKeys> grpc_texts;
  std::array<std::optional<uint8_t>, kGrpcKeys> grpc_numbers;
};

void ReadTexts(const SpanView& span, StatsTags& tags, Candidates& found) {
  // The length tells most keys apart.
  for (const auto& [key, value] : span.meta) {
    switch (key.size()) {
      case 9:
        if (key == "span.kind") tags.span_kind = value;
        if (key == kGrpcStatus[1]) found.grpc_texts[1] = value;
        break;
      case 10:
        if (key == kOriginTag) tags.origin = value;
        if (key == "http.route") found.route = value;
        break;
      case 11:
        if (key == "http.method") tags.http_method = value;
        if (key == "_dd.svc_src") tags.service_source = value;
        break;
      case 13:
        if (key == "http.endpoint") tags.http_endpoint = value;
        break;
      case 16:
        if (key == kHttpStatus) found.http_status_text = value;
        if (key == kBaseServiceTag) tags.base_service = value;
        [[fallthrough]];
      case 20:
        if (const size_t grpc = GrpcKeyOf(key); grpc < kGrpcKeys) found.grpc_texts[grpc] = value;
        break;
      default:
        break;
    }
  }
}

void ReadNumbers(const SpanView& span, StatsTags& tags, Candidates& found) {
  for (const auto& [key, value] : span.metrics) {
    switch (key.size()) {
      case 19:
        tags.is_snapshot |= key == kSnapshotVersion && value >= 0;
        break;
      case 9:
      case 16:
      case 20:
        if (key == kHttpStatus) found.http_status = WholeNumber<uint32_t>(value);
        if (const size_t grpc = GrpcKeyOf(key); grpc < kGrpcKeys)
          found.grpc_numbers[grpc] = WholeNumber<uint8_t>(value);
        break;
      default:
        break;
    }
  }
}

}  // namespace

StatsTags StatsTags::Of(const SpanView& span) {
  StatsTags tags;
  Candidates found;
  ReadTexts(span, tags, found);
  ReadNumbers(span, tags, found);

  if (tags.http_endpoint.empty()) tags.http_endpoint = found.route;
  if (found.http_status.has_value()) {
    tags.http_status = *found.http_status;
  } else if (!absl::SimpleAtoi(found.http_status_text, &tags.http_status)) {
    tags.http_status = 0;
  }
  for (size_t i = 0; i < kGrpcKeys && !tags.grpc_status.has_value(); ++i)
    if (!found.grpc_texts[i].empty()) tags.grpc_status = ParseGrpcStatus(found.grpc_texts[i]);
  for (size_t i = 0; i < kGrpcKeys && !tags.grpc_status.has_value(); ++i)
    tags.grpc_status = found.grpc_numbers[i];
  return tags;
}

bool StatsTags::is_call() const {
  return IsKind(span_kind, "client") || IsKind(span_kind, "producer") || IsKind(span_kind, "consumer");
}

bool HasStats(const SpanView& span, const StatsTags& tags) {
  if (tags.is_snapshot) return false;
  if (span.top_level || span.measured) return true;
  return std::any_of(std::begin(kStatsSpanKinds), std::end(kStatsSpanKinds),
                     [&](std::string_view kind) { return IsKind(tags.span_kind, kind); });
}

}  // namespace thaw
