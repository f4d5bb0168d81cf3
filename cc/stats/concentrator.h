// Counts spans in place of the tracer: hits, errors and durations of each kind of span, by intervals of 10 s.
//
//   Concentrator concentrator({.env = "prod"}, clock);
//   processor.Process(body, format, headers, &concentrator);   // shows each span to the concentrator
//   // Before a freeze, flush everything: there may be no next invocation.
//   absl::Status status = concentrator.Flush(FlushScope::kAll, [&](StatsPayload payload) {
//     return flusher.Add(std::move(payload)).status();
//   });
//
// A span belongs to the interval that it ends in, and to the process that its tracer runs in: each process
// has a payload of its own. Spans with equal keys (aggregation_key.h) are one group.
//
// The number of different values in keys is limited (cardinality_limits.h), and memory is bounded: spans for which
// there is no room are counted together in one group of their interval, so that sums stay right. A known key costs no
// allocation, unless its durations spread.
//
// One thread only.

#ifndef THAW_CC_STATS_CONCENTRATOR_H_
#define THAW_CC_STATS_CONCENTRATOR_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/node_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/hash/hash.h"
#include "absl/status/status.h"
#include "cc/base/byte_account.h"
#include "cc/base/declare_counts.h"
#include "cc/clock/clock.h"
#include "cc/sketch/ddsketch.h"
#include "cc/stats/aggregation_key.h"
#include "cc/stats/cardinality_limits.h"
#include "cc/stats/stats_payload.h"
#include "cc/stats/stats_tags.h"
#include "cc/trace/span_view.h"

namespace thaw {

struct ConcentratorOptions {
  // DD_ENV, DD_VERSION, DD_SERVICE; may be empty.
  std::string env;
  std::string version;
  std::string service;
  // Bounds of one tracer's interval and of all. The groups of spans without room may take an eighth more.
  size_t max_interval_bytes = size_t{2} << 20;
  size_t max_bytes = size_t{8} << 20;
  // Tags that tell groups apart beside the agent's own, sorted; and the limit of their different values in an
  // interval.
  std::vector<std::string> additional_tags;
  size_t max_additional_values = CardinalityLimits::kMaxAdditional;
  // The account that groups are charged to; may be null. Must outlive the concentrator.
  ByteAccount* account = nullptr;
};

// X(name, what it counts)
#define THAW_CONCENTRATOR_COUNTS(X)                                                                  \
  X(spans_counted, "spans in a group of their key")                                                  \
  X(spans_without_stats, "spans that are neither the first of their service nor at the edge of it")  \
  X(values_blocked,                                                                                  \
    "resources, endpoints, sets of peers and of additional tags beyond a limit: spans in a "         \
    "group with tracer_blocked_value in their place")                                                \
  X(spans_blocked, "spans in the group of those for whose key or duration there was no room")        \
  X(spans_left_out, "spans for which there was no room even there")                                  \
  X(late_spans, "spans counted in a later interval, for theirs was sent")                            \
  X(early_spans, "spans counted in the present interval, for they say that they end in one to come") \
  X(payloads_refused, "payloads for which the flusher had no room: their groups are kept")

struct ConcentratorCounts {
  THAW_DECLARE_COUNTS(THAW_CONCENTRATOR_COUNTS)
};

enum class FlushScope {
  kSettled,  // intervals that ended 10 s ago, or that lie ahead since the clock was set back
  kAll,
};

class Concentrator : public SpanObserver {
 public:
  // `clock` must outlive the concentrator; its wall time is used.
  Concentrator(ConcentratorOptions options, const Clock& clock);
  Concentrator(const Concentrator&) = delete;
  Concentrator& operator=(const Concentrator&) = delete;

  void OnSpan(const TracerView& tracer, const SpanView& span) override;

  // Passes `take` a payload for each tracer that has groups in `scope`, and forgets what it takes. Returns
  // the first error of `take`; that payload's groups and all later ones stay for the next flush.
  absl::Status Flush(FlushScope scope, absl::FunctionRef<absl::Status(StatsPayload)> take);

