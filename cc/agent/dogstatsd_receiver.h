// Receives the datagrams of DogStatsD clients: the socket on port 8125, which only the sandbox reaches.
//
//   DogStatsdReceiver receiver(executor, clock, options, samples, on_event, on_check);
//   receiver.Serve(std::move(datagrams));
//   co_await receiver.WaitForWork(absl::Milliseconds(100));   // a flush is about to begin
//
// A turn of the loop takes batches until 64 KiB have come: half a megabyte at most, if the last batch has the longest
// datagrams. It is read in a few milliseconds. While the environment is frozen nobody sends, and what was sent before
// waits in the kernel. A function's last lines are sent just before its end, so a flush first waits until they are
// read.
//
// One thread: the executor's.

#ifndef THAW_CC_AGENT_DOGSTATSD_RECEIVER_H_
#define THAW_CC_AGENT_DOGSTATSD_RECEIVER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "cc/base/cancellation.h"
#include "cc/base/declare_counts.h"
#include "cc/base/executor.h"
#include "cc/base/task.h"
#include "cc/clock/clock.h"
#include "cc/metrics/dogstatsd_parser.h"
#include "cc/metrics/metric_sink.h"
#include "cc/metrics/statsd_event.h"
#include "cc/net/datagrams.h"

namespace thaw {

// X(name, what it counts)
#define THAW_DOGSTATSD_RECEIVER_COUNTS(X)                                      \
  X(datagrams, "datagrams that were read")                                     \
  X(bytes, "bytes of these")                                                   \
  X(dropped, "datagrams that found the socket's buffer full")                  \
  X(truncated, "datagrams that were longer than any that the protocol allows") \
  X(failures, "failures to receive, after which it is tried again")            \
  X(waits_cut, "waits before a flush that ended while datagrams kept coming")

struct DogStatsdReceiverCounts {
  THAW_DECLARE_COUNTS(THAW_DOGSTATSD_RECEIVER_COUNTS)
};

class DogStatsdReceiver {
 public:
  // Longest wait for the datagrams that have come. A function that goes on sending at its end has its last lines in
  // the next flush; a thousand datagrams are read in a few milliseconds.
  static constexpr absl::Duration kLongestWait = absl::Milliseconds(100);

  // `executor`, `clock` and `samples` must outlive the receiver, and the turn of the executor after its end.
  DogStatsdReceiver(Executor& executor, Clock& clock, DogStatsdOptions options, MetricSink& samples,
                    absl::AnyInvocable<void(const StatsdEvent&)> on_event,
                    absl::AnyInvocable<void(const ServiceCheck&)> on_check);
  DogStatsdReceiver(const DogStatsdReceiver&) = delete;
  DogStatsdReceiver& operator=(const DogStatsdReceiver&) = delete;
  // Stops receiving. The socket is closed in the executor's next turns.
  ~DogStatsdReceiver();

  // Begins to receive. Call it once. Without a socket nothing is received.
  void Serve(std::unique_ptr<Datagrams> datagrams);

  // Waits until the datagrams are read that the kernel holds by now, for at most `at_most` or kLongestWait. At least
  // one batch is read.
  Task<void> WaitForWork(absl::Duration at_most);

  const DogStatsdReceiverCounts& counts() const { return state_->counts; }
  const DogStatsdCounts& line_counts() const { return state_->parser.counts(); }
  // Returns the beginning of the first line that was refused, and why; empty if none was.
  const std::string& first_refused() const { return state_->parser.first_refused(); }

 private:
  // Shared with the task that receives, which ends after the receiver.
  struct State {
    State(Executor& executor_in, Clock& clock_in, DogStatsdOptions options, MetricSink& samples,
          absl::AnyInvocable<void(const StatsdEvent&)> on_event,
          absl::AnyInvocable<void(const ServiceCheck&)> on_check);
    void Take(const DatagramBatch& batch);

    Executor& executor;
    Clock& clock;
    DogStatsdParser parser;
    DogStatsdReceiverCounts counts;
    std::unique_ptr<Datagrams> datagrams;
    Cancellation stop;
  };

  static Task<void> Receive(std::shared_ptr<State> state);

  const std::shared_ptr<State> state_;
};

}  // namespace thaw

#endif  // THAW_CC_AGENT_DOGSTATSD_RECEIVER_H_
