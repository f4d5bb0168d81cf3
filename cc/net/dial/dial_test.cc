// Tests the steps of a dial, and the whole of it, over a scripted network and virtual time.

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cc/clock/sleep.h"
#include "cc/net/dial/address_racing.h"
#include "cc/net/dial/name_cache.h"
#include "cc/net/dial/no_proxy.h"
#include "cc/net/dial/proxy_connect.h"
#include "cc/net/dial/stack_dialer.h"
#include "cc/sim/sim_stream.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Answers requests, and as a proxy sends the head that the test wrote.
class FakePeer : public SimStream::Peer {
 public:
  FakePeer(SimStream* stream, std::string* received, std::string answer)
      : stream_(stream), received_(received), answer_(std::move(answer)) {}
  void OnBytes(std::string_view bytes) override {
    received_->append(bytes);
    if (received_->ends_with("\r\n\r\n") && !answer_.empty()) stream_->PeerSend(std::exchange(answer_, ""));
  }
  void OnEnd() override {}

 private:
  SimStream* const stream_;
  std::string* const received_;
  std::string answer_;
};

class FakeNetwork : public Network {
 public:
  explicit FakeNetwork(SimWorld& world) : world_(world) {}

  Task<absl::StatusOr<ResolvedName>> Lookup(std::string host, LookupPatience patience,
                                            Cancellation& cancellation) override {
    ++lookups;
    const bool patient = patience == LookupPatience::kLong;
    const absl::Duration takes = patient ? patient_lookup_takes : lookup_takes;
    const absl::Status slept = co_await Sleep(world_.executor(), world_.clock(), takes, cancellation);
    if (!slept.ok()) co_return slept;
    if (patient && both_families.contains(host)) co_return both_families.at(host);
    if (!names.contains(host)) co_return absl::NotFoundError("no such name");
    co_return names.at(host);
  }
  Task<absl::StatusOr<std::unique_ptr<Transport>>> Connect(IpAddress address, uint16_t, ConnectOptions,
                                                           Cancellation& cancellation) override {
    attempts.push_back(address.text);
    const absl::Duration takes = hangs.contains(address.text) ? absl::InfiniteDuration() : connect_takes;
    const absl::Status slept = co_await Sleep(world_.executor(), world_.clock(), takes, cancellation);
    if (!slept.ok()) co_return slept;
    if (refuses.contains(address.text)) co_return absl::UnavailableError("Connection refused");
    auto stream = std::make_shared<SimStream>(world_, absl::Milliseconds(1));
    stream->set_peer(std::make_unique<FakePeer>(stream.get(), &received, answer));
    co_return std::unique_ptr<Transport>(std::make_unique<SimTransport>(stream));
  }

  std::map<std::string, ResolvedName> names;
  // Answers to patient questions, where they differ.
  std::map<std::string, ResolvedName> both_families;
  absl::Duration lookup_takes = absl::Milliseconds(5);
  absl::Duration patient_lookup_takes = absl::Milliseconds(600);
  absl::Duration connect_takes = absl::Milliseconds(10);
  std::set<std::string> hangs;
  std::set<std::string> refuses;
  std::string answer;
  std::string received;
  int lookups = 0;
  std::vector<std::string> attempts;

 private:
  SimWorld& world_;
};

class FakeTls : public TlsConnector {
 public:
  explicit FakeTls(SimWorld& world) : world_(world) {}

  Task<TlsResult> Handshake(std::unique_ptr<Transport> lower, TlsTarget target,
                            Cancellation& cancellation) override {
    co_await Sleep(world_.executor(), world_.clock(), takes, cancellation);
    targets.push_back(target.server_name + (target.proxy.empty() ? "" : " through " + target.proxy));
    protocols.push_back(target.protocols);
    TlsResult result;
    result.protocol = target.protocols.front();
    result.resumed = resumes;
    result.transport = std::move(lower);
    co_return result;
  }
  void Forget() override { ++forgotten; }
  absl::Duration takes;
  bool resumes = false;
  std::vector<std::string> targets;
  std::vector<std::vector<std::string>> protocols;  // offered for each of them
  int forgotten = 0;

 private:
  SimWorld& world_;
};

const size_t kMaxHeadBytes = ClientOptions().max_response_head_bytes;

IpAddress V4(std::string text) { return {IpAddress::Family::kV4, std::move(text)}; }
IpAddress V6(std::string text) { return {IpAddress::Family::kV6, std::move(text)}; }

