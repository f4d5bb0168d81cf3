#include "cc/net/io/event_loop.h"

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <optional>
#include <utility>

#include "cc/clock/alarm_queue.h"
#include "cc/clock/system_clock.h"

namespace thaw {

struct EventLoop::Impl {
  boost::asio::io_context context{1};  // served by one thread: no locks inside
  boost::asio::steady_timer timer{context};
  std::optional<absl::Duration> timer_due;  // what the timer is set for
  AlarmQueue alarms;
  std::atomic<bool> stopped{false};

  // Sets the timer if the next alarm comes before it. One that was cancelled leaves the timer as it is: an
  // idle wake-up costs less than setting the timer for every exchange.
  void SetTimer(absl::Duration now) {
    const std::optional<absl::Duration> due = alarms.NextDue();
    if (!due.has_value() || *due == absl::InfiniteDuration()) return;
    if (timer_due.has_value() && *timer_due <= *due) return;
    timer_due = due;
    timer.expires_after(absl::ToChronoNanoseconds(*due - now));
    timer.async_wait([this](const boost::system::error_code& error) {
      if (!error) timer_due.reset();
    });
  }
};

EventLoop::EventLoop() : EventLoop(&ReadSystemClocks) {}
EventLoop::EventLoop(ReadClocks read) : read_(read), impl_(std::make_unique<Impl>()) {}
EventLoop::~EventLoop() = default;

void EventLoop::Run() {
  const auto guard = boost::asio::make_work_guard(impl_->context);
  impl_->context.restart();
  const auto post = [this](absl::AnyInvocable<void()> fire) { Post(std::move(fire)); };
  while (!impl_->stopped.exchange(false)) {
    const absl::Duration now = read_().monotonic;
    impl_->alarms.FireDue(now, post);
    impl_->alarms.Turn(now);
    impl_->SetTimer(now);
    impl_->context.run_one();
  }
}

void EventLoop::Stop() {
  impl_->stopped = true;
  // Wakes a loop that waits.
  Post([] {});
}

void EventLoop::Post(absl::AnyInvocable<void()> work) {
  boost::asio::post(impl_->context, [work = std::move(work)]() mutable { work(); });
}

AlarmId EventLoop::SetAlarm(absl::Duration delay, LateAlarm late, absl::AnyInvocable<void()> fire) {
  return impl_->alarms.Set(read_().monotonic, delay, late, std::move(fire));
}

bool EventLoop::CancelAlarm(AlarmId id) { return impl_->alarms.Cancel(id); }

int64_t EventLoop::alarm_late() const { return impl_->alarms.late(); }

void* EventLoop::native() { return &impl_->context; }

}  // namespace thaw
