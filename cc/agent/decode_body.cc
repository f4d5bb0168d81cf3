#include "cc/agent/decode_body.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cc/flush/compress.h"

namespace thaw {

absl::StatusOr<ContentCoding> ParseContentCoding(std::string_view value) {
  const std::string_view coding = absl::StripAsciiWhitespace(value);
  if (coding.empty() || absl::EqualsIgnoreCase(coding, "identity")) return ContentCoding::kIdentity;
  // "x-gzip" is the same (RFC 9110 section 8.4.1.3).
  if (absl::EqualsIgnoreCase(coding, "gzip") || absl::EqualsIgnoreCase(coding, "x-gzip"))
    return ContentCoding::kGzip;
  if (absl::EqualsIgnoreCase(coding, "zstd")) return ContentCoding::kZstd;
  return absl::UnimplementedError(
      absl::StrCat("no Content-Encoding but ", kAcceptedCodings, " is known, not '", coding, "'"));
}

absl::StatusOr<std::string> DecodeBody(ContentCoding coding, std::string_view bytes, size_t limit_bytes) {
  const bool gzip = coding == ContentCoding::kGzip;
  absl::StatusOr<std::string> body =
      gzip ? DecompressGzip(bytes, limit_bytes) : DecompressZstd(bytes, limit_bytes);
  if (body.ok()) return body;
  return absl::Status(body.status().code(),
                      absl::StrCat("the ", gzip ? "gzip" : "zstd", " body: ", body.status().message()));
}

}  // namespace thaw
