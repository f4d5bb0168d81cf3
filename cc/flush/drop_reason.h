// Why a payload was dropped. Reasons are declared in one list, so that no drop can go uncounted.

#ifndef THAW_CC_FLUSH_DROP_REASON_H_
#define THAW_CC_FLUSH_DROP_REASON_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

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

enum class DropReason : uint8_t {
#define THAW_DECLARE(enumerator, name, text) enumerator,
  THAW_DROP_REASONS(THAW_DECLARE)
#undef THAW_DECLARE
};

#define THAW_COUNT(enumerator, name, text) +1
inline constexpr size_t kDropReasons = 0 THAW_DROP_REASONS(THAW_COUNT);
#undef THAW_COUNT

constexpr std::string_view ToString(DropReason reason) {
  switch (reason) {
#define THAW_NAME(enumerator, name, text) \
  case DropReason::enumerator:            \
    return #name;
    THAW_DROP_REASONS(THAW_NAME)
#undef THAW_NAME
  }
  return "unknown";
}

// A count for each reason.
class DropCounts {
 public:
  int64_t& operator[](DropReason reason) { return counts_[static_cast<size_t>(reason)]; }
  int64_t operator[](DropReason reason) const { return counts_[static_cast<size_t>(reason)]; }
  int64_t total() const {
    int64_t sum = 0;
    for (const int64_t count : counts_) sum += count;
    return sum;
  }
  DropCounts& operator+=(const DropCounts& other) {
    for (size_t i = 0; i < kDropReasons; ++i) counts_[i] += other.counts_[i];
    return *this;
  }

  // Calls visit(name, count, text) for each reason, in the order of the list.
  template <typename Visitor>
  void Visit(Visitor&& visit) const {
#define THAW_VISIT(enumerator, name, text) visit(#name, (*this)[DropReason::enumerator], text);
    THAW_DROP_REASONS(THAW_VISIT)
#undef THAW_VISIT
  }

 private:
  std::array<int64_t, kDropReasons> counts_ = {};
};

}  // namespace thaw

#endif  // THAW_CC_FLUSH_DROP_REASON_H_
