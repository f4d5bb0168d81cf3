#include "cc/sketch/agent_sketch.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <utility>

namespace thaw {
namespace {

namespace field {
constexpr uint32_t kCount = 2;
constexpr uint32_t kMin = 3;
constexpr uint32_t kMax = 4;
constexpr uint32_t kAverage = 5;
constexpr uint32_t kSum = 6;
constexpr uint32_t kKeys = 7;
constexpr uint32_t kCounts = 8;
}  // namespace field

constexpr double kLogGamma = 0.015504186535965254;
// gamma^(1 - bias): values nearer to zero have the key of zero.
constexpr double kLeastIndexable = 9.94185408912145e-10;
constexpr uint32_t kFull = std::numeric_limits<uint32_t>::max();

bool KeyBelow(const AgentSketch::Bin& bin, int32_t key) { return bin.key < key; }

uint32_t SaturatedSum(uint32_t a, uint32_t b) { return a + std::min(b, kFull - a); }

// Keeps sums of finite numbers finite: the intake refuses others.
double FiniteSum(double a, double b) {
  constexpr double kMost = std::numeric_limits<double>::max();
  return std::clamp(a + b, -kMost, kMost);
}

// Returns the average of values when others, which are `part` of all and have the average `other`, join them.
double MovedAverage(double average, double other, double part) {
  const double moved = average + (other * part - average * part);
  // The difference of two large numbers of different signs may exceed the range of numbers.
  return std::isfinite(moved) ? moved : average * (1 - part) + other * part;
}

void AppendVarint(ProtobufWriter& out, uint32_t value) {
  char bytes[5];
  size_t size = 0;
  while (value >= 0x80) {
    bytes[size++] = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  bytes[size++] = static_cast<char>(value);
  out.Raw({bytes, size});
}

uint32_t ZigZag(int32_t value) {
  return (static_cast<uint32_t>(value) << 1) ^ static_cast<uint32_t>(value >> 31);
}

}  // namespace

int32_t AgentSketch::KeyOf(double value) {
  const double magnitude = std::abs(value);
  if (!(magnitude >= kLeastIndexable)) return 0;
  const double key = std::rint(std::log(magnitude) / kLogGamma) + kBias;
  const int32_t clamped = static_cast<int32_t>(std::clamp<double>(key, 1, kMaxKey));
  return value < 0 ? -clamped : clamped;
}

double AgentSketch::ValueOf(int32_t key) {
  if (key == 0) return 0;
  const int32_t magnitude = std::abs(key);
  const double value = magnitude >= kMaxKey ? std::numeric_limits<double>::infinity()
                                            : std::exp((magnitude - kBias) * kLogGamma);
  return key < 0 ? -value : value;
}

void AgentSketch::Insert(double value, double weight, bool may_grow) {
  if (weight == 1) return InsertTimes(value, 1, may_grow);
  weight += rest_;
  const double times = std::clamp<double>(std::rint(weight), 0, kFull);
  rest_ = std::clamp(weight - times, -0.5, 0.5);
  if (times > 0) InsertTimes(value, static_cast<uint32_t>(times), may_grow);
}

void AgentSketch::InsertTimes(double value, uint32_t times, bool may_grow) {
  times = Count(KeyOf(value), times, may_grow);
  if (times == 0) return;
  min_ = count_ == 0 ? value : std::min(min_, value);
  max_ = count_ == 0 ? value : std::max(max_, value);
  count_ += times;
  const double part = static_cast<double>(times) / static_cast<double>(count_);
  average_ = MovedAverage(average_, value, part);
  sum_ = FiniteSum(sum_, value * times);
}

uint32_t AgentSketch::Count(int32_t key, uint32_t times, bool may_grow) {
  auto bin = std::lower_bound(bins_.begin(), bins_.end(), key, KeyBelow);
  const bool kept_apart = bin != bins_.begin() || bins_.size() < kMaxBins;
  if (!kept_apart) key = bin->key;
  if (!may_grow && !bins_.empty() && bins_.size() == bins_.capacity()) {
    if (bin == bins_.end()) --bin;
    key = bin->key;
  }
  if (bin == bins_.end() || bin->key != key) {
    bins_.insert(bin, {.key = key, .count = times});
    Trim();
    return times;
  }
  times = std::min(times, kFull - bin->count);
  bin->count += times;
  return times;
}

void AgentSketch::Trim() {
  if (bins_.size() <= kMaxBins) return;
  const auto kept = bins_.end() - kMaxBins;
  for (auto bin = bins_.begin(); bin != kept; ++bin) kept->count = SaturatedSum(kept->count, bin->count);
  bins_.erase(bins_.begin(), kept);
}

void AgentSketch::Merge(const AgentSketch& other) {
  if (other.count_ == 0) return;
  std::vector<Bin> merged;
  merged.reserve(std::max(bins_.size(), other.bins_.size()));
  auto mine = bins_.begin();
  auto theirs = other.bins_.begin();
  while (mine != bins_.end() && theirs != other.bins_.end()) {
    if (mine->key == theirs->key) {
      merged.push_back({.key = mine->key, .count = SaturatedSum(mine->count, theirs->count)});
      ++mine;
      ++theirs;
    } else {
      merged.push_back(mine->key < theirs->key ? *mine++ : *theirs++);
    }
  }
  merged.insert(merged.end(), mine, bins_.end());
  merged.insert(merged.end(), theirs, other.bins_.end());
  const double min = count_ == 0 ? other.min_ : std::min(min_, other.min_);
  const double max = count_ == 0 ? other.max_ : std::max(max_, other.max_);
  bins_ = std::move(merged);
  Trim();
  min_ = min;
  max_ = max;
  const int64_t more = other.count_;
  count_ += more;
  const double part = static_cast<double>(more) / static_cast<double>(count_);
  average_ = MovedAverage(average_, other.average_, part);
  sum_ = FiniteSum(sum_, other.sum_);
}

double AgentSketch::Quantile(double q) const {
  if (count_ == 0) return 0;
  const double rank = q * static_cast<double>(count_ - 1);
  double below = 0;
  for (const Bin& bin : bins_) {
    below += bin.count;
    if (below > rank) return std::clamp(ValueOf(bin.key), min_, max_);
  }
  return max_;
}

void AgentSketch::Encode(ProtobufWriter& out) const {
  out.Varint(field::kCount, static_cast<uint64_t>(count_));
  out.Double(field::kMin, min_);
  out.Double(field::kMax, max_);
  out.Double(field::kAverage, average_);
  out.Double(field::kSum, sum_);
  // Several bins for a key, as the Agent makes them, unless that would be more bins than a sketch may have.
  size_t bins = 0;
  for (const Bin& bin : bins_) bins += (size_t{bin.count} + kMaxBinCount - 1) / kMaxBinCount;
  const uint32_t most = bins <= kMaxBins ? kMaxBinCount : kFull;
  const auto for_each_bin = [this, most](auto visit) {
    for (const Bin& bin : bins_)
      for (uint32_t left = bin.count; left > 0; left -= std::min(left, most))
        visit(bin.key, std::min(left, most));
  };
  const size_t keys = out.BeginMessage(field::kKeys);
  for_each_bin([&out](int32_t key, uint32_t) { AppendVarint(out, ZigZag(key)); });
  out.EndMessage(keys);
  const size_t counts = out.BeginMessage(field::kCounts);
  for_each_bin([&out](int32_t, uint32_t count) { AppendVarint(out, count); });
  out.EndMessage(counts);
}

}  // namespace thaw
