#include "cc/sim/failure_table.h"

#include "absl/strings/str_cat.h"

namespace thaw {

std::string FailureCell::ToString() const {
  return absl::StrCat(thaw::ToString(phase), reused ? ", reused" : ", fresh", crossed ? ", crossed" : "",
                      ", ", thaw::ToString(bytes), " written", head_complete ? ", head complete" : "");
}

std::string_view WhyUnreachable(const FailureCell& cell) {
  if (cell.phase < Phase::kWrite) {
    if (cell.reused) return "a dial precedes the first request of its connection";
    if (cell.bytes != BytesWritten::kNone) return "nothing is written before the connection is open";
    if (cell.head_complete) return "no answer comes before the connection is open";
    if (cell.phase == Phase::kProxy) return "the simulated network has no proxy (cc/net/dial tests it)";
    return {};
  }
  if (cell.phase == Phase::kBody) {
    if (!cell.head_complete) return "the failure of a body is that of its status, which the head brings";
    if (cell.bytes != BytesWritten::kAll) return "an answered request counts as written";
    // FailureOfAnswer() leaves both out: an answer says the same on whatever connection it comes.
    if (cell.reused || cell.crossed) return "the failure of a status has no history of its connection";
    return {};
  }
  if (cell.head_complete) return "an exchange with a complete head is answered";
  if (cell.phase == Phase::kWrite && cell.bytes == BytesWritten::kAll) {
    return "a request that is written whole waits for its head";
  }
  return {};
}

const std::vector<FailureCell>& FailureTable::Cells() {
  static const auto* const cells = [] {
    auto* all = new std::vector<FailureCell>;
    for (const Phase phase : kAllPhases) {
      for (const bool reused : {false, true}) {
        for (const bool crossed : {false, true}) {
          for (const BytesWritten bytes : kAllBytesWritten) {
            for (const bool head : {false, true}) all->push_back({phase, reused, crossed, bytes, head});
          }
        }
      }
    }
    return all;
  }();
  return *cells;
}

size_t FailureTable::Index(const FailureCell& cell) {
  size_t index = static_cast<size_t>(cell.phase);
  index = index * 2 + cell.reused;
  index = index * 2 + cell.crossed;
  index = index * std::size(kAllBytesWritten) + static_cast<size_t>(cell.bytes);
  return index * 2 + cell.head_complete;
}

void FailureTable::Count(const ExchangeFailure& failure) {
  ++counts_[Index(
      {failure.phase, failure.reused, failure.epoch_crossed, failure.bytes_written, failure.head_complete})];
}

FailureTable& FailureTable::operator+=(const FailureTable& other) {
  for (size_t i = 0; i < kCells; ++i) counts_[i] += other.counts_[i];
  return *this;
}

std::vector<FailureCell> FailureTable::Missed() const {
  std::vector<FailureCell> missed;
  for (const FailureCell& cell : Cells()) {
    if (count(cell) == 0 && WhyUnreachable(cell).empty()) missed.push_back(cell);
  }
  return missed;
}

}  // namespace thaw