  bool empty() const { return tracers_.empty(); }
  // Returns about how many bytes the groups take.
  size_t memory() const { return bytes_.bytes(); }
  const ConcentratorCounts& counts() const { return counts_; }

 private:
  // ns since 1970, a multiple of the length of an interval.
  using IntervalStart = int64_t;

  struct Group {
    uint64_t hits = 0;
    uint64_t top_level_hits = 0;
    uint64_t errors = 0;
    uint64_t duration = 0;  // ns
    DDSketch ok_durations;
    DDSketch error_durations;
  };
  using Groups = absl::flat_hash_map<std::string, Group>;  // by key
  struct Interval {
    explicit Interval(size_t max_additional) : limits(max_additional) {}

    Groups groups;
    CardinalityLimits limits;
    size_t bytes = 0;
  };
  using Intervals = std::map<IntervalStart, Interval>;
  struct TracerName {
    std::string language;
    std::string tracer_version;
    std::string runtime_id;
    std::string container_id;

    explicit TracerName(const TracerView& view)
        : language(view.language),
          tracer_version(view.tracer_version),
          runtime_id(view.runtime_id),
          container_id(view.container_id) {}
    TracerView view() const { return {language, tracer_version, runtime_id, container_id}; }
  };
  static TracerView ViewOf(const TracerName& name) { return name.view(); }
  static TracerView ViewOf(const TracerView& view) { return view; }
  struct TracerHash {
    using is_transparent = void;
    template <typename Name>
    size_t operator()(const Name& name) const {
      const TracerView view = ViewOf(name);
      return absl::HashOf(view.language, view.tracer_version, view.runtime_id, view.container_id);
    }
  };
  struct TracerEqual {
    using is_transparent = void;
    template <typename First, typename Second>
    bool operator()(const First& first, const Second& second) const {
      const TracerView a = ViewOf(first), b = ViewOf(second);
      return a.runtime_id == b.runtime_id && a.language == b.language &&
             a.tracer_version == b.tracer_version && a.container_id == b.container_id;
    }
  };
  using Tracers = absl::node_hash_map<TracerName, Intervals, TracerHash, TracerEqual>;

  IntervalStart IntervalOf(const SpanView& span);
  // Returns null if there is no room for another interval.
  Interval* Find(const TracerView& tracer, IntervalStart start);
  // Returns the bytes left for further keys, or for the groups of spans without room.
  size_t Room(const Interval& interval) const;
  size_t ReservedRoom() const;
  // Counts the span in the group of its key. Returns false, and counts nothing, if there is no room.
  bool CountByKey(const SpanView& span, const StatsTags& tags, Interval& interval);
  // Counts the span in the group `found`, or in a new one of this key if that is the end. Returns false, and counts
  // nothing, if the span needs more than `room`.
  bool Count(Groups::iterator found, std::string_view key, const SpanView& span, size_t room,
             Interval& interval);
  // Says once for each kind of values that they are replaced, or whole keys.
  void WarnOfLimit(unsigned blocked);

  // Writes a payload in the form that tracers send, MessagePack.
  class PayloadWriter;

  static bool IsDue(IntervalStart start, FlushScope scope, IntervalStart now);
  StatsPayload Encode(const TracerView& tracer, const Intervals& intervals, FlushScope scope,
                      IntervalStart now) const;
  void Forget(Intervals& intervals, FlushScope scope, IntervalStart now);

  const ConcentratorOptions options_;
  const Clock& clock_;
  AggregationKeyEncoder encoder_;
  unsigned warned_ = 0;  // bits of KeyValue, and kWholeKeys
  Tracers tracers_;
  // The tracer of the last span, mostly also that of the next; null if there is none.
  Tracers::value_type* last_tracer_ = nullptr;
  IntervalStart oldest_;   // earlier spans are counted in this interval
  IntervalStart present_;  // the current interval when a span was last later than it
  ChargedBytes bytes_{options_.account};
  ConcentratorCounts counts_;
};

}  // namespace thaw

#endif  // THAW_CC_STATS_CONCENTRATOR_H_
