#include "cc/metrics/aggregator.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace thaw {
namespace {

// Bytes of a name or a member of a set in its table.
constexpr size_t kBookkeeping = 48;

int64_t BucketOf(int64_t seconds) {
  int64_t within = seconds % CountTimes::kInterval;
  if (within < 0) within += CountTimes::kInterval;
  return seconds - within;
}

// Keeps sums of finite numbers finite: the intake refuses others.
void AddFinite(double& sum, double value) {
  constexpr double kMost = std::numeric_limits<double>::max();
  sum = std::clamp(sum + value, -kMost, kMost);
}

// Moves unwanted buckets behind the others and keeps the order of both. Returns how many are wanted. Without memory
// on the heap, since there are few buckets.
template <typename Buckets, typename Wanted>
size_t Partition(Buckets& buckets, Wanted wanted) {
  auto end_of_wanted = buckets.begin();
  for (auto bucket = buckets.begin(); bucket != buckets.end(); ++bucket)
    if (wanted(*bucket)) std::rotate(end_of_wanted++, bucket, bucket + 1);
  return end_of_wanted - buckets.begin();
}

}  // namespace

Aggregator::Aggregator(AggregatorOptions options, Clock& clock, ByteAccount& account)
    : options_(std::move(options)), clock_(clock), charge_(&account), limited_tags_({kLimitedTag}) {}

int64_t Aggregator::NowInSeconds() const { return absl::ToUnixSeconds(clock_.Now().wall); }

// -- Taking samples ----------------------------------------------------------------------------------------

void Aggregator::Add(const MetricSample& sample, MetricOwner owner) {
  ++counts_.samples;
  if (sample.values.empty() && sample.type != MetricType::kSet) return;
  if (sample.tag_set == nullptr) tags_.Assign(sample.tags);
  const TagSet& tags = sample.tag_set != nullptr ? *sample.tag_set : tags_;
  const bool timed =
      sample.time.has_value() && (sample.type == MetricType::kCount || sample.type == MetricType::kGauge);
  const int64_t bucket = sample.time.has_value()       ? BucketOf(absl::ToUnixSeconds(*sample.time))
                         : sample.received.has_value() ? BucketOf(absl::ToUnixSeconds(*sample.received))
                                                       : BucketOf(NowInSeconds());
  AddAs({.name = sample.name, .tags = tags, .type = sample.type, .owner = owner, .timed = timed}, sample,
        bucket);
  if (sample.type != MetricType::kHistogram || !options_.histograms.copy_to_distribution) return;
  const std::string name = absl::StrCat(options_.histograms.distribution_prefix, sample.name);
  AddAs({.name = name, .tags = tags, .type = MetricType::kDistribution, .owner = owner, .timed = false},
        sample, bucket);
}

void Aggregator::AddAs(const Labels& labels, const MetricSample& sample, int64_t bucket) {
  Context* const context = FindOrMake(labels);
  if (context == nullptr) {
    ++counts_.dropped;
  } else if (context->timed) {
    AddPoints(*context, sample);
  } else {
    Count(*context, sample, bucket);
  }
}

Aggregator::Context* Aggregator::Find(const Labels& labels) {
  const auto name = names_.find(labels.name);
  if (name == names_.end()) return nullptr;
  const TagSet* const tags = tag_sets_.Find(labels.tags);
  if (tags == nullptr) return nullptr;
  const auto context = contexts_.find(Key{.name = name->second.get(),
                                          .tags = tags,
                                          .type = labels.type,
                                          .owner = labels.owner,
                                          .timed = labels.timed});
  return context != contexts_.end() ? context->get() : nullptr;
}

Aggregator::Context* Aggregator::FindOrMake(const Labels& labels) {
  if (Context* const found = Find(labels)) return found;
  if (MayBeNew(labels)) return Make(labels);
  const Labels limited = {.name = labels.name,
                          .tags = limited_tags_,
                          .type = labels.type,
                          .owner = labels.owner,
                          .timed = labels.timed};
  Context* const of_name = Find(limited);
  // Some more bytes are allowed for the metric of each name that counts the limited tags together.
  const bool spare = charge_.bytes() < options_.max_bytes + options_.max_bytes / 8;
  if (of_name == nullptr && !spare) return nullptr;
  ++counts_.limited;
  return of_name != nullptr ? of_name : Make(limited);
}

