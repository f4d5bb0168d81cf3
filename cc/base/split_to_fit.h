// Splits a body until every part fits.

#ifndef THAW_CC_BASE_SPLIT_TO_FIT_H_
#define THAW_CC_BASE_SPLIT_TO_FIT_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace thaw {

// Returns `body` in parts of at most `max_bytes` each, in order. `halve` splits a body into two, or returns
// nothing if the body cannot be split; such a body stays larger than the limit.
template <typename Halve>
std::vector<std::string> CutToFit(std::string body, size_t max_bytes, Halve halve) {
  std::vector<std::string> fitting;
  std::vector<std::string> left;
  left.push_back(std::move(body));
  while (!left.empty()) {
    std::string next = std::move(left.back());
    left.pop_back();
    std::vector<std::string> halves;
    if (next.size() > max_bytes) halves = halve(next);
    if (halves.empty()) {
      fitting.push_back(std::move(next));
      continue;
    }
    left.push_back(std::move(halves[1]));
    left.push_back(std::move(halves[0]));
  }
  return fitting;
}

}  // namespace thaw

#endif  // THAW_CC_BASE_SPLIT_TO_FIT_H_
