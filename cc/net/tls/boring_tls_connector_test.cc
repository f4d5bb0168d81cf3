#include "cc/net/tls/boring_tls_connector.h"

#include <malloc.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "cc/base/cancellation.h"
#include "cc/base/manual_executor.h"
#include "cc/clock/fake_clock.h"
#include "cc/net/client_counts.h"
#include "cc/net/testing/memory_transport.h"
#include "cc/net/testing/test_certificates.h"
#include "cc/net/testing/tls_test_server.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view kHost = "intake.example";

std::string WriteFile(std::string_view name, std::string_view content) {
  const std::string path = absl::StrCat(testing::TempDir(), "/", name);
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

const TestAuthority& Authority() {
  static const TestAuthority& authority = *new TestAuthority("thaw test authority");
  return authority;
}
const TestCertificate& Certificate() {
  static const TestCertificate& certificate = *new TestCertificate(
      Authority().Issue({.names = {std::string(kHost), "other.example"}, .addresses = {"127.0.0.1", "::1"}}));
  return certificate;
}

// The result of an asynchronous call, kept after the test has moved on.
struct Outcome {
  bool done = false;
  IoResult result;
};

class TlsTest : public testing::Test {
 protected:
  TlsTest() : clock_(executor_) {
    options_.use_public_roots = false;
    options_.tls_cert_file = WriteFile("authority.pem", Authority().pem());
  }
  ~TlsTest() override {
    clients_.clear();
    executor_.RunAll();
  }

  TlsConnector& connector() {
    if (connector_ == nullptr) {
      auto made = MakeTlsConnector(executor_, clock_, options_, counts_, &warnings_);
      EXPECT_TRUE(made.ok()) << made.status();
      connector_ = *std::move(made);
    }
    return *connector_;
  }
  TlsTestServer& server() {
    if (server_ == nullptr) {
      if (server_options_.certificate.chain_pem.empty()) server_options_.certificate = Certificate();
      server_ = std::make_unique<TlsTestServer>(server_options_);
    }
    return *server_;
  }

  // Opens a pair of streams and begins a handshake over it.
  void Begin(std::string_view name = kHost, std::vector<std::string> protocols = {"http/1.1"}) {
    auto [client, far] = MemoryTransport::Pair(executor_);
    wire_ = client.get();
    far_wire_ = far.get();
    if (read_limit_) wire_->set_read_limit(*read_limit_);
    if (write_limit_) wire_->set_write_limit(*write_limit_);
    peer_ = &server().Accept(std::move(far));
    result_.reset();
    TlsTarget target{.destination = {.host = std::string(name), .port = 443},
                     .server_name = std::string(name),
                     .protocols = std::move(protocols)};
    Spawn<TlsResult>(executor_, connector().Handshake(std::move(client), std::move(target), cancellation_),
                     [this](TlsResult result) { result_ = std::move(result); });
  }
  // Runs a whole handshake and returns the transport if it succeeded.
  Transport* Connect(std::string_view name = kHost, std::vector<std::string> protocols = {"http/1.1"}) {
    Begin(name, std::move(protocols));
    executor_.RunAll();
    EXPECT_TRUE(result_.has_value());
    if (!result_ || result_->transport == nullptr) return nullptr;
    clients_.push_back(std::move(result_->transport));
    return clients_.back().get();
  }
  const ExchangeFailure& failure() {
    static const ExchangeFailure none;
    EXPECT_TRUE(result_.has_value() && result_->failure.has_value());
    return result_ && result_->failure ? *result_->failure : none;
  }

  std::shared_ptr<Outcome> StartWrite(Transport& transport, std::string_view bytes) {
    auto outcome = std::make_shared<Outcome>();
    transport.StartWrite(bytes, [outcome](IoResult result) { *outcome = {true, std::move(result)}; });
    return outcome;
  }
  IoResult Write(Transport& transport, std::string_view bytes) {
    auto outcome = StartWrite(transport, bytes);
    executor_.RunAll();
    EXPECT_TRUE(outcome->done);
    return outcome->result;
  }
  // Writes all bytes, in as many writes as it takes.
  absl::Status WriteAll(Transport& transport, std::string_view bytes) {
    while (!bytes.empty()) {
      const IoResult wrote = Write(transport, bytes);
      if (!wrote.status.ok()) return wrote.status;
      bytes.remove_prefix(wrote.bytes);
    }
    return absl::OkStatus();
  }
  std::shared_ptr<Outcome> StartRead(Transport& transport) {
    auto outcome = std::make_shared<Outcome>();
    transport.StartRead(absl::MakeSpan(buffer_),
                        [outcome](IoResult result) { *outcome = {true, std::move(result)}; });
    return outcome;
  }
  IoResult Read(Transport& transport, std::string* text = nullptr) {
    auto outcome = StartRead(transport);
    executor_.RunAll();
    EXPECT_TRUE(outcome->done);
    if (text != nullptr) text->assign(buffer_, outcome->result.bytes);
    return outcome->result;
  }
  std::string ReadAll(Transport& transport, size_t size) {
    std::string all;
    while (all.size() < size) {
      std::string part;
      if (!Read(transport, &part).status.ok()) break;
      all += part;
    }
    return all;
  }
  // Runs a request and its answer, which brings the tickets.
  void Exchange(Transport& transport) {
    EXPECT_TRUE(Write(transport, "request").status.ok());
    peer_->Send("answer");
    std::string answer;
    EXPECT_TRUE(Read(transport, &answer).status.ok());
    EXPECT_EQ(answer, "answer");
  }

  // Makes the server write, so that it sends its tickets, without a byte of data.
  void SendTickets() {
    peer_->Send("");
    executor_.RunAll();
  }

  ManualExecutor executor_;
  FakeClock clock_;
  ConnectionCounts counts_;
  Cancellation cancellation_;
  ClientOptions options_;
  TlsTestServer::Options server_options_;
  std::vector<std::string> warnings_;
  std::optional<size_t> read_limit_, write_limit_;
  std::unique_ptr<TlsConnector> connector_;
  std::unique_ptr<TlsTestServer> server_;
  MemoryTransport* wire_ = nullptr;
  MemoryTransport* far_wire_ = nullptr;
  TlsTestServer::Peer* peer_ = nullptr;
  std::optional<TlsResult> result_;
  std::vector<std::unique_ptr<Transport>> clients_;
  char buffer_[32 * 1024];
};

// ---- Handshakes ------------------------------------------------------------------------------------

class TlsVersionTest : public TlsTest, public testing::WithParamInterface<TlsVersion> {};
INSTANTIATE_TEST_SUITE_P(Versions, TlsVersionTest, testing::Values(TlsVersion::kTls12, TlsVersion::kTls13),
                         [](const auto& info) {
                           return info.param == TlsVersion::kTls12 ? "Tls12" : "Tls13";
                         });

TEST_P(TlsVersionTest, ShakesHandsAndCarriesBytesBothWays) {
  server_options_.max_version = GetParam();
  Transport* tls = Connect();
  ASSERT_NE(tls, nullptr) << failure().error;
  Exchange(*tls);
  EXPECT_EQ(peer_->TakeReceived(), "request");
  EXPECT_EQ(peer_->version(), GetParam() == TlsVersion::kTls12 ? "TLSv1.2" : "TLSv1.3");
  EXPECT_EQ(peer_->server_name(), kHost);
  EXPECT_EQ(peer_->alpn(), "http/1.1");
  EXPECT_EQ(counts_.tls_full, 1);
  EXPECT_EQ(counts_.tls_resumed, 0);
  EXPECT_EQ(tls->wire_bytes_sent(), wire_->wire_bytes_sent());
  EXPECT_GT(tls->wire_bytes_received(), 500);
}

TEST_P(TlsVersionTest, TheServerChoosesOneOfTheProtocols) {
  server_options_.max_version = GetParam();
  server_options_.protocols = {"toy/2", "http/1.1"};
  ASSERT_NE(Connect(kHost, {"http/1.1", "toy/2"}), nullptr) << failure().error;
  EXPECT_EQ(result_->protocol, "toy/2");
  ASSERT_NE(Connect(), nullptr) << failure().error;
  EXPECT_EQ(result_->protocol, "http/1.1") << "the only one offered";
}

TEST_P(TlsVersionTest, AServerThatChoosesNoProtocolSpeaksHttp11) {
  server_options_.max_version = GetParam();
  server_options_.protocols = {"toy/2"};
  ASSERT_NE(Connect(), nullptr) << failure().error;
  EXPECT_EQ(peer_->alpn(), "");
  EXPECT_EQ(result_->protocol, "http/1.1");
  ASSERT_NE(Connect(kHost, {}), nullptr) << failure().error;
  EXPECT_EQ(peer_->alpn(), "");
  EXPECT_EQ(result_->protocol, "http/1.1");
}

TEST_P(TlsVersionTest, AProtocolWithoutANameIsAnError) {
  server_options_.max_version = GetParam();
  EXPECT_EQ(Connect(kHost, {"http/1.1", ""}), nullptr);
  EXPECT_EQ(failure().fault, Fault::kProtocol);
  EXPECT_TRUE(absl::IsInvalidArgument(failure().error)) << failure().error;
}

TEST_P(TlsVersionTest, WorksAByteAtATime) {
  server_options_.max_version = GetParam();
  read_limit_ = write_limit_ = 1;
  Transport* tls = Connect();
  ASSERT_NE(tls, nullptr) << failure().error;
  Exchange(*tls);
  EXPECT_EQ(peer_->TakeReceived(), "request");
}

TEST_P(TlsVersionTest, CarriesAMegabyteBothWays) {
  server_options_.max_version = GetParam();
  Transport* tls = Connect();
  ASSERT_NE(tls, nullptr);
  std::string body(1 << 20, 'x');
  for (size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 7 + i / 251);
  EXPECT_TRUE(WriteAll(*tls, body).ok());
  EXPECT_TRUE(peer_->TakeReceived() == body);
  peer_->Send(body);
  EXPECT_TRUE(ReadAll(*tls, body.size()) == body);
}

TEST_P(TlsVersionTest, ResumesASession) {
  server_options_.max_version = GetParam();
  Transport* first = Connect();
  ASSERT_NE(first, nullptr);
  Exchange(*first);
  EXPECT_GE(counts_.tls_tickets, 1);
  Transport* second = Connect();
  ASSERT_NE(second, nullptr);
  EXPECT_TRUE(result_->resumed);
  Exchange(*second);
  EXPECT_TRUE(peer_->resumed());
  EXPECT_EQ(counts_.tls_full, 1);
  EXPECT_EQ(counts_.tls_resumed, 1);
}

TEST_P(TlsVersionTest, RespectsTheVersionsAllowed) {
  options_.tls_max_version = options_.tls_min_version = GetParam();
  server_options_.max_version = TlsVersion::kTls12;
  Transport* tls = Connect();
  EXPECT_EQ(tls != nullptr, GetParam() == TlsVersion::kTls12);
  if (tls == nullptr) {
    EXPECT_EQ(failure().fault, Fault::kProtocol);
    EXPECT_EQ(failure().phase, Phase::kTls);
  }
}

TEST_F(TlsTest, NoContextIsMadeBeforeTheFirstHandshake) {
  const int64_t before = TlsContextsMade();
  connector();
  executor_.RunAll();
  connector().Forget();
  EXPECT_EQ(TlsContextsMade(), before);
  ASSERT_NE(Connect(), nullptr);
  EXPECT_EQ(TlsContextsMade(), before + 1);
  ASSERT_NE(Connect(), nullptr);
  EXPECT_EQ(TlsContextsMade(), before + 1);
}

TEST_F(TlsTest, FinishedGoesOutWithTheFirstWrite) {
  Transport* tls = Connect();
  ASSERT_NE(tls, nullptr);
  EXPECT_FALSE(peer_->established());
  EXPECT_EQ(wire_->writes(), 1);
  Write(*tls, "request");
  EXPECT_TRUE(peer_->established());
  EXPECT_EQ(wire_->writes(), 2);
  EXPECT_EQ(peer_->TakeReceived(), "request");
}

TEST_F(TlsTest, AnAddressIsVerifiedAsOneAndNotSentAsAName) {
  ASSERT_NE(Connect("127.0.0.1"), nullptr);
  EXPECT_EQ(peer_->server_name(), "");
  ASSERT_NE(Connect("::1"), nullptr);
  EXPECT_EQ(Connect("127.0.0.2"), nullptr);
  EXPECT_EQ(failure().fault, Fault::kCertificate);
  EXPECT_THAT(failure().error.message(), AllOf(HasSubstr("127.0.0.2"), HasSubstr("127.0.0.1")));
}

// ---- Sessions --------------------------------------------------------------------------------------

TEST_F(TlsTest, ATicketIsUsedOnce) {
  server_options_.tickets = 1;
  Exchange(*Connect());
  EXPECT_EQ(counts_.tls_tickets, 1);
  Connect();  // takes the ticket; no byte is exchanged, so no other ticket comes
  EXPECT_TRUE(result_->resumed);
  Connect();
  EXPECT_FALSE(result_->resumed);
  EXPECT_EQ(counts_.tls_full, 2);
  EXPECT_EQ(counts_.tls_resumed, 1);
}

TEST_F(TlsTest, ALateTicketIsKeptByClose) {
  Transport* tls = Connect();
  ASSERT_NE(tls, nullptr);
  Write(*tls, "request");
  SendTickets();
  EXPECT_EQ(counts_.tls_tickets, 0);
  tls->Close();
  EXPECT_EQ(counts_.tls_tickets, 2);
  executor_.RunAll();
  EXPECT_TRUE(peer_->saw_close_notify());
  ASSERT_NE(Connect(), nullptr);
  EXPECT_TRUE(result_->resumed);
}

TEST_F(TlsTest, TryReadTakesTicketsAndLeavesTheConnectionUsable) {
  Transport* tls = Connect();
  Write(*tls, "request");
  SendTickets();
  char buffer[64];
  EXPECT_EQ(tls->TryRead(absl::MakeSpan(buffer)).status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(counts_.tls_tickets, 2);
  EXPECT_EQ(tls->TryRead(absl::MakeSpan(buffer)).status.code(), absl::StatusCode::kUnavailable);
  Exchange(*tls);
}

TEST_F(TlsTest, ResumptionOffRemembersNothing) {
  options_.tls_session_resumption = false;
  Exchange(*Connect());
  ASSERT_NE(Connect(), nullptr);
  EXPECT_FALSE(result_->resumed);
  EXPECT_EQ(counts_.tls_full, 2);
}

TEST_F(TlsTest, SessionsAreForTheirHostAndProxyOnly) {
  Exchange(*Connect());
  Connect("other.example");
  EXPECT_FALSE(result_->resumed);
  Connect();
  EXPECT_TRUE(result_->resumed);
}

TEST_F(TlsTest, ForgetDropsSessionsOfOpenConnectionsToo) {
  Transport* tls = Connect();
  Exchange(*tls);
  Transport* open = Connect();
  connector().Forget();
  Write(*open, "request");
  SendTickets();
  char buffer[64];
  EXPECT_TRUE(absl::IsUnavailable(open->TryRead(absl::MakeSpan(buffer)).status));  // its tickets
  EXPECT_GE(counts_.tls_tickets, 4);
  Connect();
  EXPECT_FALSE(result_->resumed);
}

TEST_F(TlsTest, SessionsAreDroppedWhenTheWallClockStepsBack) {
  Exchange(*Connect());
  clock_.Advance({.wall = -absl::Seconds(10)});
  Connect();
  EXPECT_FALSE(result_->resumed);
}

TEST_F(TlsTest, SessionsOutliveAFreezeButNotTheirLifetime) {
  Exchange(*Connect());
  clock_.Freeze({.wall = absl::Hours(1)});  // only the wall clock counted it
  Connect();
  EXPECT_TRUE(result_->resumed);
  clock_.Freeze({.wall = absl::Hours(24 * 8)});
  Connect();
  EXPECT_FALSE(result_->resumed);
}

TEST_F(TlsTest, ASessionIsNoLongerTrustedThanItsCertificate) {
  server_options_.certificate = Authority().Issue(
      {.names = {std::string(kHost)}, .validity = {.not_after = clock_.Now().wall + absl::Minutes(5)}});
  Exchange(*Connect());
  clock_.Advance(absl::Minutes(6));
  EXPECT_EQ(Connect(), nullptr);
  EXPECT_EQ(failure().fault, Fault::kCertificate);
  EXPECT_EQ(counts_.tls_resumed, 0);
}

// ---- Certificates ----------------------------------------------------------------------------------

TEST_F(TlsTest, WrongHostNamesBoth) {
  EXPECT_EQ(Connect("elsewhere.example"), nullptr);
  EXPECT_EQ(failure().phase, Phase::kTls);
  EXPECT_EQ(failure().fault, Fault::kCertificate);
  EXPECT_THAT(failure().error.message(),
              AllOf(HasSubstr("not for elsewhere.example"), HasSubstr("intake.example"),
                    HasSubstr("CERTIFICATE_VERIFY_FAILED")));
  EXPECT_NE(peer_->error(), "");  // the client sent an alert
}

TEST_F(TlsTest, ExpiredSaysWhen) {
  clock_.Advance({.wall = absl::Hours(24 * 365 * 10)});
  EXPECT_EQ(Connect(), nullptr);
  EXPECT_EQ(failure().fault, Fault::kCertificate);
  EXPECT_THAT(failure().error.message(), HasSubstr("expired on 2035-01-01"));
}

TEST_F(TlsTest, NotYetValid) {
  clock_.Advance({.wall = -absl::Hours(24 * 365 * 2)});
  EXPECT_EQ(Connect(), nullptr);
  EXPECT_THAT(failure().error.message(), HasSubstr("not valid before 2025-01-01"));
}

// ---- Chains ----------------------------------------------------------------------------------------

class TlsChainTest : public TlsTest {
 protected:
  // Returns whether a client that trusts `bundle` accepts what `issuer` signs.
  bool Accepts(const TestAuthority& issuer, const std::vector<std::string>& bundle) {
    connector_.reset();
    server_.reset();
    clients_.clear();
    executor_.RunAll();
    server_options_.certificate = issuer.Issue({.names = {std::string(kHost)}});
    options_.tls_cert_file = WriteFile("bundle.pem", absl::StrJoin(bundle, ""));
    return Connect() != nullptr;
  }
  // Expects acceptance with the bundle in every order.
  void ExpectAccepted(const TestAuthority& issuer, std::vector<std::string> bundle) {
    std::sort(bundle.begin(), bundle.end());
    do {
      ASSERT_TRUE(Accepts(issuer, bundle)) << failure().error;
    } while (std::next_permutation(bundle.begin(), bundle.end()));
  }
};

TEST_F(TlsChainTest, AnExpiredRootBesideItsNewerForm) {
  const TestAuthority expired("root", kTestExpired);
  const TestAuthority renewed = expired.Renewed({});
  ExpectAccepted(renewed, {expired.pem(), renewed.pem()});
  ExpectAccepted(renewed.Intermediate("between"), {expired.pem(), renewed.pem()});
  // The server may also send the root, in either form.
  ExpectAccepted(renewed.Sending(expired.pem()), {expired.pem(), renewed.pem()});
  ExpectAccepted(renewed.Sending(renewed.pem()), {expired.pem(), renewed.pem()});
}

TEST_F(TlsChainTest, AnExpiredRootBesideACrossSignedForm) {
  const TestAuthority expired("root", kTestExpired);
  const TestAuthority other("another root");
  const TestAuthority crossed = expired.CrossSignedBy(other);
  // The cross-signed root is trusted in the bundle, or sent by the server.
  ExpectAccepted(crossed.Sending(""), {expired.pem(), crossed.pem()});
  ExpectAccepted(crossed.Sending(""), {expired.pem(), crossed.pem(), other.pem()});
  ExpectAccepted(crossed, {expired.pem(), other.pem()});
  ExpectAccepted(crossed.Sending(absl::StrCat(expired.pem(), crossed.pem())), {expired.pem(), other.pem()});
}

TEST_F(TlsChainTest, ACrossSignatureByARootThatHasExpired) {
  // The server sends the newer root as signed by the older one, which has expired: Let's Encrypt in 2021.
  const TestAuthority old_root("old root", kTestExpired);
  const TestAuthority new_root("new root");
  const TestAuthority crossed = new_root.CrossSignedBy(old_root);
  const TestAuthority between = crossed.Intermediate("between");
  ExpectAccepted(between, {old_root.pem(), new_root.pem()});
  ExpectAccepted(between, {new_root.pem()});
  ExpectAccepted(between, {old_root.pem(), new_root.pem(), crossed.pem()});
  ExpectAccepted(between, {crossed.pem(), old_root.pem()});
}

TEST_F(TlsChainTest, AnIntermediateThatHasExpiredBesideItsNewerForm) {
  const TestAuthority root("root");
  const TestAuthority expired = root.Intermediate("between", kTestExpired);
  const TestAuthority renewed = expired.CrossSignedBy(root);
  ExpectAccepted(renewed.Sending(absl::StrCat(expired.pem(), renewed.pem())), {root.pem()});
  ExpectAccepted(renewed.Sending(absl::StrCat(renewed.pem(), expired.pem())), {root.pem()});
  ExpectAccepted(renewed.Sending(expired.pem()), {root.pem(), renewed.pem()});
  ExpectAccepted(renewed, {root.pem(), expired.pem()});
}

TEST_F(TlsChainTest, AnotherKeyUnderTheSameNameIsNoObstacle) {
  const TestAuthority root("root");
  const TestAuthority namesake("root");
  ExpectAccepted(root, {namesake.pem(), root.pem()});
  ExpectAccepted(root.Sending(namesake.pem()), {root.pem()});
  ExpectAccepted(root.Intermediate("between"),
                 {namesake.pem(), root.pem(), namesake.Renewed(kTestExpired).pem()});
}

TEST_F(TlsChainTest, OnlyExpiredFormsAreReportedAsExpired) {
  const TestAuthority expired("old root", kTestExpired);
  const TestAuthority twice = expired.Renewed(kTestExpired);
  EXPECT_FALSE(Accepts(expired, {expired.pem(), twice.pem()}));
  EXPECT_EQ(failure().fault, Fault::kCertificate);
  EXPECT_THAT(failure().error.message(), AllOf(HasSubstr("old root"), HasSubstr("expired on 2020-01-01")));
}

TEST_F(TlsChainTest, UntrustedFormsAreRefused) {
  const TestAuthority expired("root", kTestExpired);
  const TestAuthority stranger("stranger");
  // A valid certificate with the right name and key, signed by an unknown authority.
  EXPECT_FALSE(Accepts(expired.CrossSignedBy(stranger), {expired.pem()}));
  EXPECT_FALSE(Accepts(expired.Renewed({}).Sending(expired.Renewed({}).pem()), {expired.pem()}));
  EXPECT_FALSE(Accepts(stranger, {expired.pem()}));
  const TestAuthority namesake("root");
  EXPECT_FALSE(Accepts(namesake, {expired.pem(), expired.Renewed({}).pem()}));
}

TEST_F(TlsChainTest, AHostileChainCostsABoundedNumberOfTries) {
  const TestAuthority root("root");
  std::string chain;
  for (int i = 0; i < 14; ++i) chain += root.Renewed(kTestExpired).pem();
  EXPECT_FALSE(Accepts(root.Sending(chain), {TestAuthority("unrelated").pem()}));
  EXPECT_EQ(failure().fault, Fault::kCertificate);
}

TEST_F(TlsChainTest, ABrokenCertificateAmongOthersIsPassedOver) {
  const TestAuthority root("root");
  const std::string broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  EXPECT_TRUE(Accepts(root, {TestAuthority("a").pem(), broken, root.pem(), root.pem()}));
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("block 2 is not a certificate")));
}

