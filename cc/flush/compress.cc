#include "cc/flush/compress.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <memory>
#include <new>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "cc/base/reserve.h"
#include "zlib.h"
// Declares the functions for frame headers and for estimating a decoder's memory.
#define ZSTD_STATIC_LINKING_ONLY
#include "zstd.h"
#include "zstd_errors.h"

namespace thaw {
namespace {

// zlib's windowBits for gzip with the largest window.
constexpr int kGzip = 15 + 16;

// The least size of a piece of content, where there is room.
constexpr size_t kLeastPiece = 16 * 1024;

// One byte beyond the limit shows that there is more.
size_t Beyond(size_t max_size) { return max_size + (max_size < std::numeric_limits<size_t>::max() ? 1 : 0); }

absl::Status TooLarge(size_t max_size) {
  return absl::OutOfRangeError(absl::StrCat("the content is larger than ", max_size, " bytes"));
}

}  // namespace

void ZstdMemory::Free::operator()(ZSTD_CCtx_s* context) const { ZSTD_freeCCtx(context); }

ZSTD_CCtx_s* ZstdMemory::Get() {
  if (context_ == nullptr) context_.reset(ZSTD_createCCtx());
  return context_.get();
}

absl::StatusOr<std::string> ZstdCompressor::Compress(std::string_view data, int level) {
  ZSTD_CCtx* const context = (shared_ != nullptr ? *shared_ : own_).Get();
  if (context == nullptr) return absl::ResourceExhaustedError("no memory for zstd");
  if (const size_t most = ZSTD_compressBound(data.size()); most > frame_capacity_) {
    frame_.reset();
    frame_capacity_ = 0;
    frame_.reset(new (std::nothrow) char[most]);
    if (frame_ == nullptr) return NoMemory(most);
    frame_capacity_ = most;
  }
  const size_t size =
      ZSTD_compressCCtx(context, frame_.get(), frame_capacity_, data.data(), data.size(), level);
  if (ZSTD_getErrorCode(size) == ZSTD_error_memory_allocation)
    return absl::ResourceExhaustedError("no memory for zstd");
  if (ZSTD_isError(size)) return absl::InternalError(absl::StrCat("zstd: ", ZSTD_getErrorName(size)));
  if (!CanAllocate(size)) return NoMemory(size);
  return std::string(frame_.get(), size);
}

void ZstdCompressor::Release() {
  own_.Release();
  frame_.reset();
  frame_capacity_ = 0;
}

absl::StatusOr<std::string> CompressZstd(std::string_view data, int level) {
  return ZstdCompressor().Compress(data, level);
}

absl::StatusOr<std::string> CompressGzip(std::string_view data, int level) {
  z_stream stream = {};
  constexpr int kMemoryLevel = 8;
  if (deflateInit2(&stream, std::clamp(level, 1, 9), Z_DEFLATED, kGzip, kMemoryLevel, Z_DEFAULT_STRATEGY) !=
      Z_OK)
    return absl::ResourceExhaustedError("no memory for gzip");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> ended(&stream, deflateEnd);
  if (data.size() > std::numeric_limits<uInt>::max()) return TooLarge(std::numeric_limits<uInt>::max());
  std::string out;
  const size_t bound = deflateBound(&stream, data.size());
  if (absl::Status room = Reserve(out, bound, nullptr); !room.ok()) return room;
  out.resize(bound);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) return absl::InternalError("gzip could not finish");
  out.resize(stream.total_out);
  if (CanAllocate(out.size())) out.shrink_to_fit();
  return out;
}

// -- Decompression ---------------------------------------------------------------------------------------

// The decoder of one format.
class Decompressor::Codec {
 public:
  // The result of one call of Run.
  struct Progress {
    size_t taken = 0;
    size_t made = 0;
    bool ended = false;  // a member or frame has ended
  };
  virtual ~Codec() = default;
  // Returns the size of the content that begins with `data`, as far as its format tells; 0 if it does not.
  virtual size_t SizeHint(std::string_view data) const = 0;
  // Returns whether `data` can be another member or frame.
  virtual bool Begins(std::string_view data) const = 0;
  // Prepares for the member or frame that `data` begins with. `is_first`: it is the first one.
  virtual absl::Status Begin(std::string_view data, bool is_first, ByteCharge& charge) = 0;
  // Returns the part of the charge that is for the codec's own memory.
  size_t charged() const { return charged_; }
  virtual absl::StatusOr<Progress> Run(std::string_view from, absl::Span<char> to) = 0;

 protected:
  absl::Status ChargeInAll(size_t bytes, ByteCharge& charge) {
    if (bytes <= charged_) return absl::OkStatus();
    if (absl::Status grown = charge.Grow(bytes - charged_); !grown.ok()) return grown;
    charged_ = bytes;
    return absl::OkStatus();
  }