class DialTest : public testing::Test {
 protected:
  template <typename T>
  T Await(Task<T> task) {
    std::optional<T> result;
    absl::AnyInvocable<void(T)> done = [&](T value) { result = std::move(value); };
    Spawn<T>(world_.executor(), std::move(task), std::move(done));
    world_.RunUntil([&] { return result.has_value(); });
    return *std::move(result);
  }

  SimWorld world_{1};
  FakeNetwork network_{world_};
  ConnectionCounts counts_;
  Cancellation cancellation_;
};

// -- Names ---------------------------------------------------------------------------------------------

class NameCacheTest : public DialTest {
 protected:
  NameCacheTest() { network_.names["a.test"] = {{V4("10.0.0.1")}, absl::Seconds(30)}; }
  absl::StatusOr<ResolvedName> Lookup(const std::string& host = "a.test") {
    return Await(cache_.Lookup(host, cancellation_));
  }
  NameCache cache_{world_.executor(), world_.clock(), network_, counts_};
};

TEST_F(NameCacheTest, AnAnswerIsKeptForItsTimeToLive) {
  EXPECT_TRUE(Lookup().ok());
  world_.clock().Advance(absl::Seconds(30));
  EXPECT_TRUE(Lookup().ok());
  EXPECT_EQ(network_.lookups, 1);
  EXPECT_EQ(counts_.name_cache_hits, 1);
  world_.clock().Advance(absl::Seconds(1));
  EXPECT_TRUE(Lookup().ok());
  EXPECT_EQ(network_.lookups, 2);
}

TEST_F(NameCacheTest, AFreezeThatOnlyTheWallClockSawCounts) {
  EXPECT_TRUE(Lookup().ok());
  world_.clock().Freeze({.wall = absl::Minutes(5)});
  EXPECT_TRUE(Lookup().ok());
  EXPECT_EQ(network_.lookups, 2);
}

TEST_F(NameCacheTest, TimesToLiveAreClamped) {
  network_.names["short.test"] = {{V4("10.0.0.2")}, absl::ZeroDuration()};
  network_.names["long.test"] = {{V4("10.0.0.3")}, absl::Hours(24)};
  EXPECT_TRUE(Lookup("short.test").ok());
  EXPECT_TRUE(Lookup("long.test").ok());
  world_.clock().Advance(absl::Seconds(4));
  EXPECT_TRUE(Lookup("short.test").ok());
  EXPECT_EQ(network_.lookups, 2);
  world_.clock().Advance(absl::Seconds(57));
  EXPECT_TRUE(Lookup("long.test").ok());
  EXPECT_EQ(network_.lookups, 3);
}

TEST_F(NameCacheTest, AnOldAnswerServesWhenTheResolverFails) {
  EXPECT_TRUE(Lookup().ok());
  network_.names.clear();
  world_.clock().Advance(absl::Minutes(10));
  EXPECT_TRUE(Lookup().ok());
  EXPECT_EQ(counts_.name_stale_answers, 1);
  cache_.Forget();
  EXPECT_TRUE(absl::IsNotFound(Lookup().status()));
}

TEST_F(NameCacheTest, AnAnswerToAQuestionFromBeforeForgetIsReturnedAndNotKept) {
  std::optional<absl::StatusOr<ResolvedName>> before;
  absl::AnyInvocable<void(absl::StatusOr<ResolvedName>)> done = [&](absl::StatusOr<ResolvedName> name) {
    before = std::move(name);
  };
  Spawn<absl::StatusOr<ResolvedName>>(world_.executor(), cache_.Lookup("a.test", cancellation_),
                                      std::move(done));
  world_.RunUntil([&] { return network_.lookups == 1; });
  cache_.Forget();
  world_.RunUntil([&] { return before.has_value(); });
  EXPECT_TRUE(before->ok());
  EXPECT_TRUE(Lookup().ok());
  EXPECT_EQ(network_.lookups, 2);
  EXPECT_TRUE(Lookup().ok());
  EXPECT_EQ(network_.lookups, 2);
}