// ---- Keys ------------------------------------------------------------------------------------------

class TlsKeyTest : public TlsTest, public testing::WithParamInterface<std::tuple<TestKey, TlsVersion>> {};
INSTANTIATE_TEST_SUITE_P(Keys, TlsKeyTest,
                         testing::Combine(testing::Values(TestKey::kP256, TestKey::kP384, TestKey::kP521,
                                                          TestKey::kEd25519, TestKey::kRsa),
                                          testing::Values(TlsVersion::kTls12, TlsVersion::kTls13)));

TEST_P(TlsKeyTest, AServersKeyIsAccepted) {
  server_options_.max_version = std::get<TlsVersion>(GetParam());
  server_options_.certificate =
      Authority().Issue({.names = {std::string(kHost)}, .key = std::get<TestKey>(GetParam())});
  Transport* tls = Connect();
  ASSERT_NE(tls, nullptr) << failure().error;
  Exchange(*tls);
}

TEST_P(TlsKeyTest, AnAuthoritysKeyIsAccepted) {
  server_options_.max_version = std::get<TlsVersion>(GetParam());
  const TestAuthority authority("of another kind", {}, std::get<TestKey>(GetParam()));
  options_.tls_cert_file = WriteFile("kind.pem", authority.pem());
  server_options_.certificate = authority.Issue({.names = {std::string(kHost)}});
  ASSERT_NE(Connect(), nullptr) << failure().error;
}

