#include "cc/stats/stats_values.h"

#include <cmath>
#include <limits>

#include "absl/strings/numbers.h"
#include "cc/base/msgpack_scalars.h"
#include "cc/base/utf8.h"

namespace thaw {
namespace {

// No honest list of tags comes near to this.
constexpr uint32_t kMostStrings = 16'384;

}  // namespace

bool StatsValues::Copy(StatsType type) {
  switch (type) {
    case StatsType::kString:
      return String();
    case StatsType::kUnsigned:
    case StatsType::kUnsigned32:
    case StatsType::kSigned:
    case StatsType::kHash:
      return Integer(type);
    case StatsType::kBool:
      return Bool();
    case StatsType::kSketch:
      return Sketch();
    case StatsType::kStrings:
      return Strings();
  }
  return false;
}

bool StatsValues::Integer(StatsType type) {
  const size_t position = reader_.position();
  uint64_t value = 0;
  // -1 and the largest unsigned integer are read as the same bits; the first byte tells them apart.
  bool negative = static_cast<uint8_t>(body_[position]) >= 0xD0;
  if (!reader_.TakeNil() && !reader_.ReadInteger(value) && !ConvertToInteger(value, negative))
    return reader_.ReadInteger(value);
  const int64_t with_sign = static_cast<int64_t>(value);
  negative = negative && with_sign < 0;
  const bool fits = type == StatsType::kHash       ? true
                    : type == StatsType::kSigned   ? negative || with_sign >= 0
                    : type == StatsType::kUnsigned ? !negative
                                                   : value <= std::numeric_limits<uint32_t>::max();
  if (!fits) {
    return Problem("at byte ", position, ": ", negative ? absl::StrCat(with_sign) : absl::StrCat(value),
                   " is out of range");
  }
  type == StatsType::kSigned ? writer_.Signed(with_sign) : writer_.Unsigned(value);
  return true;
}

bool StatsValues::ConvertToInteger(uint64_t& value, bool& negative) {
  constexpr double kLowest = -9'223'372'036'854'775'808.0, kBeyond = 18'446'744'073'709'551'616.0;
  const size_t position = reader_.position();
  double number;
  std::string_view text;
  int64_t with_sign;
  negative = false;
  if (reader_.ReadNumber(number)) {
    if (number >= kLowest && number < kBeyond && std::trunc(number) == number) {
      negative = number < 0;
      value = negative ? static_cast<uint64_t>(static_cast<int64_t>(number)) : static_cast<uint64_t>(number);
      return true;
    }
  } else if (reader_.ReadString(text)) {
    if (absl::SimpleAtoi(text, &value)) return true;
    if (absl::SimpleAtoi(text, &with_sign)) {
      negative = true;
      value = static_cast<uint64_t>(with_sign);
      return true;
    }
  }
  reader_.MoveTo(position);
  return false;
}

bool StatsValues::ReadArrayHead(uint32_t& count) {
  const size_t position = reader_.position();
  if (reader_.ReadArray(count) || (reader_.ReadMap(count) && count == 0)) return true;
  reader_.MoveTo(position);
  return reader_.ReadArray(count);
}

bool StatsValues::String() {
  std::string_view text;
  std::string converted;
  if (!reader_.TakeNil() && !reader_.ReadString(text)) {
    if (!ReadScalarText(reader_, converted)) return reader_.ReadString(text);
    text = converted;
  }
  if (IsValidUtf8(text)) {
    writer_.String(text);
  } else {
    ++counts_.strings_repaired;
    writer_.String(RepairUtf8(text));
  }
  return true;
}

bool StatsValues::Sketch() {
  const size_t position = reader_.position();
  std::string_view bytes;
  if (reader_.TakeNil() || reader_.ReadString(bytes)) {
    writer_.Binary(bytes);
    return true;
  }
  uint32_t count;
  if (!reader_.ReadArray(count)) {
    reader_.ReadString(bytes);  // so that the error names bytes
    return false;
  }
  std::string data;
  data.reserve(count);
  for (; count > 0; --count) {
    uint64_t byte;
    if (!reader_.ReadInteger(byte)) return false;
    if (byte > 0xFF) return Problem("at byte ", position, ": an array of bytes has ", byte, " in it");
    data.push_back(static_cast<char>(byte));
  }
  writer_.Binary(data);
  return true;
}

bool StatsValues::Bool() {
  bool value = false;
  uint64_t number = 0;
  if (!reader_.TakeNil() && !reader_.ReadBool(value)) {
    bool negative;
    if (!reader_.ReadInteger(number) && !ConvertToInteger(number, negative))
      return reader_.ReadBool(value);  // so that the error names a boolean
    value = number != 0;
  }
  writer_.Bool(value);
  return true;
}

bool StatsValues::Strings() {
  const size_t position = reader_.position();
  uint32_t count;
  if (!ReadArrayHead(count)) return false;
  if (count > kMostStrings) return Problem("at byte ", position, ": an array of ", count, " texts");
  writer_.Array(count);
  for (; count > 0; --count)
    if (!String()) return false;
  return true;
}

}  // namespace thaw
