// Bodies compressed as the intake wants them, and back, for splitting what it found too large.

#ifndef THAW_CC_FLUSH_COMPRESS_H_
#define THAW_CC_FLUSH_COMPRESS_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

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

// The content of one frame, or one member. InvalidArgument: it is none, or cut off. ResourceExhausted: the
// content is larger than `max_size`, of which no more is ever made.
absl::StatusOr<std::string> DecompressZstd(std::string_view data, size_t max_size);
absl::StatusOr<std::string> DecompressGzip(std::string_view data, size_t max_size);

}  // namespace thaw

#endif  // THAW_CC_FLUSH_COMPRESS_H_
