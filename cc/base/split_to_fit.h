// Splits a body until every part fits, at one go or with other work between two cuts.
//
//   FitCutter cutter(std::move(body));
//   while (!cutter.done()) {
//     absl::StatusOr<std::optional<std::string>> part = cutter.Step(1 << 20, halve);
//     ...
//   }

#ifndef THAW_CC_BASE_SPLIT_TO_FIT_H_
#define THAW_CC_BASE_SPLIT_TO_FIT_H_

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cc/base/reserve.h"

namespace thaw {

class FitCutter {
 public:
  explicit FitCutter(std::string body) { left_.push_back(std::move(body)); }

  // Returns whether all parts were returned.
  bool done() const { return left_.empty(); }

  // Returns the next part in order, or nullopt after a cut, which is as much work as copying what is cut.
  // `halve` splits a body into two, or returns nothing if the body can't be split; such a body stays larger
  // than `max_bytes`. Returns ResourceExhausted if there is no memory for a cut; there is nothing more to do
  // then.
  template <typename Halve>
  absl::StatusOr<std::optional<std::string>> Step(size_t max_bytes, Halve halve) {
    std::string next = std::move(left_.back());
    left_.pop_back();
    if (next.size() <= max_bytes) return next;
    // The halves are as large as the body, and the parts of which they are made are copied once.
    if (!CanAllocate(2 * next.size())) return NoMemory(2 * next.size());
    std::vector<std::string> halves = halve(next);
    if (halves.empty()) return next;
    left_.push_back(std::move(halves[1]));
    left_.push_back(std::move(halves[0]));
    return std::nullopt;
  }

 private:
  std::vector<std::string> left_;  // the next one is the last
};

// Returns `body` in parts of at most `max_bytes` each, in order; see FitCutter::Step.
template <typename Halve>
absl::StatusOr<std::vector<std::string>> CutToFit(std::string body, size_t max_bytes, Halve halve) {
  std::vector<std::string> fitting;
  FitCutter cutter(std::move(body));
  while (!cutter.done()) {
    absl::StatusOr<std::optional<std::string>> part = cutter.Step(max_bytes, halve);
    if (!part.ok()) return part.status();
    if (part->has_value()) fitting.push_back(**std::move(part));
  }
  return fitting;
}

}  // namespace thaw

#endif  // THAW_CC_BASE_SPLIT_TO_FIT_H_
