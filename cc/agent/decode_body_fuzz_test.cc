// Any bytes taken for gzip or zstd decode to no more than the limit, and bodies encoded here decode to their
// content.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "cc/agent/decode_body.h"
#include "cc/flush/compress.h"

namespace {

constexpr size_t kLimit = 1 << 16;

void Check(bool holds) {
  if (!holds) std::abort();
}

void Try(thaw::ContentCoding coding, std::string_view bytes) {
  const absl::StatusOr<std::string> body = thaw::DecodeBody(coding, bytes, kLimit);
  Check(!body.ok() || body->size() <= kLimit);
  // Decoding in pieces gives the same.
  thaw::BodyDecoder decoder(coding, bytes, kLimit);
  absl::StatusOr<bool> done = false;
  while (done.ok() && !*done) done = decoder.Step(100);
  Check(done.ok() == body.ok());
  Check(!done.ok() || decoder.TakeBody() == *body);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  static_cast<void>(thaw::ParseContentCoding(input));
  for (const thaw::ContentCoding coding : {thaw::ContentCoding::kGzip, thaw::ContentCoding::kZstd}) {
    Try(coding, input);
    std::string packed =
        coding == thaw::ContentCoding::kGzip ? *thaw::CompressGzip(input, 1) : *thaw::CompressZstd(input, 1);
    if (size <= kLimit) Check(*thaw::DecodeBody(coding, packed, kLimit) == input);
    // Several streams in a row are one body, whose parts may be cut anywhere.
    if (size <= kLimit / 2) Check(*thaw::DecodeBody(coding, packed + packed, kLimit) == input + input);
    if (size > 0) Try(coding, packed + packed.substr(0, data[0] % packed.size()));
    Try(coding, packed + input);
    // One changed byte reaches the code after the header.
    if (size > 1) {
      packed[data[0] % packed.size()] ^= static_cast<char>(data[1]);
      Try(coding, packed);
    }
  }
  return 0;
}
