// Delivers signals as calls on the loop's thread.
//
//   SignalWatch watch(loop, {SIGTERM, SIGINT}, [&](int signal) { shutdown.Request(...); });
//
// While a watch exists, its signals do not end the process, and they are delivered even if the parent process
// had blocked or ignored them. Loop's thread only.

#ifndef THAW_CC_NET_IO_SIGNAL_WATCH_H_
#define THAW_CC_NET_IO_SIGNAL_WATCH_H_

#include <initializer_list>
#include <memory>

#include "absl/functional/any_invocable.h"
#include "cc/net/io/event_loop.h"

namespace thaw {

class SignalWatch {
 public:
  // Calls `on_signal` for each signal. `loop` must outlive the watch.
  SignalWatch(EventLoop& loop, std::initializer_list<int> signals, absl::AnyInvocable<void(int)> on_signal);
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

 private:
  struct Impl;
  // Shared with the pending wait, which ends after the watch.
  const std::shared_ptr<Impl> impl_;
};

}  // namespace thaw

#endif  // THAW_CC_NET_IO_SIGNAL_WATCH_H_
