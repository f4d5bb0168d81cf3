// Reads MessagePack numbers and booleans as text, where a sender should have written text.
//
//   std::string text;
//   if (ReadScalarText(reader, text)) ...   // "5", "-3", "1.5", "true"

#ifndef THAW_CC_BASE_MSGPACK_SCALARS_H_
#define THAW_CC_BASE_MSGPACK_SCALARS_H_

#include <string>

#include "cc/base/msgpack_reader.h"

namespace thaw {

// Returns false, and leaves the reader where it is, if the next value is neither a number nor a boolean. A
// float gets the fewest digits that tell it from all others of its width.
bool ReadScalarText(MsgpackReader& reader, std::string& text);

}  // namespace thaw

#endif  // THAW_CC_BASE_MSGPACK_SCALARS_H_
