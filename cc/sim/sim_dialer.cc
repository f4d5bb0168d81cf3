#include "cc/sim/sim_dialer.h"

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "cc/base/completion.h"
#include "cc/clock/clock.h"
#include "cc/net/exchange_failure.h"
#include "cc/net/exchange_times.h"
#include "cc/net/tls_connector.h"
#include "cc/sim/sim_stream.h"
#include "cc/sim/state_hash.h"

namespace thaw {
namespace {

// Stands for a phase of a dial in hashes.
constexpr uint64_t kDialSpoke = 100;

// A phase of a dial. Each takes its round trips and may end the dial.
struct DialStep {
  Phase phase;
  absl::Duration takes;
  SimFault fails;
  Fault as;
  SimFault hangs;
};

ExchangeFailure FailureIn(Phase phase, Fault fault, absl::Status error) {
  ExchangeFailure failure;
  failure.phase = phase;
  failure.fault = fault;
  failure.error = std::move(error);
  return failure;
}

void NoteTime(const DialStep& step, DialTimes& times) {
  if (step.phase == Phase::kResolve) times.name_lookup = step.takes;
  if (step.phase == Phase::kConnect) times.connect = step.takes;
  if (step.phase == Phase::kTls) times.tls = step.takes;
}

}  // namespace

Task<DialResult> SimDialer::Dial(Destination destination, Cancellation& cancellation) {
  const uint64_t number = world_.NextNumber();
  const ClockReading began = world_.clock().Now();
  const absl::Duration round_trip = 2 * intake_.options_.one_way;
  const SimFault fault = intake_.DrawFault(/*dial=*/true);
  const uint64_t awaits = Mixed(number, static_cast<uint64_t>(fault));
  intake_.dials_hash_ += awaits;
  DialResult result;

  const DialStep steps[] = {
      {Phase::kResolve, absl::Milliseconds(1), SimFault::kLookupFails, Fault::kNotFound, SimFault::kNone},
      {Phase::kConnect, round_trip, SimFault::kConnectRefused, Fault::kRefused, SimFault::kConnectHangs},
      {Phase::kTls, round_trip, SimFault::kTlsReset, Fault::kReset, SimFault::kTlsHangs},
  };
  const bool real_tls = tls_ != nullptr && destination.is_tls();
  for (const DialStep& step : steps) {
    if (real_tls && step.phase == Phase::kTls) break;
    const bool hangs = fault != SimFault::kNone && fault == step.hangs;
    const absl::Duration takes = hangs ? absl::InfiniteDuration() : step.takes;
    const absl::Status slept = co_await Wait(takes, number, cancellation);
    if (!slept.ok()) {
      result.failure = FailureIn(step.phase, FaultOfCancellation(slept), slept);
      break;
    }
    if (fault != SimFault::kNone && fault == step.fails) {
      result.failure = FailureIn(step.phase, step.as, absl::UnavailableError("scripted fault"));
      break;
    }
    NoteTime(step, result.times);
  }
  intake_.dials_hash_ -= awaits;
  if (!result.failure.has_value()) {
    result.transport =
        std::make_unique<SimTransport>(intake_.Accept(fault, real_tls ? tls_->Accept() : nullptr));
    if (real_tls) co_await Secure(std::move(destination), result, cancellation);
  }
  result.took = world_.clock().Now().monotonic - began.monotonic;
  co_return result;
}

Task<void> SimDialer::Secure(Destination destination, DialResult& result, Cancellation& cancellation) {
  const absl::Duration began = world_.clock().Now().monotonic;
  TlsTarget target{.destination = destination, .server_name = destination.host};
  TlsResult secured =
      co_await tls_->connector().Handshake(std::move(result.transport), std::move(target), cancellation);
  result.transport = std::move(secured.transport);
  result.protocol = std::move(secured.protocol);
  result.failure = std::move(secured.failure);
  if (!result.failure.has_value()) result.times.tls = world_.clock().Now().monotonic - began;
}

Task<absl::Status> SimDialer::Wait(absl::Duration delay, uint64_t dial, Cancellation& cancellation) {
  // Shared, since the event outside may come after the wait was cancelled.
  const auto woken = std::make_shared<Completion<absl::Status>>(world_.executor());
  if (delay != absl::InfiniteDuration()) {
    world_.Arrive(
        dial, delay,
        [&world = world_, woken, dial] {
          if (woken->Set(absl::OkStatus())) world.ClientSaw(Mixed(dial, kDialSpoke));
        },
        kDialSpoke);
  }
  const auto registration =
      cancellation.OnRequest([&woken](const absl::Status& reason) { woken->Set(reason); });
  Completion<absl::Status>& waiting = *woken;
  co_return co_await waiting;
}

}  // namespace thaw
