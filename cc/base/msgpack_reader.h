// Reads MessagePack without copying: strings are views of the input.
//
//   MsgpackReader reader(body);
//   uint32_t count;
//   if (!reader.ReadArray(count)) return reader.error();   // "at byte 0: expected an array, found a map"
//
// A read that fails leaves the position at the value that did not fit, so that the caller can skip that value
// and go on; `error()` then says what was wrong. Nothing here recurses: nesting is bounded by kMaxDepth. The
// format is that of the MessagePack specification (format name and first byte of each value).

#ifndef THAW_CC_BASE_MSGPACK_READER_H_
#define THAW_CC_BASE_MSGPACK_READER_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/status/status.h"

namespace thaw {

class MsgpackReader {
 public:
  // The deepest nesting of arrays and maps that Skip() accepts.
  static constexpr int kMaxDepth = 64;

  explicit MsgpackReader(std::string_view bytes)
      : begin_(bytes.data()), at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  size_t position() const { return at_ - begin_; }
  size_t bytes_left() const { return end_ - at_; }
  bool at_end() const { return at_ == end_; }
  // Moves to a position that position() returned earlier.
  void MoveTo(size_t position) { at_ = begin_ + position; }

  // Consumes the next value if it is nil. Returns false, and consumes nothing, if it is not.
  bool TakeNil() {
    if (at_ == end_ || static_cast<uint8_t>(*at_) != 0xC0) return false;
    ++at_;
    return true;
  }

  // Read the header of an array or a map; `count` is the number of values, or of key-value pairs.
  bool ReadArray(uint32_t& count) {
    if (at_ != end_ && (*at_ & 0xF0) == 0x90) [[likely]] {
      count = *at_++ & 0x0F;
      return true;
    }
    return ReadCount(0xDC, 0xDD, Kind::kArray, count);
  }
  bool ReadMap(uint32_t& count) {
    if (at_ != end_ && (*at_ & 0xF0) == 0x80) [[likely]] {
      count = *at_++ & 0x0F;
      return true;
    }
    return ReadCount(0xDE, 0xDF, Kind::kMap, count);
  }
  // Reads the bytes of a str or a bin; tracers use either. They are not checked for UTF-8.
  bool ReadString(std::string_view& text) {
    if (at_ != end_ && (*at_ & 0xE0) == 0xA0) [[likely]] {
      const size_t size = *at_ & 0x1F;
      if (static_cast<size_t>(end_ - at_) <= size) return Fail(Kind::kString, true);
      text = std::string_view(at_ + 1, size);
      at_ += 1 + size;
      return true;
    }
    return ReadLongString(text);
  }
  // Reads an integer of any width as 64 bits; negative ones, which some tracers use for ids, in two's
  // complement.
  bool ReadInteger(uint64_t& value);
  // Reads an integer or a float of either width.
  bool ReadNumber(double& value);
  bool ReadBool(bool& value);
  // Reads an extension of the type -1, a time since 1970. Nanoseconds are below 1,000,000,000.
  bool ReadTimestamp(int64_t& seconds, uint32_t& nanoseconds);

  // Skips one value of any type. Returns false if the value is cut off, is nested deeper than kMaxDepth, or
  // begins with 0xC1, which no value does.
  bool Skip();

  // The state of skipping one value in steps, for values that may be very large.
  class Skipping {
   public:
    bool begun() const { return depth_ >= 0; }
    // The position of the value, and the number of values in it so far, itself included.
    size_t position() const { return position_; }
    uint64_t values() const { return values_; }
    void Reset() { depth_ = -1; }

   private:
    friend class MsgpackReader;
    uint64_t left_[kMaxDepth + 1];  // values still to skip, at each depth
    int depth_ = -1;
    size_t position_ = 0;
    uint64_t values_ = 0;
  };
  enum class Skipped { kDone, kMore, kFailed };
  // Skips at most `values` more values. Begins a new skip if `skipping` has not begun or is done. kMore: the
  // reader must not move before the next call. kFailed: as for Skip().
  Skipped SkipOn(Skipping& skipping, uint64_t values);

  // The first byte of the next value; -1 at the end.
  int next_byte() const { return at_ == end_ ? -1 : static_cast<uint8_t>(*at_); }

  // Says what the last failed read expected and found, and where.
  absl::Status error() const;

 private:
  enum class Kind { kArray, kMap, kString, kInteger, kNumber, kBool, kAnything };

  bool ReadCount(uint8_t with16, uint8_t with32, Kind kind, uint32_t& count);
  bool ReadLongString(std::string_view& text);
  bool Fail(Kind expected, bool cut_off);

  const char* begin_;
  const char* at_;
  const char* end_;
  Kind expected_ = Kind::kAnything;
  bool cut_off_ = false;
  bool too_deep_ = false;
  const char* failed_at_ = nullptr;
};

}  // namespace thaw

#endif  // THAW_CC_BASE_MSGPACK_READER_H_
