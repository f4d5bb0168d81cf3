// A snapshot is one image of a process from which many processes are restored. Any random state in it is
// shared by all of them: two that draw a key share from the same state get the same key. fork() makes such
// clones here.

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "cc/base/cancellation.h"
#include "cc/base/manual_executor.h"
#include "cc/base/task.h"
#include "cc/clock/fake_clock.h"
#include "cc/net/client.h"
#include "cc/net/client_counts.h"
#include "cc/net/client_factory.h"
#include "cc/net/client_options.h"
#include "cc/net/network.h"
#include "cc/net/testing/memory_transport.h"
#include "cc/net/testing/refused_calls.h"
#include "cc/net/testing/test_certificates.h"
#include "cc/net/testing/tls_test_server.h"
#include "cc/net/tls/boring_tls_connector.h"
#include "cc/net/transport.h"
#include "gtest/gtest.h"
#include "openssl/rand.h"

namespace thaw {
namespace {

// Types of extensions (RFC 8446 section 4.2).
constexpr uint16_t kPreSharedKey = 41;
constexpr uint16_t kKeyShare = 51;

// Reads the fields of a message; returns nothing once it has run out.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  std::string_view Take(size_t count) {
    const std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(taken.size());
    return taken;
  }
  size_t Number(size_t width) {
    size_t value = 0;
    for (const char c : Take(width)) value = value << 8 | static_cast<uint8_t>(c);
    return value;
  }
  std::string_view Vector(size_t width) { return Take(Number(width)); }
  bool empty() const { return bytes_.empty(); }

 private:
  std::string_view bytes_;
};

struct ClientHello {
  std::string random, session_id, key_share;
  std::string ticket;  // the first session that it offers to resume; empty: none
};

// Parses a ClientHello (RFC 8446 section 4.1.2) in one record.
ClientHello Parse(std::string_view record) {
  Reader reader(record);
  reader.Take(5 + 4 + 2);  // headers of the record and the handshake message, the old version
  ClientHello hello;
  hello.random = reader.Take(32);
  hello.session_id = reader.Vector(1);
  reader.Vector(2);  // cipher suites
  reader.Vector(1);  // compression
  Reader extensions(reader.Vector(2));
  while (!extensions.empty()) {
    const size_t type = extensions.Number(2);
    const std::string_view body = extensions.Vector(2);
    if (type == kKeyShare) hello.key_share = body;
    if (type == kPreSharedKey) hello.ticket = Reader(Reader(body).Vector(2)).Vector(2);
  }
  return hello;
}

// Runs `body` in a clone of this process and returns its result.
std::string RunInClone(absl::FunctionRef<std::string()> body) {
  int pipe_ends[2];
  EXPECT_EQ(pipe(pipe_ends), 0);
  const pid_t clone = fork();
  if (clone == 0) {
    const std::string result = body();
    const ssize_t written = write(pipe_ends[1], result.data(), result.size());
    _exit(written == static_cast<ssize_t>(result.size()) ? 0 : 1);
  }
  close(pipe_ends[1]);
  std::string result(8192, '\0');
  size_t size = 0;
  ssize_t bytes;
  while ((bytes = read(pipe_ends[0], result.data() + size, result.size() - size)) > 0) size += bytes;
  result.resize(size);
  close(pipe_ends[0]);
  int status = -1;
  EXPECT_EQ(waitpid(clone, &status, 0), clone);
  EXPECT_EQ(status, 0);
  return result;
}

// Returns what has come to this end of a stream.
std::string TakeArrived(Transport& end) {
  std::string bytes(8192, '\0');
  const IoResult read = end.TryRead(absl::MakeSpan(bytes));
  bytes.resize(read.bytes);
  return bytes;
}

class SnapshotTest : public testing::Test {
 protected:
  SnapshotTest() {
    auto made = MakeTlsConnector(executor_, clock_, options_, counts_, &warnings_);
    EXPECT_TRUE(made.ok()) << made.status();
    connector_ = *std::move(made);
  }

