// thaw.simulate: world W0.

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "cc/base/printable.h"
#include "cc/sim/simulation.h"
#include "pybind11/typing.h"
#include "python/bindings/bindings.h"
#include "python/bindings/counts.h"
#include "python/bindings/flusher_options.h"
#include "python/bindings/progress.h"
#include "python/bindings/status.h"
#include "python/bindings/values.h"

namespace thaw::python {
namespace {

template <typename Enum>
Enum Named(const std::string& given, const char* what,
           std::initializer_list<std::pair<const char*, Enum>> names) {
  std::string all;
  for (const auto& [name, value] : names) {
    if (given == name) return value;
    all += all.empty() ? name : std::string(", ") + name;
  }
  Raise(
      absl::InvalidArgumentError(std::string(what) + " is \"" + Printable(given) + "\", not one of: " + all));
}

py::dict ToDict(const SimulationResult& result) {
  py::dict dict;
  dict["payloads"] = result.payloads;
  dict["requests"] = result.requests;
  dict["delivered"] = result.accepted;
  dict["lost"] = result.lost;
  dict["duplicated"] = result.duplicated;
  dict["possible_duplicate"] = result.flagged;
  dict["unflagged_duplicates"] = result.unflagged_duplicates;
  dict["retained"] = result.retained;
  dict["dropped"] = result.dropped;
  dict["errors"] = result.errors;
  dict["faults_met"] = result.faults_met;
  dict["freezes"] = result.freezes;
  dict["steps"] = result.steps;
  py::dict flush_ms;
  flush_ms["p50"] = absl::ToDoubleMilliseconds(result.flush_p50);
  flush_ms["p99"] = absl::ToDoubleMilliseconds(result.flush_p99);
  dict["flush_ms"] = flush_ms;
  dict["connections"] = CountsToDict(result.counts.connection);
  dict["exchanges"] = CountsToDict(result.counts.exchange);
  return dict;
}

template <typename Number>
void CheckAtLeast(Number value, Number bound, const char* what) {
  if (!(value >= bound))
    Raise(absl::InvalidArgumentError(absl::StrCat(what, " is ", value, ", must be at least ", bound)));
}

// A time that never comes, or is over before it begins, can't be simulated.
absl::Duration FiniteTime(double seconds, const char* what) {
  CheckAtLeast(seconds, 0.0, what);
  if (std::isinf(seconds)) Raise(absl::InvalidArgumentError(std::string(what) + " is infinite"));
  constexpr double kMost = 1e9;  // thirty years
  if (seconds > kMost) Raise(absl::InvalidArgumentError(std::string(what) + " is longer than 1e9 seconds"));
  return FromSeconds(seconds, what);
}

IdleClose IdleCloseNamed(const std::string& name) {
  return Named<IdleClose>(name, "close",
                          {{"fin", IdleClose::kFin},
                           {"rst", IdleClose::kRst},
                           {"silent", IdleClose::kSilent},
                           {"race", IdleClose::kRace},
                           {"mixed", IdleClose::kMixed}});
}

py::typing::Dict<py::str, py::object> Run(int64_t cycles, uint64_t seed, int payloads,
                                          const GivenText& scenario, const GivenText& close,
                                          double fault_rate, const std::optional<ClientOptions>& client,
                                          const std::optional<GivenFlusherOptions>& flusher, GivenBool resume,
                                          GivenBool check, double function_time, double idle_limit,
                                          std::pair<double, double> freeze, double one_way,
                                          double service_time, const GivenProgress& progress) {
  SimulationOptions options;
  CheckAtLeast(cycles, int64_t{1}, "cycles");
  CheckAtLeast(payloads, 1, "payloads");
  constexpr int kMostPayloads = 65'536;
  if (payloads > kMostPayloads) {
    Raise(absl::InvalidArgumentError(
        absl::StrCat("payloads is ", payloads, ", must be at most ", kMostPayloads)));
  }
  if (!(fault_rate >= 0 && fault_rate <= 1)) {
    Raise(absl::InvalidArgumentError(absl::StrCat("fault_rate is ", fault_rate, ", must be from 0 to 1")));
  }
  options.cycles = cycles;
  options.seed = seed;
  options.payloads_per_cycle = payloads;
  options.scenario = Named<FreezeScenario>(
      scenario, "scenario", {{"idle", FreezeScenario::kIdle}, {"inflight", FreezeScenario::kInFlight}});
  options.intake.idle_close = IdleCloseNamed(close);
  options.intake.fault_rate = fault_rate;
  if (idle_limit == 0) Raise(absl::InvalidArgumentError("idle_limit is 0, must be above 0"));
  options.intake.idle_limit = FiniteTime(idle_limit, "idle_limit");
  options.intake.one_way = FiniteTime(one_way, "one_way");
  options.intake.service_time = FiniteTime(service_time, "service_time");
  if (client.has_value()) options.client = *client;
  if (flusher.has_value()) {
    ThrowIfError(flusher->Validate());
    options.flusher = *flusher;
    options.limits = flusher->limits();
    options.peers = *flusher;
  }
  ThrowIfError(options.client.Validate());
  options.freeze_min = FiniteTime(freeze.first, "the shortest freeze");
  options.freeze_max = FiniteTime(freeze.second, "the longest freeze");
  options.function_time = FiniteTime(function_time, "function_time");
  CheckAtLeast(freeze.second, freeze.first, "the longest freeze");
  options.tell_client = resume;
  options.check = check;
  options.random_clocks = check;

  const SimulationResult result = WithProgress(progress, [&](ReportProgress report) {
    constexpr int64_t kLookEvery = 256;
    return Simulate(options, [&](int64_t cycle) { return cycle % kLookEvery != 0 || report(cycle); });
  });
  if (!result.broken.ok()) RaiseInvariantBroken(std::string(result.broken.message()));
  return ToDict(result);
}

}  // namespace

void BindSimulate(py::module_& module) {
  module.def("simulate", &Run,
             R"(Runs world W0: freeze cycles of the client and flusher against a simulated intake.

One process, virtual time, thousands of cycles a second; the same arguments give the same run. After every
step the invariants of delivery are checked (`check`); a broken one raises InvariantBroken, whose message has
the seed, the cycle and the step.

Args:
  cycles: the number of cycles of a flush, a freeze and a resume.
  payloads: the number of payloads that are handed over in each cycle.
  scenario: "idle" (freezes fall between flushes) or "inflight" (between any two steps of one).
  close: how the intake ends connections that are idle for `idle_limit` seconds: "fin", "rst", "silent" (it
    forgets them), "race" (as the client resumes) or "mixed".
  fault_rate: the probability that a dial or a request meets a fault, 0 to 1.
  function_time: how long the function runs in each cycle before its flush, in seconds of virtual time. A
    breaker that is open waits for its next look in such time.
  resume: whether the client is told of each resume, as a return from /next does.
  freeze: shortest and longest freeze, in seconds of virtual time.
  one_way, service_time: the time of a packet on its way, and of the intake for a request, in seconds.
  progress: called with the number of the cycle now and then.

Returns a dict of counts: payloads, requests, delivered, lost, duplicated, possible_duplicate, retained,
dropped, errors, faults_met, freezes, steps, connections, exchanges; and flush_ms, how long flushes took, in
milliseconds of virtual time less the frozen time: "p50" and "p99".

>>> import thaw
>>> result = thaw.simulate(cycles=100, seed=7, close="silent")
>>> result["payloads"], result["delivered"], result["lost"]
(200, 200, 0)
)",
             py::kw_only(), py::arg("cycles") = 1000, py::arg("seed") = 1, py::arg("payloads") = 2,
             py::arg("scenario") = "idle", py::arg("close") = "fin", py::arg("fault_rate") = 0.0,
             py::arg("client") = py::none(), py::arg("flusher") = py::none(), py::arg("resume") = true,
             py::arg("check") = true, py::arg("function_time") = 0.0, py::arg("idle_limit") = 60.0,
             py::arg("freeze") = std::pair(1.0, 120.0), py::arg("one_way") = 0.005,
             py::arg("service_time") = 0.001, py::arg("progress") = py::none());
}

}  // namespace thaw::python
