// Walks the fields of a protobuf message. It returns views of the message and copies nothing.
//
//   ProtobufReader reader(message);
//   while (reader.Next()) if (reader.field() == 6) Use(reader.bytes());
//   if (!reader.ok()) ...   // the message is cut off or malformed
//
// Format: the protobuf encoding guide. Groups (wire types 3 and 4) are not known here.

#ifndef THAW_CC_BASE_PROTOBUF_READER_H_
#define THAW_CC_BASE_PROTOBUF_READER_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace thaw {

class ProtobufReader {
 public:
  explicit ProtobufReader(std::string_view message) : left_(message) {}

  // Moves to the next field. Returns false at the end and at bytes that are no field.
  bool Next() {
    if (left_.empty() || !ok_) return false;
    const char* const begin = left_.data();
    uint64_t tag;
    if (!TakeVarint(tag) || tag >> 3 == 0 || tag >> 3 > UINT32_MAX) return Bad();
    field_ = static_cast<uint32_t>(tag >> 3);
    wire_type_ = static_cast<int>(tag & 7);
    bytes_ = {};
    value_ = 0;
    switch (wire_type_) {
      case 0:
        if (!TakeVarint(value_)) return Bad();
        break;
      case 1:
      case 5: {
        const size_t width = wire_type_ == 1 ? 8 : 4;
        if (left_.size() < width) return Bad();
        std::memcpy(&value_, left_.data(), width);
        left_.remove_prefix(width);
        break;
      }
      case 2: {
        uint64_t size;
        if (!TakeVarint(size) || size > left_.size()) return Bad();
        bytes_ = left_.substr(0, size);
        left_.remove_prefix(size);
        break;
      }
      default:
        return Bad();
    }
    whole_ = std::string_view(begin, left_.data() - begin);
    return true;
  }

  bool ok() const { return ok_; }
  uint32_t field() const { return field_; }
  int wire_type() const { return wire_type_; }
  uint64_t value() const { return value_; }          // value of a varint or fixed-width field
  std::string_view bytes() const { return bytes_; }  // content of a length-delimited field
  std::string_view whole() const { return whole_; }  // the field with its tag

 private:
  bool Bad() {
    ok_ = false;
    return false;
  }
  bool TakeVarint(uint64_t& value) {
    value = 0;
    for (size_t i = 0; i < left_.size() && i < 10; ++i) {
      const uint8_t byte = static_cast<uint8_t>(left_[i]);
      value |= static_cast<uint64_t>(byte & 0x7F) << (7 * i);
      if (byte < 0x80) {
        left_.remove_prefix(i + 1);
        return true;
      }
    }
    return false;
  }

  std::string_view left_;
  bool ok_ = true;
  uint32_t field_ = 0;
  int wire_type_ = 0;
  uint64_t value_ = 0;
  std::string_view bytes_;
  std::string_view whole_;
};

}  // namespace thaw

#endif  // THAW_CC_BASE_PROTOBUF_READER_H_
