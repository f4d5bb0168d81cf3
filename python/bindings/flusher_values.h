// Common values of flushers and their reports, as plain Python values.

#ifndef THAW_PYTHON_BINDINGS_FLUSHER_VALUES_H_
#define THAW_PYTHON_BINDINGS_FLUSHER_VALUES_H_

#include <cstdint>
#include <map>
#include <string>

#include "cc/flush/drop_reason.h"

namespace thaw::python {

// Returns the reasons that occurred.
inline std::map<std::string, int64_t> ToMap(const DropCounts& counts) {
  std::map<std::string, int64_t> map;
  counts.Visit([&map](const char* name, int64_t count, const char*) {
    if (count != 0) map[name] = count;
  });
  return map;
}

}  // namespace thaw::python

#endif  // THAW_PYTHON_BINDINGS_FLUSHER_VALUES_H_
