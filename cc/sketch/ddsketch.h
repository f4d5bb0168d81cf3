// A histogram whose quantiles are right to within 0.78 % of the value, however large or small: DDSketch.
//
//   DDSketch durations;
//   durations.Insert(12'345'678);
//   durations.Encode(writer);   // sketches of many processes can be added up bin by bin
//
// Bin i counts values from gamma^(i - offset) up to gamma^(i + 1 - offset). At most 2048 bins are kept, down
// from that of the highest value; lower values are counted in the lowest of these, so that the quantiles that
// matter stay right. Memory covers the bins in use, with some spare on the side that grew last. An insertion
// takes constant time: a logarithm and an increment, or else a move of at most 2048 bins.
//
// Sources: C. Masson, J. E. Rim, H. K. Lee, "DDSketch: a fast and fully-mergeable quantile sketch with
// relative-error guarantees", 2019; the published schema DDSketch.proto. Gamma and offset are those that
// Datadog's intake merges by.

#ifndef THAW_CC_SKETCH_DDSKETCH_H_
#define THAW_CC_SKETCH_DDSKETCH_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "cc/base/protobuf_writer.h"

namespace thaw {

class DDSketch {
 public:
  static constexpr double kGamma = 1.015625;
  static constexpr double kIndexOffset = 1338.5;
  static constexpr int32_t kMaxBins = 2048;
  static constexpr size_t kAnyRoom = std::numeric_limits<size_t>::max();
  // memory() of a sketch with one value.
  static constexpr size_t kFirstMemory = 16 * sizeof(uint32_t);

  // Counts `value`. A value below the least indexable one, negative or NaN counts as zero. Returns false, and
  // counts nothing, if memory() would have to grow by more than `room`.
  bool Insert(double value, size_t room = kAnyRoom);
  // Adds all values that were inserted into `other`.
  void Merge(const DDSketch& other);

  // Appends the fields of a protobuf DDSketch.
  void Encode(ProtobufWriter& out) const;

  // Returns the bytes on the heap.
  size_t memory() const { return bins_.capacity() * sizeof(bins_[0]); }

 private:
  // A range of indexes, both ends included.
  struct Range {
    int32_t low;
    int32_t high;
  };

  bool Holds(int32_t index) const { return static_cast<uint32_t>(index - first_) < bins_.size(); }
  // Returns the range from the lowest to the highest bin that is not empty.
  std::optional<Range> Used() const;
  // Makes Holds(index) true, moving `index` up if it is too low to be kept apart. Returns false like
  // Insert().
  bool Reach(int32_t& index, size_t room);

  // Full bins stay full: an interval of some seconds has fewer than 2^32 values.
  std::vector<uint32_t> bins_;
  int32_t first_ = 0;  // index of bins_[0]
  uint64_t zero_count_ = 0;
};

}  // namespace thaw

#endif  // THAW_CC_SKETCH_DDSKETCH_H_
