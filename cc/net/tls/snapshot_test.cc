// A snapshot is one image of a process from which many processes are restored. Any random state in it is
// shared by all of them: two that draw a key share from the same state get the same key. fork() makes such
// clones here.

#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cc/base/cancellation.h"
#include "cc/base/manual_executor.h"
#include "cc/clock/fake_clock.h"
#include "cc/net/client_options.h"
#include "cc/net/counters.h"
#include "cc/net/testing/memory_transport.h"
#include "cc/net/tls/make_tls_connector.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

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
  }
  return hello;
}

class SnapshotTest : public testing::Test {
 protected:
  SnapshotTest() {
    auto made = MakeTlsConnector(executor_, clock_, options_, counters_, &warnings_);
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
    std::string bytes(8192, '\0');
    const IoResult read = far->TryRead(absl::MakeSpan(bytes));
    bytes.resize(read.bytes);
    cancellation.Request(absl::CancelledError("seen enough"));
    executor_.RunAll();
    return bytes;
  }
  // Returns the first message that a clone of this process sends.
  std::string HelloOfClone() {
    int pipe_ends[2];
    EXPECT_EQ(pipe(pipe_ends), 0);
    const pid_t clone = fork();
    if (clone == 0) {
      const std::string hello = Hello();
      const ssize_t written = write(pipe_ends[1], hello.data(), hello.size());
      _exit(written == static_cast<ssize_t>(hello.size()) ? 0 : 1);
    }
    close(pipe_ends[1]);
    std::string hello(8192, '\0');
    size_t size = 0;
    ssize_t bytes;
    while ((bytes = read(pipe_ends[0], hello.data() + size, hello.size() - size)) > 0) size += bytes;
    hello.resize(size);
    close(pipe_ends[0]);
    int status = -1;
    EXPECT_EQ(waitpid(clone, &status, 0), clone);
    EXPECT_EQ(status, 0);
    return hello;
  }

  ManualExecutor executor_;
  FakeClock clock_{executor_};
  ClientOptions options_;
  ConnectionCounters counters_;
  std::vector<std::string> warnings_;
  std::unique_ptr<TlsConnector> connector_;
};

// This holds because nothing is drawn before the restore; python/tests/test_extension_types.py counts that
// for the whole process.
TEST_F(SnapshotTest, ClonesOfOneImageShareNoRandomNumbers) {
  std::vector<ClientHello> hellos;
  for (int i = 0; i < 3; ++i) hellos.push_back(Parse(HelloOfClone()));
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

}  // namespace
}  // namespace thaw