TEST_F(NameCacheTest, OneQuestionForManyWaiters) {
  int answered = 0;
  for (int i = 0; i < 5; ++i) {
    absl::AnyInvocable<void(absl::StatusOr<ResolvedName>)> done = [&](absl::StatusOr<ResolvedName> name) {
      answered += name.ok();
    };
    Spawn<absl::StatusOr<ResolvedName>>(world_.executor(), cache_.Lookup("a.test", cancellation_),
                                        std::move(done));
  }
  world_.RunUntil([&] { return answered == 5; });
  EXPECT_EQ(network_.lookups, 1);
}

TEST_F(NameCacheTest, AQuestionGivenUpDoesNotHoldUpTheNext) {
  network_.lookup_takes = absl::InfiniteDuration();
  Cancellation impatient;
  std::optional<absl::StatusOr<ResolvedName>> first;
  absl::AnyInvocable<void(absl::StatusOr<ResolvedName>)> done = [&](absl::StatusOr<ResolvedName> name) {
    first = name;
  };
  Spawn<absl::StatusOr<ResolvedName>>(world_.executor(), cache_.Lookup("a.test", impatient), std::move(done));
  world_.executor().RunAll();
  impatient.Request(absl::DeadlineExceededError("late"));
  network_.lookup_takes = absl::Milliseconds(5);
  EXPECT_TRUE(Lookup().ok());
  EXPECT_TRUE(absl::IsDeadlineExceeded(first->status()));
}

// -- Addresses -----------------------------------------------------------------------------------------

class RaceTest : public DialTest {
 protected:
  RaceResult Race(std::vector<IpAddress> addresses) {
    return Await(RaceAddresses(world_.executor(), world_.clock(), network_, std::move(addresses), 443, {},
                               cancellation_));
  }
};

TEST_F(RaceTest, FamiliesTakeTurns) {
  const auto mixed = InterleaveFamilies({V4("1.1.1.1"), V4("2.2.2.2"), V6("::1"), V4("3.3.3.3"), V6("::2")});
  EXPECT_THAT(mixed, ElementsAre(V6("::1"), V4("1.1.1.1"), V6("::2"), V4("2.2.2.2"), V4("3.3.3.3")));
}

TEST_F(RaceTest, TheFirstThatAnswersWinsWithoutTheOthers) {
  const RaceResult race = Race({V4("1.1.1.1"), V4("2.2.2.2")});
  EXPECT_NE(race.transport, nullptr);
  EXPECT_THAT(network_.attempts, ElementsAre("1.1.1.1"));
}

TEST_F(RaceTest, ASilentAddressDelaysByTheStagger) {
  network_.hangs = {"::1"};
  const RaceResult race = Race({V4("1.1.1.1"), V6("::1")});
  EXPECT_NE(race.transport, nullptr);
  EXPECT_EQ(world_.now(), kConnectionAttemptDelay + absl::Milliseconds(10));
  EXPECT_EQ(race.outcomes.at(0).address, "[::1]:443");
  EXPECT_TRUE(absl::IsCancelled(race.outcomes.at(0).status));
  EXPECT_TRUE(race.outcomes.at(1).status.ok());
}

TEST_F(RaceTest, ARefusalStartsTheNextAtOnce) {
  network_.refuses = {"1.1.1.1"};
  EXPECT_NE(Race({V4("1.1.1.1"), V4("2.2.2.2")}).transport, nullptr);
  EXPECT_EQ(world_.now(), absl::Milliseconds(20));
}

TEST_F(RaceTest, EveryOutcomeIsKeptWhenAllFail) {
  network_.refuses = {"1.1.1.1", "2.2.2.2"};
  const RaceResult race = Race({V4("1.1.1.1"), V4("2.2.2.2")});
  EXPECT_EQ(race.transport, nullptr);
  ASSERT_EQ(race.outcomes.size(), 2);
  EXPECT_TRUE(absl::IsUnavailable(race.outcomes[1].status));
}

TEST_F(RaceTest, CancellingEndsAllAttempts) {
  network_.hangs = {"1.1.1.1", "2.2.2.2"};
  world_.At(absl::Milliseconds(400), [&] { cancellation_.Request(absl::DeadlineExceededError("late")); });
  EXPECT_EQ(Race({V4("1.1.1.1"), V4("2.2.2.2")}).transport, nullptr);
  EXPECT_EQ(world_.now(), absl::Milliseconds(400));
}

// -- Past the proxy ------------------------------------------------------------------------------------