TEST_P(TlsVersionTest, AKeyForRsassaPssAloneIsAccepted) {
  server_options_.max_version = GetParam();
  server_options_.certificate = Authority().Issue({.names = {std::string(kHost)}, .key = TestKey::kRsaPss});
  for (const uint16_t scheme : {0x0809, 0x080a, 0x080b}) {
    server_.reset();
    server_options_.signature = scheme;
    Transport* tls = Connect();
    ASSERT_NE(tls, nullptr) << failure().error;
    Exchange(*tls);
    clients_.clear();
    executor_.RunAll();
  }
}

// ---- Names -----------------------------------------------------------------------------------------

TEST_F(TlsTest, AFinalDotIsNoPartOfTheName) {
  Transport* tls = Connect(absl::StrCat(kHost, "."));
  ASSERT_NE(tls, nullptr) << failure().error;
  EXPECT_EQ(peer_->server_name(), kHost);
  Exchange(*tls);
  EXPECT_EQ(Connect("wrong.example."), nullptr);
  EXPECT_THAT(failure().error.message(), HasSubstr("not for wrong.example but for"));
  EXPECT_NE(Connect("127.0.0.1."), nullptr);
  EXPECT_EQ(peer_->server_name(), "");
}

TEST_F(TlsTest, UnknownIssuerIsNamed) {
  server_options_.certificate = TestAuthority("nobody knows me").Issue({.names = {std::string(kHost)}});
  EXPECT_EQ(Connect(), nullptr);
  EXPECT_EQ(failure().fault, Fault::kCertificate);
  EXPECT_THAT(failure().error.message(), AllOf(HasSubstr("unknown issuer"), HasSubstr("nobody knows me")));
}

