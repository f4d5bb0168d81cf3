// Compresses bodies for the intake, and decompresses them to split a body that the intake found too large.

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

// Memory in which zstd compresses, for any number of compressors that use it one after the other. It stays as large as
// the largest frame needed it: about a megabyte. Fresh memory for each frame would cost as much as compressing, since
// the kernel clears every page.
class ZstdMemory {
 public:
  ZstdMemory() = default;
  ZstdMemory(const ZstdMemory&) = delete;
  ZstdMemory& operator=(const ZstdMemory&) = delete;

  // Returns null if there is no memory.
  ZSTD_CCtx_s* Get();
  void Release() { context_.reset(); }

 private:
  struct Free {
    void operator()(ZSTD_CCtx_s* context) const;
  };
  std::unique_ptr<ZSTD_CCtx_s, Free> context_;
};

// Compresses into zstd frames, one after the other.
class ZstdCompressor {
 public:
  ZstdCompressor() = default;
  ZstdCompressor(const ZstdCompressor&) = delete;
  ZstdCompressor& operator=(const ZstdCompressor&) = delete;

  // Returns one frame that states its content's size. `level`: 1 to 22. Equal data give equal bytes, whatever
  // was compressed before.
  absl::StatusOr<std::string> Compress(std::string_view data, int level);
  // Compresses in `memory` from now on.
  void Share(std::shared_ptr<ZstdMemory> memory) { shared_ = std::move(memory); }
  // Frees the memory, apart from that which is shared.
  void Release();

 private:
  ZstdMemory own_;
  std::shared_ptr<ZstdMemory> shared_;  // null: own_ is used
  std::unique_ptr<char[]> frame_;
  size_t frame_capacity_ = 0;
};

// Compresses one frame with memory of its own.
absl::StatusOr<std::string> CompressZstd(std::string_view data, int level);

// Returns one gzip member (RFC 1952) without name and time, so that equal data give equal bytes. `level`: 1
// to 9; higher levels count as 9.
absl::StatusOr<std::string> CompressGzip(std::string_view data, int level);

enum class Compression { kGzip, kZstd };

// Decompresses piece by piece: memory is bounded, and other work can be done between two pieces. The data are
// one gzip member or zstd frame or several, one after the other (RFC 1952 section 2.2, RFC 8878 section 3),
// which make one content.
//
//   Decompressor decompressor(Compression::kGzip, data, /*max_size=*/50 << 20, account);
//   absl::StatusOr<bool> done = decompressor.Step(1 << 20);   // until it is true, or no status OK
//   std::string content = decompressor.TakeContent();
//
// Errors: InvalidArgument if the data are not in the format, are cut off, or are followed by other bytes;
// OutOfRange if the content is larger than `max_size` or than the account could ever hold; ResourceExhausted
// if there is no room for it now. At most `max_size` bytes are ever made.
class Decompressor {
 public:
  // `data` and `account` must outlive the decompressor. Its memory is charged to `account`, which may be
  // null; `data_bytes` is what the data are charged with elsewhere.
  Decompressor(Compression format, std::string_view data, size_t max_size, ByteAccount* account = nullptr,
               size_t data_bytes = 0);
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;
  ~Decompressor();

  // Works until about `bytes` more bytes are made. Returns true when the content is complete.
  absl::StatusOr<bool> Step(size_t bytes);

  // Return the content, and the charge for it.
  std::string TakeContent();
  ByteCharge TakeCharge();

 private:
  class Codec;
  class GzipCodec;
  class ZstdCodec;

  absl::Status Begin(std::string_view rest);
  bool IsPadding(std::string_view rest) const;
  absl::Status MakeRoom();
  // Returns `status` with the position added.
  absl::Status At(const absl::Status& status) const;

  const std::string_view data_;
  const size_t max_size_;
  const Compression format_;
  size_t position_ = 0;
  bool within_ = false;  // inside a member or frame
  ByteCharge charge_;    // for the content and the codec's own memory
  std::unique_ptr<Codec> codec_;
  std::string content_;  // sized to the room that there is
  size_t made_ = 0;      // bytes of content so far
};

// Decompress the whole content, with the same errors.
absl::StatusOr<std::string> DecompressZstd(std::string_view data, size_t max_size);
absl::StatusOr<std::string> DecompressGzip(std::string_view data, size_t max_size);

}  // namespace thaw

#endif  // THAW_CC_FLUSH_COMPRESS_H_