TEST(NoProxy, NamesSuffixesRangesAndPorts) {
  const auto past = [](std::string host, std::string entry, uint16_t port = 443) {
    return BypassesProxy({Destination::Scheme::kHttps, std::move(host), port}, {std::move(entry)});
  };
  EXPECT_TRUE(past("intake.test", "*"));
  EXPECT_TRUE(past("intake.test", "intake.test"));
  EXPECT_TRUE(past("intake.test", " INTAKE.test "));
  EXPECT_TRUE(past("trace.intake.test", "intake.test"));
  EXPECT_FALSE(past("myintake.test", "intake.test"));
  EXPECT_TRUE(past("trace.intake.test", ".intake.test"));
  EXPECT_FALSE(past("intake.test", ".intake.test"));
  EXPECT_TRUE(past("trace.intake.test", "*.intake.test"));
  EXPECT_TRUE(past("intake.test", "intake.test:443"));
  EXPECT_FALSE(past("intake.test", "intake.test:8443"));
  EXPECT_TRUE(past("10.1.2.3", "10.0.0.0/8"));
  EXPECT_FALSE(past("11.1.2.3", "10.0.0.0/8"));
  EXPECT_FALSE(past("10.1.2.3", "10.0.0.0/99"));
  EXPECT_TRUE(past("::1", "::1"));
  EXPECT_TRUE(past("fe80::1", "fe80::/10"));
  EXPECT_TRUE(past("::1", "[::1]:443"));
  EXPECT_FALSE(past("intake.test", ""));
  EXPECT_FALSE(past("intake.test", "test.intake"));
}

TEST(NoProxy, FinalDotsCaseBracketsAndSpacesAreIgnored) {
  const auto past = [](std::string host, std::string entry, uint16_t port = 443) {
    return BypassesProxy({Destination::Scheme::kHttps, std::move(host), port}, {std::move(entry)});
  };
  // Final dots on either side.
  EXPECT_TRUE(past("localhost", "localhost."));
  EXPECT_TRUE(past("localhost.", "localhost"));
  EXPECT_TRUE(past("localhost.", "LocalHost."));
  EXPECT_TRUE(past("localhost.", "localhost.:443"));
  EXPECT_FALSE(past("localhost", "localhost.:80"));
  EXPECT_TRUE(past("trace.intake.test.", ".intake.test"));
  EXPECT_TRUE(past("trace.intake.test", "*.intake.test."));
  EXPECT_TRUE(past("trace.intake.test.", "*.INTAKE.test.:443"));
  EXPECT_TRUE(past("127.0.0.1.", "127.0.0.1"));
  EXPECT_TRUE(past("10.1.2.3", "10.0.0.0/8."));
  EXPECT_FALSE(past("myintake.test.", "intake.test."));
  // Brackets and other spellings of an address.
  EXPECT_TRUE(past("::1", "[::1]"));
  EXPECT_TRUE(past("::1", "[0:0::1]:443"));
  EXPECT_FALSE(past("::1", "[::1]:80"));
  EXPECT_TRUE(past("FE80::1", "[fe80::]/10"));
  EXPECT_FALSE(past("10.0.0.1", "::/0"));
  // An empty port; spaces; a list in one entry.
  EXPECT_TRUE(past("intake.test", "intake.test:"));
  EXPECT_TRUE(past("intake.test", " other.test,\tintake.test "));
  EXPECT_TRUE(past("intake.test", "other.test intake.test"));
  EXPECT_TRUE(past("intake.test", "other.test, *"));
  // Malformed entries match nothing.
  for (const char* entry : {".", "*.", "**", ":443", "[", "]", "[]", "/", "/8", ",", "*.*"}) {
    EXPECT_FALSE(past("intake.test", entry)) << entry;
    EXPECT_FALSE(past("10.0.0.1", entry)) << entry;
  }
}

TEST(NoProxy, AUrlCountsByItsHostAndPort) {
  const auto past = [](std::string host, std::string entry, uint16_t port = 443) {
    return BypassesProxy({Destination::Scheme::kHttps, std::move(host), port}, {std::move(entry)});
  };
  EXPECT_TRUE(past("localhost", "http://localhost"));
  EXPECT_TRUE(past("localhost", "https://LocalHost:443/path"));
  EXPECT_FALSE(past("localhost", "https://localhost:80/"));
  EXPECT_TRUE(past("localhost", "localhost/"));
  EXPECT_TRUE(past("trace.intake.test", "https://.intake.test/"));
  EXPECT_TRUE(past("::1", "http://[::1]:443/"));
  EXPECT_TRUE(past("10.1.2.3", "http://10.0.0.0/8"));
  // Go does so, too; curl does not.
  EXPECT_FALSE(past("localhost", ".localhost"));
}

