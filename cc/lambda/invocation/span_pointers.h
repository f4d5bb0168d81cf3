// Makes span pointers from an event: hashes by which the intake joins the trace that wrote an object to the
// trace that reads it, where no header can be passed along.
//
//   const std::vector<SpanPointer> pointers = SpanPointersOfEvent(event.root);
//   tags["_dd.span_links"] = SpanLinksWithPointers(tags["_dd.span_links"], pointers);

#ifndef THAW_CC_LAMBDA_INVOCATION_SPAN_POINTERS_H_
#define THAW_CC_LAMBDA_INVOCATION_SPAN_POINTERS_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "boost/json/fwd.hpp"

namespace thaw {

struct SpanPointer {
  std::string kind;  // "aws.s3.object"
  std::string hash;  // 32 hexadecimal digits

  bool operator==(const SpanPointer&) const = default;
};

// Largest number of pointers kept of one event.
inline constexpr size_t kMaxSpanPointers = 100;

// Returns the first 32 hexadecimal digits of the SHA-256 over the parts with '|' between them.
std::string SpanPointerHash(absl::Span<const std::string_view> parts);

// Returns the pointer of an object as S3 names it; quotes around its entity tag don't count.
SpanPointer S3ObjectPointer(std::string_view bucket, std::string_view key, std::string_view etag);

// Returns the pointer of an item by its keys, as a stream record has them: {"id": {"S": "a"}}. Returns
// nullopt without keys, with more than two, or if a value is neither S, N nor B.
std::optional<SpanPointer> DynamoDbItemPointer(std::string_view table, const boost::json::object& keys);

// Returns the pointers of all complete records of an S3 or DynamoDB event.
std::vector<SpanPointer> SpanPointersOfEvent(const boost::json::value& event);

// Returns the JSON of a span's links: the present ones (an array, or empty; anything else is replaced) and
// one for each pointer. Such a link has no ids; the intake looks for its hash.
std::string SpanLinksWithPointers(std::string_view links, absl::Span<const SpanPointer> pointers);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_INVOCATION_SPAN_POINTERS_H_
