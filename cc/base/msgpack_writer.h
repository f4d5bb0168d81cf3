// Writes MessagePack, each value in its shortest form.

#ifndef THAW_CC_BASE_MSGPACK_WRITER_H_
#define THAW_CC_BASE_MSGPACK_WRITER_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace thaw {

class MsgpackWriter {
 public:
  MsgpackWriter() = default;
  // Writes `bytes` bytes without another allocation.
  explicit MsgpackWriter(size_t bytes) { bytes_.reserve(bytes); }

  void Array(uint32_t count) { Count(count, 0x90, 0xDC); }
  void Map(uint32_t count) { Count(count, 0x80, 0xDE); }
  void String(std::string_view text) {
    if (text.size() < 32) {
      Byte(0xA0 | static_cast<uint8_t>(text.size()));
    } else {
      Size(text.size(), 0xD9);
    }
    bytes_.append(text);
  }
  void Binary(std::string_view data) {
    Size(data.size(), 0xC4);
    bytes_.append(data);
  }
  void Unsigned(uint64_t value) {
    if (value < 0x80) {
      Byte(static_cast<uint8_t>(value));
    } else if (value <= 0xFF) {
      Big(0xCC, value, 1);
    } else if (value <= 0xFFFF) {
      Big(0xCD, value, 2);
    } else if (value <= 0xFFFFFFFF) {
      Big(0xCE, value, 4);
    } else {
      Big(0xCF, value, 8);
    }
  }
  void Signed(int64_t value) {
    if (value >= 0) {
      Unsigned(static_cast<uint64_t>(value));
    } else if (value >= -32) {
      Byte(static_cast<uint8_t>(value));
    } else if (value >= INT8_MIN) {
      Big(0xD0, static_cast<uint64_t>(value), 1);
    } else if (value >= INT16_MIN) {
      Big(0xD1, static_cast<uint64_t>(value), 2);
    } else if (value >= INT32_MIN) {
      Big(0xD2, static_cast<uint64_t>(value), 4);
    } else {
      Big(0xD3, static_cast<uint64_t>(value), 8);
    }
  }
  void Double(double value) { Big(0xCB, std::bit_cast<uint64_t>(value), 8); }
  void Bool(bool value) { Byte(value ? 0xC3 : 0xC2); }
  // Appends bytes that are MessagePack already.
  void Raw(std::string_view bytes) { bytes_.append(bytes); }

  size_t size() const { return bytes_.size(); }
  // Drops everything that was written after size() was `size`.
  void Truncate(size_t size) { bytes_.resize(size); }
  const std::string& bytes() const { return bytes_; }
  std::string Take() { return std::move(bytes_); }

 private:
  void Byte(uint8_t byte) { bytes_.push_back(static_cast<char>(byte)); }
  void Big(uint8_t first, uint64_t value, int width) {
    Byte(first);
    for (int shift = 8 * (width - 1); shift >= 0; shift -= 8) Byte(static_cast<uint8_t>(value >> shift));
  }
  void Count(uint32_t count, uint8_t short_form, uint8_t with16) {
    if (count < 16) {
      Byte(short_form | static_cast<uint8_t>(count));
    } else if (count <= 0xFFFF) {
      Big(with16, count, 2);
    } else {
      Big(with16 + 1, count, 4);
    }
  }
  void Size(size_t size, uint8_t with8) {
    if (size <= 0xFF) {
      Big(with8, size, 1);
    } else if (size <= 0xFFFF) {
      Big(with8 + 1, size, 2);
    } else {
      Big(with8 + 2, size, 4);
    }
  }

  std::string bytes_;
};

}  // namespace thaw

#endif  // THAW_CC_BASE_MSGPACK_WRITER_H_
