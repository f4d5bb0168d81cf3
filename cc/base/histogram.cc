#include "cc/base/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace thaw {
namespace {

constexpr int kPartsLog2 = 3;    // each power of two has 2^3 buckets
constexpr int kFirstPower = 10;  // 2^10 ns is about a microsecond
constexpr int64_t kFirst = int64_t{1} << kFirstPower;

size_t BucketOf(int64_t nanoseconds) {
  if (nanoseconds < kFirst) return 0;
  const int power = std::bit_width(static_cast<uint64_t>(nanoseconds)) - 1;
  const auto part = static_cast<size_t>(nanoseconds >> (power - kPartsLog2)) & ((1u << kPartsLog2) - 1);
  const size_t bucket = 1 + (static_cast<size_t>(power - kFirstPower) << kPartsLog2) + part;
  return std::min(bucket, Histogram::kBuckets - 1);
}

void Add(uint32_t& bucket, uint32_t more) {
  bucket += std::min(more, std::numeric_limits<uint32_t>::max() - bucket);
}

}  // namespace

absl::Duration Histogram::MiddleOf(size_t bucket) {
  if (bucket-- == 0) return absl::Microseconds(1);
  const auto power = static_cast<int>(bucket >> kPartsLog2) + kFirstPower;
  const auto part = static_cast<int64_t>(bucket & ((1u << kPartsLog2) - 1));
  const int64_t width = int64_t{1} << (power - kPartsLog2);
  return absl::Nanoseconds((int64_t{1} << power) + part * width + width / 2);
}

void Histogram::Record(absl::Duration value) {
  last_ = std::max(value, absl::ZeroDuration());
  max_ = std::max(max_, last_);
  sum_ += last_;
  ++count_;
  Add(buckets_[BucketOf(absl::ToInt64Nanoseconds(last_))], 1);
}

void Histogram::Merge(const Histogram& other) {
  if (other.count_ == 0) return;
  for (size_t i = 0; i < kBuckets; ++i) Add(buckets_[i], other.buckets_[i]);
  count_ += other.count_;
  sum_ += other.sum_;
  max_ = std::max(max_, other.max_);
  last_ = other.last_;
}

absl::Duration Histogram::Quantile(double q) const {
  int64_t all = 0;
  for (const uint32_t bucket : buckets_) all += bucket;
  if (all == 0) return absl::ZeroDuration();
  const auto rank = static_cast<int64_t>(std::ceil(std::clamp(q, 0.0, 1.0) * static_cast<double>(all)));
  int64_t below = 0;
  for (size_t i = 0; i < kBuckets; ++i) {
    below += buckets_[i];
    if (below >= std::max<int64_t>(rank, 1)) return std::min(MiddleOf(i), max_);
  }
  return max_;
}

Histogram Histogram::FromState(const State& state) {
  Histogram histogram;
  histogram.buckets_ = state.buckets;
  for (const uint32_t bucket : state.buckets) histogram.count_ += bucket;
  histogram.sum_ = state.sum;
  histogram.max_ = state.max;
  histogram.last_ = state.last;
  return histogram;
}

}  // namespace thaw