bool Aggregator::MayBeNew(const Labels& labels) {
  const size_t bytes = sizeof(Context) + labels.name.size() + kBookkeeping + labels.tags.text_bytes();
  if (charge_.bytes() + bytes > options_.max_bytes) return false;
  if (charge_.bytes() > options_.max_bytes / 4 * 3 && most_contexts_ > 1) {
    const auto name = names_.find(labels.name);
    if (name != names_.end() && name->second->contexts >= most_contexts_) return false;
  }
  // The account may be full of data that could not be delivered.
  ByteCharge room(charge_.account());
  return room.Grow(bytes).ok();
}

Aggregator::Name& Aggregator::NameOf(std::string_view text) {
  const auto found = names_.find(text);
  if (found != names_.end()) return *found->second;
  auto name = std::make_unique<Name>(Name{.text = std::string(text)});
  Name& made = *name;
  names_.emplace(made.text, std::move(name));
  Charge(sizeof(Name) + 2 * text.size() + kBookkeeping);
  return made;
}

Aggregator::Context* Aggregator::Make(const Labels& labels) {
  Name& name = NameOf(labels.name);
  const size_t before = tag_sets_.memory();
  auto made = std::make_unique<Context>(Context{.name = &name,
                                                .tags = tag_sets_.Intern(labels.tags),
                                                .type = labels.type,
                                                .owner = labels.owner,
                                                .timed = labels.timed});
  Context* const context = made.get();
  most_contexts_ = std::max(most_contexts_, ++name.contexts);
  contexts_.insert(std::move(made));
  Charge(sizeof(Context) + kBookkeeping + tag_sets_.memory() - before);
  return context;
}

void Aggregator::AddPoints(Context& context, const MetricSample& sample) {
  const int64_t time = absl::ToUnixSeconds(*sample.time);
  for (const double value : sample.values) {
    if (full()) {
      ++counts_.dropped;
      return;
    }
    double weighted = 0;
    AddFinite(weighted, context.type == MetricType::kCount ? value * sample.weight : value);
    const size_t before = context.buckets.capacity();
    context.buckets.push_back({.start = time, .value = weighted});
    Charge((context.buckets.capacity() - before) * sizeof(Bucket));
  }
}

Aggregator::Value& Aggregator::ValueAt(Context& context, int64_t bucket) {
  if (!context.buckets.empty() && context.buckets.back().start == bucket) return context.buckets.back().value;
  // A clock that is set back returns to buckets that have values already.
  const auto known = std::find_if(context.buckets.begin(), context.buckets.end(),
                                  [bucket](const Bucket& each) { return each.start == bucket; });
  if (known != context.buckets.end()) return known->value;
  Bucket made{.start = bucket, .value = 0.0};
  if (context.type == MetricType::kDistribution) made.value = std::make_unique<AgentSketch>();
  if (context.type == MetricType::kHistogram) made.value = std::make_unique<HistogramValues>();
  if (context.type == MetricType::kSet) made.value = std::make_unique<SetMembers>();
  const size_t before = context.buckets.capacity();
  context.buckets.push_back(std::move(made));
  Charge(MemoryOf(context.buckets.back().value) + (context.buckets.capacity() - before) * sizeof(Bucket));
  return context.buckets.back().value;
}

