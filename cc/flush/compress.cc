#include "cc/flush/compress.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "zlib.h"
#include "zstd.h"

namespace thaw {
namespace {

// windowBits of zlib that mean gzip with the largest window.
constexpr int kGzip = 15 + 16;

// One byte beyond the limit shows that there is more.
size_t Beyond(size_t max_size) { return max_size + (max_size < std::numeric_limits<size_t>::max() ? 1 : 0); }

absl::Status TooLarge(size_t max_size) {
  return absl::ResourceExhaustedError(absl::StrCat("the content is larger than ", max_size, " bytes"));
}

}  // namespace

void ZstdCompressor::FreeContext::operator()(ZSTD_CCtx_s* context) const { ZSTD_freeCCtx(context); }

absl::StatusOr<std::string> ZstdCompressor::Compress(std::string_view data, int level) {
  if (context_ == nullptr) context_.reset(ZSTD_createCCtx());
  if (context_ == nullptr) return absl::ResourceExhaustedError("no memory for zstd");
  if (const size_t most = ZSTD_compressBound(data.size()); most > frame_capacity_) {
    frame_.reset();
    frame_ = std::make_unique_for_overwrite<char[]>(most);
    frame_capacity_ = most;
  }
  const size_t size =
      ZSTD_compressCCtx(context_.get(), frame_.get(), frame_capacity_, data.data(), data.size(), level);
  if (ZSTD_isError(size)) return absl::InternalError(absl::StrCat("zstd: ", ZSTD_getErrorName(size)));
  return std::string(frame_.get(), size);
}

void ZstdCompressor::Release() {
  context_.reset();
  frame_.reset();
  frame_capacity_ = 0;
}

absl::StatusOr<std::string> CompressZstd(std::string_view data, int level) {
  return ZstdCompressor().Compress(data, level);
}

absl::StatusOr<std::string> DecompressZstd(std::string_view data, size_t max_size) {
  const std::unique_ptr<ZSTD_DStream, size_t (*)(ZSTD_DStream*)> stream(ZSTD_createDStream(),
                                                                        ZSTD_freeDStream);
  if (stream == nullptr) return absl::ResourceExhaustedError("no memory for zstd");
  // A frame may ask for a window of 128 MiB whatever it holds. A decoder should grant 8 MiB (RFC 8878 section
  // 3.1.1.1.2), and content within the limit needs no more than the limit.
  constexpr int kGrantedWindowLog = 23;
  constexpr int kLargestWindowLog = 27;
  const int limit_log = static_cast<int>(std::bit_width(max_size));
  ZSTD_DCtx_setParameter(stream.get(), ZSTD_d_windowLogMax,
                         std::clamp(limit_log, kGrantedWindowLog, kLargestWindowLog));
  std::string out;
  ZSTD_inBuffer in{data.data(), data.size(), 0};
  while (true) {
    const size_t had = out.size();
    out.resize(std::min(Beyond(max_size), std::max<size_t>(2 * had, had + ZSTD_DStreamOutSize())));
    ZSTD_outBuffer to{out.data(), out.size(), had};
    const size_t left = ZSTD_decompressStream(stream.get(), &to, &in);
    if (ZSTD_isError(left))
      return absl::InvalidArgumentError(absl::StrCat("at byte ", in.pos, ": ", ZSTD_getErrorName(left)));
    out.resize(to.pos);
    if (out.size() > max_size) return TooLarge(max_size);
    if (left == 0) break;
    if (in.pos == in.size && to.pos < to.size)
      return absl::InvalidArgumentError(absl::StrCat("cut off after ", data.size(), " bytes"));
  }
  if (in.pos != in.size)
    return absl::InvalidArgumentError(absl::StrCat("at byte ", in.pos, ": something follows the frame"));
  return out;
}

absl::StatusOr<std::string> CompressGzip(std::string_view data, int level) {
  z_stream stream = {};
  constexpr int kMemoryLevel = 8;
  if (deflateInit2(&stream, std::clamp(level, 1, 9), Z_DEFLATED, kGzip, kMemoryLevel, Z_DEFAULT_STRATEGY) !=
      Z_OK)
    return absl::ResourceExhaustedError("no memory for gzip");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> ended(&stream, deflateEnd);
  if (data.size() > std::numeric_limits<uInt>::max()) return TooLarge(std::numeric_limits<uInt>::max());
  std::string out(deflateBound(&stream, data.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) return absl::InternalError("gzip could not finish");
  out.resize(stream.total_out);
  out.shrink_to_fit();
  return out;
}

absl::StatusOr<std::string> DecompressGzip(std::string_view data, size_t max_size) {
  z_stream stream = {};
  if (inflateInit2(&stream, kGzip) != Z_OK) return absl::ResourceExhaustedError("no memory for gzip");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> ended(&stream, inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream.avail_in = static_cast<uInt>(std::min<size_t>(data.size(), std::numeric_limits<uInt>::max()));
  std::string out;
  while (true) {
    const size_t had = out.size();
    constexpr size_t kAtLeast = 64 * 1024;
    out.resize(std::min(Beyond(max_size), std::max(2 * had, had + kAtLeast)));
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + had);
    stream.avail_out = static_cast<uInt>(out.size() - had);
    const int result = inflate(&stream, Z_NO_FLUSH);
    const size_t made = out.size() - stream.avail_out;
    const bool full = stream.avail_out == 0;
    out.resize(made);
    if (made > max_size) return TooLarge(max_size);
    if (result == Z_STREAM_END) break;
    if ((result != Z_OK && result != Z_BUF_ERROR) || (!full && stream.avail_in > 0))
      return absl::InvalidArgumentError(absl::StrCat("at byte ", stream.total_in, ": ",
                                                     stream.msg != nullptr ? stream.msg : "no gzip data"));
    if (!full) return absl::InvalidArgumentError(absl::StrCat("cut off after ", data.size(), " bytes"));
  }
  if (stream.avail_in != 0)
    return absl::InvalidArgumentError(
        absl::StrCat("at byte ", stream.total_in, ": something follows the member"));
  return out;
}

}  // namespace thaw
