// The reader of a request and the writer of its payload are one class: each field is written as it is read, and
// taken back if it can't be read.

#include "cc/stats/stats_payload.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cc/base/msgpack_reader.h"
#include "cc/base/msgpack_scalars.h"
#include "cc/base/msgpack_writer.h"
#include "cc/base/utf8.h"

namespace thaw {
namespace {

enum class Type {
  kString,
  kUnsigned,
  kUnsigned32,
  kSigned,
  kHash,  // 64 bits, which some tracers write with a sign
  kBool,
  kSketch,
  kStrings,
};

struct Field {
  std::string_view key;
  Type type;
  bool required = false;
};

// Fields of a ClientStatsPayload; Hostname and Stats are written apart.
constexpr Field kPayloadFields[] = {
    {"Env", Type::kString},
    {"Version", Type::kString},
    {"Lang", Type::kString},
    {"TracerVersion", Type::kString},
    {"RuntimeID", Type::kString},
    {"Sequence", Type::kUnsigned},
    {"AgentAggregation", Type::kString},
    {"Service", Type::kString},
    {"ContainerID", Type::kString},
    {"Tags", Type::kStrings},
    {"GitCommitSha", Type::kString},
    {"ImageTag", Type::kString},
    {"ProcessTagsHash", Type::kHash},
    {"ProcessTags", Type::kString},
};

// Fields of a ClientStatsBucket except for Stats.
constexpr Field kBucketFields[] = {
    {"Start", Type::kUnsigned, true},
    {"Duration", Type::kUnsigned, true},
    {"AgentTimeShift", Type::kSigned},
};

// Fields of a ClientGroupedStats.
constexpr Field kGroupFields[] = {
    {"Service", Type::kString, true},
    {"Name", Type::kString, true},
    {"Resource", Type::kString, true},
    {"HTTPStatusCode", Type::kUnsigned32, true},
    {"Type", Type::kString},
    {"DBType", Type::kString},
    {"Hits", Type::kUnsigned, true},
    {"Errors", Type::kUnsigned, true},
    {"Duration", Type::kUnsigned, true},
    {"OkSummary", Type::kSketch, true},
    {"ErrorSummary", Type::kSketch, true},
    {"Synthetics", Type::kBool, true},
    {"TopLevelHits", Type::kUnsigned, true},
    {"SpanKind", Type::kString},
    {"PeerTags", Type::kStrings},
    {"IsTraceRoot", Type::kUnsigned32},
    {"GRPCStatusCode", Type::kString},
    {"HTTPMethod", Type::kString},
    {"HTTPEndpoint", Type::kString},
    {"srv_src", Type::kString},
    {"SpanDerivedPrimaryTags", Type::kStrings},
    {"AdditionalMetricTags", Type::kStrings},
};

template <size_t n>
size_t IndexOf(const Field (&fields)[n], std::string_view key) {
  for (size_t i = 0; i < n; ++i)
    if (fields[i].key == key) return i;
  return n;
}

}  // namespace

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
  // No honest group or list of tags comes near to this.
  static constexpr uint64_t kMostValuesOfAGroup = 32'768;
  static constexpr uint32_t kMostStrings = 16'384;

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
    return problem_.empty() ? reader_.error() : absl::InvalidArgumentError(problem_);
  }
  // False. Only the first problem is ever told, so that no other costs a text.
  template <typename... Parts>
  bool Problem(const Parts&... parts) {
    if (payload_.first_problem_.empty()) problem_ = absl::StrCat(parts...);
    return false;
  }

  Progress BeginPayload() {
    size_t& stats = nested_;
    const Progress progress = Index(kPayloadFields, payload_positions_, "Stats", stats, keys_);
    if (progress != Progress::kDone) return progress;
    if (!reader_.at_end()) {
      Problem("at byte ", reader_.position(), ": ", reader_.bytes_left(), " bytes follow the end of the map");
      return Progress::kFailed;
    }
    writer_.Map(2 + Present(payload_positions_));
    writer_.String("Hostname");
    writer_.String("");
    if (!Fields(kPayloadFields, payload_positions_)) return Progress::kFailed;
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
    const Progress progress = Index(kBucketFields, bucket_positions_, "Stats", groups, keys_);
    if (progress == Progress::kMore) return progress;
    bool good = progress == Progress::kDone;
    if (good && groups == kAbsent) good = Problem("at byte ", buckets_.input, ": a bucket without Stats");
    if (good) {
      writer_.Map(1 + Present(bucket_positions_));
      good = Fields(kBucketFields, bucket_positions_);
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
    std::array<size_t, std::size(kGroupFields)> positions;
    size_t unused = kAbsent;
    Keys keys;
    const uint64_t work = std::exchange(work_, kMostValuesOfAGroup);
    const Progress progress = Index(kGroupFields, positions, "", unused, keys);
    const uint64_t used = kMostValuesOfAGroup - work_;
    work_ = work - std::min(work, used);
    if (progress == Progress::kMore) {
      return Problem("at byte ", groups_.input, ": a group of more than ", kMostValuesOfAGroup, " values");
    }
    if (progress == Progress::kFailed) return false;
    writer_.Map(Present(positions));
    return Fields(kGroupFields, positions);
  }

  // At `position`, where there is an array, a nil or, if absent, nothing.
  bool BeginList(List& list, size_t position) {
    uint32_t count = 0;
    if (position != kAbsent) {
      reader_.MoveTo(position);
      if (!reader_.TakeNil() && !ArrayHead(count)) return false;
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
    writer_.Truncate(list.output);
    payload_.counts_ = list.counts;
    ++left_out;
    problem_.clear();
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
  Progress Index(const Field (&fields)[n], std::array<size_t, n>& positions, std::string_view nested,
                 size_t& nested_position, Keys& keys) {
    if (!keys.begun) {
      positions.fill(kAbsent);
      nested_position = kAbsent;
      problem_.clear();
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
        } else if (const size_t i = IndexOf(fields, key); i < n) {
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
      Problem("before byte ", reader_.position(), ": ", fields[i].key, " is missing");
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
  bool Fields(const Field (&fields)[n], const std::array<size_t, n>& positions) {
    const size_t back = reader_.position();
    for (size_t i = 0; i < n; ++i) {
      if (positions[i] == kAbsent) continue;
      reader_.MoveTo(positions[i]);
      writer_.String(fields[i].key);
      if (!Value(fields[i].type)) return false;
    }
    reader_.MoveTo(back);
    return true;
  }

  bool Value(Type type) {
    switch (type) {
      case Type::kString:
        return String();
      case Type::kUnsigned:
      case Type::kUnsigned32:
      case Type::kSigned:
      case Type::kHash:
        return Integer(type);
      case Type::kBool: {
        bool value = false;
        uint64_t number = 0;
        if (!reader_.TakeNil() && !reader_.ReadBool(value)) {
          bool negative;
          if (!reader_.ReadInteger(number) && !ConvertToInteger(number, negative))
            return reader_.ReadBool(value);  // so that the error names a boolean
          value = number != 0;
        }
        writer_.Bool(value);
        return true;
      }
      case Type::kSketch:
        return Sketch();
      case Type::kStrings: {
        const size_t position = reader_.position();
        uint32_t count;
        if (!ArrayHead(count)) return false;
        if (count > kMostStrings) return Problem("at byte ", position, ": an array of ", count, " texts");
        writer_.Array(count);
        for (; count > 0; --count)
          if (!String()) return false;
        return true;
      }
    }
    return false;
  }

  bool Integer(Type type) {
    const size_t position = reader_.position();
    uint64_t value = 0;
    // -1 and the largest unsigned integer are read as the same bits; the first byte tells them apart.
    bool negative = static_cast<uint8_t>(body_[position]) >= 0xD0;
    if (!reader_.TakeNil() && !reader_.ReadInteger(value) && !ConvertToInteger(value, negative))
      return reader_.ReadInteger(value);
    const int64_t with_sign = static_cast<int64_t>(value);
    negative = negative && with_sign < 0;
    const bool fits = type == Type::kHash       ? true
                      : type == Type::kSigned   ? negative || with_sign >= 0
                      : type == Type::kUnsigned ? !negative
                                                : value <= std::numeric_limits<uint32_t>::max();
    if (!fits) {
      return Problem("at byte ", position, ": ", negative ? absl::StrCat(with_sign) : absl::StrCat(value),
                     " is out of range");
    }
    type == Type::kSigned ? writer_.Signed(with_sign) : writer_.Unsigned(value);
    return true;
  }

  // Converts a value that means an integer: a float without a fraction, or a number as text. Leaves the
  // reader before any other value.
  bool ConvertToInteger(uint64_t& value, bool& negative) {
    constexpr double kLowest = -9'223'372'036'854'775'808.0, kBeyond = 18'446'744'073'709'551'616.0;
    const size_t position = reader_.position();
    double number;
    std::string_view text;
    int64_t with_sign;
    negative = false;
    if (reader_.ReadNumber(number)) {
      if (number >= kLowest && number < kBeyond && std::trunc(number) == number) {
        negative = number < 0;
        value =
            negative ? static_cast<uint64_t>(static_cast<int64_t>(number)) : static_cast<uint64_t>(number);
        return true;
      }
    } else if (reader_.ReadString(text)) {
      if (absl::SimpleAtoi(text, &value)) return true;
      if (absl::SimpleAtoi(text, &with_sign)) {
        negative = true;
        value = static_cast<uint64_t>(with_sign);
        return true;
      }
    }
    reader_.MoveTo(position);
    return false;
  }

  // Reads the header of an array. An empty map counts as an empty array.
  bool ArrayHead(uint32_t& count) {
    const size_t position = reader_.position();
    if (reader_.ReadArray(count) || (reader_.ReadMap(count) && count == 0)) return true;
    reader_.MoveTo(position);
    return reader_.ReadArray(count);
  }

  bool String() {
    std::string_view text;
    std::string converted;
    if (!reader_.TakeNil() && !reader_.ReadString(text)) {
      if (!ReadScalarText(reader_, converted)) return reader_.ReadString(text);
      text = converted;
    }
    if (IsValidUtf8(text)) {
      writer_.String(text);
    } else {
      ++payload_.counts_.strings_repaired;
      writer_.String(RepairUtf8(text));
    }
    return true;
  }

  // Reads bytes, which some tracers write as an array of integers.
  bool Sketch() {
    const size_t position = reader_.position();
    std::string_view bytes;
    if (reader_.TakeNil() || reader_.ReadString(bytes)) {
      writer_.Binary(bytes);
      return true;
    }
    uint32_t count;
    if (!reader_.ReadArray(count)) {
      reader_.ReadString(bytes);  // so that the error names bytes
      return false;
    }
    std::string data;
    data.reserve(count);
    for (; count > 0; --count) {
      uint64_t byte;
      if (!reader_.ReadInteger(byte)) return false;
      if (byte > 0xFF) return Problem("at byte ", position, ": an array of bytes has ", byte, " in it");
      data.push_back(static_cast<char>(byte));
    }
    writer_.Binary(data);
    return true;
  }

  const std::string_view body_;
  MsgpackReader reader_;
  MsgpackWriter writer_;
  StatsPayload payload_;
  std::string problem_;  // a problem that the reader can't know

  Stage stage_ = Stage::kPayload;
  uint64_t work_ = 0;  // values that may still be read in this step
  Keys keys_;          // of the payload, then of the bucket
  std::array<size_t, std::size(kPayloadFields)> payload_positions_;
  std::array<size_t, std::size(kBucketFields)> bucket_positions_;
  size_t nested_ = kAbsent;  // where the list begins, of buckets or of groups
  List buckets_;
  List groups_;
  size_t bucket_end_ = 0;  // in the body
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
