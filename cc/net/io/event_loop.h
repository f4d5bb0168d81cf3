// The real executor and clock: one thread that serves a queue, alarms and sockets.
//
//   EventLoop loop;
//   Spawn(loop, Serve());
//   loop.Run();                 // on the thread that owns everything above; Stop() from any thread
//
// Each entry of the queue is one turn of the loop. Alarms are checked before every turn, so that an alarm
// that came due in a freeze is known to be late whatever else became ready meanwhile.

#ifndef THAW_CC_NET_IO_EVENT_LOOP_H_
#define THAW_CC_NET_IO_EVENT_LOOP_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cc/base/executor.h"
#include "cc/clock/clock.h"

namespace thaw {

class EventLoop : public Executor, public Clock {
 public:
  // Reads the clocks; tests may pass their own.
  using ReadClocks = ClockReading (*)();

  EventLoop();
  explicit EventLoop(ReadClocks read);
  ~EventLoop() override;
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Returns Unavailable, naming the refused call, if the kernel does not give what a loop needs. Call it
  // before making the first loop, which ends the process in that case. Takes a few microseconds.
  static absl::Status Check();

  // Serves until Stop(); may be called again afterwards.
  void Run();
  // Stops Run(). May be called from any thread. Work that is queued stays queued.
  void Stop();

  void Post(absl::AnyInvocable<void()> work) override;

  ClockReading Now() const override { return read_(); }
  AlarmId SetAlarm(absl::Duration delay, LateAlarm late, absl::AnyInvocable<void()> fire) override;
  bool CancelAlarm(AlarmId id) override;
  std::optional<absl::Duration> UntilAlarm(AlarmId id) const override;

  // The number of alarms that were re-armed because they fired late. Loop's thread only.
  int64_t alarm_late() const;

  // The number of times that the loop has polled the sockets. Their known state changes only with a poll.
  // Loop's thread only.
  int64_t polls() const;

  // The backend's own context, for the sources of this folder only: a boost::asio::io_context.
  void* native();

 private:
  struct Impl;
  const ReadClocks read_;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace thaw

#endif  // THAW_CC_NET_IO_EVENT_LOOP_H_
