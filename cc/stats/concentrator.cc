#include "cc/stats/concentrator.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "absl/log/log.h"
#include "absl/strings/ascii.h"
#include "absl/time/time.h"
#include "cc/base/msgpack_writer.h"
#include "cc/base/protobuf_writer.h"
#include "cc/base/utf8.h"
#include "cc/stats/stats_tags.h"

namespace thaw {
namespace {

constexpr int64_t kIntervalNs = 10'000'000'000;
// Spans of an interval may still come while the next one lasts.
constexpr int64_t kSettlesAfterNs = 2 * kIntervalNs;
// The agent's name for an environment without a name.
constexpr std::string_view kUnknownEnv = "unknown-env";

// About the bytes of a table's slots per entry, when the table is as empty as it gets.
template <typename Entry>
constexpr size_t kEntryBytes = 2 * sizeof(Entry);

int64_t AlignDown(int64_t time) { return time - time % kIntervalNs; }

int64_t IntervalAt(const Clock& clock) {
  return AlignDown(std::max<int64_t>(absl::ToUnixNanos(clock.Now().wall), 0));
}

uint64_t SaturatingSum(uint64_t a, uint64_t b) {
  return b > std::numeric_limits<uint64_t>::max() - a ? std::numeric_limits<uint64_t>::max() : a + b;
}

// A bit beside those of KeyValue: keys as a whole.
constexpr unsigned kWholeKeys = 16;

size_t Left(size_t limit, size_t used) { return limit - std::min(limit, used); }

ConcentratorOptions Normal(ConcentratorOptions options) {
  if (options.env.empty()) options.env = kUnknownEnv;
  options.env = RepairUtf8(options.env);
  options.version = RepairUtf8(options.version);
  options.service = RepairUtf8(absl::AsciiStrToLower(options.service));
  return options;
}

}  // namespace

Concentrator::Concentrator(ConcentratorOptions options, const Clock& clock)
    : options_(Normal(std::move(options))),
      clock_(clock),
      encoder_(options_.additional_tags),
      oldest_(std::max<int64_t>(IntervalAt(clock) - kIntervalNs, 0)),
      present_(IntervalAt(clock)) {}

void Concentrator::OnSpan(const TracerView& tracer, const SpanView& span) {
  const StatsTags tags = StatsTags::Of(span);
  if (!HasStats(span, tags)) {
    ++counts_.spans_without_stats;
    return;
  }
  Interval* const interval = Find(tracer, IntervalOf(span));
  if (interval == nullptr) {
    ++counts_.spans_left_out;
  } else if (CountByKey(span, tags, *interval)) {
    ++counts_.spans_counted;
  } else if (Count(interval->groups.find(encoder_.blocked_key()), encoder_.blocked_key(), span,
                   ReservedRoom(), *interval)) {
    ++counts_.spans_blocked;
  } else {
    ++counts_.spans_left_out;
  }
}

Concentrator::IntervalStart Concentrator::IntervalOf(const SpanView& span) {
  const int64_t begin = std::max<int64_t>(span.start, 0);
  const int64_t duration = std::max<int64_t>(span.duration, 0);
  IntervalStart start = AlignDown(begin + std::min(duration, std::numeric_limits<int64_t>::max() - begin));
  // The clock is read only for the first span of an interval.
  if (start > present_) present_ = IntervalAt(clock_);
  if (start > present_) {
    ++counts_.early_spans;
    start = present_;
  }
  if (start < oldest_) {
    ++counts_.late_spans;
    start = oldest_;
  }
  return start;
}

Concentrator::Interval* Concentrator::Find(const TracerView& tracer, IntervalStart start) {
  if (last_tracer_ == nullptr || !TracerEqual()(last_tracer_->first, tracer)) {
    auto found = tracers_.find(tracer);
    if (found == tracers_.end()) {
      if (ReservedRoom() == 0) return nullptr;
      found = tracers_.try_emplace(TracerName(tracer)).first;
    }
    last_tracer_ = &*found;
  }
  Intervals& intervals = last_tracer_->second;
  // Mostly the interval is the latest.
  if (const auto latest = intervals.rbegin(); latest != intervals.rend() && latest->first == start)
    return &latest->second;
  auto found = intervals.find(start);
  if (found == intervals.end()) {
    if (ReservedRoom() == 0) return nullptr;
    found = intervals.try_emplace(start, options_.max_additional_values).first;
    // Each interval is also charged with its tracer's name.
    found->second.bytes = kEntryBytes<Intervals::value_type> + sizeof(Tracers::value_type) +
                          tracer.language.size() + tracer.tracer_version.size() + tracer.runtime_id.size() +
                          tracer.container_id.size();
    bytes_ += found->second.bytes;
  }
  return &found->second;
}

size_t Concentrator::Room(const Interval& interval) const {
  return std::min(Left(options_.max_interval_bytes, interval.bytes),
                  Left(options_.max_bytes, bytes_.bytes()));
}

size_t Concentrator::ReservedRoom() const {
  return Left(options_.max_bytes + options_.max_bytes / 8, bytes_.bytes());
}

bool Concentrator::CountByKey(const SpanView& span, const StatsTags& tags, Interval& interval) {
  std::string_view key = encoder_.Encode(span, tags);
  auto found = interval.groups.find(key);
  if (found != interval.groups.end()) return Count(found, key, span, Room(interval), interval);

  const unsigned blocked = interval.limits.BlockedOf(span, tags, encoder_);
  if (blocked != 0) {
    WarnOfLimit(blocked);
    key = encoder_.Encode(span, tags, blocked);
    found = interval.groups.find(key);
  }
  const bool is_new = found == interval.groups.end();
  if (is_new && interval.groups.size() >= CardinalityLimits::kMaxKeys) {
    WarnOfLimit(kWholeKeys);
    return false;
  }
  if (!Count(found, key, span, Room(interval), interval)) return false;
  if (blocked != 0) ++counts_.values_blocked;
  if (is_new) {
    const size_t bytes = interval.limits.Admit(span, tags, encoder_, blocked);
    interval.bytes += bytes;
    bytes_ += bytes;
  }
  return true;
}

void Concentrator::WarnOfLimit(unsigned blocked) {
  const auto warn = [this, blocked](unsigned value, std::string_view what, size_t limit) {
    if ((blocked & ~warned_ & value) == 0) return;
    warned_ |= value;
    LOG(WARNING) << "stats: more than " << limit << " different " << what
                 << " in 10 s; further ones are counted as " << kBlockedValue;
  };
  warn(kResourceValue, "resources", CardinalityLimits::kMaxResources);
  warn(kEndpointValue, "HTTP endpoints", CardinalityLimits::kMaxEndpoints);
  warn(kPeersValue, "sets of peer tags", CardinalityLimits::kMaxPeers);
  warn(kAdditionalValue, "sets of additional tags", options_.max_additional_values);
  warn(kWholeKeys, "groups", CardinalityLimits::kMaxKeys);
}

bool Concentrator::Count(Groups::iterator found, std::string_view key, const SpanView& span, size_t room,
                         Interval& interval) {
  const size_t before = interval.bytes;
  if (found == interval.groups.end()) {
    const size_t needed = kEntryBytes<decltype(interval.groups)::value_type> + key.size();
    // The first duration comes with the group, so that no group is empty.
    if (needed + DDSketch::kFirstMemory > room) return false;
    found = interval.groups.try_emplace(std::string(key)).first;
    interval.bytes += needed;
    room -= needed;
  }
  Group& group = found->second;
  const uint64_t duration = std::max<int64_t>(span.duration, 0);
  DDSketch& durations = span.error != 0 ? group.error_durations : group.ok_durations;
  const size_t sketch_before = durations.memory();
  if (!durations.Insert(static_cast<double>(duration), room)) return false;
  // A sketch may also shrink.
  interval.bytes = interval.bytes - sketch_before + durations.memory();
  if (interval.bytes != before) {
    bytes_ -= before;
    bytes_ += interval.bytes;
  }
  ++group.hits;
  group.top_level_hits += span.top_level ? 1 : 0;
  group.errors += span.error != 0 ? 1 : 0;
  group.duration = SaturatingSum(group.duration, duration);
  return true;
}

absl::Status Concentrator::Flush(FlushScope scope, absl::FunctionRef<absl::Status(StatsPayload)> take) {
  const IntervalStart now = IntervalAt(clock_);
  if (scope == FlushScope::kSettled) oldest_ = std::max<int64_t>(now - kIntervalNs, 0);
  last_tracer_ = nullptr;
  for (auto tracer = tracers_.begin(); tracer != tracers_.end();) {
    Intervals& intervals = tracer->second;
    StatsPayload payload = Encode(tracer->first.view(), intervals, scope, now);
    if (!payload.empty()) {
      if (absl::Status status = take(std::move(payload)); !status.ok()) {
        ++counts_.payloads_refused;
        return status;
      }
    }
    Forget(intervals, scope, now);
    const auto done = tracer++;
    if (intervals.empty()) tracers_.erase(done);
  }
  return absl::OkStatus();
}

bool Concentrator::IsDue(IntervalStart start, FlushScope scope, IntervalStart now) {
  return scope == FlushScope::kAll || start <= now - kSettlesAfterNs || start > now;
}

class Concentrator::PayloadWriter {
 public:
  void Header(const TracerView& tracer, const ConcentratorOptions& options, int64_t intervals) {
    out_.Map(11);
    Text("Hostname", "");
    Text("Env", options.env);
    Text("Version", options.version);
    Text("Lang", RepairUtf8(tracer.language));
    Text("TracerVersion", RepairUtf8(tracer.tracer_version));
    Text("RuntimeID", RepairUtf8(tracer.runtime_id));
    Number("Sequence", 0);
    Text("AgentAggregation", "");
    Text("Service", options.service);
    Text("ContainerID", RepairUtf8(tracer.container_id));
    out_.String("Stats");
    out_.Array(static_cast<uint32_t>(intervals));
  }

