// Request bodies as their sender made them, whatever coding they came in.
//
//   THAW_ASSIGN_OR_RETURN(const ContentCoding coding, ParseContentCoding("gzip"));
//   BodyDecoder decoder(coding, bytes, /*limit_bytes=*/50 << 20, account);
//   absl::StatusOr<bool> done = decoder.Step(1 << 20);   // until it is true, or no status OK

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

// What ParseContentCoding knows, as a header says it.
inline constexpr std::string_view kAcceptedCodings = "gzip, zstd";

// The value of a Content-Encoding header; empty: identity. Unimplemented names a value that is none of ours,
// several codings one over the other included.
absl::StatusOr<ContentCoding> ParseContentCoding(std::string_view value);

// A body decoded piece by piece; what it costs and how it is refused, says Decompressor
// (cc/flush/compress.h).
class BodyDecoder {
 public:
  // `coding` is not kIdentity. `bytes` and `account`, which may be null, must outlive it. `charged_bytes`:
  // what `bytes` are charged with.
  BodyDecoder(ContentCoding coding, std::string_view bytes, size_t limit_bytes,
              ByteAccount* account = nullptr, size_t charged_bytes = 0);

  // Goes on for about as much work as it is to make `bytes`. True: that was all of it. InvalidArgument: the
  // bytes are not of that coding, cut off, or followed by others. OutOfRange: the content is larger than
  // `limit_bytes` or than there ever is room for. ResourceExhausted: there is no room for it now.
  absl::StatusOr<bool> Step(size_t bytes);

  std::string TakeBody() { return decompressor_.TakeContent(); }
  ByteCharge TakeCharge() { return decompressor_.TakeCharge(); }

 private:
  const std::string_view name_;
  Decompressor decompressor_;
};

// All of it at once.
absl::StatusOr<std::string> DecodeBody(ContentCoding coding, std::string_view bytes, size_t limit_bytes);

}  // namespace thaw

#endif  // THAW_CC_AGENT_DECODE_BODY_H_
