#include <cstdint>
#include <tuple>
#include <vector>

#include "absl/log/globals.h"
#include "cc/sim/real_tls.h"
#include "cc/sim/simulation.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

const int quiet = [] {
  absl::SetMinLogLevel(absl::LogSeverityAtLeast::kFatal);
  return 0;
}();

class TlsInvariants : public testing::TestWithParam<std::tuple<FreezeScenario, IdleClose, int, TlsVersion>> {
};

TEST_P(TlsInvariants, HoldUnderFaults) {
  const auto [scenario, close, max_idle, version] = GetParam();
  for (const double fault_rate : {0.0, 0.3}) {
    for (uint64_t seed = 1; seed <= 3; ++seed) {
      SimulationOptions options;
      options.seed = seed;
      options.cycles = 300;
      options.scenario = scenario;
      options.intake.idle_close = close;
      options.intake.fault_rate = fault_rate;
      options.client.max_idle_per_host = max_idle;
      // Idle connections are kept over the freeze, so that reuse meets the close, and the tickets before it.
      options.client.on_resume = max_idle > 0 ? OnResume::kProbe : OnResume::kDrain;
      options.client.idle_timeout = absl::Seconds(90);
      options.random_clocks = true;
      options.function_time = absl::Seconds(1);
      options.tls = RealTls(version);
      const SimulationResult result = Simulate(options);
      ASSERT_TRUE(result.broken.ok()) << result.broken << ", fault rate " << fault_rate;
      const ConnectionCounts& connections = result.counts.connection;
      EXPECT_GT(connections.tls_full, 0);
      EXPECT_GT(connections.tls_resumed, 0);
      EXPECT_EQ(connections.tls_full + connections.tls_resumed, connections.opened);
      if (fault_rate > 0) {
        EXPECT_GT(result.faults_met, options.cycles / 10);
      }
      if (fault_rate == 0 && scenario == FreezeScenario::kIdle) {
        EXPECT_EQ(result.delivered, result.payloads);
        EXPECT_EQ(result.duplicated + result.lost + result.dropped + result.errors, 0);
        EXPECT_EQ(connections.dial_failed, 0);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, TlsInvariants,
    testing::Combine(testing::Values(FreezeScenario::kIdle, FreezeScenario::kInFlight),
                     testing::Values(IdleClose::kFin, IdleClose::kRst, IdleClose::kSilent),
                     testing::Values(0, 4), testing::Values(TlsVersion::kTls12, TlsVersion::kTls13)));

class EachFault : public testing::TestWithParam<SimFault> {};

TEST_P(EachFault, BreaksNothing) {
  SimulationOptions options;
  options.cycles = 300;
  options.scenario = FreezeScenario::kInFlight;
  options.intake.idle_close = IdleClose::kMixed;
  options.intake.fault_rate = 0.3;
  options.intake.faults = {GetParam()};
  options.function_time = absl::Seconds(1);
  options.tls = RealTls();
  const SimulationResult result = Simulate(options);
  EXPECT_TRUE(result.broken.ok()) << result.broken;
  EXPECT_GT(result.faults_met, 0);
  EXPECT_GT(result.delivered, 0);
}

INSTANTIATE_TEST_SUITE_P(All, EachFault, testing::ValuesIn(kAllSimFaults));

// A handshake that is reset or never answered fails its dial, and the failure's phase is TLS.
TEST(TlsSimulation, FaultsOfTheHandshakeFailIt) {
  for (const SimFault fault : {SimFault::kTlsReset, SimFault::kTlsHangs}) {
    SimulationOptions options;
    options.cycles = 50;
    // One dial at a time, so that none is given up because another was faster.
    options.client.max_connections_per_host = 1;
    options.intake.fault_rate = 0.3;
    options.intake.faults = {fault};
    options.tls = RealTls();
    const SimulationResult result = Simulate(options);
    EXPECT_TRUE(result.broken.ok()) << result.broken;
    const ConnectionCounts& connections = result.counts.connection;
    EXPECT_EQ(connections.dial_failed, result.faults_met);
    EXPECT_GT(connections.dial_failed, 0);
    EXPECT_EQ(connections.tls_full + connections.tls_resumed, connections.opened);
  }
}

TEST(TlsSimulation, WithoutResumptionEachHandshakeIsFull) {
  SimulationOptions options;
  options.cycles = 50;
  options.client.tls_session_resumption = false;
  options.tls = RealTls();
  const SimulationResult result = Simulate(options);
  EXPECT_TRUE(result.broken.ok()) << result.broken;
  EXPECT_EQ(result.counts.connection.tls_resumed, 0);
  EXPECT_EQ(result.counts.connection.tls_full, result.counts.connection.opened);
}

TEST(TlsSimulation, ServerOfAnotherVersionIsRefused) {
  SimulationOptions options;
  options.cycles = 5;
  options.check = false;
  options.client.tls_min_version = TlsVersion::kTls13;
  options.tls = RealTls(TlsVersion::kTls12);
  const SimulationResult result = Simulate(options);
  EXPECT_EQ(result.counts.connection.opened, 0);
  EXPECT_GT(result.counts.connection.dial_failed, 0);
  EXPECT_EQ(result.accepted, 0);
}

// Keys do not come from the seed. Events do, as long as no fault depends on the length of a record.
TEST(TlsSimulation, OneSeedIsOneRun) {
  SimulationOptions options;
  options.seed = 42;
  options.cycles = 300;
  options.scenario = FreezeScenario::kInFlight;
  options.intake.fault_rate = 0.5;
  std::erase(options.intake.faults, SimFault::kStallMidRequest);
  std::erase(options.intake.faults, SimFault::kNarrowWindow);
  options.intake.idle_close = IdleClose::kMixed;
  options.tls = RealTls();
  const SimulationResult first = Simulate(options);
  const SimulationResult second = Simulate(options);
  EXPECT_EQ(first.steps, second.steps);
  EXPECT_EQ(first.faults_met, second.faults_met);
  EXPECT_EQ(first.delivered, second.delivered);
  EXPECT_EQ(first.counts.connection.tls_resumed, second.counts.connection.tls_resumed);
  options.seed = 43;
  EXPECT_NE(Simulate(options).steps, first.steps);
}

}  // namespace
}  // namespace thaw
