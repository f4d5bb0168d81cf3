// Counts of what became of a request's stats.

#ifndef THAW_CC_STATS_STATS_COUNTS_H_
#define THAW_CC_STATS_STATS_COUNTS_H_

#include <cstdint>

#include "cc/base/declare_counts.h"

namespace thaw {

// X(name, what it counts)
#define THAW_STATS_COUNTS(X)                                                           \
  X(buckets, "buckets in the result")                                                  \
  X(groups, "groups in the result")                                                    \
  X(buckets_left_out, "buckets that were no map, or had no start, duration or groups") \
  X(groups_left_out, "groups that were no map, lacked a count or had a wrong type")    \
  X(strings_repaired, "strings that were not UTF-8, with U+FFFD for bad parts")

struct StatsCounts {
  THAW_DECLARE_COUNTS(THAW_STATS_COUNTS)
};

}  // namespace thaw

#endif  // THAW_CC_STATS_STATS_COUNTS_H_