void Aggregator::Count(Context& context, const MetricSample& sample, int64_t bucket) {
  Value& value = ValueAt(context, bucket);
  switch (context.type) {
    case MetricType::kCount:
      for (const double each : sample.values) AddFinite(std::get<double>(value), each * sample.weight);
      return;
    case MetricType::kGauge:
      value = sample.values.back();
      return;
    case MetricType::kDistribution: {
      AgentSketch& sketch = *std::get<std::unique_ptr<AgentSketch>>(value);
      const size_t before = sketch.memory();
      for (const double each : sample.values) sketch.Insert(each, sample.weight, /*may_grow=*/!full());
      if (sketch.memory() != before) Charge(sketch.memory() - before);
      return;
    }
    case MetricType::kHistogram: {
      HistogramValues& histogram = *std::get<std::unique_ptr<HistogramValues>>(value);
      const size_t before = histogram.memory();
      for (const double each : sample.values) histogram.Add(each, sample.weight, /*may_grow=*/!full());
      // Memory shrinks where single values become a sketch.
      charge_.Set(charge_.bytes() + histogram.memory() - before);
      return;
    }
    case MetricType::kSet:
      CountMembers(*std::get<std::unique_ptr<SetMembers>>(value), sample.member);
      return;
  }
}

void Aggregator::CountMembers(SetMembers& members, std::string_view member) {
  if (members.contains(member)) return;
  if (full()) {
    ++counts_.dropped;
    return;
  }
  members.emplace(member);
  Charge(kBookkeeping + member.size());
}

// -- Memory ------------------------------------------------------------------------------------------------

size_t Aggregator::MemoryOf(const Value& value) {
  if (const auto* sketch = std::get_if<std::unique_ptr<AgentSketch>>(&value))
    return sizeof(AgentSketch) + (*sketch)->memory();
  if (const auto* histogram = std::get_if<std::unique_ptr<HistogramValues>>(&value))
    return sizeof(HistogramValues) + (*histogram)->memory();
  size_t bytes = 0;
  if (const auto* members = std::get_if<std::unique_ptr<SetMembers>>(&value)) {
    bytes = sizeof(SetMembers);
    for (const std::string& member : **members) bytes += kBookkeeping + member.size();
  }
  return bytes;
}

size_t Aggregator::MemoryOf(const Context& context) {
  size_t bytes = sizeof(Context) + kBookkeeping;
  if (context.buckets.capacity() > 1) bytes += (context.buckets.capacity() - 1) * sizeof(Bucket);
  for (const Bucket& bucket : context.buckets) bytes += MemoryOf(bucket.value);
  return bytes;
}

void Aggregator::Recount() {
  for (auto& [text, name] : names_) name->contexts = 0;
  size_t bytes = 0;
  most_contexts_ = 0;
  for (const std::unique_ptr<Context>& context : contexts_) {
    bytes += MemoryOf(*context);
    most_contexts_ = std::max(most_contexts_, ++context->name->contexts);
  }
  absl::erase_if(names_, [](const auto& entry) { return entry.second->contexts == 0; });
  for (const auto& [text, name] : names_) bytes += sizeof(Name) + 2 * text.size() + kBookkeeping;
  tag_sets_.FreeUnused();
  bytes += tag_sets_.memory();
  if (contexts_.empty()) {
    contexts_ = {};
    names_ = {};
    points_ = {};
    tags_ = TagSet();
  }
  charge_.Set(bytes);
}

// -- Flushes -----------------------------------------------------------------------------------------------

void Aggregator::Drain(Scope scope, MetricPointTaker& taker) {
  BeginDrain(scope);
  DrainSome(contexts(), taker);
}

void Aggregator::BeginDrain(Scope scope) {
  if (contexts_.empty()) return;
  const int64_t now = NowInSeconds();
  count_times_.BeginFlush(now);
  if (scope == Scope::kAll) {
    draining_ = std::exchange(contexts_, {});
  } else {
    TakeClosed(BucketOf(now));
  }
  next_ = draining_.begin();
}

void Aggregator::TakeClosed(int64_t open) {
  for (auto each = contexts_.begin(); each != contexts_.end();) {
    const auto at = each++;
    Context& context = **at;
    size_t due = context.buckets.size();
    if (!context.timed)
      due = Partition(context.buckets, [open](const Bucket& bucket) { return bucket.start != open; });
    if (due == 0) continue;
    if (due == context.buckets.size()) {
      draining_.insert(contexts_.extract(at));
      continue;
    }
    auto part = std::make_unique<Context>(Context{.name = context.name,
                                                  .tags = context.tags,
                                                  .type = context.type,
                                                  .owner = context.owner,
                                                  .timed = context.timed});
    const auto end = context.buckets.begin() + static_cast<std::ptrdiff_t>(due);
    part->buckets.assign(std::make_move_iterator(context.buckets.begin()), std::make_move_iterator(end));
    context.buckets.erase(context.buckets.begin(), end);
    draining_.insert(std::move(part));
  }
}

