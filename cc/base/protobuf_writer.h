// Writes protobuf's wire format into one growing buffer.
//
//   const size_t message = writer.BeginMessage(6);
//   writer.String(1, service);
//   writer.EndMessage(message);
//
// Fields are written in the order of the calls, so that a message is made in one pass while its source is
// read. The writer omits nothing: callers leave out zero values where they want to.
// Format: the protobuf encoding guide (tag = field number << 3 | wire type; varint, fixed64, length).

#ifndef THAW_CC_BASE_PROTOBUF_WRITER_H_
#define THAW_CC_BASE_PROTOBUF_WRITER_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "cc/base/byte_account.h"
#include "cc/base/reserve.h"

namespace thaw {

class ProtobufWriter {
 public:
  ProtobufWriter() = default;
  // `capacity`: the bytes expected; more bytes cost another allocation.
  explicit ProtobufWriter(size_t capacity) { Grow(capacity); }
  ProtobufWriter(const ProtobufWriter& other) {
    Grow(other.size_);
    Raw(other.bytes());
  }
  ProtobufWriter(ProtobufWriter&& other) noexcept
      : data_(std::move(other.data_)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  ProtobufWriter& operator=(ProtobufWriter other) noexcept {
    data_ = std::move(other.data_);
    size_ = other.size_;
    capacity_ = other.capacity_;
    return *this;
  }

  std::string_view bytes() const { return {data_.get(), size_}; }
  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  // Makes room for `more` bytes, so that writing them allocates nothing. Charges new memory before it is
  // allocated, and the old until it is freed; small buffers are not charged. `charge` may be null. Writes
  // without a call of this must be small.
  absl::Status ReserveMore(size_t more, ByteCharge* charge) {
    if (capacity_ - size_ >= more) return absl::OkStatus();
    const size_t capacity = size_ + (more > capacity_ ? more : capacity_);
    const bool charged = charge != nullptr && capacity >= kLargeAllocation;
    if (charged) {
      if (absl::Status grown = charge->Grow(capacity); !grown.ok()) return grown;
    }
    std::unique_ptr<char[]> grown(new (std::nothrow) char[capacity]);
    if (grown == nullptr) {
      if (charged) charge->Shrink(capacity);
      return NoMemory(capacity);
    }
    if (charged && capacity_ >= kLargeAllocation) charge->Shrink(capacity_);
    Take(std::move(grown), capacity);
    return absl::OkStatus();
  }
  // Discards what was written after size() was `size`.
  void Truncate(size_t size) { size_ = size; }
  // Frees unused memory, if that is worth a copy.
  void Shrink() {
    if (capacity_ - size_ <= capacity_ / 4) return;
    std::unique_ptr<char[]> shrunk(new (std::nothrow) char[size_]);
    if (shrunk != nullptr) Take(std::move(shrunk), size_);
  }

  void Varint(uint32_t field, uint64_t value) {
    char* at = Reserve(2 * kMaxVarint);
    at = PutVarint(at, field << 3);
    Commit(PutVarint(at, value));
  }
  void Fixed64(uint32_t field, uint64_t value) {
    static_assert(std::endian::native == std::endian::little);
    char* at = Reserve(kMaxVarint + 8);
    at = PutVarint(at, field << 3 | 1);
    std::memcpy(at, &value, 8);
    Commit(at + 8);
  }
  void Double(uint32_t field, double value) { Fixed64(field, std::bit_cast<uint64_t>(value)); }
  void String(uint32_t field, std::string_view text) {
    char* at = Reserve(2 * kMaxVarint + text.size());
    Commit(PutString(PutVarint(at, field << 3 | 2), text));
  }
  // Writes an entry of a map<string, string> or map<string, bytes>.
  void StringEntry(uint32_t field, std::string_view key, std::string_view value) {
    const size_t inner = 2 + VarintSize(key.size()) + key.size() + VarintSize(value.size()) + value.size();
    char* at = Reserve(2 * kMaxVarint + inner);
    at = PutVarint(PutVarint(at, field << 3 | 2), inner);
    *at++ = 1 << 3 | 2;
    at = PutString(at, key);
    *at++ = 2 << 3 | 2;
    Commit(PutString(at, value));
  }
  // Writes an entry of a map<string, double>.
  void DoubleEntry(uint32_t field, std::string_view key, double value) {
    const size_t inner = 2 + VarintSize(key.size()) + key.size() + 8;
    char* at = Reserve(2 * kMaxVarint + inner);
    at = PutVarint(PutVarint(at, field << 3 | 2), inner);
    *at++ = 1 << 3 | 2;
    at = PutString(at, key);
    *at++ = 2 << 3 | 1;
    std::memcpy(at, &value, 8);
    Commit(at + 8);
  }
  // Writes a message that is encoded already.
  void Message(uint32_t field, std::string_view bytes) { String(field, bytes); }
  // Writes fields that are encoded already.
  void Raw(std::string_view bytes) {
    char* at = Reserve(bytes.size());
    if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
    Commit(at + bytes.size());
  }

  // Begins a message; its fields follow until EndMessage(), which takes the returned value. Messages nest.
  size_t BeginMessage(uint32_t field) {
    char* at = PutVarint(Reserve(kMaxVarint + kLengthBytes), field << 3 | 2);
    Commit(at + kLengthBytes);
    return size_;
  }
  void EndMessage(size_t begin) {
    const size_t length = size_ - begin;
    const int bytes = VarintSize(length);
    // Two bytes are reserved for the length, which fit most messages; the content of others is moved.
    if (bytes != kLengthBytes) {
      Reserve(kMaxVarint);
      std::memmove(data_.get() + begin + bytes - kLengthBytes, data_.get() + begin, length);
      size_ = size_ + bytes - kLengthBytes;
    }
    PutVarint(data_.get() + begin - kLengthBytes, length);
  }

 private:
  static constexpr int kMaxVarint = 10;
  static constexpr int kLengthBytes = 2;

  static int VarintSize(uint64_t value) { return (std::bit_width(value | 1) + 6) / 7; }
  static char* PutVarint(char* at, uint64_t value) {
    while (value >= 0x80) {
      *at++ = static_cast<char>(value | 0x80);
      value >>= 7;
    }
    *at++ = static_cast<char>(value);
    return at;
  }
  static char* PutString(char* at, std::string_view text) {
    at = PutVarint(at, text.size());
    if (!text.empty()) std::memcpy(at, text.data(), text.size());
    return at + text.size();
  }

  char* Reserve(size_t more) {
    if (capacity_ - size_ < more) [[unlikely]]
      Grow(more);
    return data_.get() + size_;
  }
  void Commit(char* end) { size_ = end - data_.get(); }
  void Grow(size_t more) { Reallocate(size_ + (more > capacity_ ? more : capacity_)); }
  void Reallocate(size_t capacity) { Take(std::unique_ptr<char[]>(new char[capacity]), capacity); }
  void Take(std::unique_ptr<char[]> grown, size_t capacity) {
    if (size_ > 0) std::memcpy(grown.get(), data_.get(), size_);
    data_ = std::move(grown);
    capacity_ = capacity;
  }

  std::unique_ptr<char[]> data_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace thaw

#endif  // THAW_CC_BASE_PROTOBUF_WRITER_H_
