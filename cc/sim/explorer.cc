#include "cc/sim/explorer.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace thaw {
namespace {

constexpr int64_t kProgressEvery = 256;
constexpr int64_t kAttemptsBetweenProgress = 16;

// Returns the choices of the next history of a search in depth, or nullopt if there is none.
std::optional<std::vector<uint32_t>> Following(const std::vector<Choice>& made) {
  size_t last = made.size();
  while (last > 0 && made[last - 1].taken + 1 == made[last - 1].ways) --last;
  if (last == 0) return std::nullopt;
  std::vector<uint32_t> next;
  next.reserve(last);
  for (size_t i = 0; i < last; ++i) next.push_back(made[i].taken);
  ++next.back();
  return next;
}

// Returns the invariant that the choices break, if any, and the choices that the history asked for.
std::optional<Invariant> Broken(const HistoryOptions& options, std::vector<uint32_t>& list) {
  RecordedChoices choices(std::move(list));
  const HistoryResult result = RunHistory(options, choices);
  list = choices.taken();
  if (!result.broken.has_value()) return std::nullopt;
  return result.broken->invariant;
}

// Returns whether `a` is a simpler history than `b`.
bool Simpler(const std::vector<uint32_t>& a, const std::vector<uint32_t>& b) {
  const auto acts = [](const std::vector<uint32_t>& list) {
    return std::count_if(list.begin(), list.end(), [](uint32_t taken) { return taken > 0; });
  };
  if (acts(a) != acts(b)) return acts(a) < acts(b);
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

class Shrinker {
 public:
  Shrinker(const HistoryOptions& options, std::vector<uint32_t> choices, Invariant invariant,
           ExplorationProgress progress)
      : options_(options), best_(std::move(choices)), invariant_(invariant), progress_(progress) {}

  std::vector<uint32_t> Go() {
    for (bool better = true; better && !stopped_;) {
      better = false;
      for (size_t length = std::max<size_t>(best_.size() / 2, 1); length > 0 && !stopped_; length /= 2) {
        better |= LeaveOut(length);
      }
      better |= MakeSmaller();
    }
    return best_;
  }

 private:
  bool Try(std::vector<uint32_t> candidate) {
    if (stopped_) return false;
    if (++attempts_ % kAttemptsBetweenProgress == 0 && !progress_(attempts_)) stopped_ = true;
    if (Broken(options_, candidate) != invariant_ || !Simpler(candidate, best_)) return false;
    best_ = std::move(candidate);
    return true;
  }

  // Leaves out every run of `length` choices that can be, or takes the first way in all of them.
  bool LeaveOut(size_t length) {
    bool better = false;
    for (size_t at = 0; at + length <= best_.size() && !stopped_;) {
      const auto begin = static_cast<std::ptrdiff_t>(at);
      const auto end = static_cast<std::ptrdiff_t>(at + length);
      std::vector<uint32_t> shorter = best_;
      shorter.erase(shorter.begin() + begin, shorter.begin() + end);
      std::vector<uint32_t> quieter = best_;
      std::fill(quieter.begin() + begin, quieter.begin() + end, 0);
      if (Try(std::move(shorter)) || Try(std::move(quieter))) {
        better = true;
      } else {
        at += length;
      }
    }
    return better;
  }

  bool MakeSmaller() {
    bool better = false;
    for (size_t at = 0; at < best_.size() && !stopped_; ++at) {
      for (uint32_t smaller = 0; at < best_.size() && smaller < best_[at]; ++smaller) {
        std::vector<uint32_t> candidate = best_;
        candidate[at] = smaller;
        if (Try(std::move(candidate))) better = true;
      }
    }
    return better;
  }

  const HistoryOptions& options_;
  std::vector<uint32_t> best_;
  const Invariant invariant_;
  const ExplorationProgress progress_;
  int64_t attempts_ = 0;
  bool stopped_ = false;
};

// Describes a history by its choices that do not take the first way, each with its place.
std::string StoryOf(const Choices& choices) {
  std::vector<std::string> lines;
  const std::vector<Choice>& made = choices.made();
  for (size_t i = 0; i < made.size(); ++i) {
    if (made[i].taken == 0) continue;
    lines.push_back(absl::StrCat("  choice ", i, ": ", ToString(made[i].kind), ": way ", made[i].taken,
                                 " of ", made[i].ways - 1));
  }
  return absl::StrJoin(lines, "\n");
}

void Add(const HistoryResult& history, ExplorationResult& result) {
  ++result.histories;
  result.known += history.known;
  result.steps += history.steps;
  result.freezes += history.freezes;
  result.faults += history.faults;
  result.failures += history.failures;
}

BrokenHistory Explain(const HistoryOptions& options, const HistoryResult& history, const Choices& choices,
                      std::optional<uint64_t> seed, absl::FunctionRef<bool()> go_on) {
  BrokenHistory broken{.broken = *history.broken, .seed = seed, .found = choices.taken()};
  broken.choices = Shrink(options, broken.found, broken.broken.invariant, [&](int64_t) { return go_on(); });
  RecordedChoices again(broken.choices);
  broken.broken = *RunHistory(options, again).broken;
  broken.story = StoryOf(again);
  return broken;
}

}  // namespace

std::string AsCpp(const std::vector<uint32_t>& choices) {
  return absl::StrCat("RecordedChoices choices({", absl::StrJoin(choices, ", "),
                      "}); EXPECT_FALSE(RunHistory(options, choices).broken.has_value());");
}

std::string AsPython(const std::vector<uint32_t>& choices) {
  return absl::StrCat("thaw.replay([", absl::StrJoin(choices, ", "), "], **options)");
}

std::string ExplorationResult::Text() const {
  std::string text = absl::StrCat(histories, " histories, ", known, " given up in a known state, ", states,
                                  " states, ", steps, " steps", complete ? "" : ", not all");
  if (!broken.has_value()) return text;
  absl::StrAppend(&text, "; ", ToString(broken->broken));
  if (broken->seed.has_value()) absl::StrAppend(&text, "\nseed ", *broken->seed);
  absl::StrAppend(&text, "\n", broken->story, "\nC++:    ", AsCpp(broken->choices),
                  "\nPython: ", AsPython(broken->choices));
  return text;
}

std::vector<uint32_t> Shrink(const HistoryOptions& options, std::vector<uint32_t> choices,
                             Invariant invariant) {
  return Shrink(options, std::move(choices), invariant, [](int64_t) { return true; });
}

std::vector<uint32_t> Shrink(const HistoryOptions& options, std::vector<uint32_t> choices,
                             Invariant invariant, ExplorationProgress progress) {
  return Shrinker(options, std::move(choices), invariant, progress).Go();
}

ExplorationResult ExploreAll(const ExplorationOptions& options, ExplorationProgress progress) {
  ExplorationResult result;
  absl::flat_hash_set<uint64_t> states;
  std::optional<std::vector<uint32_t>> next(std::in_place);
  while (next.has_value() && result.histories < options.most_histories) {
    const size_t replayed = next->size();
    RecordedChoices choices(*std::move(next));
    const HistoryResult history = RunHistory(options.history, choices, [&](uint64_t state) {
      // The states of the choices that are taken again were met by this history's predecessor.
      return choices.made().size() >= replayed && !states.insert(state).second;
    });
    Add(history, result);
    if (history.broken.has_value()) {
      result.broken = Explain(options.history, history, choices, std::nullopt,
                              [&] { return progress(result.histories); });
      break;
    }
    next = Following(choices.made());
    if (result.histories % kProgressEvery == 0 && !progress(result.histories)) break;
  }
  result.states = static_cast<int64_t>(states.size());
  result.complete = !next.has_value();
  return result;
}

ExplorationResult ExploreAll(const ExplorationOptions& options) {
  return ExploreAll(options, [](int64_t) { return true; });
}

ExplorationResult ExploreRandom(const HistoryOptions& options, uint64_t seed, int64_t histories,
                                ExplorationProgress progress) {
  ExplorationResult result;
  for (int64_t number = 0; number < histories && !result.broken.has_value(); ++number) {
    const uint64_t own = seed + static_cast<uint64_t>(number);
    RandomChoices choices(own);
    const HistoryResult history = RunHistory(options, choices);
    Add(history, result);
    if (history.broken.has_value()) {
      result.broken = Explain(options, history, choices, own, [&] { return progress(result.histories); });
    }
    if (result.histories % kProgressEvery == 0 && !progress(result.histories)) break;
  }
  return result;
}

ExplorationResult ExploreRandom(const HistoryOptions& options, uint64_t seed, int64_t histories) {
  return ExploreRandom(options, seed, histories, [](int64_t) { return true; });
}

}  // namespace thaw
