// A histogram of durations in about 1 KB. Quantiles are read from it with a relative error of 1/16 at most.
//
//   Histogram times;
//   times.Record(absl::Milliseconds(12));
//   times.Quantile(0.95);   // the 95th percentile
//   times.Merge(others);    // as if all had been recorded here
//
// Histograms of one owner are declared by a list, as its counts are (declare_counts.h):
//
//   // X(name, what it measures)
//   #define THAW_KITCHEN_HISTOGRAMS(X) X(baking_time, "time that a cake is in the oven")
//
//   struct KitchenTimes {
//     THAW_DECLARE_HISTOGRAMS(THAW_KITCHEN_HISTOGRAMS)
//   };
//
// Buckets are log-linear: each power of two of nanoseconds from 2^10 to 2^41 is cut into eight equal parts.
// Shorter durations, below about a microsecond, are counted as one microsecond, and durations over an hour in
// the last bucket. Recording takes a few instructions and allocates nothing. A copy is a value; one thread at
// a time.

#ifndef THAW_CC_BASE_HISTOGRAM_H_
#define THAW_CC_BASE_HISTOGRAM_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"
#include "cc/base/declare_counts.h"

namespace thaw {

class Histogram {
 public:
  static constexpr size_t kBuckets = 256;

  // Counts `value`; a negative one counts as zero.
  void Record(absl::Duration value);
  // Adds what `other` has counted. `last()` becomes the other's, unless that is empty.
  void Merge(const Histogram& other);

  int64_t count() const { return count_; }
  // The sum, the largest and the last of the recorded values; exact, and zero if there is none.
  absl::Duration sum() const { return sum_; }
  absl::Duration max() const { return max_; }
  absl::Duration last() const { return last_; }

  // Returns the value that the part `q`, from 0 to 1, of all values does not exceed: the middle of the bucket
  // that holds it, but no more than max(). Returns zero if nothing was recorded.
  absl::Duration Quantile(double q) const;

  // Calls visit(name, value) for each figure of a summary: "count", an int64_t, and then "sum", "p50", "p95",
  // "p99" and "max", doubles in seconds.
  template <typename Visitor>
  void VisitSummary(Visitor&& visit) const {
    visit("count", count());
    visit("sum", absl::ToDoubleSeconds(sum()));
    visit("p50", absl::ToDoubleSeconds(Quantile(0.5)));
    visit("p95", absl::ToDoubleSeconds(Quantile(0.95)));
    visit("p99", absl::ToDoubleSeconds(Quantile(0.99)));
    visit("max", absl::ToDoubleSeconds(max()));
  }

  // Calls visit(value, count) for what was recorded after `earlier`, an earlier copy of this histogram: with a single
  // value as it is, with several as the middles of their buckets.
  template <typename Visitor>
  void VisitSince(const Histogram& earlier, Visitor&& visit) const {
    if (count_ - earlier.count_ == 1) return visit(sum_ - earlier.sum_, int64_t{1});
    for (size_t i = 0; i < kBuckets; ++i)
      if (buckets_[i] > earlier.buckets_[i]) visit(MiddleOf(i), int64_t{buckets_[i]} - earlier.buckets_[i]);
  }

  // The state in full, to copy a histogram to another process.
  struct State {
    std::array<uint32_t, kBuckets> buckets = {};
    absl::Duration sum, max, last;
  };
  State state() const { return {buckets_, sum_, max_, last_}; }
  static Histogram FromState(const State& state);

 private:
  static absl::Duration MiddleOf(size_t bucket);

  // A bucket that is full stays full.
  std::array<uint32_t, kBuckets> buckets_ = {};
  int64_t count_ = 0;
  absl::Duration sum_;
  absl::Duration max_;
  absl::Duration last_;
};

#define THAW_DECLARE_HISTOGRAM(name, text) ::thaw::Histogram name;

// Declares a histogram for each entry of the list, and VisitHistograms(), which calls visit(name, histogram,
// text) for each entry in the order of the list.
#define THAW_DECLARE_HISTOGRAMS(LIST)           \
  LIST(THAW_DECLARE_HISTOGRAM)                  \
  template <typename Visitor>                   \
  void VisitHistograms(Visitor&& visit) const { \
    LIST(THAW_VISIT_COUNT)                      \
  }

}  // namespace thaw

#endif  // THAW_CC_BASE_HISTOGRAM_H_
