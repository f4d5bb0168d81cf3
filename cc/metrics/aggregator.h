// Aggregates samples of metrics by name, type and tags, in buckets of ten seconds.
//
//   Aggregator aggregator({.max_bytes = 1 << 20}, clock, account);
//   aggregator.Add(sample, MetricOwner::kFunction);
//   aggregator.Drain(Aggregator::Scope::kAll, taker);   // before a freeze; in portions: BeginDrain(), DrainSome()
//
// Counts are added up, the newest value of a gauge counts, distributions become sketches, and histograms and sets
// become the series that the Agent makes of them. Two metrics are the same only if name, type, owner and all tags
// are: a hash alone never decides.
//
// A bucket is ten seconds of the wall clock, beginning with the second whose number it has. The bucket that the
// clock is in now is open, and all others are closed, whether the clock came from there by itself or was set: a
// clock that steps, forth or back, neither loses a value nor keeps a bucket open. What was drained is never handed
// over again. A bucket that is drained while it is open has a second part later: gauges of that part have the same
// time and replace those of the first part, since the intake keeps what arrives last, and counts have a later
// second (CountTimes), so that the intake adds them up.
//
// A sample with a time of its own is a point by itself, unless it is of a distribution, which is counted in the
// bucket of that time.
//
// Memory is charged to the account. From three quarters of `max_bytes` on, new tags of the name that has most of
// them are counted together, with the tag `cardinality:limited` alone, and from `max_bytes` on, or while the account
// has no room, new tags of every name, so that sums stay right. Then sets and points with a time of their own grow
// no more, and new names are dropped and counted once an eighth of `max_bytes` more is used.
//
// One thread.

#ifndef THAW_CC_METRICS_AGGREGATOR_H_
#define THAW_CC_METRICS_AGGREGATOR_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/container/inlined_vector.h"
#include "absl/hash/hash.h"
#include "absl/types/span.h"
#include "cc/base/byte_account.h"
#include "cc/base/declare_counts.h"
#include "cc/clock/clock.h"
#include "cc/metrics/count_times.h"
#include "cc/metrics/histogram_options.h"
#include "cc/metrics/histogram_values.h"
#include "cc/metrics/metric_points.h"
#include "cc/metrics/metric_sample.h"
#include "cc/metrics/tag_sets.h"
#include "cc/sketch/agent_sketch.h"

namespace thaw {

// X(name, what it counts)
#define THAW_AGGREGATOR_COUNTS(X)                                                                  \
  X(samples, "samples that were taken")                                                            \
  X(limited, "of them, those counted as cardinality:limited because there were too many new tags") \
  X(dropped, "samples for which there was no room at all")

struct AggregatorCounts {
  THAW_DECLARE_COUNTS(THAW_AGGREGATOR_COUNTS)
};

struct AggregatorOptions {
  size_t max_bytes = size_t{1} << 20;
  HistogramOptions histograms;
};

class Aggregator {
 public:
  enum class Scope {
    kClosed,  // buckets that are closed
    kAll,     // the open one, too
  };

  static constexpr std::string_view kLimitedTag = "cardinality:limited";

  // `clock` and `account` must outlive the aggregator.
  Aggregator(AggregatorOptions options, Clock& clock, ByteAccount& account);

  void Add(const MetricSample& sample, MetricOwner owner);
  // Hands the values of these buckets over and forgets them; metrics without further values are forgotten, too.
  void Drain(Scope scope, MetricPointTaker& taker);
  // Does the same in portions, between which samples may be added: they go to the next drain. A drain that has begun
  // must end before the next one begins. DrainSome() hands over the values of up to `most` metrics, and returns
  // whether there are more.
  void BeginDrain(Scope scope);
  bool DrainSome(size_t most, MetricPointTaker& taker);

  bool empty() const { return contexts_.empty() && draining_.empty(); }
  size_t contexts() const { return contexts_.size() + draining_.size(); }
  // Returns the number of metrics that a drain which has begun has yet to hand over.
  size_t to_drain() const { return draining_.size(); }
  // Returns the bytes that are charged.
  size_t bytes() const { return charge_.bytes(); }
  const AggregatorCounts& counts() const { return counts_; }

