// Why a payload was dropped. Reasons are declared in one list, so that no drop can go uncounted.

#ifndef THAW_CC_FLUSH_DROP_REASON_H_
#define THAW_CC_FLUSH_DROP_REASON_H_

#include <cstdint>
#include <string_view>

#include "cc/base/declare_counts.h"
#include "cc/base/declare_enum.h"

namespace thaw {

// X(enumerator, name, what it counts)
#define THAW_DROP_REASONS(X)                                                                              \
  X(kEvicted, evicted, "was tried at least once and made way for newer data")                             \
  X(kRefused, refused, "the intake refused it for good (counted by status beside this)")                  \
  X(kTooLarge, too_large, "the intake answered 413 and it can't be split further")                        \
  X(kAmbiguousDropped, ambiguous_dropped, "may have been accepted, and counting it twice would be wrong") \
  X(kUnencodable, unencodable, "could not be encoded")                                                    \
  X(kDiscarded, discarded, "failed once, and the peers' strategy in use keeps nothing")                   \
  X(kRedriveFailed, redrive_failed, "failed again when it was redriven at shutdown, as peers' clients do")

THAW_DECLARE_ENUM(DropReason, kAllDropReasons, THAW_DROP_REASONS)

// A count for each reason.
struct DropCounts {
  THAW_DECLARE_COUNTS(THAW_DROP_REASONS)
  THAW_DECLARE_COUNTS_BY(DropReason, THAW_DROP_REASONS)

  int64_t total() const {
    int64_t sum = 0;
    Visit([&sum](std::string_view, int64_t count, std::string_view) { sum += count; });
    return sum;
  }
  DropCounts& operator+=(const DropCounts& other) {
#define THAW_ADD(enumerator, name, text) name += other.name;
    THAW_DROP_REASONS(THAW_ADD)
#undef THAW_ADD
    return *this;
  }
};

}  // namespace thaw

#endif  // THAW_CC_FLUSH_DROP_REASON_H_
