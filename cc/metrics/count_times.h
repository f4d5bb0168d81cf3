// The times of counts whose bucket is flushed more than once.
//
//   times.BeginFlush(now);
//   times.Of(bucket);   // the time of the counts in this flush
//
// The intake keeps one value of a series for each second, the newest, and adds values of different seconds up. The
// first flush of a bucket gives its counts the bucket's time, and each later one a later second within the bucket,
// so that no count replaces another. After as many flushes of a bucket as it has seconds, the last second is used
// again. Source: Datadog's page on historical metrics ("preserves the most recently submitted value").
//
// One thread.

#ifndef THAW_CC_METRICS_COUNT_TIMES_H_
#define THAW_CC_METRICS_COUNT_TIMES_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>

namespace thaw {

class CountTimes {
 public:
  // The seconds of a bucket.
  static constexpr int64_t kInterval = 10;

  // `now`: seconds by the wall clock.
  void BeginFlush(int64_t now) {
    now_ = now;
    ++flush_;
  }
  // Returns the time of the bucket's counts in this flush.
  int64_t Of(int64_t bucket) {
    for (auto used = used_.rbegin(); used != used_.rend(); ++used) {
      if (used->bucket != bucket) continue;
      if (used->flush != flush_)
        used->time = std::min(std::max(used->time + 1, now_), bucket + kInterval - 1);
      used->flush = flush_;
      return used->time;
    }
    // A clock that is set back returns to buckets of the recent past.
    if (used_.size() == kMostUsed) used_.pop_front();
    used_.push_back({.bucket = bucket, .time = bucket, .flush = flush_});
    return bucket;
  }

 private:
  static constexpr size_t kMostUsed = 64;

  struct Used {
    int64_t bucket;
    int64_t time;
    uint64_t flush;
  };

  std::deque<Used> used_;
  int64_t now_ = 0;
  uint64_t flush_ = 0;
};

}  // namespace thaw

#endif  // THAW_CC_METRICS_COUNT_TIMES_H_