 private:
  using SetMembers = absl::flat_hash_set<std::string>;
  using Value = std::variant<double, std::unique_ptr<AgentSketch>, std::unique_ptr<HistogramValues>,
                             std::unique_ptr<SetMembers>>;
  struct Bucket {
    int64_t start;
    Value value;
  };
  struct Name {
    std::string text;
    size_t contexts = 0;
  };
  // Samples that have all of these in common are aggregated.
  struct Labels {
    std::string_view name;
    const TagSet& tags;
    MetricType type;
    MetricOwner owner;
    bool timed;
  };
  // The same of labels whose name and tags are known: there is one Name of each text, and one TagSet of each set, so
  // that addresses are compared instead of texts. Names and sets are few and stay in the processor's cache, unlike
  // the contexts.
  struct Key {
    const Name* name;
    const TagSet* tags;
    MetricType type;
    MetricOwner owner;
    bool timed;

    friend bool operator==(const Key&, const Key&) = default;
    template <typename H>
    friend H AbslHashValue(H state, const Key& key) {
      return H::combine(std::move(state), key.name, key.tags, key.type, key.owner, key.timed);
    }
  };
  struct Context {
    Name* name;
    std::shared_ptr<const TagSet> tags;
    MetricType type;
    MetricOwner owner;
    bool timed;
    absl::InlinedVector<Bucket, 1> buckets;  // the newest values in the last

    Key key() const {
      return {.name = name, .tags = tags.get(), .type = type, .owner = owner, .timed = timed};
    }
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(const Key& key) const { return absl::HashOf(key); }
    size_t operator()(const std::unique_ptr<Context>& context) const { return absl::HashOf(context->key()); }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const std::unique_ptr<Context>& context, const Key& key) const {
      return context->key() == key;
    }
    bool operator()(const std::unique_ptr<Context>& a, const std::unique_ptr<Context>& b) const {
      return a == b;
    }
  };
  using Contexts = absl::flat_hash_set<std::unique_ptr<Context>, Hash, Equal>;

  void AddAs(const Labels& labels, const MetricSample& sample, int64_t bucket);
  // Returns null if there is none.
  Context* Find(const Labels& labels);
  // Returns null if there is no room.
  Context* FindOrMake(const Labels& labels);
  Context* Make(const Labels& labels);
  Name& NameOf(std::string_view text);
  // Returns whether the metric may have tags of its own.
  bool MayBeNew(const Labels& labels);
  void AddPoints(Context& context, const MetricSample& sample);
  void Count(Context& context, const MetricSample& sample, int64_t bucket);
  void CountMembers(SetMembers& members, std::string_view member);
  Value& ValueAt(Context& context, int64_t bucket);
  void Charge(size_t bytes) { charge_.Set(charge_.bytes() + bytes); }

  bool full() const { return charge_.bytes() >= options_.max_bytes; }
  // Returns the bytes that a metric and a value take.
  static size_t MemoryOf(const Context& context);
  static size_t MemoryOf(const Value& value);

  // Moves what is due in closed buckets from `contexts_` to `draining_`.
  void TakeClosed(int64_t open);
  void HandOver(const Context& context, MetricPointTaker& taker);
  void HandOverHistogram(const Context& context, MetricPointTaker& taker);
  int64_t TimeOf(const Context& context, SeriesType type, const Bucket& bucket);
  // Brings everything that follows from the contexts in line with them.
  void Recount();

  int64_t NowInSeconds() const;

  const AggregatorOptions options_;
  Clock& clock_;
  ByteCharge charge_;
  TagSets tag_sets_;
  absl::flat_hash_map<std::string, std::unique_ptr<Name>> names_;
  size_t most_contexts_ = 0;  // that a name has
  Contexts contexts_;
  Contexts draining_;        // what a drain that has begun has not handed over
  Contexts::iterator next_;  // of them
  TagSet tags_;              // of the sample that is being taken
  const TagSet limited_tags_;
  CountTimes count_times_;
  std::vector<SeriesPoint> points_;
  AggregatorCounts counts_;
};

}  // namespace thaw

#endif  // THAW_CC_METRICS_AGGREGATOR_H_
