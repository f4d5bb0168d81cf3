#include "cc/base/msgpack_scalars.h"

#include <charconv>
#include <cstdint>
#include <iterator>
#include <system_error>

namespace thaw {

bool ReadScalarText(MsgpackReader& reader, std::string& text) {
  constexpr int kFloat32 = 0xCA;
  // First bytes from here on belong to signed integers.
  constexpr int kFirstSigned = 0xD0;
  const int first = reader.next_byte();
  char digits[32];
  std::to_chars_result end{.ptr = digits, .ec = std::errc()};
  bool flag;
  uint64_t integer;
  double number;
  if (reader.ReadBool(flag)) {
    text = flag ? "true" : "false";
    return true;
  }
  if (reader.ReadInteger(integer)) {
    end = first >= kFirstSigned ? std::to_chars(digits, std::end(digits), static_cast<int64_t>(integer))
                                : std::to_chars(digits, std::end(digits), integer);
  } else if (reader.ReadNumber(number)) {
    end = first == kFloat32 ? std::to_chars(digits, std::end(digits), static_cast<float>(number))
                            : std::to_chars(digits, std::end(digits), number);
  } else {
    return false;
  }
  text.assign(digits, end.ptr);
  return true;
}

}  // namespace thaw