TEST(NoProxy, EntriesThatMatchNothingAreKnown) {
  for (const char* entry : {"*",
                            "localhost",
                            "LOCALHOST.",
                            ".intake.test",
                            "*.intake.test",
                            "*intake.test",
                            "a_b.test:443",
                            "a.test:",
                            "10.0.0.0/8",
                            "0.0.0.0/0",
                            "10.0.0.0/8.",
                            "::1",
                            "[::1]",
                            "[::1]:443",
                            "fe80::/10",
                            "[fe80::]/10",
                            "::1.",
                            "127.0.0.1:80",
                            "http://localhost",
                            "https://localhost:443/path",
                            "localhost/",
                            "1.2.3.4"}) {
    EXPECT_EQ(WhyItMatchesNothing(entry), std::nullopt) << entry;
  }
  for (const char* entry : {"0/0", "127.0.0.0/33", "10.0.0.0/-1", "10.0/8", "::/129", "localhost/8", "/8"})
    EXPECT_THAT(WhyItMatchesNothing(entry), testing::Optional(HasSubstr("range"))) << entry;
  for (const char* entry : {"localhost:http", "localhost:0", "localhost:65536"})
    EXPECT_THAT(WhyItMatchesNothing(entry), testing::Optional(HasSubstr("port"))) << entry;
  for (const char* entry : {".", "*.", "/", "http://", ":443", "[]"})
    EXPECT_THAT(WhyItMatchesNothing(entry), testing::Optional(HasSubstr("host"))) << entry;
  for (const char* entry : {"a*b", "*.*", "**", "[", "a\\b", "a|b", "[a]:443"})
    EXPECT_THAT(WhyItMatchesNothing(entry), testing::Optional(HasSubstr("host"))) << entry;
}

// -- The whole -----------------------------------------------------------------------------------------

class StackDialerTest : public DialTest {
 protected:
  void Build(ClientOptions options) {
    auto tls = std::make_unique<FakeTls>(world_);
    tls_ = tls.get();
    network_.names["intake.test"] = {{V4("10.0.0.1")}, absl::Seconds(30)};
    network_.names["proxy.test"] = {{V4("10.0.0.9")}, absl::Seconds(30)};
    auto dialer =
        MakeStackDialer(world_.executor(), world_.clock(), network_, std::move(tls), options, counts_);
    ASSERT_TRUE(dialer.ok()) << dialer.status();
    dialer_ = *std::move(dialer);
  }
  DialResult Dial(std::string url = "https://intake.test") {
    return Await(dialer_->Dial(ParseUrl(url)->destination, cancellation_));
  }
  std::unique_ptr<Dialer> dialer_;
  FakeTls* tls_ = nullptr;
};

TEST_F(StackDialerTest, DirectWithTls) {
  Build({});
  const DialResult result = Dial();
  EXPECT_NE(result.transport, nullptr);
  EXPECT_GT(result.took, absl::ZeroDuration());
  EXPECT_THAT(tls_->targets, ElementsAre("intake.test"));
}

TEST_F(StackDialerTest, ThePeersAgreeOnAProtocolOfTheOptions) {
  Build({.http_protocols = {"toy/2", "http/1.1"}});
  EXPECT_EQ(Dial().protocol, "toy/2");
  EXPECT_THAT(tls_->protocols, ElementsAre(ElementsAre("toy/2", "http/1.1")));
  EXPECT_EQ(Dial("http://intake.test").protocol, "http/1.1") << "without TLS nothing is agreed on";
}

TEST_F(StackDialerTest, AProxyIsSpokenToInHttp11) {
  Build({.http_protocols = {"toy/2", "http/1.1"}, .proxy_url = "https://proxy.test:3128"});
  network_.answer = "HTTP/1.1 200 OK\r\n\r\n";
  EXPECT_EQ(Dial("http://intake.test").protocol, "http/1.1");
  EXPECT_THAT(tls_->protocols, ElementsAre(ElementsAre("http/1.1")));
  tls_->protocols.clear();
  EXPECT_EQ(Dial("https://intake.test").protocol, "toy/2");
  EXPECT_THAT(tls_->protocols, ElementsAre(ElementsAre("http/1.1"), ElementsAre("toy/2", "http/1.1")));
}

