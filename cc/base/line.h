// Serializes tasks: they enter one at a time, in the order in which they asked.
//
//   Line line(executor);
//   const Line::Place place = co_await line.Enter();   // no other task enters until `place` is destroyed
//   ... co_await Turn(executor);                       // lets other queued work of the executor run first
//
// One thread: the executor's. The line must outlive the tasks.

#ifndef THAW_CC_BASE_LINE_H_
#define THAW_CC_BASE_LINE_H_

#include <coroutine>
#include <cstddef>
#include <deque>
#include <utility>

#include "cc/base/executor.h"

namespace thaw {

// Awaiting a Turn lets the work that is queued by now run first.
class Turn {
 public:
  explicit Turn(Executor& executor) : executor_(executor) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    executor_.Post([waiter] { waiter.resume(); });
  }
  void await_resume() const noexcept {}

 private:
  Executor& executor_;
};

class Line {
 public:
  // The right to run, which its holder has until the place is destroyed.
  class Place {
   public:
    explicit Place(Line* line) : line_(line) {}
    Place(Place&& other) noexcept : line_(std::exchange(other.line_, nullptr)) {}
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (line_ != nullptr) line_->Leave();
    }

   private:
    Line* line_;
  };

  explicit Line(Executor& executor) : executor_(executor) {}
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  auto Enter() {
    struct Awaiter {
      Line& line;
      bool await_ready() const noexcept { return std::exchange(line.taken_, true) == false; }
      void await_suspend(std::coroutine_handle<> waiter) { line.waiting_.push_back(waiter); }
      Place await_resume() const noexcept { return Place(&line); }
    };
    return Awaiter{*this};
  }

  // The number of tasks in the line, including the one that runs.
  size_t size() const { return (taken_ ? 1 : 0) + waiting_.size(); }

 private:
  void Leave() {
    if (waiting_.empty()) {
      taken_ = false;
      return;
    }
    executor_.Post([waiter = waiting_.front()] { waiter.resume(); });
    waiting_.pop_front();
  }

  Executor& executor_;
  bool taken_ = false;
  std::deque<std::coroutine_handle<>> waiting_;
};

}  // namespace thaw

#endif  // THAW_CC_BASE_LINE_H_
