// Shows an option's value as far as it is no secret.
//
//   json.Add(row.name, MaskedValue(value, row.secrecy));
//
// Any thread.

#ifndef THAW_CC_CONFIG_MASKED_VALUE_H_
#define THAW_CC_CONFIG_MASKED_VALUE_H_

#include <string>

#include "cc/config/option_table.h"

namespace thaw {

// Returns the value, or what may be shown of it. A value that is empty stays so.
std::string MaskedValue(const std::string& value, Secrecy secrecy);

}  // namespace thaw

#endif  // THAW_CC_CONFIG_MASKED_VALUE_H_