TEST_F(StackDialerTest, ALiteralAddressIsNotLookedUp) {
  Build({});
  EXPECT_NE(Dial("https://127.0.0.1:8443").transport, nullptr);
  EXPECT_NE(Dial("https://127.0.0.1.").transport, nullptr);
  EXPECT_EQ(network_.lookups, 0);
  EXPECT_THAT(tls_->targets, ElementsAre("127.0.0.1", "127.0.0.1."));
}

class SlowFamilyTest : public StackDialerTest {
 protected:
  SlowFamilyTest() {
    Build({});
    network_.names["intake.test"] = {{V6("fd00::1")}, absl::Seconds(5), /*complete=*/false};
    network_.both_families["intake.test"] = {{V6("fd00::1"), V4("10.0.0.1")}, absl::Seconds(30)};
    network_.refuses = {"fd00::1"};
  }
};

TEST_F(SlowFamilyTest, AddressesThatCanNotBeReachedDoNotHideTheFamilyThatIsSlow) {
  EXPECT_NE(Dial().transport, nullptr);
  EXPECT_THAT(network_.attempts, ElementsAre("fd00::1", "10.0.0.1"));
  EXPECT_EQ(counts_.name_lookups, 2);
  // The whole answer is cached.
  EXPECT_NE(Dial().transport, nullptr);
  EXPECT_EQ(counts_.name_lookups, 2);
  EXPECT_EQ(counts_.name_cache_hits, 1);
}

TEST_F(SlowFamilyTest, AddressesThatAreReachedWaitForNothing) {
  network_.refuses.clear();
  const DialResult result = Dial();
  EXPECT_NE(result.transport, nullptr);
  EXPECT_LT(result.took, absl::Milliseconds(50));
  EXPECT_EQ(counts_.name_lookups, 1);
}

TEST_F(SlowFamilyTest, AnIncompleteAnswerWhoseAddressesFailedIsNotCached) {
  network_.both_families["intake.test"] = network_.names["intake.test"];
  for (int dial = 1; dial <= 2; ++dial) {
    const DialResult result = Dial();
    EXPECT_EQ(result.failure->fault, Fault::kRefused);
    EXPECT_EQ(result.failure->addresses.size(), 1) << "no address is tried twice";
    EXPECT_EQ(counts_.name_lookups, 2 * dial);
  }
}

TEST_F(SlowFamilyTest, BothFamiliesAreInTheFailure) {
  network_.refuses = {"fd00::1", "10.0.0.1"};
  const DialResult result = Dial();
  ASSERT_EQ(result.failure->addresses.size(), 2);
  EXPECT_EQ(result.failure->addresses[0].address, "[fd00::1]:443");
  EXPECT_EQ(result.failure->addresses[1].address, "10.0.0.1:443");
}

TEST_F(SlowFamilyTest, DialsSideBySideWaitForOneAnswer) {
  int connected = 0;
  for (int i = 0; i < 3; ++i) {
    absl::AnyInvocable<void(DialResult)> done = [&](DialResult result) {
      connected += result.transport != nullptr;
    };
    Spawn<DialResult>(world_.executor(),
                      dialer_->Dial(ParseUrl("https://intake.test")->destination, cancellation_),
                      std::move(done));
  }
  world_.RunUntil([&] { return connected == 3; });
  EXPECT_EQ(counts_.name_lookups, 2);
}

TEST_F(SlowFamilyTest, AddressesThatAreSilentDoNotHideItEither) {
  network_.refuses.clear();
  network_.hangs = {"fd00::1"};
  EXPECT_NE(Dial().transport, nullptr);
  EXPECT_EQ(world_.now(), network_.lookup_takes + kConnectionAttemptDelay + network_.patient_lookup_takes +
                              absl::Milliseconds(10));
}

TEST_F(SlowFamilyTest, AnAddressThatAnswersLateEndsTheSearchForOthers) {
  network_.refuses.clear();
  network_.connect_takes = absl::Milliseconds(300);
  network_.patient_lookup_takes = absl::InfiniteDuration();
  EXPECT_NE(Dial().transport, nullptr);
  EXPECT_EQ(world_.now(), network_.lookup_takes + network_.connect_takes);
  EXPECT_EQ(counts_.name_lookups, 2);
}

