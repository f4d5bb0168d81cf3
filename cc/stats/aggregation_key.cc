#include "cc/stats/aggregation_key.h"

#include <array>
#include <bit>
#include <cstddef>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cc/stats/peer_tags.h"

namespace thaw {
namespace {

// Memory beyond this, which one unusual key needed, is freed.
constexpr size_t kKeptBytes = 16 << 10;

// Values of the schema's Trilean.
constexpr uint32_t kNotSet = 0, kTrue = 1, kFalse = 2;

// The values of a key except for the peers.
struct Values {
  std::string_view service;
  std::string_view name;
  std::string_view resource;
  std::string_view type;
  std::string_view span_kind;
  std::string_view http_method;
  std::string_view http_endpoint;
  std::string_view service_source;
  std::string_view grpc_status;
  uint32_t http_status = 0;
  uint32_t is_trace_root = kNotSet;
  bool synthetics = false;
};

// Writes the key's values; the array of peer tags must follow.
void Write(const Values& values, MsgpackWriter& out) {
  const auto text = [&out](std::string_view name, std::string_view value) {
    out.String(name);
    out.String(value);
  };
  const auto number = [&out](std::string_view name, uint32_t value) {
    out.String(name);
    out.Unsigned(value);
  };
  text("Service", values.service);
  text("Name", values.name);
  text("Resource", values.resource);
  text("Type", values.type);
  text("SpanKind", values.span_kind);
  text("HTTPMethod", values.http_method);
  text("HTTPEndpoint", values.http_endpoint);
  text("srv_src", values.service_source);
  text("GRPCStatusCode", values.grpc_status);
  number("HTTPStatusCode", values.http_status);
  number("IsTraceRoot", values.is_trace_root);
  out.String("Synthetics");
  out.Bool(values.synthetics);
  out.String("PeerTags");
}

// The values of kPeerTags in a span; empty where it lacks the tag.
class PeerTagValues {
 public:
  PeerTagValues(const SpanView& span, const StatsTags& tags) {
    if (!tags.is_call()) {
      Set(*PeerTagOf("_dd.base_service"), tags.base_service);
      return;
    }
    for (const SpanMeta& entry : span.meta)
      if (const std::optional<size_t> tag = PeerTagOf(entry.key)) Set(*tag, entry.value);
  }

  uint32_t count() const { return std::popcount(present_); }
  // Visits the tags in the order of kPeerTags.
  template <typename Visitor>
  void Visit(Visitor&& visit) const {
    for (uint64_t left = present_; left != 0; left &= left - 1) {
      const size_t tag = std::countr_zero(left);
      visit(kPeerTags[tag], values_[tag]);
    }
  }

 private:
  void Set(size_t tag, std::string_view value) {
    const uint64_t bit = uint64_t{1} << tag;
    present_ = value.empty() ? present_ & ~bit : present_ | bit;
    values_[tag] = value;
  }

  static_assert(std::size(kPeerTags) <= 64);
  uint64_t present_ = 0;
  std::array<std::string_view, std::size(kPeerTags)> values_;
};

constexpr std::string_view kAdditionalEntry = "AdditionalMetricTags";

std::string MakeBlockedKey(bool with_additional) {
  MsgpackWriter out;
  Write({.service = kBlockedValue,
         .name = kBlockedValue,
         .resource = kBlockedValue,
         .type = kBlockedValue,
         .span_kind = kBlockedValue,
         .http_method = kBlockedValue,
         .http_endpoint = kBlockedValue,
         .service_source = kBlockedValue},
        out);
  out.Array(0);
  if (with_additional) {
    out.String(kAdditionalEntry);
    out.Array(0);
  }
  return out.Take();
}

void WriteBlockedList(MsgpackWriter& out) {
  out.Array(1);
  out.String(kBlockedValue);
}

}  // namespace

AggregationKeyEncoder::AggregationKeyEncoder(std::vector<std::string> additional_tags)
    : additional_tags_(std::move(additional_tags)), blocked_key_(MakeBlockedKey(!additional_tags_.empty())) {}

std::string_view AggregationKeyEncoder::Encode(const SpanView& span, const StatsTags& tags,
                                               unsigned blocked) {
  if (key_.bytes().capacity() > kKeptBytes) key_ = MsgpackWriter();
  if (peer_tag_.capacity() > kKeptBytes) peer_tag_ = std::string();
  key_.Truncate(0);
  const absl::AlphaNum grpc_status(uint32_t{tags.grpc_status.value_or(0)});
  Write({.service = span.service,
         .name = span.name,
         .resource = (blocked & kResourceValue) != 0 ? kBlockedValue : span.resource,
         .type = span.type,
         .span_kind = tags.span_kind,
         .http_method = tags.http_method,
         .http_endpoint = (blocked & kEndpointValue) != 0 ? kBlockedValue : tags.http_endpoint,
         .service_source = tags.service_source,
         .grpc_status = tags.grpc_status.has_value() ? grpc_status.Piece() : std::string_view(),
         .http_status = tags.http_status,
         .is_trace_root = span.parent_id == 0 ? kTrue : kFalse,
         .synthetics = tags.is_synthetic()},
        key_);
  const size_t begin = key_.bytes().size();
  uint32_t count = 0;
  if ((blocked & kPeersValue) != 0) {
    WriteBlockedList(key_);
  } else {
    const PeerTagValues peers(span, tags);
    count = peers.count();
    key_.Array(count);
    peers.Visit([this](std::string_view tag, std::string_view value) {
      peer_tag_.assign(tag);
      peer_tag_.push_back(':');
      quantizer_.Append(value, peer_tag_);
      key_.String(peer_tag_);
    });
  }
  const size_t end = key_.bytes().size();
  if (!additional_tags_.empty()) EncodeAdditional(span, (blocked & kAdditionalValue) != 0);
  // The key's bytes move while it grows.
  const std::string_view key = key_.bytes();
  peers_ = count > 0 ? key.substr(begin, end - begin) : std::string_view();
  additional_ = additional_count_ > 0 ? key.substr(end) : std::string_view();
  return key;
}

void AggregationKeyEncoder::EncodeAdditional(const SpanView& span, bool blocked) {
  key_.String(kAdditionalEntry);
  additional_count_ = 0;
  if (blocked) return WriteBlockedList(key_);
  const auto value_of = [&span](std::string_view tag) {
    std::string_view value;
    for (const SpanMeta& entry : span.meta)
      if (entry.key == tag) value = entry.value;
    return value;
  };
  for (const std::string& tag : additional_tags_) additional_count_ += value_of(tag).empty() ? 0 : 1;
  key_.Array(additional_count_);
  for (const std::string& tag : additional_tags_) {
    const std::string_view value = value_of(tag);
    if (value.empty()) continue;
    peer_tag_.assign(tag);
    peer_tag_.push_back(':');
    peer_tag_.append(value);
    key_.String(peer_tag_);
  }
}

}  // namespace thaw
