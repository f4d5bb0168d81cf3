// Handles the signals that would otherwise end the process at once, with all that it keeps.
//
//   const ProcessSignals signals(loop, stop);
//   co_await extension.Run(stop);   // ends by the shutdown plan after SIGTERM
//
// SIGTERM, SIGINT, SIGHUP and SIGQUIT request `stop`. Signals that mean nothing here (those of timers,
// limits, users and terminals' drivers) are logged once each and then ignored by the kernel. Signals of a
// fault, such as SIGSEGV and SIGABRT, keep their default. Loop's thread only.

#ifndef THAW_CC_EXTENSION_PROCESS_SIGNALS_H_
#define THAW_CC_EXTENSION_PROCESS_SIGNALS_H_

#include "cc/base/cancellation.h"
#include "cc/net/io/event_loop.h"
#include "cc/net/io/signal_watch.h"

namespace thaw {

class ProcessSignals {
 public:
  // `loop` and `stop` must outlive it.
  ProcessSignals(EventLoop& loop, Cancellation& stop);

 private:
  const SignalWatch ending_;
  const SignalWatch others_;
};

}  // namespace thaw

#endif  // THAW_CC_EXTENSION_PROCESS_SIGNALS_H_
