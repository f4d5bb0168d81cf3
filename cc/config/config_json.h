// The effective configuration as JSON, for `--check-config` and the log.
//
//   LOG(INFO) << ToJson(config);
//
// Any thread.

#ifndef THAW_CC_CONFIG_CONFIG_JSON_H_
#define THAW_CC_CONFIG_CONFIG_JSON_H_

#include <string>

#include "cc/config/config.h"

namespace thaw {

// Returns the effective configuration as indented JSON: durations in seconds, secrets masked. Its member
// "origins" has the source of each value that is not the default.
std::string ToJson(const Config& config);

}  // namespace thaw

#endif  // THAW_CC_CONFIG_CONFIG_JSON_H_
