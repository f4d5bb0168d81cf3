// Counts the failures of exchanges that have occurred, in one cell for each combination of phase, reuse,
// crossing, bytes written and completeness of the answer's head.
//
//   FailureTable table;
//   table.Count(failure);
//   for (const FailureCell& cell : FailureTable::Cells()) Print(cell, table.count(cell), WhyUnreachable(cell));
//
// A cell that the simulation cannot reach has a reason; a test reaches all others.

#ifndef THAW_CC_SIM_FAILURE_TABLE_H_
#define THAW_CC_SIM_FAILURE_TABLE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "cc/net/exchange_failure.h"

namespace thaw {

struct FailureCell {
  Phase phase;
  bool reused;
  bool crossed;
  BytesWritten bytes;
  bool head_complete;

  // Returns "head, reused, crossed, all written".
  std::string ToString() const;
};

// Returns the reason for which no failure can be in a cell, or nothing if one can.
std::string_view WhyUnreachable(const FailureCell& cell);

class FailureTable {
 public:
  // All cells, in the order of their fields.
  static const std::vector<FailureCell>& Cells();

  void Count(const ExchangeFailure& failure);
  FailureTable& operator+=(const FailureTable& other);
  int64_t count(const FailureCell& cell) const { return counts_[Index(cell)]; }
  // Reachable cells without a failure.
  std::vector<FailureCell> Missed() const;

 private:
  static constexpr size_t kCells = std::size(kAllPhases) * 2 * 2 * std::size(kAllBytesWritten) * 2;
  static size_t Index(const FailureCell& cell);

  std::array<int64_t, kCells> counts_{};
};

}  // namespace thaw

#endif  // THAW_CC_SIM_FAILURE_TABLE_H_
