// Counts of outages, over all destinations.

#ifndef THAW_CC_FLUSH_OUTAGE_COUNTS_H_
#define THAW_CC_FLUSH_OUTAGE_COUNTS_H_

#include "cc/base/declare_counts.h"

namespace thaw {

// X(name, what it counts)
#define THAW_OUTAGE_COUNTS(X)                                                       \
  X(strikes, "flushes without progress at a destination")                           \
  X(opened, "breakers opened")                                                      \
  X(exhausted, "breakers opened because an outage had used up its budget")          \
  X(probes, "flushes that probed whether a destination is back")                    \
  X(probes_answered, "of those, the ones that were answered")                       \
  X(skips, "flushes that sent a destination nothing because its breaker was open")  \
  X(refused_flushes, "flushes in which an endpoint refused all it was sent")        \
  X(refused_skips, "flushes that sent an endpoint nothing because it refuses data") \
  X(out_of_reach, "outages that began: a destination out of reach, or refusing")    \
  X(back, "outages that ended")

struct OutageCounts {
  THAW_DECLARE_COUNTS(THAW_OUTAGE_COUNTS)
};

}  // namespace thaw

#endif  // THAW_CC_FLUSH_OUTAGE_COUNTS_H_