  // `entries` is the number of entries that each key has in its group's map.
  void AddInterval(IntervalStart start, const Groups& groups, uint32_t entries) {
    out_.Map(3);
    Number("Start", static_cast<uint64_t>(start));
    Number("Duration", kIntervalNs);
    out_.String("Stats");
    out_.Array(static_cast<uint32_t>(groups.size()));
    for (const auto& [key, group] : groups) {
      out_.Map(entries + 6);
      out_.Raw(key);
      Number("Hits", group.hits);
      Number("TopLevelHits", group.top_level_hits);
      Number("Errors", group.errors);
      Number("Duration", group.duration);
      Durations("OkSummary", group.ok_durations);
      Durations("ErrorSummary", group.error_durations);
    }
  }

  std::string Take() { return out_.Take(); }

 private:
  void Text(std::string_view name, std::string_view value) {
    out_.String(name);
    out_.String(value);
  }
  void Number(std::string_view name, uint64_t value) {
    out_.String(name);
    out_.Unsigned(value);
  }
  void Durations(std::string_view name, const DDSketch& values) {
    sketch_.Truncate(0);
    values.Encode(sketch_);
    out_.String(name);
    out_.Binary(sketch_.bytes());
  }

  MsgpackWriter out_;
  ProtobufWriter sketch_;
};

StatsPayload Concentrator::Encode(const TracerView& tracer, const Intervals& intervals, FlushScope scope,
                                  IntervalStart now) const {
  StatsCounts counts;
  // An interval has no groups if there was no room for them.
  const auto is_sent = [&](const Intervals::value_type& interval) {
    return IsDue(interval.first, scope, now) && !interval.second.groups.empty();
  };
  for (const auto& interval : intervals) {
    if (!is_sent(interval)) continue;
    ++counts.buckets;
    counts.groups += static_cast<int64_t>(interval.second.groups.size());
  }
  PayloadWriter out;
  out.Header(tracer, options_, counts.buckets);
  for (const auto& interval : intervals) {
    if (is_sent(interval)) out.AddInterval(interval.first, interval.second.groups, encoder_.entries());
  }
  return StatsPayload(out.Take(), counts);
}

void Concentrator::Forget(Intervals& intervals, FlushScope scope, IntervalStart now) {
  for (auto interval = intervals.begin(); interval != intervals.end();) {
    const auto next = std::next(interval);
    if (IsDue(interval->first, scope, now)) {
      bytes_ -= interval->second.bytes;
      intervals.erase(interval);
    }
    interval = next;
  }
}

}  // namespace thaw
