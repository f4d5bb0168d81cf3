#include "cc/agent/dogstatsd_receiver.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/log/log.h"
#include "absl/status/status.h"
#include "cc/base/line.h"
#include "cc/clock/sleep.h"

namespace thaw {
namespace {

// Pause after a failure to receive, which means that the kernel is short of memory.
constexpr absl::Duration kPause = absl::Milliseconds(100);

}  // namespace

DogStatsdReceiver::State::State(Executor& executor_in, Clock& clock_in, DogStatsdOptions options,
                                MetricSink& samples, absl::AnyInvocable<void(const StatsdEvent&)> on_event,
                                absl::AnyInvocable<void(const ServiceCheck&)> on_check)
    : executor(executor_in),
      clock(clock_in),
      parser(std::move(options), samples, std::move(on_event), std::move(on_check)) {}

void DogStatsdReceiver::State::Take(const DatagramBatch& batch) {
  counts.datagrams += static_cast<int64_t>(batch.datagrams.size());
  counts.dropped += batch.dropped;
  counts.truncated += batch.truncated;
  const bool refused_before = !parser.first_refused().empty();
  const absl::Time now = clock.Now().wall;
  for (const std::string_view datagram : batch.datagrams) {
    counts.bytes += static_cast<int64_t>(datagram.size());
    parser.Parse(datagram, now);
  }
  if (!refused_before && !parser.first_refused().empty())
    LOG(WARNING) << "a line of DogStatsD is left out: " << parser.first_refused()
                 << "; further ones are only counted";
  if (batch.dropped > 0)
    LOG_FIRST_N(ERROR, 1) << batch.dropped
                          << " datagrams of DogStatsD are lost: they came faster than they could be read; "
                             "further ones are only counted";
}

DogStatsdReceiver::DogStatsdReceiver(Executor& executor, Clock& clock, DogStatsdOptions options,
                                     MetricSink& samples,
                                     absl::AnyInvocable<void(const StatsdEvent&)> on_event,
                                     absl::AnyInvocable<void(const ServiceCheck&)> on_check)
    : state_(std::make_shared<State>(executor, clock, std::move(options), samples, std::move(on_event),
                                     std::move(on_check))) {}

DogStatsdReceiver::~DogStatsdReceiver() {
  state_->stop.Request(absl::CancelledError("the receiver has ended"));
}

void DogStatsdReceiver::Serve(std::unique_ptr<Datagrams> datagrams) {
  if (datagrams == nullptr) return;
  state_->datagrams = std::move(datagrams);
  Spawn(state_->executor, Receive(state_));
}

Task<void> DogStatsdReceiver::Receive(std::shared_ptr<State> state) {
  while (!state->stop.requested()) {
    Datagrams::Handler handler = [&state = *state](const DatagramBatch& batch) { state.Take(batch); };
    Task<absl::Status> receiving = state->datagrams->Receive(std::move(handler), state->stop);
    const absl::Status ended = co_await std::move(receiving);
    if (state->stop.requested()) break;
    ++state->counts.failures;
    LOG_FIRST_N(WARNING, 1) << "datagrams of DogStatsD can't be received for now: " << ended.message();
    Task<absl::Status> pause = Sleep(state->executor, state->clock, kPause, state->stop);
    static_cast<void>(co_await std::move(pause));
  }
}

Task<void> DogStatsdReceiver::WaitForWork(absl::Duration at_most) {
  const std::shared_ptr<State> state = state_;
  if (state->datagrams == nullptr) co_return;
  const absl::Duration end = state->clock.Now().monotonic + std::min(at_most, kLongestWait);
  const auto take = [&state](const DatagramBatch& batch) { state->Take(batch); };
  while (!state->stop.requested() && state->datagrams->ReceiveWaiting(take)) {
    if (state->clock.Now().monotonic >= end) {
      ++state->counts.waits_cut;
      co_return;
    }
    co_await Turn(state->executor);
  }
}

}  // namespace thaw
