#include "cc/base/msgpack_scalars.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "cc/base/float_text.h"

namespace thaw {

bool ReadScalarText(MsgpackReader& reader, std::string& text) {
  constexpr int kFloat32 = 0xCA;
  // First bytes from here on belong to signed integers.
  constexpr int kFirstSigned = 0xD0;
  const int first = reader.next_byte();
  bool flag;
  uint64_t integer;
  double number;
  if (reader.ReadBool(flag)) {
    text = flag ? "true" : "false";
  } else if (reader.ReadInteger(integer)) {
    text = first >= kFirstSigned ? absl::StrCat(static_cast<int64_t>(integer)) : absl::StrCat(integer);
  } else if (reader.ReadNumber(number)) {
    text = first == kFloat32 ? FloatText(static_cast<float>(number)) : FloatText(number);
  } else {
    return false;
  }
  return true;
}

}  // namespace thaw
