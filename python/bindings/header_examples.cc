// Compiles the examples in the headers of this folder. Each is the body of a function, whose parameters and whatever
// stands above it declare the names that the example uses. tools/header_examples.py explains it.

#include <pybind11/native_enum.h>

#include <memory>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "cc/base/declare_counts.h"
#include "cc/base/status_macros.h"
#include "cc/clock/clock.h"
#include "cc/net/client.h"
#include "cc/sim/simulation.h"
#include "python/bindings/async_answer.h"
#include "python/bindings/call.h"
#include "python/bindings/client_loop.h"
#include "python/bindings/counts.h"
#include "python/bindings/enums.h"
#include "python/bindings/fork_gate.h"
#include "python/bindings/functions.h"
#include "python/bindings/gil.h"
#include "python/bindings/log_lines.h"
#include "python/bindings/pickling.h"
#include "python/bindings/progress.h"

namespace thaw::python {
namespace {

struct SomeCall {
  int result = 0;
};
void Cancel(const std::shared_ptr<SomeCall>& call);
void Start(const std::shared_ptr<SomeCall>& call, absl::AnyInvocable<void()> done);

py::object AsyncAnswerExample(std::shared_ptr<SomeCall> call) {
#include "python/bindings/async_answer.h.example"
}

void CallExample(const LoopHandle& loop, const HttpRequest& request, const SendOptions& options) {
#include "python/bindings/call.h.example"
}

absl::Status ClientLoopExample(const ClientOptions& options) {
#include "python/bindings/client_loop.h.example"
  return absl::OkStatus();
}

// X(name, what it counts)
#define THAW_KITCHEN_COUNTS(X) X(eggs, "eggs that were broken") X(omelettes, "omelettes made of them")

struct KitchenCounts {
  THAW_DECLARE_COUNTS(THAW_KITCHEN_COUNTS)
};

void CountsExample(const KitchenCounts& counts) {
#include "python/bindings/counts.h.example"
}

void EnumsExample(py::module_& module) {
#include "python/bindings/enums.h.example"
}

void ForkGateExample() {
#include "python/bindings/fork_gate.h.example"
}

void Send();

void FunctionsExample(py::class_<ClientLoop>& type, py::module_& module) {
#include "python/bindings/functions.h.example"
}

void GilExample(Signal& done, absl::Duration limit) {
#include "python/bindings/gil.h.example"
}

void LogLinesExample() {
#include "python/bindings/log_lines.h.example"
}

SimulationResult ProgressExample(const SimulationOptions& options, const GivenProgress& progress) {
#include "python/bindings/progress.h.example"
}

void PicklingExample(py::class_<ClockReading>& type) {
#include "python/bindings/pickling.h.example"
}

}  // namespace
}  // namespace thaw::python
