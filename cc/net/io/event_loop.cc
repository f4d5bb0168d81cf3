#include "cc/net/io/event_loop.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <deque>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cc/clock/alarm_queue.h"
#include "cc/clock/system_clock.h"

namespace thaw {
namespace {

struct Descriptor {
  explicit Descriptor(int opened) : number(opened) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number >= 0) close(number);
  }
  const int number;
};

}  // namespace

struct EventLoop::Impl {
  boost::asio::io_context context{1};  // served by one thread: no locks inside
  boost::asio::steady_timer timer{context};
  std::optional<absl::Duration> timer_due;  // when the timer is set to fire
  AlarmQueue alarms;
  std::atomic<bool> stopped{false};
  // The thread in Run(): posts from it need no lock and no polling of the sockets.
  std::atomic<std::thread::id> owner{};
  std::deque<absl::AnyInvocable<void()>> own_posts;
  int64_t polls = 0;

  // Sets the timer if the next alarm comes before it. A cancelled alarm leaves the timer as it is: an idle
  // wake-up costs less than setting the timer for every exchange.
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

absl::Status EventLoop::Check() {
  const auto refused = [](std::string_view call) {
    const int error = errno;
    return absl::UnavailableError(absl::StrCat("no event loop: ", call, ": ", std::strerror(error)));
  };
  // Needs as many descriptors at once as a loop with a watch of signals.
  Descriptor epoll(epoll_create1(EPOLL_CLOEXEC));
  if (epoll.number < 0) return refused("epoll_create1");
  Descriptor event(eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK));
  if (event.number < 0) return refused("eventfd");
  // Without the kernel's timers, the backend waits in milliseconds.
  Descriptor timer(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
  if (timer.number < 0 && (errno == EMFILE || errno == ENFILE)) return refused("timerfd_create");
  int ends[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return refused("pipe2");
  const Descriptor read_end(ends[0]), write_end(ends[1]);
  for (const int watched : {event.number, timer.number, ends[0]}) {
    epoll_event interest{.events = EPOLLIN | EPOLLET, .data = {}};
    if (watched >= 0 && epoll_ctl(epoll.number, EPOLL_CTL_ADD, watched, &interest) != 0)
      return refused("epoll_ctl");
  }
  epoll_event interest{.events = EPOLLIN | EPOLLET, .data = {}};
  if (epoll_ctl(epoll.number, EPOLL_CTL_MOD, event.number, &interest) != 0) return refused("epoll_ctl");
  epoll_event ready;
  if (epoll_wait(epoll.number, &ready, 1, 0) != 1) return refused("epoll_wait");
  return absl::OkStatus();
}

EventLoop::EventLoop() : EventLoop(&ReadSystemClocks) {}
EventLoop::EventLoop(ReadClocks read) : read_(read), impl_(std::make_unique<Impl>()) {}
EventLoop::~EventLoop() = default;

void EventLoop::Run() {
  // At most this many posts of the loop's own thread run before the sockets are polled again; fewer if they
  // take longer. Polling then repeats as long as it finds something, since each poll serves one descriptor.
  constexpr int kOwnPostsInARow = 16;
  constexpr absl::Duration kOwnPostsTakeLong = absl::Milliseconds(1);
  constexpr int kPollsInARow = 16;
  const auto guard = boost::asio::make_work_guard(impl_->context);
  impl_->context.restart();
  impl_->owner = std::this_thread::get_id();
  const auto post = [this](absl::AnyInvocable<void()> fire) { Post(std::move(fire)); };
  int in_a_row = 0, polls_left = 0;
  absl::Duration row_began;
  while (!impl_->stopped.exchange(false)) {
    const absl::Duration now = read_().monotonic;
    impl_->alarms.FireDue(now, post);
    impl_->alarms.Turn(now);
    const bool took_long = in_a_row > 0 && now - row_began >= kOwnPostsTakeLong;
    if (!impl_->own_posts.empty() && in_a_row < kOwnPostsInARow && polls_left == 0 && !took_long) {
      if (in_a_row++ == 0) row_began = now;
      absl::AnyInvocable<void()> work = std::move(impl_->own_posts.front());
      impl_->own_posts.pop_front();
      work();
      continue;
    }
    if (took_long) polls_left = kPollsInARow;
    in_a_row = 0;
    ++impl_->polls;
    if (impl_->own_posts.empty()) {
      impl_->SetTimer(now);
      impl_->context.run_one();
      polls_left = 0;
    } else {
      const bool found = impl_->context.poll_one() > 0;
      polls_left = found ? std::max(polls_left - 1, 0) : 0;
    }
  }
  impl_->owner = std::thread::id();
}

void EventLoop::Stop() {
  impl_->stopped = true;
  // Wakes a loop that is waiting.
  Post([] {});
}

void EventLoop::Post(absl::AnyInvocable<void()> work) {
  if (impl_->owner == std::this_thread::get_id()) {
    impl_->own_posts.push_back(std::move(work));
    return;
  }
  boost::asio::post(impl_->context, [work = std::move(work)]() mutable { work(); });
}

AlarmId EventLoop::SetAlarm(absl::Duration delay, LateAlarm late, absl::AnyInvocable<void()> fire) {
  return impl_->alarms.Set(read_().monotonic, delay, late, std::move(fire));
}

bool EventLoop::CancelAlarm(AlarmId id) { return impl_->alarms.Cancel(id); }

std::optional<absl::Duration> EventLoop::UntilAlarm(AlarmId id) const {
  return impl_->alarms.Until(id, read_().monotonic);
}

int64_t EventLoop::alarm_late() const { return impl_->alarms.late(); }

int64_t EventLoop::polls() const { return impl_->polls; }

void* EventLoop::native() { return &impl_->context; }

}  // namespace thaw
