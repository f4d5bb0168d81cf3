#include "cc/net/io/signal_watch.h"

#include <pthread.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <utility>

namespace thaw {

struct SignalWatch::Impl {
  Impl(boost::asio::io_context& context, absl::AnyInvocable<void(int)> on_signal)
      : signals(context), on_signal(std::move(on_signal)) {}

  static void Wait(std::shared_ptr<Impl> impl) {
    boost::asio::signal_set& signals = impl->signals;
    signals.async_wait([impl = std::move(impl)](const boost::system::error_code& error, int signal) mutable {
      if (error) return;
      impl->on_signal(signal);
      Wait(std::move(impl));
    });
  }

  boost::asio::signal_set signals;
  absl::AnyInvocable<void(int)> on_signal;
  sigset_t mask_before;
};

SignalWatch::SignalWatch(EventLoop& loop, std::initializer_list<int> signals,
                         absl::AnyInvocable<void(int)> on_signal)
    : impl_(std::make_shared<Impl>(*static_cast<boost::asio::io_context*>(loop.native()),
                                   std::move(on_signal))) {
  boost::system::error_code ignored;  // fails only for numbers that are not signals
  sigset_t watched;
  sigemptyset(&watched);
  for (const int signal : signals) {
    impl_->signals.add(signal, ignored);
    sigaddset(&watched, signal);
  }
  // A process inherits signals that its parent blocked (sigprocmask(2)) or ignored; add() undoes the latter.
  pthread_sigmask(SIG_UNBLOCK, &watched, &impl_->mask_before);
  Impl::Wait(impl_);
}

SignalWatch::~SignalWatch() {
  pthread_sigmask(SIG_SETMASK, &impl_->mask_before, nullptr);
  boost::system::error_code ignored;
  impl_->signals.clear(ignored);
  impl_->signals.cancel(ignored);
}

}  // namespace thaw