  // Returns the first message that this process sends.
  std::string Hello() {
    auto [client, far] = MemoryTransport::Pair(executor_);
    Cancellation cancellation;
    Spawn<TlsResult>(executor_,
                     connector_->Handshake(std::move(client),
                                           {.destination = {.host = "intake.example", .port = 443},
                                            .server_name = "intake.example"},
                                           cancellation),
                     [](TlsResult) {});
    executor_.RunAll();
    std::string bytes = TakeArrived(*far);
    cancellation.Request(absl::CancelledError("seen enough"));
    executor_.RunAll();
    return bytes;
  }

  ManualExecutor executor_;
  FakeClock clock_{executor_};
  ClientOptions options_;
  ConnectionCounts counts_;
  std::vector<std::string> warnings_;
  std::unique_ptr<TlsConnector> connector_;
};

// This holds because nothing is drawn before the restore; python/tests/test_extension_types.py counts that
// for the whole process.
TEST_F(SnapshotTest, ClonesOfOneImageShareNoRandomNumbers) {
  std::vector<ClientHello> hellos;
  for (int i = 0; i < 3; ++i) hellos.push_back(Parse(RunInClone([this] { return Hello(); })));
  for (const ClientHello& hello : hellos) {
    EXPECT_EQ(hello.random.size(), 32);
    EXPECT_GE(hello.key_share.size(), 32);
  }
  for (size_t a = 0; a < hellos.size(); ++a) {
    for (size_t b = a + 1; b < hellos.size(); ++b) {
      EXPECT_NE(hellos[a].random, hellos[b].random);
      EXPECT_NE(hellos[a].session_id, hellos[b].session_id);
      EXPECT_NE(hellos[a].key_share, hellos[b].key_share);
    }
  }
}

// A clone of a machine, unlike one that fork() makes, is not noticed by the TLS library. Its first draw has
// seeded the generator; without more from the kernel it would go on as its siblings do.
TEST_F(SnapshotTest, EachHandshakeTakesNewRandomNumbersFromTheKernel) {
  const auto draw = [] {
    uint8_t byte;
    RAND_bytes(&byte, sizeof(byte));
  };
  std::vector<RefusedCall> refused = {{SYS_getrandom, EPERM}, {SYS_openat, EACCES}};
#ifdef SYS_open
  refused.push_back({SYS_open, EACCES});
#endif
  const ChildExit drawn = WithRefusedCallsAfter(draw, refused, [&draw] { return draw(), 0; });
  if (!drawn.filtered) GTEST_SKIP() << "no filters of system calls here";
  if (drawn.status != 0) GTEST_SKIP() << "the library seeds itself at each draw here, as it finds no forks";
  const ChildExit shaken =
      WithRefusedCallsAfter([this] { Hello(); }, refused, [this] { return Hello().empty() ? 1 : 0; });
  EXPECT_EQ(shaken.status, 1);  // it fails rather than use what is left
}

// -- A whole client --------------------------------------------------------------------------------------

constexpr std::string_view kHost = "intake.example";

// Resolves every name and connects to a TLS server, if there is one; otherwise nothing answers.
class SnapshotNetwork : public Network {
 public:
  explicit SnapshotNetwork(Executor& executor) : executor_(executor) {}

  Task<absl::StatusOr<ResolvedName>> Lookup(std::string, LookupPatience, Cancellation&) override {
    ++lookups;
    co_return ResolvedName{{{IpAddress::Family::kV4, "10.0.0.1"}}, absl::Minutes(1)};
  }
  Task<absl::StatusOr<std::unique_ptr<Transport>>> Connect(IpAddress, uint16_t, ConnectOptions,
                                                           Cancellation&) override {
    auto [near, far] = MemoryTransport::Pair(executor_);
    if (server != nullptr) {
      peer = &server->Accept(std::move(far));
    } else {
      silent = std::move(far);
    }
    co_return std::unique_ptr<Transport>(std::move(near));
  }

