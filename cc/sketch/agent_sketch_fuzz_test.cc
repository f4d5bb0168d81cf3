// Any values in any split over three sketches: merging them in any order keeps the same bins, and no value is lost.

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "cc/sketch/agent_sketch.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  thaw::AgentSketch parts[3];
  thaw::AgentSketch all;
  int64_t inserted = 0;
  for (; size >= 9; data += 9, size -= 9) {
    uint64_t bits;
    std::memcpy(&bits, data + 1, sizeof(bits));
    const double value = std::bit_cast<double>(bits);
    if (!std::isfinite(value)) continue;
    const double weight = 1 + data[0] / 3;
    parts[data[0] % 3].Insert(value, weight);
    all.Insert(value, weight);
    inserted += static_cast<int64_t>(weight);
  }
  thaw::AgentSketch left = parts[0];
  left.Merge(parts[1]);
  left.Merge(parts[2]);
  thaw::AgentSketch right = parts[2];
  right.Merge(parts[1]);
  right.Merge(parts[0]);
  if (left.bins() != right.bins() || left.bins() != all.bins()) std::abort();
  if (all.count() != inserted || left.count() != inserted) std::abort();
  if (left.min() != all.min() || left.max() != all.max()) std::abort();
  if (!std::isfinite(left.sum()) || !std::isfinite(left.average())) std::abort();
  const double median = all.Quantile(0.5);
  if (median < all.min() || median > all.max()) std::abort();
  thaw::ProtobufWriter out;
  all.Encode(out);
  return 0;
}
