// Reads MessagePack without copying: strings are views of the input.
//
//   MsgpackReader reader(body);
//   uint32_t count;
//   if (!reader.ReadArray(count)) return reader.error();   // "at byte 0: expected an array, found a map"
//
// A read that fails leaves the position at the value that did not fit, so that the caller can skip it and
// go on; `error()` then says what was wrong. Nothing here recurses: nesting is bounded by kMaxDepth.
// Format: the MessagePack specification (format name and first byte of each value).

#ifndef THAW_CC_BASE_MSGPACK_READER_H_
#define THAW_CC_BASE_MSGPACK_READER_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/status/status.h"

namespace thaw {

class MsgpackReader {
 public:
  // How deep arrays and maps may nest in what Skip() passes over.
  static constexpr int kMaxDepth = 64;

  explicit MsgpackReader(std::string_view bytes)
      : begin_(bytes.data()), at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  size_t position() const { return at_ - begin_; }
  size_t bytes_left() const { return end_ - at_; }
  bool at_end() const { return at_ == end_; }
  // Back, or forward, to what position() was.
  void MoveTo(size_t position) { at_ = begin_ + position; }

  // Takes a nil if the next value is one.
  bool TakeNil() {
    if (at_ == end_ || static_cast<uint8_t>(*at_) != 0xC0) return false;
    ++at_;
    return true;
  }

  // Numbers of values, of pairs.
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
  // The bytes of a str or a bin: tracers use either. Not checked for UTF-8.
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
  // An integer of any width as 64 bits; negative ones in two's complement, as some tracers write ids.
  bool ReadInteger(uint64_t& value);
  // An integer or a float of either width.
  bool ReadNumber(double& value);
  bool ReadBool(bool& value);

  // Passes over one value whatever it is. False: it is cut off, nested deeper than kMaxDepth, or begins
  // with 0xC1, which never is a value.
  bool Skip();

  // Passing over one value in steps, for values that may be very large.
  class Skipping {
   public:
    bool begun() const { return depth_ >= 0; }
    // Of the value, and how many it consists of so far, itself included.
    size_t position() const { return position_; }
    uint64_t values() const { return values_; }
    void Reset() { depth_ = -1; }

   private:
    friend class MsgpackReader;
    uint64_t left_[kMaxDepth + 1];  // values still to pass, at each depth
    int depth_ = -1;
    size_t position_ = 0;
    uint64_t values_ = 0;
  };
  enum class Skipped { kDone, kMore, kFailed };
  // Passes over `values` more values at most; begins if `skipping` has not begun, or is done. kMore: the
  // reader must stay where it is. kFailed: as Skip().
  Skipped SkipOn(Skipping& skipping, uint64_t values);

  // The byte that the next value begins with; -1 at the end.
  int next_byte() const { return at_ == end_ ? -1 : static_cast<uint8_t>(*at_); }

  // What the last failed read expected and found, and where.
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