TEST_F(SlowFamilyTest, TheDeadlineEndsTheWait) {
  network_.patient_lookup_takes = absl::InfiniteDuration();
  world_.At(absl::Seconds(2), [&] { cancellation_.Request(absl::DeadlineExceededError("late")); });
  const DialResult result = Dial();
  EXPECT_EQ(result.failure->phase, Phase::kConnect);
  EXPECT_EQ(result.failure->fault, Fault::kTimeout);
  EXPECT_EQ(result.failure->addresses.size(), 1);
  EXPECT_EQ(world_.now(), absl::Seconds(2));
}

TEST_F(StackDialerTest, FailuresNamePhaseAndPlace) {
  Build({});
  const DialResult unknown = Dial("https://nowhere.test");
  EXPECT_EQ(unknown.failure->phase, Phase::kResolve);
  EXPECT_EQ(unknown.failure->fault, Fault::kNotFound);
  EXPECT_THAT(unknown.failure->ToString(), HasSubstr("https://nowhere.test"));
  network_.refuses = {"10.0.0.1"};
  const DialResult refused = Dial();
  EXPECT_EQ(refused.failure->phase, Phase::kConnect);
  EXPECT_EQ(refused.failure->fault, Fault::kRefused);
  EXPECT_EQ(refused.failure->addresses.at(0).address, "10.0.0.1:443");
}

TEST_F(StackDialerTest, ThroughAProxyOnlyTheProxyIsLookedUp) {
  Build({.proxy_url = "http://user:secret@proxy.test:3128"});
  network_.answer = "HTTP/1.1 200 Connection established\r\n\r\n";
  const DialResult result = Dial();
  EXPECT_NE(result.transport, nullptr);
  EXPECT_EQ(network_.lookups, 1);
  EXPECT_THAT(network_.attempts, ElementsAre("10.0.0.9"));
  EXPECT_EQ(network_.received,
            "CONNECT intake.test:443 HTTP/1.1\r\nHost: intake.test:443\r\n"
            "Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n\r\n");
  EXPECT_THAT(tls_->targets, ElementsAre("intake.test through proxy.test:3128"));
}

TEST_F(StackDialerTest, ATlsProxyIsSecuredFirst) {
  Build({.proxy_url = "https://proxy.test"});
  network_.answer = "HTTP/1.1 200 OK\r\n\r\n";
  EXPECT_NE(Dial().transport, nullptr);
  EXPECT_THAT(tls_->targets, ElementsAre("proxy.test", "intake.test through proxy.test:443"));
}

TEST_F(StackDialerTest, EachPartOfADialIsTimed) {
  Build({});
  tls_->takes = absl::Milliseconds(30);
  const DialResult secured = Dial();
  EXPECT_EQ(secured.times.name_lookup, absl::Milliseconds(5));
  EXPECT_EQ(secured.times.connect, absl::Milliseconds(10));
  EXPECT_EQ(secured.times.tls, absl::Milliseconds(30));
  EXPECT_FALSE(secured.times.resumed);
  tls_->resumes = true;
  EXPECT_TRUE(Dial().times.resumed);
  EXPECT_EQ(Dial("https://10.0.0.1").times.name_lookup, std::nullopt);
  EXPECT_GE(secured.took, absl::Milliseconds(45));
  EXPECT_EQ(Dial("http://intake.test").times.tls, std::nullopt);
}

TEST_F(StackDialerTest, APlainDestinationGoesInAbsoluteForm) {
  Build({.proxy_url = "http://user:secret@proxy.test:3128"});
  const DialResult result = Dial("http://intake.test");
  EXPECT_TRUE(result.absolute_form);
  EXPECT_EQ(result.proxy_authorization, "Basic dXNlcjpzZWNyZXQ=");
  EXPECT_EQ(network_.received, "");
}

TEST_F(StackDialerTest, NoProxyGoesPastIt) {
  Build({.proxy_url = "http://proxy.test:3128", .no_proxy = {"intake.test"}});
  EXPECT_NE(Dial().transport, nullptr);
  EXPECT_THAT(network_.attempts, ElementsAre("10.0.0.1"));
}