TEST_F(TlsTest, AnotherAuthorityOfTheSameNameIsRefused) {
  server_options_.certificate = TestAuthority("thaw test authority").Issue({.names = {std::string(kHost)}});
  EXPECT_EQ(Connect(), nullptr);
  EXPECT_EQ(failure().fault, Fault::kCertificate);
}

TEST_F(TlsTest, AnIntermediateIsFollowedToItsRoot) {
  server_options_.certificate =
      Authority().Intermediate("between").Intermediate("farther").Issue({.names = {std::string(kHost)}});
  EXPECT_NE(Connect(), nullptr);
}

TEST_F(TlsTest, AFileMayNameAnIntermediateOrTheServerItself) {
  const TestAuthority between = Authority().Intermediate("between");
  server_options_.certificate = between.Issue({.names = {std::string(kHost)}});
  options_.tls_cert_file = WriteFile("between.pem", between.pem());
  EXPECT_NE(Connect(), nullptr);

  connector_.reset();
  server_.reset();
  clients_.clear();
  executor_.RunAll();
  server_options_.certificate = Authority().Issue({.names = {std::string(kHost)}});
  options_.tls_cert_file = WriteFile("itself.pem", server_options_.certificate.chain_pem);
  EXPECT_NE(Connect(), nullptr);
}

