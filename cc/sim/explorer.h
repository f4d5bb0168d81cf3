// Runs all histories that a list of choices can be, or random ones, and makes a broken one small.
//
//   const ExplorationResult result = ExploreAll({.history = {.freezes = 2}});
//   EXPECT_TRUE(result.complete && !result.broken.has_value()) << result.Text();
//
// The search is depth first over the points at which a history may go one way or another. Each history runs
// from its beginning with the choices of its predecessor up to the last point that has a way left.
//
// Histories that need not be run are left out, in three ways:
//   states    a history that comes to a state that was met before is given up there: the rest was, or will
//             be, run from that state. The state's hash covers everything that the client has learned from
//             outside and when, in order, which determines its state, since it is deterministic; the clocks;
//             and packets, connections and payloads outside
//   symmetry  payloads are alike, and no choice names one (history.cc)
//   order     only arrivals at the client are put in different orders (sim_world.cc), and a freeze offers
//             only moments that can be told apart (history.cc)

#ifndef THAW_CC_SIM_EXPLORER_H_
#define THAW_CC_SIM_EXPLORER_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "cc/sim/choices.h"
#include "cc/sim/failure_table.h"
#include "cc/sim/history.h"

namespace thaw {

struct ExplorationOptions {
  HistoryOptions history;
  // Ends the search after so many histories; it is then not complete.
  int64_t most_histories = std::numeric_limits<int64_t>::max();
};

// A broken invariant and the history that breaks it.
struct BrokenHistory {
  BrokenInvariant broken;
  std::optional<uint64_t> seed;   // of a random history
  std::vector<uint32_t> found;    // the choices that broke it first
  std::vector<uint32_t> choices;  // the shrunk ones, which break it too
  std::string story;              // what they say, one choice a line
};

struct ExplorationResult {
  int64_t histories = 0;  // that were run
  int64_t known = 0;      // those of them that were given up in a state met before
  int64_t states = 0;     // states before a freeze might come
  int64_t steps = 0;
  int64_t freezes = 0;
  int64_t faults = 0;
  bool complete = false;  // all histories were run
  FailureTable failures;
  std::optional<BrokenHistory> broken;  // the search ends with the first one

  // Returns the counts, or the broken history and how to run it again, as text.
  std::string Text() const;
};

// Called now and then with the number of histories; returning false ends the search, and the shrinking of
// what it found.
using ExplorationProgress = absl::FunctionRef<bool(int64_t)>;

ExplorationResult ExploreAll(const ExplorationOptions& options, ExplorationProgress progress);
ExplorationResult ExploreAll(const ExplorationOptions& options);

// Runs `histories` random ones, with seeds from `seed` on.
ExplorationResult ExploreRandom(const HistoryOptions& options, uint64_t seed, int64_t histories,
                                ExplorationProgress progress);
ExplorationResult ExploreRandom(const HistoryOptions& options, uint64_t seed, int64_t histories);

// Returns choices that break the same invariant and can't be made simpler by leaving some out, or by making
// one smaller. (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002.) If
// `progress`, which is called with the number of attempts, returns false, it returns the simplest ones so far.
std::vector<uint32_t> Shrink(const HistoryOptions& options, std::vector<uint32_t> choices,
                             Invariant invariant, ExplorationProgress progress);
std::vector<uint32_t> Shrink(const HistoryOptions& options, std::vector<uint32_t> choices,
                             Invariant invariant);

// Returns the choices as a line of C++, and as one of Python, that runs them again.
std::string AsCpp(const std::vector<uint32_t>& choices);
std::string AsPython(const std::vector<uint32_t>& choices);

}  // namespace thaw

#endif  // THAW_CC_SIM_EXPLORER_H_
