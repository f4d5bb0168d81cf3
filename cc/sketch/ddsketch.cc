#include "cc/sketch/ddsketch.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

namespace thaw {
namespace {

namespace field {
constexpr uint32_t kMapping = 1;
constexpr uint32_t kPositiveValues = 2;
constexpr uint32_t kNegativeValues = 3;
constexpr uint32_t kZeroCount = 4;
// Fields of a mapping.
constexpr uint32_t kGamma = 1;
constexpr uint32_t kIndexOffset = 2;
// Fields of a store.
constexpr uint32_t kContiguousBinCounts = 2;
constexpr uint32_t kContiguousBinIndexOffset = 3;
}  // namespace field

// The least value whose bin holds only normal numbers.
constexpr double kLeastIndexable = std::numeric_limits<double>::min() * DDSketch::kGamma;

int32_t IndexOf(double value) {
  static const double kPerLogarithm = 1 / std::log(DDSketch::kGamma);
  value = std::min(value, std::numeric_limits<double>::max());
  return static_cast<int32_t>(std::floor(std::log(value) * kPerLogarithm + DDSketch::kIndexOffset));
}

void Add(uint32_t& bin, uint32_t count) {
  bin += std::min(count, std::numeric_limits<uint32_t>::max() - bin);
}

uint64_t ZigZag(int32_t value) {
  return (static_cast<uint32_t>(value) << 1) ^ static_cast<uint32_t>(value >> 31);
}

}  // namespace

bool DDSketch::Insert(double value, size_t room) {
  if (!(value >= kLeastIndexable)) {
    ++zero_count_;
    return true;
  }
  int32_t index = IndexOf(value);
  if (!Holds(index) && !Reach(index, room)) return false;
  Add(bins_[index - first_], 1);
  return true;
}

void DDSketch::Merge(const DDSketch& other) {
  zero_count_ += other.zero_count_;
  const std::optional<Range> used = other.Used();
  if (!used.has_value()) return;
  // Goes downwards: the highest bin decides how far down bins are kept, so that the result does not depend on
  // the order of insertions.
  for (int32_t from = used->high; from >= used->low; --from) {
    const uint32_t count = other.bins_[from - other.first_];
    if (count == 0) continue;
    int32_t index = from;
    if (!Holds(index)) Reach(index, kAnyRoom);
    Add(bins_[index - first_], count);
  }
}

std::optional<DDSketch::Range> DDSketch::Used() const {
  const auto in_use = [](uint32_t count) { return count != 0; };
  const auto low = std::find_if(bins_.begin(), bins_.end(), in_use);
  if (low == bins_.end()) return std::nullopt;
  const auto high = std::find_if(bins_.rbegin(), bins_.rend(), in_use);
  return Range{.low = first_ + static_cast<int32_t>(low - bins_.begin()),
               .high = first_ + static_cast<int32_t>(bins_.rend() - high) - 1};
}

bool DDSketch::Reach(int32_t& index, size_t room) {
  const std::optional<Range> used = Used();
  Range range = {.low = index, .high = index};
  if (used.has_value()) range = {std::min(index, used->low), std::max(index, used->high)};
  range.low = std::max(range.low, range.high - (kMaxBins - 1));
  index = std::max(index, range.low);
  if (Holds(index)) return true;

  constexpr int32_t kStep = kFirstMemory / sizeof(uint32_t);
  const int32_t width = range.high - range.low + 1;
  const int32_t size = std::min((width + width / 2 + kStep - 1) / kStep * kStep, kMaxBins);
  if (size > bins_.size() && (size - bins_.size()) * sizeof(bins_[0]) > room) return false;
  const int32_t spare = size - width;
  const int32_t spare_below = !used.has_value() ? spare / 2 : index < used->low ? spare : 0;
  const int32_t first = range.low - spare_below;
  std::vector<uint32_t> bins(size);
  if (used.has_value())
    for (int32_t from = used->low; from <= used->high; ++from)
      Add(bins[std::max(from, range.low) - first], bins_[from - first_]);
  bins_ = std::move(bins);
  first_ = first;
  return true;
}

void DDSketch::Encode(ProtobufWriter& out) const {
  const size_t mapping = out.BeginMessage(field::kMapping);
  out.Double(field::kGamma, kGamma);
  out.Double(field::kIndexOffset, kIndexOffset);
  out.EndMessage(mapping);

  const size_t positive = out.BeginMessage(field::kPositiveValues);
  if (const std::optional<Range> used = Used()) {
    const size_t counts = out.BeginMessage(field::kContiguousBinCounts);
    for (int32_t index = used->low; index <= used->high; ++index) {
      static_assert(std::endian::native == std::endian::little);
      const double count = bins_[index - first_];
      out.Raw({reinterpret_cast<const char*>(&count), sizeof(count)});
    }
    out.EndMessage(counts);
    if (used->low != 0) out.Varint(field::kContiguousBinIndexOffset, ZigZag(used->low));
  }
  out.EndMessage(positive);
  out.EndMessage(out.BeginMessage(field::kNegativeValues));
  if (zero_count_ != 0) out.Double(field::kZeroCount, static_cast<double>(zero_count_));
}

}  // namespace thaw