TEST_F(TlsTest, AFileOfManyCertificatesAddsToThePublicRoots) {
  std::string many = "# some words before\n";
  for (int i = 0; i < 20; ++i) many += TestAuthority(absl::StrCat("filler ", i)).pem();
  many += Authority().pem();
  options_.use_public_roots = true;
  options_.tls_cert_file = WriteFile("many.pem", many);
  EXPECT_NE(Connect(), nullptr);
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(TlsTest, ABadFileIsAWarningThatNamesIt) {
  const std::string missing = absl::StrCat(testing::TempDir(), "/not-there.pem");
  const std::string empty = WriteFile("empty.pem", "");
  const std::string text = WriteFile("text.pem", "hello, this is no certificate\n");
  const std::string cut = WriteFile("cut.pem", Authority().pem().substr(0, 200));
  const std::pair<std::string, std::string> cases[] = {{missing, "No such file"},
                                                       {empty, "empty"},
                                                       {text, "no PEM certificate"},
                                                       {cut, "block 1 is not a certificate"}};
  for (const auto& [path, why] : cases) {
    options_.tls_cert_file = path;
    connector_.reset();
    warnings_.clear();
    connector();
    EXPECT_THAT(warnings_, ElementsAre(AllOf(HasSubstr(path), HasSubstr(why))));
    EXPECT_EQ(Connect(), nullptr);
    EXPECT_EQ(failure().fault, Fault::kCertificate);
    EXPECT_THAT(failure().error.message(), HasSubstr("no root certificate is trusted"));
  }
}

TEST_F(TlsTest, SkipValidationTakesAnythingAndSaysSoOnce) {
  options_.skip_ssl_validation = true;
  server_options_.certificate = TestAuthority("nobody knows me").Issue({.names = {"wrong.example"}});
  EXPECT_NE(Connect(), nullptr);
  EXPECT_NE(Connect(), nullptr);
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("skip_ssl_validation")));
}

