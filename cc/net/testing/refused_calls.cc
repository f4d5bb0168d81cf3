#include "cc/net/testing/refused_calls.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace thaw {
namespace {

// The child's exit status if filters aren't allowed.
constexpr int kNoFilter = 99;
constexpr unsigned kChildSeconds = 10;

bool Filter(const std::vector<RefusedCall>& refused) {
  std::vector<sock_filter> program;
  program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
  for (const RefusedCall& call : refused) {
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(call.number), 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<uint32_t>(call.error)));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog filter{.len = static_cast<unsigned short>(program.size()), .filter = program.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

}  // namespace

ChildExit WithRefusedCalls(const std::vector<RefusedCall>& refused, absl::FunctionRef<int()> body) {
  return WithRefusedCallsAfter([] {}, refused, body);
}

ChildExit WithRefusedCallsAfter(absl::FunctionRef<void()> before, const std::vector<RefusedCall>& refused,
                                absl::FunctionRef<int()> body) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(kChildSeconds);
    before();
    if (!Filter(refused)) _exit(kNoFilter);
    _exit(body());
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status)) return {.filtered = true};
  return {.filtered = WEXITSTATUS(status) != kNoFilter, .status = WEXITSTATUS(status)};
}

}  // namespace thaw
