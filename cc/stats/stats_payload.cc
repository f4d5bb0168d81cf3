#include "cc/stats/stats_payload.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cc/base/msgpack_reader.h"
#include "cc/base/msgpack_scalars.h"
#include "cc/base/msgpack_writer.h"
#include "cc/stats/stats_fields.h"
#include "cc/stats/stats_values.h"

namespace thaw {
// Reads a body once for its structure, value by value, so that it can stop anywhere between two values; a
// group is read at one go, which is why its size is bounded.
class StatsTranscoder {
 public:
  explicit StatsTranscoder(std::string_view body) : body_(body), reader_(body) {}

  absl::StatusOr<bool> Step(uint64_t values) {
    work_ = values;
    while (true) {
      Progress progress = Progress::kDone;
      switch (stage_) {
        case Stage::kPayload:
          progress = BeginPayload();
          break;
        case Stage::kBuckets:
          progress = NextBucket();
          break;
        case Stage::kBucket:
          progress = BeginBucket();
          break;
        case Stage::kGroups:
          progress = Groups();
          break;
        case Stage::kSkipBucket:
          progress = SkipLeftOut(buckets_, Stage::kBuckets);
          break;
        case Stage::kSkipGroup:
          progress = SkipLeftOut(groups_, Stage::kGroups);
          break;
        case Stage::kDone:
          return true;
      }
      if (progress == Progress::kMore) return false;
      if (progress == Progress::kFailed) return Refusal();
    }
  }
  StatsPayload Take() {
    payload_.bytes_ = writer_.Take();
    return std::move(payload_);
  }

 private:
  static constexpr size_t kAbsent = std::numeric_limits<size_t>::max();
  // No honest group comes near to these.
  static constexpr uint64_t kMostValuesOfAGroup = 32'768;
  static constexpr size_t kMostBytesOfAGroup = size_t{1} << 20;
  // The most bytes of the payload's fields beside its buckets. Each part of a large payload repeats them.
  static constexpr size_t kMostBytesBeside = size_t{256} << 10;

  enum class Stage { kPayload, kBuckets, kBucket, kGroups, kSkipBucket, kSkipGroup, kDone };
  enum class Progress { kDone, kMore, kFailed };

  // A map whose keys are being read.
  struct Keys {
    bool begun = false;
    uint32_t left = 0;
    bool within_value = false;
    MsgpackReader::Skipping skipping;
  };
  // An array whose elements are written one by one, or left out.
  struct List {
    uint32_t left = 0;
    uint32_t count = 0;
    uint32_t kept = 0;
    size_t array_at = 0;  // in the output
    size_t header = 0;    // bytes
    size_t input = 0;     // of the element, in the body
    size_t output = 0;    // likewise
    StatsCounts counts;   // before the element
    MsgpackReader::Skipping skipping;
  };

  absl::Status Refusal() const {
    if (too_large_) {
      return absl::OutOfRangeError(absl::StrCat("the fields beside Stats take ", writer_.size(),
                                                " bytes; at most ", kMostBytesBeside, " are accepted"));
    }
    return values_.problem().empty() ? reader_.error() : absl::InvalidArgumentError(values_.problem());
  }

  Progress BeginPayload() {
    size_t& stats = nested_;
    const Progress progress = Index(kStatsPayloadFields, payload_positions_, "Stats", stats, keys_);
    if (progress != Progress::kDone) return progress;
    if (!reader_.at_end()) {
      values_.Problem("at byte ", reader_.position(), ": ", reader_.bytes_left(),
                      " bytes follow the end of the map");
      return Progress::kFailed;
    }
    writer_.Map(2 + Present(payload_positions_));
    writer_.String("Hostname");
    writer_.String("");
    if (!Fields(kStatsPayloadFields, payload_positions_)) return Progress::kFailed;
    if (writer_.size() > kMostBytesBeside) {
      too_large_ = true;
      return Progress::kFailed;
    }
    writer_.String("Stats");
    stage_ = Stage::kBuckets;
    return BeginList(buckets_, stats) ? Progress::kDone : Progress::kFailed;
  }

  Progress NextBucket() {
    if (buckets_.left == 0) {
      EndList(buckets_);
      stage_ = Stage::kDone;
      return Progress::kDone;
    }
    if (!BeginElement(buckets_)) return Progress::kMore;
    keys_ = Keys();
    stage_ = Stage::kBucket;
    return Progress::kDone;
  }

