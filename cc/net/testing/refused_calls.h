// Runs code in a child process in which the kernel refuses some calls, as a sandbox's filter does.
//
//   const auto draw = [] { return DrawSeed() != 0 ? 0 : 1; };
//   const ChildExit exit = WithRefusedCalls({{SYS_getrandom, EPERM}}, draw);
//   if (!exit.filtered) GTEST_SKIP() << "no filters here";
//   EXPECT_EQ(exit.status, 0);
//
// For tests in a process with one thread.

#ifndef THAW_CC_NET_TESTING_REFUSED_CALLS_H_
#define THAW_CC_NET_TESTING_REFUSED_CALLS_H_

#include <vector>

#include "absl/functional/function_ref.h"

namespace thaw {

struct RefusedCall {
  int number = 0;  // SYS_…
  int error = 0;   // EPERM, …
};

struct ChildExit {
  bool filtered = false;  // false: this machine allows no such filter
  int status = -1;        // result of `body`; −1: a signal ended the child, or it took over 10 s
};

ChildExit WithRefusedCalls(const std::vector<RefusedCall>& refused, absl::FunctionRef<int()> body);

// The same; `before` runs in the child, too, and nothing is refused yet.
ChildExit WithRefusedCallsAfter(absl::FunctionRef<void()> before, const std::vector<RefusedCall>& refused,
                                absl::FunctionRef<int()> body);

}  // namespace thaw

#endif  // THAW_CC_NET_TESTING_REFUSED_CALLS_H_
