// What the process says, on standard error, as Lambda's log shows it: one line for each message.
//
//   InstallLogOutput(LogLevel::kWarn);
//
// To be called once, before anything is logged.

#ifndef THAW_CC_EXTENSION_LOG_OUTPUT_H_
#define THAW_CC_EXTENSION_LOG_OUTPUT_H_

#include "cc/config/log_level.h"

namespace thaw {

void InstallLogOutput(LogLevel level);

}  // namespace thaw

#endif  // THAW_CC_EXTENSION_LOG_OUTPUT_H_