TEST_F(TlsTest, VersionsThatExcludeEachOtherAreRefused) {
  options_.tls_min_version = TlsVersion::kTls13;
  options_.tls_max_version = TlsVersion::kTls12;
  EXPECT_EQ(MakeTlsConnector(executor_, clock_, options_, counts_, &warnings_).status().code(),
            absl::StatusCode::kInvalidArgument);
}

// ---- Faults during the handshake -------------------------------------------------------------------

TEST_F(TlsTest, ResetEndAndGarbageDuringTheHandshake) {
  struct {
    void (*what)(TlsTest&, MemoryTransport&, TlsTestServer::Peer&);
    Fault fault;
  } const cases[] = {
      {[](TlsTest&, MemoryTransport& far, TlsTestServer::Peer&) { far.Reset(); }, Fault::kReset},
      {[](TlsTest&, MemoryTransport& far, TlsTestServer::Peer&) { far.SendEnd(); }, Fault::kEnd},
      {[](TlsTest&, MemoryTransport&, TlsTestServer::Peer& peer) {
         peer.SendRaw("HTTP/1.1 400 Bad Request\r\n\r\n");
       },
       Fault::kProtocol},
  };
  for (const auto& test : cases) {
    Begin();
    far_wire_->set_hold_arrivals(true);
    executor_.RunAll();
    EXPECT_FALSE(result_.has_value());
    test.what(*this, *far_wire_, *peer_);
    executor_.RunAll();
    ASSERT_TRUE(result_.has_value());
    EXPECT_EQ(result_->transport, nullptr);
    EXPECT_EQ(failure().fault, test.fault) << failure().error;
    EXPECT_EQ(failure().phase, Phase::kTls);
    EXPECT_THAT(failure().error.message(), HasSubstr(std::string(kHost)));
  }
  EXPECT_EQ(counts_.tls_full, 0);
}

TEST_F(TlsTest, AnAlertOfTheServerIsProtocolAndNamed) {
  options_.tls_max_version = TlsVersion::kTls12;
  server_options_.wants_client_certificate = true;
  EXPECT_EQ(Connect(), nullptr);
  EXPECT_EQ(failure().fault, Fault::kProtocol);
  EXPECT_THAT(failure().error.message(), HasSubstr("alert"));
}

TEST_F(TlsTest, AResetAtEveryByteOfTheHandshakeEndsIt) {
  Connect();
  const int64_t sent = wire_->wire_bytes_sent();
  for (int64_t at = 1; at < sent; at += 13) {
    Begin();
    wire_->set_reset_after_sending(at);
    executor_.RunAll();
    ASSERT_TRUE(result_.has_value()) << at;
    EXPECT_EQ(failure().fault, Fault::kReset) << at;
  }
}