  Progress BeginBucket() {
    size_t& groups = nested_;
    const Progress progress = Index(kStatsBucketFields, bucket_positions_, "Stats", groups, keys_);
    if (progress == Progress::kMore) return progress;
    bool good = progress == Progress::kDone;
    if (good && groups == kAbsent)
      good = values_.Problem("at byte ", buckets_.input, ": a bucket without Stats");
    if (good) {
      writer_.Map(1 + Present(bucket_positions_));
      good = Fields(kStatsBucketFields, bucket_positions_);
    }
    if (good) {
      writer_.String("Stats");
      bucket_end_ = reader_.position();
      good = BeginList(groups_, groups);
    }
    if (good) {
      stage_ = Stage::kGroups;
    } else {
      LeaveOut(buckets_, payload_.counts_.buckets_left_out, Stage::kSkipBucket);
    }
    return Progress::kDone;
  }

  Progress Groups() {
    while (groups_.left > 0) {
      if (!BeginElement(groups_)) return Progress::kMore;
      if (!Group()) {
        LeaveOut(groups_, payload_.counts_.groups_left_out, Stage::kSkipGroup);
        return Progress::kDone;
      }
      ++groups_.kept;
      ++payload_.counts_.groups;
    }
    EndList(groups_);
    reader_.MoveTo(bucket_end_);
    ++buckets_.kept;
    ++payload_.counts_.buckets;
    stage_ = Stage::kBuckets;
    return Progress::kDone;
  }

  bool Group() {
    std::array<size_t, std::size(kStatsGroupFields)> positions;
    size_t unused = kAbsent;
    Keys keys;
    const uint64_t work = std::exchange(work_, kMostValuesOfAGroup);
    const Progress progress = Index(kStatsGroupFields, positions, "", unused, keys);
    const uint64_t used = kMostValuesOfAGroup - work_;
    work_ = work - std::min(work, used);
    if (progress == Progress::kMore) {
      return values_.Problem("at byte ", groups_.input, ": a group of more than ", kMostValuesOfAGroup,
                             " values");
    }
    if (progress == Progress::kFailed) return false;
    if (const size_t bytes = reader_.position() - groups_.input; bytes > kMostBytesOfAGroup) {
      return values_.Problem("at byte ", groups_.input, ": a group of ", bytes, " bytes, which is more than ",
                             kMostBytesOfAGroup);
    }
    writer_.Map(Present(positions));
    return Fields(kStatsGroupFields, positions);
  }

  // At `position`, where there is an array, a nil or, if absent, nothing.
  bool BeginList(List& list, size_t position) {
    uint32_t count = 0;
    if (position != kAbsent) {
      reader_.MoveTo(position);
      if (!reader_.TakeNil() && !values_.ReadArrayHead(count)) return false;
    }
    list.left = list.count = count;
    list.kept = 0;
    // The number is known only afterwards: written as if none was left out, and again if one was.
    list.array_at = writer_.size();
    writer_.Array(count);
    list.header = writer_.size() - list.array_at;
    return true;
  }
  // False: there was enough work for now.
  bool BeginElement(List& list) {
    if (work_ == 0) return false;
    --work_;
    --list.left;
    list.input = reader_.position();
    list.output = writer_.size();
    list.counts = payload_.counts_;
    return true;
  }
  void LeaveOut(List& list, int64_t& left_out, Stage skip) {
    if (payload_.first_problem_.empty()) payload_.first_problem_ = std::string(Refusal().message());
    values_.StopDescribing();
    writer_.Truncate(list.output);
    payload_.counts_ = list.counts;
    ++left_out;
    values_.ClearProblem();
    reader_.MoveTo(list.input);
    list.skipping.Reset();
    stage_ = skip;
  }
  Progress SkipLeftOut(List& list, Stage then) {
    const Progress progress = Skip(list.skipping);
    if (progress == Progress::kDone) stage_ = then;
    return progress;
  }
  void EndList(const List& list) {
    if (list.kept == list.count) return;
    const std::string all = writer_.bytes().substr(list.array_at + list.header);
    writer_.Truncate(list.array_at);
    writer_.Array(list.kept);
    writer_.Raw(all);
  }