TEST_F(StackDialerTest, AnswersThatAProxyMayGive) {
  Build({.proxy_url = "http://user:secret@proxy.test:3128"});
  network_.answer = "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n";
  DialResult result = Dial();
  EXPECT_EQ(result.failure->fault, Fault::kCredential);
  EXPECT_EQ(result.failure->status, 407);
  EXPECT_EQ(ClassOf(*result.failure), RetryClass::kMisconfigured);
  EXPECT_THAT(result.failure->ToString(), testing::Not(HasSubstr("secret")));
  network_.received.clear();
  network_.answer = "HTTP/1.1 502 Bad Gateway\r\nA: b\r\n\r\n";
  result = Dial();
  EXPECT_EQ(result.failure->fault, Fault::kProxyStatus);
  EXPECT_EQ(ClassOf(*result.failure), RetryClass::kUnreachable);
  network_.received.clear();
  network_.answer = "SSH-2.0-OpenSSH_9.2\r\n";
  result = Dial();
  EXPECT_EQ(result.failure->fault, Fault::kProtocol);
  network_.received.clear();
  network_.answer = "HTTP/1.1 200 " + std::string(kMaxHeadBytes, 'x');
  result = Dial();
  EXPECT_EQ(result.failure->fault, Fault::kProtocol);
  network_.received.clear();
  network_.answer = "HTTP/1.1 200 OK\r\nX: " + std::string(kMaxHeadBytes, 'x');
  result = Dial();
  EXPECT_EQ(result.failure->fault, Fault::kProtocol) << "where the tunnel begins isn't known";
}

TEST_F(StackDialerTest, AnswersThatOpenATunnel) {
  Build({.proxy_url = "http://proxy.test:3128"});
  const std::string many_headers =
      absl::StrCat("HTTP/1.1 200 OK\r\nX: ", std::string(60'000, 'x'), "\r\n\r\n");
  for (const char* answer :
       {many_headers.c_str(), "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 102 Processing\r\nX: y\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.0 200\r\n\r\n",
        "HTTP/1.1 200 OK\n\n", "HTTP/1.0 200 OK\nVia: x\n\n", "HTTP/1.1 200\r\n\r\n",
        "\r\nHTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n"}) {
    SCOPED_TRACE(answer);
    network_.received.clear();
    // The first bytes of the tunnel come with the head, and belong to TLS.
    network_.answer = absl::StrCat(answer, "\x16\x03");
    DialResult result = Dial();
    ASSERT_NE(result.transport, nullptr) << result.failure->ToString();
    char bytes[8];
    const IoResult read = result.transport->TryRead(absl::MakeSpan(bytes));
    EXPECT_EQ(std::string_view(bytes, read.bytes), "\x16\x03");
  }
}

TEST_F(StackDialerTest, ARefusedTunnelIsNamedByTheProxysReason) {
  Build({.proxy_url = "http://proxy.test:3128"});
  network_.answer =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 407 Who \x1b[31mare you\nProxy-Authenticate: NTLM\n"
      "Content-Length: 100000\n\nhalf of it";
  const DialResult result = Dial();
  EXPECT_EQ(result.failure->fault, Fault::kCredential);
  EXPECT_THAT(result.failure->ToString(), HasSubstr("407 Who \\x1b[31mare you (it wants NTLM)"));
}

TEST_F(StackDialerTest, EndlessAnswersBeforeTheAnswerOpenNoTunnel) {
  Build({.proxy_url = "http://proxy.test:3128"});
  while (network_.answer.size() <= kMaxHeadBytes) network_.answer += "HTTP/1.1 100 Continue\r\n\r\n";
  EXPECT_EQ(Dial().failure->fault, Fault::kProtocol);
}

TEST_F(StackDialerTest, ASilentProxyEndsWithTheDeadline) {
  Build({.proxy_url = "http://proxy.test:3128"});
  world_.At(absl::Seconds(2), [&] { cancellation_.Request(absl::DeadlineExceededError("late")); });
  const DialResult result = Dial();
  EXPECT_EQ(result.failure->phase, Phase::kProxy);
  EXPECT_EQ(result.failure->fault, Fault::kTimeout);
  EXPECT_EQ(world_.now(), absl::Seconds(2));
}

TEST_F(StackDialerTest, ForgettingReachesNamesAndSessions) {
  Build({});
  Dial();
  dialer_->Forget();
  Dial();
  EXPECT_EQ(network_.lookups, 2);
  EXPECT_EQ(tls_->forgotten, 1);
}

}  // namespace
}  // namespace thaw
