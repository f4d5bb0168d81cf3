// Request bodies as their sender made them, whatever coding they came in.
//
//   THAW_ASSIGN_OR_RETURN(const ContentCoding coding, ParseContentCoding("gzip"));
//   THAW_ASSIGN_OR_RETURN(const std::string body, DecodeBody(coding, bytes, /*limit=*/50 << 20));

#ifndef THAW_CC_AGENT_DECODE_BODY_H_
#define THAW_CC_AGENT_DECODE_BODY_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace thaw {

enum class ContentCoding { kIdentity, kGzip, kZstd };

// What ParseContentCoding knows, as a header says it.
inline constexpr std::string_view kAcceptedCodings = "gzip, zstd";

// The value of a Content-Encoding header; empty: identity. Unimplemented names a value that is none of ours,
// several codings one over the other included.
absl::StatusOr<ContentCoding> ParseContentCoding(std::string_view value);

// `coding` is not kIdentity. InvalidArgument: the bytes are not of that coding, cut off, or followed by
// others. ResourceExhausted: the content is larger than `limit_bytes`, of which no more is ever made.
absl::StatusOr<std::string> DecodeBody(ContentCoding coding, std::string_view bytes, size_t limit_bytes);

}  // namespace thaw

#endif  // THAW_CC_AGENT_DECODE_BODY_H_