TEST_F(TlsTest, CancellationEndsAHandshakeThatHangs) {
  for (const bool deadline : {true, false}) {
    Cancellation cancellation;
    auto [client, far] = MemoryTransport::Pair(executor_);
    std::optional<TlsResult> result;
    TlsTarget target{.destination = {.host = std::string(kHost)}, .server_name = std::string(kHost)};
    Spawn<TlsResult>(executor_, connector().Handshake(std::move(client), std::move(target), cancellation),
                     [&](TlsResult r) { result = std::move(r); });
    executor_.RunAll();
    ASSERT_FALSE(result.has_value());
    cancellation.Request(deadline ? absl::DeadlineExceededError("no answer within 2s")
                                  : absl::CancelledError("stop"));
    executor_.RunAll();
    ASSERT_TRUE(result.has_value());
    ASSERT_TRUE(result->failure.has_value());
    EXPECT_EQ(result->failure->fault, deadline ? Fault::kTimeout : Fault::kCancelled);
    EXPECT_THAT(result->failure->error.message(), HasSubstr(deadline ? "no answer within 2s" : "stop"));
  }
}

TEST_F(TlsTest, CancellationAtEveryStepOfTheHandshakeEndsIt) {
  for (int steps = 0; steps < 40; ++steps) {
    Cancellation cancellation;
    auto [client, far] = MemoryTransport::Pair(executor_);
    server().Accept(std::move(far));
    std::optional<TlsResult> result;
    TlsTarget target{.destination = {.host = std::string(kHost)}, .server_name = std::string(kHost)};
    Spawn<TlsResult>(executor_, connector().Handshake(std::move(client), std::move(target), cancellation),
                     [&](TlsResult r) { result = std::move(r); });
    for (int i = 0; i < steps; ++i) executor_.Step();
    const bool was_done = result.has_value();
    cancellation.Request(absl::DeadlineExceededError("late"));
    executor_.RunAll();
    ASSERT_TRUE(result.has_value());
    EXPECT_EQ(result->transport != nullptr, was_done) << steps;
    if (!was_done) {
      EXPECT_EQ(result->failure->fault, Fault::kTimeout);
    }
    result.reset();
    executor_.RunAll();
  }
}

// ---- Faults on an open connection ------------------------------------------------------------------