  TlsTestServer* server = nullptr;
  TlsTestServer::Peer* peer = nullptr;  // of the last connection to the server
  std::unique_ptr<Transport> silent;    // the far end of the last connection without a server
  int lookups = 0;

 private:
  Executor& executor_;
};

class SnapshotClientTest : public testing::Test {
 protected:
  struct Clone {
    std::string lookups;  // that its request took
    ClientHello hello;
  };

  SnapshotClientTest() {
    const TestAuthority authority("thaw test authority");
    ClientOptions options;
    options.use_public_roots = false;
    options.tls_cert_file = absl::StrCat(testing::TempDir(), "/snapshot_authority.pem");
    std::ofstream(options.tls_cert_file, std::ios::binary) << authority.pem();
    server_ = std::make_unique<TlsTestServer>(
        TlsTestServer::Options{.certificate = authority.Issue({.names = {std::string(kHost)}})});
    auto made = MakeClient(executor_, clock_, network_, options, [] { return 0.5; }, &warnings_);
    EXPECT_TRUE(made.ok()) << made.status();
    client_ = *std::move(made);
  }
  ~SnapshotClientTest() override {
    client_->Close();
    executor_.RunAll();
    EXPECT_TRUE(client_->settled());
  }

  void BeginRequest() {
    HttpRequest request;
    request.destination.host = std::string(kHost);
    request.target = "/";
    Spawn<SendResult>(executor_, client_->Send(std::move(request), {}, cancellation_),
                      [this](SendResult result) { result_ = std::move(result); });
    executor_.RunAll();
  }
  // Runs one request, which leaves a name and sessions behind.
  void Exchange() {
    network_.server = server_.get();
    BeginRequest();
    ASSERT_NE(network_.peer, nullptr);
    network_.peer->Send("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
    executor_.RunAll();
    ASSERT_TRUE(result_.has_value());
    ASSERT_TRUE(result_->accepted);
    ASSERT_EQ(network_.lookups, 1);
    ASSERT_GT(client_->counts().connection.tls_tickets, 0);
    network_.server = nullptr;
  }
  // Runs a clone up to the first message of its next request.
  Clone Resume(bool forgets) {
    const std::string result = RunInClone([&] {
      network_.lookups = 0;
      client_->Resume();
      if (forgets) client_->Forget();
      BeginRequest();
      return absl::StrCat(network_.lookups,
                          network_.silent != nullptr ? TakeArrived(*network_.silent) : std::string());
    });
    return {.lookups = result.substr(0, 1), .hello = Parse(std::string_view(result).substr(1))};
  }

  ManualExecutor executor_;
  FakeClock clock_{executor_};
  Cancellation cancellation_;
  SnapshotNetwork network_{executor_};
  std::vector<std::string> warnings_;
  std::unique_ptr<TlsTestServer> server_;
  std::unique_ptr<Client> client_;
  std::optional<SendResult> result_;
};

TEST_F(SnapshotClientTest, ClonesShareNeitherSessionsNorNames) {
  Exchange();
  for (int i = 0; i < 2; ++i) {
    const Clone clone = Resume(/*forgets=*/true);
    EXPECT_EQ(clone.lookups, "1");
    EXPECT_EQ(clone.hello.random.size(), 32);
    EXPECT_EQ(clone.hello.ticket, "");
  }
}

// Shows that the test above can fail: the clones of a client that forgets nothing offer the same session.
TEST_F(SnapshotClientTest, ClonesThatForgetNothingShareBoth) {
  Exchange();
  const Clone first = Resume(/*forgets=*/false);
  const Clone second = Resume(/*forgets=*/false);
  EXPECT_EQ(first.lookups, "0");
  EXPECT_EQ(second.lookups, "0");
  EXPECT_NE(first.hello.ticket, "");
  EXPECT_EQ(first.hello.ticket, second.hello.ticket);
}

}  // namespace
}  // namespace thaw