bool Aggregator::DrainSome(size_t most, MetricPointTaker& taker) {
  if (draining_.empty()) return false;
  for (; most > 0 && next_ != draining_.end(); --most) {
    const auto at = next_++;
    HandOver(**at, taker);
    // Values are often most of the memory, and their encoded form needs room.
    charge_.Set(charge_.bytes() - std::min(charge_.bytes(), MemoryOf(**at)));
    draining_.erase(at);
  }
  if (!draining_.empty()) return true;
  draining_ = {};
  Recount();
  return false;
}

int64_t Aggregator::TimeOf(const Context& context, SeriesType type, const Bucket& bucket) {
  if (context.timed || type == SeriesType::kGauge) return bucket.start;
  return count_times_.Of(bucket.start);
}

void Aggregator::HandOver(const Context& context, MetricPointTaker& taker) {
  const MetricLabel label{.name = context.name->text, .tags = *context.tags, .owner = context.owner};
  const absl::Span<const Bucket> buckets(context.buckets);
  points_.clear();
  switch (context.type) {
    case MetricType::kCount:
    case MetricType::kGauge: {
      const SeriesType type = context.type == MetricType::kCount ? SeriesType::kCount : SeriesType::kGauge;
      for (const Bucket& bucket : buckets)
        points_.push_back({.time = TimeOf(context, type, bucket), .value = std::get<double>(bucket.value)});
      return taker.TakeSeries(label, type, points_);
    }
    case MetricType::kSet:
      for (const Bucket& bucket : buckets)
        points_.push_back(
            {.time = bucket.start,
             .value = static_cast<double>(std::get<std::unique_ptr<SetMembers>>(bucket.value)->size())});
      return taker.TakeSeries(label, SeriesType::kGauge, points_);
    case MetricType::kHistogram:
      return HandOverHistogram(context, taker);
    case MetricType::kDistribution: {
      absl::InlinedVector<SketchPoint, 8> sketches;
      for (const Bucket& bucket : buckets)
        sketches.push_back(
            {.time = bucket.start, .sketch = std::get<std::unique_ptr<AgentSketch>>(bucket.value).get()});
      return taker.TakeSketches(label, sketches);
    }
  }
}

void Aggregator::HandOverHistogram(const Context& context, MetricPointTaker& taker) {
  const absl::Span<const Bucket> buckets(context.buckets);
  const auto hand_over = [&](std::string_view suffix, SeriesType type, auto value_of) {
    points_.clear();
    for (const Bucket& bucket : buckets)
      points_.push_back({.time = TimeOf(context, type, bucket),
                         .value = value_of(*std::get<std::unique_ptr<HistogramValues>>(bucket.value))});
    const std::string name = absl::StrCat(context.name->text, suffix);
    taker.TakeSeries({.name = name, .tags = *context.tags, .owner = context.owner}, type, points_);
  };
  for (const HistogramAggregate aggregate : options_.histograms.aggregates) {
    // The number of values is a rate: pkg/metrics/histogram.go of github.com/DataDog/datadog-agent.
    const bool is_rate = aggregate == HistogramAggregate::kCount;
    const double divisor = is_rate ? CountTimes::kInterval : 1;
    hand_over(SuffixOf(aggregate), is_rate ? SeriesType::kRate : SeriesType::kGauge,
              [=](const HistogramValues& values) { return values.Aggregate(aggregate) / divisor; });
  }
  for (const int percent : options_.histograms.percentiles)
    hand_over(absl::StrCat(".", percent, "percentile"), SeriesType::kGauge,
              [percent](const HistogramValues& values) { return values.Percentile(percent); });
}

}  // namespace thaw
