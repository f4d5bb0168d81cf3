// thaw.explore, thaw.explore_at_random and thaw.replay: small histories of world W0.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cc/sim/explorer.h"
#include "cc/sim/failure_table.h"
#include "cc/sim/history.h"
#include "cc/sim/invariants.h"
#include "pybind11/typing.h"
#include "python/bindings/bindings.h"
#include "python/bindings/flusher_options.h"
#include "python/bindings/gil.h"
#include "python/bindings/log_lines.h"
#include "python/bindings/progress.h"
#include "python/bindings/status.h"
#include "python/bindings/values.h"

namespace thaw::python {
namespace {

using Counts = py::typing::Dict<py::str, py::object>;

// Raises for a negative number of histories.
void CheckNumber(int64_t histories, const char* what) {
  if (histories < 0) {
    Raise(absl::InvalidArgumentError(std::string(what) + " is " + std::to_string(histories) +
                                     ", must be at least 0"));
  }
}

// The arguments that the three functions share.
HistoryOptions Options(const std::vector<int>& flushes, int freezes, int faults, int late,
                       const std::optional<ClientOptions>& client,
                       const std::optional<GivenFlusherOptions>& flusher, bool resume) {
  HistoryOptions options;
  const auto within = [](int value, int most, const char* what) {
    if (value < 0 || value > most) {
      Raise(absl::InvalidArgumentError(std::string(what) + " is " + std::to_string(value) +
                                       ", not from 0 to " + std::to_string(most)));
    }
  };
  constexpr int kMost = 100;
  within(freezes, kMost, "freezes");
  within(faults, kMost, "faults");
  within(late, kMost, "late");
  within(static_cast<int>(flushes.size()), kMost, "the number of flushes");
  for (const int payloads : flushes) within(payloads, kMost, "a flush's number of payloads");
  if (flushes.empty()) Raise(absl::InvalidArgumentError("flushes is empty"));
  options.flushes = flushes;
  options.freezes = freezes;
  options.faults = faults;
  options.late = late;
  options.tell_client = resume;
  if (client.has_value()) options.client = *client;
  if (flusher.has_value()) {
    ThrowIfError(flusher->Validate());
    options.flusher = *flusher;
    options.limits = flusher->limits();
    options.peers = *flusher;
  }
  ThrowIfError(options.client.Validate());
  return options;
}

py::object ToPython(const std::optional<BrokenHistory>& broken) {
  if (!broken.has_value()) return py::none();
  py::dict dict;
  dict["invariant"] = std::string(ToString(broken->broken.invariant));
  dict["text"] = ToString(broken->broken);
  dict["seed"] = broken->seed;
  dict["found"] = broken->found;
  dict["choices"] = broken->choices;
  dict["story"] = broken->story;
  dict["cpp"] = AsCpp(broken->choices);
  dict["python"] = AsPython(broken->choices);
  return dict;
}

py::list ToPython(const FailureTable& failures) {
  py::list cells;
  for (const FailureCell& cell : FailureTable::Cells()) {
    py::dict dict;
    dict["cell"] = cell.ToString();
    dict["count"] = failures.count(cell);
    dict["unreachable"] = std::string(WhyUnreachable(cell));
    cells.append(std::move(dict));
  }
  return cells;
}

Counts ToDict(const ExplorationResult& result) {
  Counts dict;
  dict["histories"] = result.histories;
  dict["known"] = result.known;
  dict["states"] = result.states;
  dict["steps"] = result.steps;
  dict["freezes"] = result.freezes;
  dict["faults"] = result.faults;
  dict["complete"] = result.complete;
  dict["failures"] = ToPython(result.failures);
  dict["broken"] = ToPython(result.broken);
  return dict;
}

Counts Explore(const std::vector<int>& flushes, int freezes, int faults, int late,
               const std::optional<ClientOptions>& client, const std::optional<GivenFlusherOptions>& flusher,
               GivenBool resume, int64_t most_histories, const GivenProgress& progress) {
  ExplorationOptions options;
  options.history = Options(flushes, freezes, faults, late, client, flusher, resume);
  CheckNumber(most_histories, "most_histories");
  options.most_histories = most_histories;
  return ToDict(
      WithProgress(progress, [&](ExplorationProgress report) { return ExploreAll(options, report); }));
}

Counts ExploreSeeds(uint64_t seed, int64_t histories, const std::vector<int>& flushes, int freezes,
                    int faults, int late, const std::optional<ClientOptions>& client,
                    const std::optional<GivenFlusherOptions>& flusher, GivenBool resume,
                    const GivenProgress& progress) {
  CheckNumber(histories, "histories");
  const HistoryOptions options = Options(flushes, freezes, faults, late, client, flusher, resume);
  return ToDict(WithProgress(
      progress, [&](ExplorationProgress report) { return ExploreRandom(options, seed, histories, report); }));
}

Counts Replay(const std::vector<uint32_t>& choices, const std::vector<int>& flushes, int freezes, int faults,
              int late, const std::optional<ClientOptions>& client,
              const std::optional<GivenFlusherOptions>& flusher, GivenBool resume) {
  const HistoryOptions options = Options(flushes, freezes, faults, late, client, flusher, resume);
  RecordedChoices list(choices);
  const HistoryResult result = [&] {
    GilReleased released;
    const NoLogLines quiet;  // failures are simulated
    return RunHistory(options, list);
  }();
  if (result.broken.has_value()) RaiseInvariantBroken(ToString(*result.broken));
  Counts dict;
  dict["choices"] = list.taken();
  dict["steps"] = result.steps;
  dict["freezes"] = result.freezes;
  dict["faults"] = result.faults;
  dict["accepted"] = result.accepted;
  dict["dropped"] = result.dropped;
  dict["possible_duplicate"] = result.flagged;
  return dict;
}

constexpr const char* kExploreText = R"(Runs every small history of world W0 that a client can go through.

Before each step of a flush, the environment may freeze, connections may end in every way meanwhile, and
packets may overtake each other; dials and requests may meet a fault. Invariants are checked after every step.
The search ends at the first history that breaks one, and shrinks it.

Args:
  flushes: how many payloads are handed over before each flush.
  freezes, faults, late: how many of them a history may have; late packets are overtaken by
    another connection's. Each freeze multiplies the number of histories by some hundreds.
  client, flusher: options of the client, whose own rules hold, and of the flusher.
  resume: whether the client is told of each resume, as a return from /next does.
  most_histories: the number of histories after which the search ends; "complete" is then False.
  progress: called with the number of histories now and then.

Returns a dict: histories, known (given up in a state that was met before), states, steps, freezes, faults,
complete, failures (a list with a dict for each cell of the failure table) and broken: None, or a dict of
invariant, text, choices, story and the lines of C++ and Python that run the history again.

>>> import thaw
>>> result = thaw.explore(flushes=[1], freezes=1)
>>> result["complete"], result["broken"]
(True, None)
)";

constexpr const char* kRandomText = R"(Runs random histories, larger ones than `explore` can exhaust.

History number n has the seed `seed` + n. Otherwise as `explore`.

>>> import thaw
>>> thaw.explore_at_random(seed=1, histories=20, flushes=[2, 2], freezes=3, faults=2)["broken"]
)";

