#include "cc/sim/simulation.h"

#include <string>
#include <tuple>

#include "absl/log/globals.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

// Returns the options of peers' clients, as the laboratory's arms have them.
ClientOptions Hyper(int max_idle, int attempts) {
  ClientOptions options;
  options.max_idle_per_host = max_idle;
  options.share_within_flush = max_idle > 0;
  options.idle_timeout = absl::Seconds(90);
  options.max_connections_per_host = ClientOptions::kUnlimited;
  options.on_resume = OnResume::kKeep;
  options.liveness = Liveness::kReactorOnly;
  options.expiry_clock = ExpiryClock::kMonotonic;
  options.dial_eagerly = true;
  options.late_alarm = LateAlarm::kFire;
  options.max_attempts = attempts;
  options.backoff_base = absl::ZeroDuration();
  options.resend_rule = ResendRule::kUnsentOnly;
  return options;
}

constexpr PeersOptions kStrategyEnd = {.on_failure = OnFailure::kDiscard,
                                       .sequential = true,
                                       .return_all_on_failure = true,
                                       .retry_all_statuses = true};

// Errors that peers' clients log are counted; printing them would hide a test's failure.
const int quiet = [] {
  absl::SetMinLogLevel(absl::LogSeverityAtLeast::kFatal);
  return 0;
}();

SimulationOptions Peer(ClientOptions client) {
  SimulationOptions options;
  options.client = std::move(client);
  options.peers = kStrategyEnd;
  options.limits.outage.no_progress_limit = absl::InfiniteDuration();
  options.payloads_per_cycle = 1;
  options.tell_client = false;
  options.check = false;
  options.freeze_min = options.freeze_max = absl::Seconds(70);
  return options;
}

class ThawInvariants : public testing::TestWithParam<std::tuple<FreezeScenario, IdleClose, int>> {};

TEST_P(ThawInvariants, HoldUnderFaults) {
  const auto [scenario, close, max_idle] = GetParam();
  for (const double fault_rate : {0.0, 0.3, 0.9}) {
    for (uint64_t seed = 1; seed <= 10; ++seed) {
      SimulationOptions options;
      options.seed = seed;
      options.cycles = 300;
      options.scenario = scenario;
      options.intake.idle_close = close;
      options.intake.fault_rate = fault_rate;
      options.client.max_idle_per_host = max_idle;
      options.random_clocks = true;
      options.function_time = absl::Seconds(1);
      const SimulationResult result = Simulate(options);
      ASSERT_TRUE(result.broken.ok()) << result.broken << ", fault rate " << fault_rate;
      if (fault_rate > 0) {
        // Checks that an open breaker did not keep the client from meeting faults.
        EXPECT_GT(result.faults_met, options.cycles / 10);
      }
      if (fault_rate == 0 && scenario == FreezeScenario::kIdle) {
        EXPECT_EQ(result.delivered, result.payloads);
        EXPECT_EQ(result.duplicated + result.lost + result.dropped + result.errors, 0);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, ThawInvariants,
                         testing::Combine(testing::Values(FreezeScenario::kIdle, FreezeScenario::kInFlight),
                                          testing::Values(IdleClose::kFin, IdleClose::kRst,
                                                          IdleClose::kSilent, IdleClose::kRace,
                                                          IdleClose::kMixed),
                                          testing::Values(0, 4)));

TEST(Simulation, OneSeedIsOneRun) {
  SimulationOptions options;
  options.seed = 42;
  options.scenario = FreezeScenario::kInFlight;
  options.intake.fault_rate = 0.5;
  options.intake.idle_close = IdleClose::kMixed;
  options.client.max_idle_per_host = 4;
  const SimulationResult first = Simulate(options);
  const SimulationResult second = Simulate(options);
  EXPECT_EQ(first.steps, second.steps);
  EXPECT_EQ(first.faults_met, second.faults_met);
  EXPECT_EQ(first.counts.exchange.bytes_sent, second.counts.exchange.bytes_sent);
  options.seed = 43;
  EXPECT_NE(Simulate(options).steps, first.steps);
}

TEST(Simulation, AFlushThatNeverEndsIsABrokenInvariantAndNoAbort) {
  SimulationOptions options;
  options.seed = 5;
  options.max_steps_per_payload = 3;
  const SimulationResult result = Simulate(options);
  EXPECT_EQ(result.broken.message().substr(0, 30), "invariant 'termination' broken") << result.broken;
  EXPECT_EQ(result.freezes, 0);
}

TEST(Simulation, FlushesTakeTheirRoundTripsAndNoFrozenTime) {
  SimulationOptions options;
  options.payloads_per_cycle = 1;
  options.intake.one_way = absl::Milliseconds(20);
  const SimulationResult idle = Simulate(options);
  // Lookup, then connection, TLS and request: three round trips.
  EXPECT_GE(idle.flush_p50, absl::Milliseconds(120));
  EXPECT_LE(idle.flush_p99, absl::Milliseconds(200));
  options.scenario = FreezeScenario::kInFlight;
  const SimulationResult in_flight = Simulate(options);
  EXPECT_GE(in_flight.flush_p99, in_flight.flush_p50);
  EXPECT_GT(in_flight.flush_p50, absl::ZeroDuration());
  EXPECT_LE(in_flight.flush_p99, options.flush_deadline);
}

TEST(Simulation, V93LosesEverySecondFlushToAPeerThatForgot) {
  SimulationOptions options = Peer(Hyper(ClientOptions::kUnlimited, 1));
  options.intake.idle_close = IdleClose::kSilent;
  const SimulationResult result = Simulate(options);
  EXPECT_EQ(result.lost, result.payloads / 2);
  EXPECT_EQ(result.errors, 2 * result.lost);  // one line of the library, one of the extension
}

TEST(Simulation, V93NoticesAFin) {
  SimulationOptions options = Peer(Hyper(ClientOptions::kUnlimited, 1));
  options.intake.idle_close = IdleClose::kFin;
  EXPECT_EQ(Simulate(options).lost, 0);
}

TEST(Simulation, V98LosesNothingIdleAndDuplicatesInFlight) {
  SimulationOptions options = Peer(Hyper(0, 4));
  options.intake.idle_close = IdleClose::kSilent;
  EXPECT_EQ(Simulate(options).lost, 0);
  options.scenario = FreezeScenario::kInFlight;
  options.intake.service_time = absl::Milliseconds(20);
  options.peers.on_failure = OnFailure::kRedriveAtShutdown;
  EXPECT_GT(Simulate(options).duplicated, 0);
}

}  // namespace
}  // namespace thaw
