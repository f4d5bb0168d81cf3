#include "cc/lambda/invocation/span_pointers.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "boost/json/array.hpp"
#include "boost/json/object.hpp"
#include "boost/json/serialize.hpp"
#include "cc/lambda/invocation/event_bytes.h"
#include "cc/lambda/invocation/event_json.h"
#include "cc/lambda/sha256.h"

namespace thaw {
namespace {

namespace json = boost::json;

std::optional<SpanPointer> PointerOfRecord(const json::value& record) {
  if (FindAt(record, {"s3"}) != nullptr) {
    const std::string_view bucket = TextAt(record, {"s3", "bucket", "name"});
    const std::string_view key = TextAt(record, {"s3", "object", "key"});
    const std::string_view etag = TextAt(record, {"s3", "object", "eTag"});
    // A deleted object has no entity tag, and can't be read.
    if (bucket.empty() || key.empty() || etag.empty()) return std::nullopt;
    return S3ObjectPointer(bucket, key, etag);
  }
  const json::value* keys = FindAt(record, {"dynamodb", "Keys"});
  if (keys == nullptr || !keys->is_object()) return std::nullopt;
  // arn:aws:dynamodb:<region>:<account>:table/<name>/stream/<time>
  const std::vector<std::string_view> arn = absl::StrSplit(TextAt(record, {"eventSourceARN"}), '/');
  if (arn.size() < 2 || arn[1].empty()) return std::nullopt;
  return DynamoDbItemPointer(arn[1], keys->get_object());
}

}  // namespace

std::string SpanPointerHash(absl::Span<const std::string_view> parts) {
  const std::array<uint8_t, 32> digest = Sha256(absl::StrJoin(parts, "|"));
  return absl::BytesToHexString(std::string_view(reinterpret_cast<const char*>(digest.data()), 16));
}

SpanPointer S3ObjectPointer(std::string_view bucket, std::string_view key, std::string_view etag) {
  absl::ConsumePrefix(&etag, "\"");
  absl::ConsumeSuffix(&etag, "\"");
  return {"aws.s3.object", SpanPointerHash({bucket, key, etag})};
}

std::optional<SpanPointer> DynamoDbItemPointer(std::string_view table, const json::object& keys) {
  if (keys.empty() || keys.size() > 2) return std::nullopt;
  std::vector<std::pair<std::string, std::string>> named;
  for (const json::key_value_pair& key : keys) {
    std::string value;
    if (const std::string_view text = TextAt(key.value(), {"S"}); !text.empty()) {
      value = text;
    } else if (std::string number = ScalarAt(key.value(), {"N"}); !number.empty()) {
      value = std::move(number);
    } else {
      const json::value* binary = FindAt(key.value(), {"B"});
      std::optional<std::string> bytes = binary == nullptr ? std::nullopt : ListedOrBase64Bytes(*binary);
      if (!bytes || bytes->empty()) return std::nullopt;
      value = *std::move(bytes);
    }
    named.emplace_back(key.key(), std::move(value));
  }
  std::sort(named.begin(), named.end());
  named.resize(2);
  return SpanPointer{"aws.dynamodb.item", SpanPointerHash({table, named[0].first, named[0].second,
                                                           named[1].first, named[1].second})};
}

std::vector<SpanPointer> SpanPointersOfEvent(const json::value& event) {
  std::vector<SpanPointer> pointers;
  const json::value* records = FindAt(event, {"Records"});
  if (records == nullptr) records = FindAt(event, {"records"});
  if (records == nullptr) return pointers;
  ForEachItem(*records, [&pointers](const json::value& record) {
    if (pointers.size() >= kMaxSpanPointers) return;
    std::optional<SpanPointer> pointer = PointerOfRecord(record);
    if (pointer && std::find(pointers.begin(), pointers.end(), *pointer) == pointers.end())
      pointers.push_back(*std::move(pointer));
  });
  return pointers;
}

std::string SpanLinksWithPointers(std::string_view links, absl::Span<const SpanPointer> pointers) {
  json::array all;
  if (!links.empty()) {
    const absl::StatusOr<EventJson> there = ParseEventJson(links);
    if (there.ok() && there->root.is_array()) all = there->root.get_array();
  }
  for (const SpanPointer& pointer : pointers) {
    all.push_back({{"trace_id", std::string(32, '0')},
                   {"span_id", std::string(16, '0')},
                   {"attributes",
                    {{"link.kind", "span-pointer"},
                     {"ptr.dir", "u"},
                     {"ptr.hash", pointer.hash},
                     {"ptr.kind", pointer.kind}}}});
  }
  return json::serialize(all);
}

}  // namespace thaw
