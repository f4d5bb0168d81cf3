// Bodies compressed as the intake wants them, and back, for splitting what it found too large.

#ifndef THAW_CC_FLUSH_COMPRESS_H_
#define THAW_CC_FLUSH_COMPRESS_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cc/base/byte_account.h"

struct ZSTD_CCtx_s;

namespace thaw {

// Makes zstd frames, one after the other in the same memory, which is as large as the largest needed it. New
// memory for each is as much work as compressing: the kernel clears every page of it.
class ZstdCompressor {
 public:
  ZstdCompressor() = default;
  ZstdCompressor(const ZstdCompressor&) = delete;
  ZstdCompressor& operator=(const ZstdCompressor&) = delete;

  // One frame that says how large its content is. `level`: 1 to 22. Equal data give equal bytes, whatever was
  // compressed before.
  absl::StatusOr<std::string> Compress(std::string_view data, int level);
  // Gives the memory back.
  void Release();

 private:
  struct FreeContext {
    void operator()(ZSTD_CCtx_s* context) const;
  };
  std::unique_ptr<ZSTD_CCtx_s, FreeContext> context_;
  std::unique_ptr<char[]> frame_;
  size_t frame_capacity_ = 0;
};

// The same, of one frame.
absl::StatusOr<std::string> CompressZstd(std::string_view data, int level);

// One gzip member (RFC 1952) without name and time, so that equal data give equal bytes. `level`: 1 to 9;
// higher ones are 9.
absl::StatusOr<std::string> CompressGzip(std::string_view data, int level);

enum class Compression { kGzip, kZstd };

// Makes the content of compressed data piece by piece: what is made is bounded, and other work can be done
// between two pieces. The data are one member of gzip or frame of zstd or several, one after the other (RFC
// 1952 section 2.2, RFC 8878 section 3), which make one content.
//
//   Decompressor decompressor(Compression::kGzip, data, /*max_size=*/50 << 20, account);
//   absl::StatusOr<bool> done = decompressor.Step(1 << 20);   // until it is true, or no status OK
//   std::string content = decompressor.TakeContent();
//
// InvalidArgument: the data are not of the format, cut off, or followed by what is not of it. OutOfRange: the
// content is larger than `max_size` or than the account could ever hold. ResourceExhausted: there is no room
// for it now. No more than `max_size` is ever made.
class Decompressor {
 public:
  // `data` and `account` must outlive it. `account`: what its memory is charged to; may be null.
  // `data_bytes`: what the data are charged with elsewhere.
  Decompressor(Compression format, std::string_view data, size_t max_size, ByteAccount* account = nullptr,
               size_t data_bytes = 0);
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;
  ~Decompressor();

  // Goes on for about as much work as it is to make `bytes`. True: that was all of it.
  absl::StatusOr<bool> Step(size_t bytes);

  // The content, and what it is charged with.
  std::string TakeContent();
  ByteCharge TakeCharge();

 private:
  class Codec;
  class GzipCodec;
  class ZstdCodec;

  absl::Status Begin(std::string_view rest);
  absl::Status MakeRoom();
  // `status`, and where.
  absl::Status At(const absl::Status& status) const;

  const std::string_view data_;
  const size_t max_size_;
  const Compression format_;
  size_t position_ = 0;
  bool within_ = false;  // a member or frame
  ByteCharge charge_;    // of the content, and of what the codec needs for itself
  std::unique_ptr<Codec> codec_;
  std::string content_;  // as long as there is room
  size_t made_ = 0;      // of it
};

// The whole content. The same refusals.
absl::StatusOr<std::string> DecompressZstd(std::string_view data, size_t max_size);
absl::StatusOr<std::string> DecompressGzip(std::string_view data, size_t max_size);

}  // namespace thaw

#endif  // THAW_CC_FLUSH_COMPRESS_H_