  Progress Skip(MsgpackReader::Skipping& skipping) {
    const uint64_t before = skipping.begun() ? skipping.values() : 0;
    const MsgpackReader::Skipped skipped = reader_.SkipOn(skipping, work_);
    if (skipped == MsgpackReader::Skipped::kFailed) return Progress::kFailed;
    work_ -= std::min(work_, skipping.values() - before);
    return skipped == MsgpackReader::Skipped::kDone ? Progress::kDone : Progress::kMore;
  }

  // Reads a map's keys and notes where their values begin, so that values can be written in a fixed order and
  // the last of a repeated key counts. A nil counts as a value for a required key, and as absent for others.
  // `nested` is a separate key.
  template <size_t n>
  Progress Index(const StatsField (&fields)[n], std::array<size_t, n>& positions, std::string_view nested,
                 size_t& nested_position, Keys& keys) {
    if (!keys.begun) {
      positions.fill(kAbsent);
      nested_position = kAbsent;
      values_.ClearProblem();
      if (!reader_.ReadMap(keys.left)) return Progress::kFailed;
      keys.begun = true;
    }
    while (keys.within_value || keys.left > 0) {
      if (work_ == 0) return Progress::kMore;
      if (!keys.within_value) {
        --work_;
        --keys.left;
        std::string_view key;
        if (!reader_.ReadString(key)) {
          // No field has a number or a boolean as its key.
          std::string unknown;
          if (!ReadScalarText(reader_, unknown)) {
            reader_.ReadString(key);  // so that the error names a string
            return Progress::kFailed;
          }
        }
        const size_t position = reader_.position();
        const bool nil = reader_.TakeNil();
        if (!nested.empty() && key == nested) {
          nested_position = position;
        } else if (const size_t i = StatsFieldIndex(fields, key); i < n) {
          positions[i] = nil && !fields[i].required ? kAbsent : position;
        }
        if (nil) continue;
        keys.skipping.Reset();
        keys.within_value = true;
      }
      const Progress progress = Skip(keys.skipping);
      if (progress != Progress::kDone) return progress;
      keys.within_value = false;
    }
    for (size_t i = 0; i < n; ++i) {
      if (!fields[i].required || positions[i] != kAbsent) continue;
      values_.Problem("before byte ", reader_.position(), ": ", fields[i].key, " is missing");
      return Progress::kFailed;
    }
    return Progress::kDone;
  }

  template <size_t n>
  static uint32_t Present(const std::array<size_t, n>& positions) {
    return static_cast<uint32_t>(
        std::count_if(positions.begin(), positions.end(), [](size_t p) { return p != kAbsent; }));
  }

  // Writes the values that Index found.
  template <size_t n>
  bool Fields(const StatsField (&fields)[n], const std::array<size_t, n>& positions) {
    const size_t back = reader_.position();
    for (size_t i = 0; i < n; ++i) {
      if (positions[i] == kAbsent) continue;
      reader_.MoveTo(positions[i]);
      writer_.String(fields[i].key);
      if (!values_.Copy(fields[i].type)) return false;
    }
    reader_.MoveTo(back);
    return true;
  }

  const std::string_view body_;
  MsgpackReader reader_;
  MsgpackWriter writer_;
  StatsPayload payload_;
  StatsValues values_{body_, reader_, writer_, payload_.counts_};

  Stage stage_ = Stage::kPayload;
  uint64_t work_ = 0;  // values that may still be read in this step
  Keys keys_;          // of the payload, then of the bucket
  std::array<size_t, std::size(kStatsPayloadFields)> payload_positions_;
  std::array<size_t, std::size(kStatsBucketFields)> bucket_positions_;
  size_t nested_ = kAbsent;  // where the list begins, of buckets or of groups
  List buckets_;
  List groups_;
  size_t bucket_end_ = 0;  // in the body
  bool too_large_ = false;
};

StatsWork::StatsWork(std::string_view body) : transcoder_(std::make_unique<StatsTranscoder>(body)) {}
StatsWork::~StatsWork() = default;
absl::StatusOr<bool> StatsWork::Step(uint64_t values) { return transcoder_->Step(values); }
StatsPayload StatsWork::Take() { return transcoder_->Take(); }

absl::StatusOr<StatsPayload> StatsPayload::FromMsgpack(std::string_view body) {
  StatsTranscoder transcoder(body);
  const absl::StatusOr<bool> done = transcoder.Step(std::numeric_limits<uint64_t>::max());
  if (!done.ok()) return done.status();
  return transcoder.Take();
}

}  // namespace thaw
