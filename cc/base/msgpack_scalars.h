// Numbers and booleans of MessagePack as text, for what ought to have been written as text.
//
//   std::string text;
//   if (ReadScalarText(reader, text)) ...   // "5", "-3", "1.5", "true"

#ifndef THAW_CC_BASE_MSGPACK_SCALARS_H_
#define THAW_CC_BASE_MSGPACK_SCALARS_H_

#include <string>

#include "cc/base/msgpack_reader.h"

namespace thaw {

// False: the next value is neither; the reader stays before it. A float has as many digits as tell it from
// all others of its width.
bool ReadScalarText(MsgpackReader& reader, std::string& text);

}  // namespace thaw

#endif  // THAW_CC_BASE_MSGPACK_SCALARS_H_
