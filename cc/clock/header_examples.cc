// Compiles the examples in the headers of this room. Each is the body of a function, whose parameters and whatever
// stands above it declare the names that the example uses. tools/header_examples.py explains it.

#include <gtest/gtest.h>

#include "cc/base/manual_executor.h"
#include "cc/clock/fake_clock.h"
#include "cc/clock/linear_work.h"

namespace thaw {
namespace {

void FakeClockExample(ManualExecutor& executor, absl::Duration s) {
#include "cc/clock/fake_clock.h.example"
}

void Parse(std::string_view text);

void LinearWorkExample() {
#include "cc/clock/linear_work.h.example"
}

}  // namespace
}  // namespace thaw
