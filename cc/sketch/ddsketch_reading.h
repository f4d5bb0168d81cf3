// Reads a sketch's bytes back, for tests.

#ifndef THAW_CC_SKETCH_DDSKETCH_READING_H_
#define THAW_CC_SKETCH_DDSKETCH_READING_H_

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <map>
#include <string_view>

#include "cc/base/protobuf_reader.h"
#include "cc/sketch/ddsketch.h"

namespace thaw {

struct DDSketchReading {
  std::map<int32_t, double> bins;  // those that are not empty
  size_t width = 0;                // bins written
  double zero_count = 0;

  explicit DDSketchReading(std::string_view bytes) {
    ProtobufReader sketch(bytes);
    while (sketch.Next()) {
      if (sketch.field() == 2) ReadStore(sketch.bytes());
      if (sketch.field() == 4) zero_count = std::bit_cast<double>(sketch.value());
    }
  }
  explicit DDSketchReading(const DDSketch& sketch) : DDSketchReading(Encoded(sketch).bytes()) {}

  static ProtobufWriter Encoded(const DDSketch& sketch) {
    ProtobufWriter out;
    sketch.Encode(out);
    return out;
  }

  double count() const {
    double count = zero_count;
    for (const auto& [index, values] : bins) count += values;
    return count;
  }

  // Returns the value that `rank` values are below.
  double At(double rank) const {
    double below = zero_count;
    if (below > rank) return 0;
    double value = 0;
    for (const auto& [index, values] : bins) {
      const double least = std::pow(DDSketch::kGamma, index - DDSketch::kIndexOffset);
      value = least * 2 * DDSketch::kGamma / (1 + DDSketch::kGamma);
      below += values;
      if (below > rank) break;
    }
    return value;
  }

 private:
  void ReadStore(std::string_view bytes) {
    std::string_view counts;
    int32_t first = 0;
    ProtobufReader store(bytes);
    while (store.Next()) {
      if (store.field() == 2) counts = store.bytes();
      if (store.field() == 3)
        first = static_cast<int32_t>(store.value() >> 1) ^ -static_cast<int32_t>(store.value() & 1);
    }
    width = counts.size() / sizeof(double);
    for (size_t i = 0; i < width; ++i) {
      double count;
      std::memcpy(&count, counts.data() + i * sizeof(double), sizeof(double));
      if (count != 0) bins[first + static_cast<int32_t>(i)] = count;
    }
  }
};

}  // namespace thaw

#endif  // THAW_CC_SKETCH_DDSKETCH_READING_H_
