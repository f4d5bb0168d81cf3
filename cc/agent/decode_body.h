// Decodes request bodies from the coding they were sent in.
//
//   THAW_ASSIGN_OR_RETURN(const ContentCoding coding, ParseContentCoding("gzip"));
//   BodyDecoder decoder(coding, bytes, /*limit_bytes=*/50 << 20, account);
//   absl::StatusOr<bool> done = decoder.Step(1 << 20);   // until true or an error

#ifndef THAW_CC_AGENT_DECODE_BODY_H_
#define THAW_CC_AGENT_DECODE_BODY_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "cc/base/byte_account.h"
#include "cc/flush/compress.h"

namespace thaw {

enum class ContentCoding { kIdentity, kGzip, kZstd };

// The codings that ParseContentCoding knows, as a header lists them.
inline constexpr std::string_view kAcceptedCodings = "gzip, zstd";

// Parses a Content-Encoding header; empty: identity. Unimplemented names an unknown value, which includes
// several codings applied one after the other.
absl::StatusOr<ContentCoding> ParseContentCoding(std::string_view value);

// Decodes a body piece by piece. Decompressor (cc/flush/compress.h) defines its costs and its errors.
class BodyDecoder {
 public:
  // `coding` must not be kIdentity. `bytes` and `account`, which may be null, must outlive the decoder.
  // `charged_bytes`: the existing charge of `bytes`.
  BodyDecoder(ContentCoding coding, std::string_view bytes, size_t limit_bytes,
              ByteAccount* account = nullptr, size_t charged_bytes = 0);

  // Continues for about as much work as making `bytes` bytes takes. Returns true once the whole body is
  // decoded. InvalidArgument: the bytes are not of that coding, cut off, or followed by others. OutOfRange:
  // the content is larger than `limit_bytes` or than there can ever be room for. ResourceExhausted: there is
  // no room at present.
  absl::StatusOr<bool> Step(size_t bytes);

  std::string TakeBody() { return decompressor_.TakeContent(); }
  ByteCharge TakeCharge() { return decompressor_.TakeCharge(); }

 private:
  const std::string_view name_;
  Decompressor decompressor_;
};

// Decodes the whole body at once.
absl::StatusOr<std::string> DecodeBody(ContentCoding coding, std::string_view bytes, size_t limit_bytes);

}  // namespace thaw

#endif  // THAW_CC_AGENT_DECODE_BODY_H_