TEST_F(TlsTest, CloseNotifyEndsAPendingRead) {
  Transport* tls = Connect();
  Exchange(*tls);
  auto read = StartRead(*tls);
  executor_.RunAll();
  EXPECT_FALSE(read->done);
  peer_->CloseNotify();
  executor_.RunAll();
  ASSERT_TRUE(read->done);
  EXPECT_EQ(read->result.status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_THAT(read->result.status.message(), HasSubstr("close_notify)"));
  EXPECT_EQ(Read(*tls).status.code(), absl::StatusCode::kOutOfRange);  // and stays so
}

TEST_F(TlsTest, AnEndWithoutCloseNotifyIsTold) {
  Transport* tls = Connect();
  Exchange(*tls);
  auto read = StartRead(*tls);
  far_wire_->SendEnd();
  executor_.RunAll();
  ASSERT_TRUE(read->done);
  EXPECT_EQ(read->result.status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_THAT(read->result.status.message(), HasSubstr("without close_notify"));
}

TEST_F(TlsTest, TryReadSeesEndAlertResetAndData) {
  struct {
    void (*what)(MemoryTransport&, TlsTestServer::Peer&);
    absl::StatusCode code;
    std::string_view text;
  } const cases[] = {
      {[](MemoryTransport& far, TlsTestServer::Peer&) { far.SendEnd(); }, absl::StatusCode::kOutOfRange,
       "without"},
      {[](MemoryTransport&, TlsTestServer::Peer& peer) { peer.CloseNotify(); }, absl::StatusCode::kOutOfRange,
       "close"},
      {[](MemoryTransport&, TlsTestServer::Peer& peer) { peer.SendAlert(80); }, absl::StatusCode::kOutOfRange,
       "internal error"},
      {[](MemoryTransport& far, TlsTestServer::Peer&) { far.Reset(); }, absl::StatusCode::kAborted, "reset"},
      {[](MemoryTransport&, TlsTestServer::Peer& peer) { peer.SendRaw(std::string(64, 'x')); },
       absl::StatusCode::kDataLoss, "TLS"},
      {[](MemoryTransport&, TlsTestServer::Peer& peer) { peer.Send("unasked"); }, absl::StatusCode::kOk, ""},
  };
  for (const auto& test : cases) {
    Transport* tls = Connect();
    ASSERT_NE(tls, nullptr);
    Exchange(*tls);
    test.what(*far_wire_, *peer_);
    char buffer[64];
    const IoResult result = tls->TryRead(absl::MakeSpan(buffer));
    EXPECT_EQ(result.status.code(), test.code) << result.status;
    EXPECT_THAT(std::string(result.status.message()), HasSubstr(std::string(test.text)));
  }
}

TEST_F(TlsTest, KeyUpdatesAreTakenSilentlyAndAnswered) {
  Transport* tls = Connect();
  Exchange(*tls);
  for (const bool request : {false, true}) {
    peer_->UpdateKeys(request);
    Exchange(*tls);
  }
  peer_->UpdateKeys(true);
  peer_->Send("x");
  executor_.RunAll();
  std::string text;
  EXPECT_TRUE(Read(*tls, &text).status.ok());
  char buffer[8];
  EXPECT_TRUE(absl::IsUnavailable(tls->TryRead(absl::MakeSpan(buffer)).status));
  Exchange(*tls);
  EXPECT_EQ(peer_->error(), "");
}

TEST_F(TlsTest, AResetReachesAPendingReadAsSuch) {
  Transport* tls = Connect();
  Exchange(*tls);
  auto read = StartRead(*tls);
  far_wire_->Reset();
  executor_.RunAll();
  ASSERT_TRUE(read->done);
  EXPECT_EQ(read->result.status.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(Write(*tls, "x").status.code(), absl::StatusCode::kAborted);
}

TEST_F(TlsTest, CloseAndDestructionCancelFromTheQueue) {
  for (const bool destroy : {false, true}) {
    Transport* tls = Connect();
    Exchange(*tls);
    auto read = StartRead(*tls);
    if (destroy) {
      clients_.clear();
    } else {
      tls->Close();
    }
    EXPECT_FALSE(read->done);
    executor_.RunAll();
    ASSERT_TRUE(read->done);
    EXPECT_EQ(read->result.status.code(), absl::StatusCode::kCancelled);
    EXPECT_TRUE(peer_->saw_close_notify());
    if (!destroy) {
      EXPECT_EQ(Write(*tls, "x").status.code(), absl::StatusCode::kCancelled);
      EXPECT_EQ(Read(*tls).status.code(), absl::StatusCode::kCancelled);
      tls->Close();
    }
  }
}

TEST_F(TlsTest, ATransportMayBeDestroyedByTheReadItCompletes) {
  Transport* tls = Connect();
  Exchange(*tls);
  bool done = false;
  tls->StartRead(absl::MakeSpan(buffer_), [&](IoResult) {
    clients_.clear();
    done = true;
  });
  peer_->Send("the end");
  executor_.RunAll();
  EXPECT_TRUE(done);
}

// ---- The result of a failed write ------------------------------------------------------------------

TEST_F(TlsTest, AFailedWriteCountsTheRecordsThatWentOutWhole) {
  constexpr size_t kRecord = 16384;
  const std::string body(3 * kRecord, 'b');
  // Measures how many bytes the three records take on the wire.
  Transport* whole = Connect();
  Exchange(*whole);
  const int64_t before = wire_->wire_bytes_sent();
  EXPECT_EQ(Write(*whole, body).bytes, body.size());
  const int64_t record = (wire_->wire_bytes_sent() - before) / 3;
  EXPECT_GT(record, static_cast<int64_t>(kRecord));

  for (const int64_t cut :
       {int64_t{0}, int64_t{1}, record - 1, record, record + 1, 2 * record - 1, 2 * record, 3 * record - 1}) {
    Transport* tls = Connect();
    Exchange(*tls);
    wire_->set_write_limit(1000);
    wire_->set_reset_after_sending(wire_->wire_bytes_sent() + cut);
    const IoResult result = Write(*tls, body);
    EXPECT_EQ(result.status.code(), absl::StatusCode::kAborted);
    EXPECT_EQ(result.bytes, static_cast<size_t>(cut / record) * kRecord) << cut;
  }
}

TEST_F(TlsTest, AWriteToAConnectionResetBeforeTookNothing) {
  Transport* tls = Connect();
  Exchange(*tls);
  far_wire_->Reset();
  const IoResult result = Write(*tls, "request");
  EXPECT_EQ(result.status.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(result.bytes, 0u);
}

TEST_F(TlsTest, AWriteWaitsForRoomBelow) {
  Transport* tls = Connect();
  Exchange(*tls);
  far_wire_->set_hold_arrivals(true);
  wire_->set_capacity(100);
  const std::string body(5000, 'b');
  auto write = StartWrite(*tls, body);
  executor_.RunAll();
  EXPECT_FALSE(write->done);
  peer_->TakeReceived();
  far_wire_->set_hold_arrivals(false);
  executor_.RunAll();
  ASSERT_TRUE(write->done);
  EXPECT_EQ(write->result.bytes, body.size());
  EXPECT_EQ(peer_->TakeReceived(), body);
}

TEST_F(TlsTest, AWriteAndAReadAtOnce) {
  Transport* tls = Connect();
  Exchange(*tls);
  peer_->TakeReceived();
  auto read = StartRead(*tls);
  auto write = StartWrite(*tls, "second request");
  executor_.RunAll();
  EXPECT_TRUE(write->done);
  EXPECT_FALSE(read->done);
  EXPECT_EQ(peer_->TakeReceived(), "second request");
  peer_->Send("second answer");
  executor_.RunAll();
  ASSERT_TRUE(read->done);
  EXPECT_EQ(std::string(buffer_, read->result.bytes), "second answer");
}

// ---- Memory ----------------------------------------------------------------------------------------

TEST_F(TlsTest, AnOpenIdleConnectionIsSmall) {
  if (mallinfo2().uordblks == 0) GTEST_SKIP() << "this allocator does not count";
  constexpr size_t kConnections = 64;
  options_.tls_session_resumption = false;
  char buffers[kConnections][16];
  for (size_t i = 0; i < kConnections; ++i) {
    Transport* tls = Connect();
    ASSERT_NE(tls, nullptr);
    Exchange(*tls);
    tls->StartRead(absl::MakeSpan(buffers[i]), [](IoResult) {});
  }
  executor_.RunAll();
  const size_t open = mallinfo2().uordblks;
  clients_.clear();
  executor_.RunAll();
  const size_t each = (open - mallinfo2().uordblks) / kConnections;
  RecordProperty("bytes_per_connection", static_cast<int>(each));
  printf("an open idle TLS connection holds %zu bytes\n", each);
  EXPECT_GT(each, 2048u);
  EXPECT_LT(each, 16u * 1024);
}

}  // namespace
}  // namespace thaw