constexpr const char* kReplayText = R"(Runs the history again that `choices` describe.

Any list of numbers is a history: a number that is too large is the last way, and after the list's end nothing
happens any more. Raises InvariantBroken if the history breaks an invariant. Otherwise as `explore`.

>>> import thaw
>>> thaw.replay([0, 0, 1], flushes=[1], freezes=1)["freezes"]
1
)";

}  // namespace

void BindExplore(py::module_& module) {
  module.def("explore", &Explore, kExploreText, py::kw_only(), py::arg("flushes") = std::vector<int>{1, 1},
             py::arg("freezes") = 1, py::arg("faults") = 0, py::arg("late") = 0,
             py::arg("client") = py::none(), py::arg("flusher") = py::none(), py::arg("resume") = true,
             py::arg("most_histories") = int64_t{1} << 60, py::arg("progress") = py::none());
  module.def("explore_at_random", &ExploreSeeds, kRandomText, py::kw_only(), py::arg("seed") = 1,
             py::arg("histories") = 1000, py::arg("flushes") = std::vector<int>{1, 1}, py::arg("freezes") = 1,
             py::arg("faults") = 0, py::arg("late") = 0, py::arg("client") = py::none(),
             py::arg("flusher") = py::none(), py::arg("resume") = true, py::arg("progress") = py::none());
  module.def("replay", &Replay, kReplayText, py::arg("choices"), py::kw_only(),
             py::arg("flushes") = std::vector<int>{1, 1}, py::arg("freezes") = 1, py::arg("faults") = 0,
             py::arg("late") = 0, py::arg("client") = py::none(), py::arg("flusher") = py::none(),
             py::arg("resume") = true);
}

}  // namespace thaw::python