 private:
  size_t charged_ = 0;
};

class Decompressor::GzipCodec : public Codec {
 public:
  ~GzipCodec() override {
    if (begun_) inflateEnd(&stream_);
  }

  // The last four bytes are the length of the last member (RFC 1952 section 2.3.1).
  size_t SizeHint(std::string_view data) const override {
    constexpr size_t kSmallest = 18;
    constexpr size_t kHighestRatio = 1032;
    if (data.size() < kSmallest) return 0;
    uint32_t size = 0;
    for (int i = 1; i <= 4; ++i) size = size << 8 | static_cast<uint8_t>(data[data.size() - i]);
    return size <= kHighestRatio * data.size() ? size : 0;
  }

  bool Begins(std::string_view data) const override { return absl::StartsWith(data, "\x1F\x8B"); }

  absl::Status Begin(std::string_view, bool, ByteCharge&) override {
    const int result = begun_ ? inflateReset(&stream_) : inflateInit2(&stream_, kGzip);
    begun_ = begun_ || result == Z_OK;
    return result == Z_OK ? absl::OkStatus() : absl::ResourceExhaustedError("no memory for gzip");
  }

  absl::StatusOr<Progress> Run(std::string_view from, absl::Span<char> to) override {
    constexpr size_t kMost = std::numeric_limits<uInt>::max();
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(from.data()));
    stream_.avail_in = static_cast<uInt>(std::min(from.size(), kMost));
    stream_.next_out = reinterpret_cast<Bytef*>(to.data());
    stream_.avail_out = static_cast<uInt>(std::min(to.size(), kMost));
    const uInt in = stream_.avail_in, out = stream_.avail_out;
    const int result = inflate(&stream_, Z_NO_FLUSH);
    if (result != Z_OK && result != Z_BUF_ERROR && result != Z_STREAM_END)
      return absl::InvalidArgumentError(stream_.msg != nullptr ? stream_.msg : "not gzip data");
    return Progress{
        .taken = in - stream_.avail_in, .made = out - stream_.avail_out, .ended = result == Z_STREAM_END};
  }

 private:
  z_stream stream_ = {};
  bool begun_ = false;
};

class Decompressor::ZstdCodec : public Codec {
 public:
  explicit ZstdCodec(size_t max_size) : max_size_(max_size) {}

  size_t SizeHint(std::string_view data) const override {
    const unsigned long long size = ZSTD_getFrameContentSize(data.data(), data.size());
    return size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR || size > SIZE_MAX / 2 ? 0
                                                                                                     : size;
  }

  bool Begins(std::string_view data) const override {
    if (data.size() < 4) return false;
    uint32_t magic = 0;
    for (int i = 3; i >= 0; --i) magic = magic << 8 | static_cast<uint8_t>(data[i]);
    return magic == ZSTD_MAGICNUMBER || (magic & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START;
  }

  // A frame may ask for a window of 128 MiB whatever it holds. A decoder should grant 8 MiB (RFC 8878 section
  // 3.1.1.1.2), and content within the limit needs no more than the limit.
  absl::Status Begin(std::string_view data, bool is_first, ByteCharge& charge) override {
    if (is_first) {
      if (absl::Status grown = ChargeInAll(ZSTD_estimateDCtxSize(), charge); !grown.ok()) return grown;
      stream_.reset(ZSTD_createDStream());
      if (stream_ == nullptr) return absl::ResourceExhaustedError("no memory for zstd");
      constexpr int kGrantedWindowLog = 23;
      constexpr int kLargestWindowLog = 27;
      const int limit_log = static_cast<int>(std::bit_width(max_size_));
      largest_window_log_ = std::clamp(limit_log, kGrantedWindowLog, kLargestWindowLog);
      ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, largest_window_log_);
    }
    // The decoder itself detects data that is no frame or is too large.
    ZSTD_FrameHeader header;
    if (ZSTD_getFrameHeader(&header, data.data(), data.size()) != 0 || header.frameType != ZSTD_frame ||
        header.windowSize > uint64_t{1} << largest_window_log_)
      return absl::OkStatus();
    // For a larger window the decoder frees its memory and allocates anew.
    return ChargeInAll(ZSTD_estimateDStreamSize(header.windowSize), charge);
  }

  absl::StatusOr<Progress> Run(std::string_view from, absl::Span<char> to) override {
    ZSTD_inBuffer in{from.data(), from.size(), 0};
    ZSTD_outBuffer out{to.data(), to.size(), 0};
    const size_t left = ZSTD_decompressStream(stream_.get(), &out, &in);
    if (ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation)
      return absl::ResourceExhaustedError("no memory for zstd");
    if (ZSTD_isError(left)) return absl::InvalidArgumentError(ZSTD_getErrorName(left));
    return Progress{.taken = in.pos, .made = out.pos, .ended = left == 0};
  }

