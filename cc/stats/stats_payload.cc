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

class StatsTranscoder {
 public:
  explicit StatsTranscoder(std::string_view body) : body_(body), reader_(body) {}

  absl::StatusOr<StatsPayload> Run() {
    std::array<size_t, std::size(kPayloadFields)> positions;
    size_t stats = kAbsent;
    if (!Index(kPayloadFields, positions, "Stats", stats)) return Refusal();
    if (!reader_.at_end())
      return absl::InvalidArgumentError(absl::StrCat(
          "at byte ", reader_.position(), ": ", reader_.bytes_left(), " bytes follow the end of the map"));
    writer_.Map(2 + Present(positions));
    writer_.String("Hostname");
    writer_.String("");
    if (!Fields(kPayloadFields, positions)) return Refusal();
    writer_.String("Stats");
    if (!Each(
            stats, [this] { return Bucket(); }, payload_.counts_.buckets, payload_.counts_.buckets_left_out))
      return Refusal();
    payload_.bytes_ = writer_.Take();
    return std::move(payload_);
  }

 private:
  static constexpr size_t kAbsent = std::numeric_limits<size_t>::max();

  absl::Status Refusal() const {
    return problem_.empty() ? reader_.error() : absl::InvalidArgumentError(problem_);
  }

  // Reads a map's keys and notes where their values begin, so that values can be written in a fixed order and
  // the last of a repeated key counts. A nil counts as a value for a required key, and as absent for others.
  // `nested` is a separate key.
  template <size_t n>
  bool Index(const Field (&fields)[n], std::array<size_t, n>& positions, std::string_view nested,
             size_t& nested_position) {
    positions.fill(kAbsent);
    problem_.clear();
    uint32_t count;
    if (!reader_.ReadMap(count)) return false;
    for (; count > 0; --count) {
      std::string_view key;
      if (!reader_.ReadString(key)) return false;
      const size_t position = reader_.position();
      const bool nil = reader_.TakeNil();
      if (!nested.empty() && key == nested) {
        nested_position = position;
      } else if (const size_t i = IndexOf(fields, key); i < n) {
        positions[i] = nil && !fields[i].required ? kAbsent : position;
      }
      if (!nil && !reader_.Skip()) return false;
    }
    for (size_t i = 0; i < n; ++i) {
      if (!fields[i].required || positions[i] != kAbsent) continue;
      problem_ = absl::StrCat("before byte ", reader_.position(), ": ", fields[i].key, " is missing");
      return false;
    }
    return true;
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
          if (!reader_.ReadInteger(number))
            return reader_.ReadBool(value);  // so that the error names a boolean
          value = number != 0;
        }
        writer_.Bool(value);
        return true;
      }
      case Type::kSketch:
        return Sketch();
      case Type::kStrings: {
        uint32_t count;
        if (!reader_.ReadArray(count)) return false;
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
      problem_ = absl::StrCat("at byte ", position, ": ",
                              negative ? absl::StrCat(with_sign) : absl::StrCat(value), " is out of range");
      return false;
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
      if (byte > 0xFF) {
        problem_ = absl::StrCat("at byte ", position, ": an array of bytes has ", byte, " in it");
        return false;
      }
      data.push_back(static_cast<char>(byte));
    }
    writer_.Binary(data);
    return true;
  }

  // Writes an array of maps at `position` with its length first; `write` writes each map or leaves it out.
  template <typename Write>
  bool Each(size_t position, Write write, int64_t& written, int64_t& left_out) {
    if (position == kAbsent) {
      writer_.Array(0);
      return true;
    }
    const size_t back = reader_.position();
    reader_.MoveTo(position);
    uint32_t count = 0;
    if (!reader_.TakeNil() && !reader_.ReadArray(count)) return false;
    // The length is known only afterwards: the array is written as if none was left out, and again if one
    // was.
    const size_t at_output = writer_.size();
    writer_.Array(count);
    const size_t header = writer_.size() - at_output;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; ++i) {
      const size_t at_input = reader_.position();
      const size_t before = writer_.size();
      const StatsCounts counts = payload_.counts_;
      if (write()) {
        ++kept;
        ++written;
        continue;
      }
      if (payload_.first_problem_.empty()) payload_.first_problem_ = std::string(Refusal().message());
      writer_.Truncate(before);
      payload_.counts_ = counts;
      ++left_out;
      problem_.clear();
      reader_.MoveTo(at_input);
      if (!reader_.Skip()) return false;
    }
    if (kept != count) {
      const std::string all = writer_.bytes().substr(at_output + header);
      writer_.Truncate(at_output);
      writer_.Array(kept);
      writer_.Raw(all);
    }
    reader_.MoveTo(back);
    return true;
  }

  bool Bucket() {
    std::array<size_t, std::size(kBucketFields)> positions;
    size_t groups = kAbsent;
    const size_t begin = reader_.position();
    if (!Index(kBucketFields, positions, "Stats", groups)) return false;
    if (groups == kAbsent) {
      problem_ = absl::StrCat("at byte ", begin, ": a bucket without Stats");
      return false;
    }
    writer_.Map(1 + Present(positions));
    if (!Fields(kBucketFields, positions)) return false;
    writer_.String("Stats");
    return Each(
        groups, [this] { return Group(); }, payload_.counts_.groups, payload_.counts_.groups_left_out);
  }

  bool Group() {
    std::array<size_t, std::size(kGroupFields)> positions;
    size_t unused;
    if (!Index(kGroupFields, positions, "", unused)) return false;
    writer_.Map(Present(positions));
    return Fields(kGroupFields, positions);
  }

  const std::string_view body_;
  MsgpackReader reader_;
  MsgpackWriter writer_;
  StatsPayload payload_;
  std::string problem_;  // a problem that the reader can't know
};

absl::StatusOr<StatsPayload> StatsPayload::FromMsgpack(std::string_view body) {
  return StatsTranscoder(body).Run();
}

}  // namespace thaw
