// One process's client stats, ready for the intake: the request of a tracer that counts for itself, or the
// concentrator's counts.
//
//   THAW_ASSIGN_OR_RETURN(StatsPayload payload, StatsPayload::FromMsgpack(body));
//
// Input and output are MessagePack: each map is searched for its keys, then its values are checked and
// written. The host name is made empty, as the intake wants it for a function. Values of other types are
// converted where no meaning is lost (a float without a fraction, numbers as text, numbers and booleans where
// text is due). The start of each bucket stays as the tracer sent it. A group that lacks a count or has a
// field of the wrong type is left out and counted, and its neighbours stay; the same holds
// for a bucket, and for a group of more than 32,768 values or 1 MiB.
//
// Source of the format: the published schema of the Datadog agent's stats payloads (stats.proto), with the
// names of its Go structs as keys. Unknown keys are left out; nil is the zero value.

#ifndef THAW_CC_STATS_STATS_PAYLOAD_H_
#define THAW_CC_STATS_STATS_PAYLOAD_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "cc/stats/stats_counts.h"

namespace thaw {

class StatsTranscoder;

class StatsPayload {
 public:
  // Errors: InvalidArgument names the byte, what was expected there and what was found; OutOfRange: the
  // fields beside the buckets, which each part of a large payload has, take more than 256 KiB.
  static absl::StatusOr<StatsPayload> FromMsgpack(std::string_view body);

  // Wraps counts made here. `bytes`: a ClientStatsPayload as FromMsgpack would leave it, except for the order
  // of its keys; `counts`: the counts of its content.
  StatsPayload(std::string bytes, const StatsCounts& counts) : counts_(counts), bytes_(std::move(bytes)) {}

  // Returns a part of a payload that was cut; `counts`: those of the whole.
  static StatsPayload Part(std::string bytes, const StatsCounts& counts) {
    StatsPayload part(std::move(bytes), counts);
    part.is_part_ = true;
    return part;
  }

  const StatsCounts& counts() const { return counts_; }
  // Returns whether the payload's other groups come apart from these.
  bool is_part() const { return is_part_; }
  // Returns whether no bucket is left.
  bool empty() const { return counts_.buckets == 0; }
  // Says what was wrong with the first item that was left out, and where; empty if nothing was left out.
  const std::string& first_problem() const { return first_problem_; }

  // The payload as one MessagePack map.
  std::string_view bytes() const { return bytes_; }
  size_t size() const { return bytes_.size(); }
  std::string TakeBytes() { return std::move(bytes_); }
  // Returns the bytes of memory held.
  size_t memory() const { return sizeof(*this) + bytes_.capacity() + first_problem_.capacity(); }

 private:
  friend class StatsTranscoder;
  StatsPayload() = default;

  StatsCounts counts_;
  bool is_part_ = false;
  std::string first_problem_;
  std::string bytes_;
};

// The same in steps, for bodies that are too large to be read between two turns of the loop.
//
//   StatsWork work(body);
//   absl::StatusOr<bool> done = work.Step(10'000);   // until it is true, or an error as of FromMsgpack()
//   StatsPayload payload = work.Take();
class StatsWork {
 public:
  // `body` must outlive it.
  explicit StatsWork(std::string_view body);
  StatsWork(const StatsWork&) = delete;
  StatsWork& operator=(const StatsWork&) = delete;
  ~StatsWork();

  // Reads about so many values more. True: that was all. After an error there is nothing more to do.
  absl::StatusOr<bool> Step(uint64_t values);
  // The result, once Step() was true.
  StatsPayload Take();

 private:
  const std::unique_ptr<StatsTranscoder> transcoder_;
};

}  // namespace thaw

#endif  // THAW_CC_STATS_STATS_PAYLOAD_H_
