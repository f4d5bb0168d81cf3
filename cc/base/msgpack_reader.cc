#include "cc/base/msgpack_reader.h"

#include <bit>
#include <cstring>
#include <limits>

#include "absl/strings/str_cat.h"

namespace thaw {
namespace {

std::string_view NameOf(uint8_t first) {
  if (first <= 0x7F || first >= 0xE0 || (first >= 0xCC && first <= 0xD3)) return "an integer";
  if (first <= 0x8F || first == 0xDE || first == 0xDF) return "a map";
  if (first <= 0x9F || first == 0xDC || first == 0xDD) return "an array";
  if (first <= 0xBF || (first >= 0xD9 && first <= 0xDB)) return "a string";
  switch (first) {
    case 0xC0:
      return "nil";
    case 0xC1:
      return "byte 0xc1, which is not a value";
    case 0xC2:
    case 0xC3:
      return "a boolean";
    case 0xC4:
    case 0xC5:
    case 0xC6:
      return "binary data";
    case 0xCA:
    case 0xCB:
      return "a float";
    default:
      return "an extension";
  }
}

uint64_t Big64(const char* at) {
  uint64_t value;
  std::memcpy(&value, at, 8);
  return std::endian::native == std::endian::little ? __builtin_bswap64(value) : value;
}

// Reads `width` bytes, most significant first.
uint64_t Big(const char* at, int width) {
  uint64_t value = 0;
  for (int i = 0; i < width; ++i) value = value << 8 | static_cast<uint8_t>(at[i]);
  return value;
}

}  // namespace

bool MsgpackReader::Fail(Kind expected, bool cut_off) {
  expected_ = expected;
  cut_off_ = cut_off;
  too_deep_ = false;
  failed_at_ = at_;
  return false;
}

absl::Status MsgpackReader::error() const {
  static constexpr std::string_view kNames[] = {"an array", "a map",     "a string", "an integer",
                                                "a number", "a boolean", "a value"};
  const char* const at = failed_at_ == nullptr ? at_ : failed_at_;
  const std::string_view expected = kNames[static_cast<int>(expected_)];
  if (too_deep_)
    return absl::InvalidArgumentError(
        absl::StrCat("at byte ", at - begin_, ": nested deeper than ", kMaxDepth));
  if (at == end_ || cut_off_)
    return absl::InvalidArgumentError(absl::StrCat("at byte ", at - begin_, ": expected ", expected,
                                                   ", the input of ", end_ - begin_, " bytes ends first"));
  return absl::InvalidArgumentError(absl::StrCat("at byte ", at - begin_, ": expected ", expected, ", found ",
                                                 NameOf(static_cast<uint8_t>(*at))));
}

bool MsgpackReader::ReadCount(uint8_t with16, uint8_t with32, Kind kind, uint32_t& count) {
  if (at_ == end_) return Fail(kind, true);
  const uint8_t first = static_cast<uint8_t>(*at_);
  const int width = first == with16 ? 2 : first == with32 ? 4 : 0;
  if (width == 0) return Fail(kind, false);
  if (end_ - at_ <= width) return Fail(kind, true);
  const uint64_t value = Big(at_ + 1, width);
  // Each value takes at least a byte, so a larger count is wrong, and no memory is reserved for it.
  if (value > static_cast<uint64_t>(end_ - at_ - 1 - width)) return Fail(kind, true);
  count = static_cast<uint32_t>(value);
  at_ += 1 + width;
  return true;
}

bool MsgpackReader::ReadLongString(std::string_view& text) {
  if (at_ == end_) return Fail(Kind::kString, true);
  int width;
  switch (static_cast<uint8_t>(*at_)) {
    case 0xC4:
    case 0xD9:
      width = 1;
      break;
    case 0xC5:
    case 0xDA:
      width = 2;
      break;
    case 0xC6:
    case 0xDB:
      width = 4;
      break;
    default:
      return Fail(Kind::kString, false);
  }
  if (end_ - at_ <= width) return Fail(Kind::kString, true);
  const uint64_t size = Big(at_ + 1, width);
  if (size > static_cast<uint64_t>(end_ - at_ - 1 - width)) return Fail(Kind::kString, true);
  text = std::string_view(at_ + 1 + width, size);
  at_ += 1 + width + size;
  return true;
}

bool MsgpackReader::ReadInteger(uint64_t& value) {
  if (at_ == end_) return Fail(Kind::kInteger, true);
  const uint8_t first = static_cast<uint8_t>(*at_);
  if (first <= 0x7F) {
    value = first;
    ++at_;
    return true;
  }
  if (first >= 0xE0) {
    value = static_cast<uint64_t>(static_cast<int64_t>(static_cast<int8_t>(first)));
    ++at_;
    return true;
  }
  if (first < 0xCC || first > 0xD3) return Fail(Kind::kInteger, false);
  const int width = 1 << ((first - 0xCC) & 3);
  if (end_ - at_ <= width) return Fail(Kind::kInteger, true);
  const uint64_t bits = width == 8 ? Big64(at_ + 1) : Big(at_ + 1, width);
  const int unused = 64 - 8 * width;
  value = first >= 0xD0 ? static_cast<uint64_t>(static_cast<int64_t>(bits << unused) >> unused) : bits;
  at_ += 1 + width;
  return true;
}

bool MsgpackReader::ReadNumber(double& value) {
  if (at_ == end_) return Fail(Kind::kNumber, true);
  const uint8_t first = static_cast<uint8_t>(*at_);
  if (first == 0xCB) {
    if (end_ - at_ <= 8) return Fail(Kind::kNumber, true);
    value = std::bit_cast<double>(Big64(at_ + 1));
    at_ += 9;
    return true;
  }
  if (first == 0xCA) {
    if (end_ - at_ <= 4) return Fail(Kind::kNumber, true);
    value = std::bit_cast<float>(static_cast<uint32_t>(Big(at_ + 1, 4)));
    at_ += 5;
    return true;
  }
  const bool is_signed = first >= 0xD0;
  uint64_t bits;
  if (!ReadInteger(bits)) return Fail(Kind::kNumber, cut_off_);
  value = is_signed ? static_cast<double>(static_cast<int64_t>(bits)) : static_cast<double>(bits);
  return true;
}

bool MsgpackReader::ReadBool(bool& value) {
  if (at_ == end_) return Fail(Kind::kBool, true);
  const uint8_t first = static_cast<uint8_t>(*at_);
  if (first != 0xC2 && first != 0xC3) return Fail(Kind::kBool, false);
  value = first == 0xC3;
  ++at_;
  return true;
}

bool MsgpackReader::ReadTimestamp(int64_t& seconds, uint32_t& nanoseconds) {
  constexpr char kTimestamp = -1;
  if (at_ == end_) return Fail(Kind::kAnything, true);
  const char* data = at_ + 1;  // the type, then the content
  size_t size = 0;             // of the content
  switch (static_cast<uint8_t>(*at_)) {
    case 0xD6:
      size = 4;
      break;
    case 0xD7:
      size = 8;
      break;
    case 0xC7:
      size = 12;
      if (data == end_ || *data++ != 12) return Fail(Kind::kAnything, data == end_);
      break;
    default:
      return Fail(Kind::kAnything, false);
  }
  if (static_cast<size_t>(end_ - data) <= size) return Fail(Kind::kAnything, true);
  if (*data++ != kTimestamp) return Fail(Kind::kAnything, false);
  if (size == 4) {
    nanoseconds = 0;
    seconds = static_cast<int64_t>(Big(data, 4));
  } else if (size == 8) {
    constexpr int kSecondsBits = 34;
    const uint64_t both = Big64(data);
    nanoseconds = static_cast<uint32_t>(both >> kSecondsBits);
    seconds = static_cast<int64_t>(both & ((uint64_t{1} << kSecondsBits) - 1));
  } else {
    nanoseconds = static_cast<uint32_t>(Big(data, 4));
    seconds = static_cast<int64_t>(Big64(data + 4));
  }
  if (nanoseconds >= 1'000'000'000) return Fail(Kind::kAnything, false);
  at_ = data + size;
  return true;
}

bool MsgpackReader::Skip() {
  Skipping skipping;
  return SkipOn(skipping, std::numeric_limits<uint64_t>::max()) == Skipped::kDone;
}

namespace {

// The part of a value that follows its first byte: bytes that are skipped, and values within it.
struct Extent {
  uint64_t bytes = 0;
  uint64_t values = 0;
};
constexpr uint64_t kBeyondAnyEnd = std::numeric_limits<uint64_t>::max();

// Returns how many bytes give the size of a value whose first byte is 0xC4 or more and that has one.
int SizeWidth(uint8_t first) {
  switch (first) {
    case 0xC4:
    case 0xC7:
    case 0xD9:
      return 1;
    case 0xC5:
    case 0xC8:
    case 0xDA:
    case 0xDC:
    case 0xDE:
      return 2;
    default:
      return 4;
  }
}

// Returns the extent of the value at `at`. A value whose size is cut off by `end`, and the byte 0xC1, which is
// no value, extend beyond any end. Inlined, since each value that is skipped goes through here.
[[gnu::always_inline]] inline Extent ExtentOf(const char* at, const char* end) {
  const uint8_t first = static_cast<uint8_t>(*at);
  if (first <= 0x7F || first >= 0xE0 || first == 0xC0 || first == 0xC2 || first == 0xC3) return {};
  if (first <= 0x8F) return {.values = uint64_t{2} * (first & 0x0F)};
  if (first <= 0x9F) return {.values = uint64_t{first} & 0x0F};
  if (first <= 0xBF) return {.bytes = uint64_t{first} & 0x1F};
  if (first == 0xC1) return {.bytes = kBeyondAnyEnd};
  if (first == 0xCA || first == 0xCE || first == 0xD2) return {.bytes = 4};
  if (first == 0xCB || first == 0xCF || first == 0xD3) return {.bytes = 8};
  if (first == 0xCC || first == 0xD0) return {.bytes = 1};
  if (first == 0xCD || first == 0xD1) return {.bytes = 2};
  // fixext: a type byte and 1 to 16 bytes.
  if (first >= 0xD4 && first <= 0xD8) return {.bytes = 1 + (uint64_t{1} << (first - 0xD4))};
  const int width = SizeWidth(first);
  if (end - at <= width) return {.bytes = kBeyondAnyEnd};
  const uint64_t size = Big(at + 1, width);
  const auto bytes = static_cast<uint64_t>(width);
  if (first == 0xDC || first == 0xDD) return {.bytes = bytes, .values = size};
  if (first == 0xDE || first == 0xDF) return {.bytes = bytes, .values = 2 * size};
  const bool has_type = first >= 0xC7 && first <= 0xC9;
  return {.bytes = bytes + size + (has_type ? 1 : 0)};
}

}  // namespace

MsgpackReader::Skipped MsgpackReader::SkipOn(Skipping& skipping, uint64_t values) {
  uint64_t* const left = skipping.left_;
  int depth = skipping.depth_;
  if (depth < 0) {
    depth = 0;
    left[0] = 1;
    skipping.position_ = position();
    skipping.values_ = 0;
  }
  const uint64_t values_before = values;
  const auto fail = [this, &skipping](bool cut_off) {
    const char* const where = at_;
    MoveTo(skipping.position_);
    Fail(Kind::kAnything, cut_off);
    failed_at_ = where;
    skipping.depth_ = -1;
    return Skipped::kFailed;
  };
  while (true) {
    while (left[depth] == 0) {
      if (depth == 0) {
        skipping.depth_ = -1;
        skipping.values_ += values_before - values;
        return Skipped::kDone;
      }
      --depth;
    }
    if (values == 0) {
      skipping.depth_ = depth;
      skipping.values_ += values_before;
      return Skipped::kMore;
    }
    --values;
    --left[depth];
    if (at_ == end_) return fail(true);
    const Extent extent = ExtentOf(at_, end_);
    if (extent.bytes > static_cast<uint64_t>(end_ - at_ - 1))
      return fail(/*cut_off=*/static_cast<uint8_t>(*at_) != 0xC1);
    if (extent.values > 0 && depth == kMaxDepth) {
      fail(false);
      too_deep_ = true;
      return Skipped::kFailed;
    }
    at_ += 1 + extent.bytes;
    if (extent.values > 0) left[++depth] = extent.values;
  }
}

}  // namespace thaw