 private:
  const size_t max_size_;
  int largest_window_log_ = 0;
  std::unique_ptr<ZSTD_DStream, size_t (*)(ZSTD_DStream*)> stream_{nullptr, ZSTD_freeDStream};
};

Decompressor::Decompressor(Compression format, std::string_view data, size_t max_size, ByteAccount* account,
                           size_t data_bytes)
    : data_(data), max_size_(max_size), format_(format), charge_(account) {
  charge_.set_beside(data_bytes);
}

Decompressor::~Decompressor() = default;

ByteCharge Decompressor::TakeCharge() {
  if (codec_ != nullptr) charge_.Shrink(codec_->charged());
  codec_.reset();
  charge_.set_beside(0);
  return std::move(charge_);
}

std::string Decompressor::TakeContent() {
  content_.resize(made_);
  return std::move(content_);
}

// Makes room for at least one byte; one beyond the limit shows that there is more.
absl::Status Decompressor::MakeRoom() {
  if (made_ > max_size_) return TooLarge(max_size_);
  if (made_ < content_.size()) return absl::OkStatus();
  constexpr size_t kAtLeast = 16 * 1024;
  size_t wanted = std::max(2 * made_, kAtLeast);
  if (made_ == 0) {
    if (const size_t hint = codec_->SizeHint(data_); hint > 0) wanted = Beyond(hint);
    if (wanted > kAtLeast && wanted > Beyond(max_size_)) return TooLarge(max_size_);
  }
  wanted = std::min(wanted, Beyond(max_size_));
  if (absl::Status room = Reserve(content_, wanted, &charge_); !room.ok()) return room;
  content_.resize(wanted);
  return absl::OkStatus();
}

absl::StatusOr<bool> Decompressor::Step(size_t bytes) {
  // The work of beginning a member or frame, as the number of bytes that could be made instead.
  constexpr size_t kBeginWork = 512;
  for (size_t work = 0; work < bytes;) {
    const std::string_view rest = data_.substr(position_);
    if (!within_) {
      if (codec_ != nullptr && (rest.empty() || IsPadding(rest))) return true;
      if (absl::Status begun = Begin(rest); !begun.ok()) return begun;
      work += kBeginWork;
    }
    if (absl::Status room = MakeRoom(); !room.ok()) return room;
    const size_t most =
        std::min(content_.size() - made_, std::max(bytes - std::min(bytes, work), kLeastPiece));
    const absl::StatusOr<Codec::Progress> progress =
        codec_->Run(rest, absl::MakeSpan(content_).subspan(made_, most));
    if (!progress.ok()) return At(progress.status());
    position_ += progress->taken;
    made_ += progress->made;
    work += std::max(progress->taken, progress->made);
    within_ = !progress->ended;
    if (made_ > max_size_) return TooLarge(max_size_);
    const bool stuck = progress->taken == 0 && progress->made == 0;
    if (within_ && (stuck || (position_ == data_.size() && progress->made < most)))
      return absl::InvalidArgumentError(absl::StrCat("cut off after ", data_.size(), " bytes"));
  }
  return false;
}

absl::Status Decompressor::Begin(std::string_view rest) {
  const bool is_first = codec_ == nullptr;
  if (is_first) {
    if (format_ == Compression::kGzip) {
      codec_ = std::make_unique<GzipCodec>();
    } else {
      codec_ = std::make_unique<ZstdCodec>(max_size_);
    }
  } else if (!codec_->Begins(rest)) {
    return At(absl::InvalidArgumentError("the bytes that follow are not compressed"));
  }
  within_ = true;
  return codec_->Begin(rest, is_first, charge_);
}

// Files and blocks of gzip may be filled up with zeros, which gzip itself passes over.
bool Decompressor::IsPadding(std::string_view rest) const {
  return format_ == Compression::kGzip && rest.find_first_not_of('\0') == rest.npos;
}

absl::Status Decompressor::At(const absl::Status& status) const {
  return absl::Status(status.code(), absl::StrCat("at byte ", position_, ": ", status.message()));
}

absl::StatusOr<std::string> DecompressZstd(std::string_view data, size_t max_size) {
  Decompressor decompressor(Compression::kZstd, data, max_size);
  absl::StatusOr<bool> done = false;
  while (done.ok() && !*done) done = decompressor.Step(std::numeric_limits<size_t>::max());
  if (!done.ok()) return done.status();
  return decompressor.TakeContent();
}

absl::StatusOr<std::string> DecompressGzip(std::string_view data, size_t max_size) {
  Decompressor decompressor(Compression::kGzip, data, max_size);
  absl::StatusOr<bool> done = false;
  while (done.ok() && !*done) done = decompressor.Step(std::numeric_limits<size_t>::max());
  if (!done.ok()) return done.status();
  return decompressor.TakeContent();
}

}  // namespace thaw
