#include "cc/agent/decode_body.h"

#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace thaw {

absl::StatusOr<ContentCoding> ParseContentCoding(std::string_view value) {
  const std::string_view coding = absl::StripAsciiWhitespace(value);
  if (coding.empty() || absl::EqualsIgnoreCase(coding, "identity")) return ContentCoding::kIdentity;
  // "x-gzip" means gzip (RFC 9110 section 8.4.1.3).
  if (absl::EqualsIgnoreCase(coding, "gzip") || absl::EqualsIgnoreCase(coding, "x-gzip"))
    return ContentCoding::kGzip;
  if (absl::EqualsIgnoreCase(coding, "zstd")) return ContentCoding::kZstd;
  return absl::UnimplementedError(
      absl::StrCat("the Content-Encoding '", coding, "' is not supported, only ", kAcceptedCodings));
}

BodyDecoder::BodyDecoder(ContentCoding coding, std::string_view bytes, size_t limit_bytes,
                         ByteAccount* account, size_t charged_bytes)
    : name_(coding == ContentCoding::kGzip ? "gzip" : "zstd"),
      decompressor_(coding == ContentCoding::kGzip ? Compression::kGzip : Compression::kZstd, bytes,
                    limit_bytes, account, charged_bytes) {}

absl::StatusOr<bool> BodyDecoder::Step(size_t bytes) {
  absl::StatusOr<bool> done = decompressor_.Step(bytes);
  if (done.ok()) return done;
  return absl::Status(done.status().code(), absl::StrCat("the ", name_, " body: ", done.status().message()));
}

absl::StatusOr<std::string> DecodeBody(ContentCoding coding, std::string_view bytes, size_t limit_bytes) {
  BodyDecoder decoder(coding, bytes, limit_bytes);
  absl::StatusOr<bool> done = false;
  while (done.ok() && !*done) done = decoder.Step(std::numeric_limits<size_t>::max());
  if (!done.ok()) return done.status();
  return decoder.TakeBody();
}

}  // namespace thaw
