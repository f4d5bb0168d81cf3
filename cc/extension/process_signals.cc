#include "cc/extension/process_signals.h"

#include <csignal>
#include <cstring>
#include <vector>

#include "absl/log/log.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace thaw {
namespace {

std::vector<int> SignalsWithoutMeaning() {
  std::vector<int> signals = {SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF,
                              SIGXCPU, SIGXFSZ, SIGIO,   SIGPWR,    SIGSTKFLT};
  for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) signals.push_back(signal);
  return signals;
}

}  // namespace

ProcessSignals::ProcessSignals(EventLoop& loop, Cancellation& stop)
    : ending_(loop, {SIGTERM, SIGINT, SIGHUP, SIGQUIT},
              [&stop](int signal) { stop.Request(absl::CancelledError(absl::StrCat("signal ", signal))); }),
      others_(loop, SignalsWithoutMeaning(), [](int signal) {
        // A timer may send thousands a second: later ones cost nothing.
        std::signal(signal, SIG_IGN);
        LOG(WARNING) << "signal " << signal << " (" << strsignal(signal)
                     << ") is not used by the extension and is ignored from now on";
      }) {}

}  // namespace thaw
