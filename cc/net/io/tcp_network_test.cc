#include "cc/net/io/tcp_network.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "cc/clock/system_clock.h"
#include "cc/net/io/event_loop.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

// A listening socket on the loopback. It accepts and talks by blocking calls, which return at once after the
// loop has done its part.
class Listener {
 public:
  Listener() : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(listen(fd_, 8), 0);
    socklen_t size = sizeof(address);
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
  }
  ~Listener() { Close(); }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }
  int Accept() const { return accept(fd_, nullptr, nullptr); }
  uint16_t port = 0;

 private:
  int fd_;
};

class TcpNetworkTest : public testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<Transport>> Connect(uint16_t port) {
    std::optional<absl::StatusOr<std::unique_ptr<Transport>>> result;
    absl::AnyInvocable<void(absl::StatusOr<std::unique_ptr<Transport>>)> done = [&](auto connected) {
      result = std::move(connected);
      loop_.Stop();
    };
    Spawn<absl::StatusOr<std::unique_ptr<Transport>>>(
        loop_, network_->Connect({IpAddress::Family::kV4, "127.0.0.1"}, port, {}, cancellation_),
        std::move(done));
    loop_.Run();
    return *std::move(result);
  }
  IoResult Read(Transport& transport) {
    IoResult got;
    transport.StartRead(absl::MakeSpan(buffer_), [&](IoResult result) {
      got = std::move(result);
      loop_.Stop();
    });
    loop_.Run();
    return got;
  }
  IoResult Write(Transport& transport, std::string_view text) {
    IoResult got;
    transport.StartWrite(text, [&](IoResult result) {
      got = std::move(result);
      loop_.Stop();
    });
    loop_.Run();
    return got;
  }
  absl::StatusOr<ResolvedName> Lookup(const std::string& host) {
    std::optional<absl::StatusOr<ResolvedName>> result;
    absl::AnyInvocable<void(absl::StatusOr<ResolvedName>)> done = [&](absl::StatusOr<ResolvedName> name) {
      result = std::move(name);
      loop_.Stop();
    };
    Spawn<absl::StatusOr<ResolvedName>>(loop_, network_->Lookup(host, LookupPatience::kShort, cancellation_),
                                        std::move(done));
    loop_.Run();
    return *std::move(result);
  }

  explicit TcpNetworkTest(EventLoop::ReadClocks read = &ReadSystemClocks) : loop_(read) {}

  EventLoop loop_;
  Cancellation cancellation_;
  std::unique_ptr<Network> network_ = MakeTcpNetwork(loop_);
  std::string buffer_ = std::string(64, '\0');
};

TEST_F(TcpNetworkTest, CarriesBytesAndTheEnd) {
  const Listener listener;
  const auto transport = Connect(listener.port);
  ASSERT_TRUE(transport.ok()) << transport.status();
  const int peer = listener.Accept();
  EXPECT_TRUE(absl::IsUnavailable((*transport)->TryRead(absl::MakeSpan(buffer_)).status));
  EXPECT_EQ(Write(**transport, "ping").bytes, 4);
  char got[8] = {};
  EXPECT_EQ(recv(peer, got, sizeof(got), 0), 4);
  EXPECT_EQ(send(peer, "pong!", 5, 0), 5);
  EXPECT_EQ(buffer_.substr(0, Read(**transport).bytes), "pong!");
  EXPECT_EQ((*transport)->wire_bytes_sent(), 4);
  EXPECT_EQ((*transport)->wire_bytes_received(), 5);
  close(peer);
  EXPECT_TRUE(absl::IsOutOfRange(Read(**transport).status));
}

TEST_F(TcpNetworkTest, AResetIsNoEnd) {
  const Listener listener;
  const auto transport = Connect(listener.port);
  const int peer = listener.Accept();
  const linger now = {1, 0};
  setsockopt(peer, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  close(peer);
  EXPECT_TRUE(absl::IsAborted(Read(**transport).status));
  EXPECT_FALSE(Write(**transport, "x").status.ok());
}

// Time added to the clock.
absl::Duration moved_on;
ClockReading MovedClocks() {
  return {.wall = absl::UnixEpoch() + moved_on, .monotonic = moved_on, .boot = moved_on};
}

class TcpNetworkAfterAFreezeTest : public TcpNetworkTest {
 protected:
  TcpNetworkAfterAFreezeTest() : TcpNetworkTest(&MovedClocks) {}
};

TEST_F(TcpNetworkAfterAFreezeTest, TryReadSeesTheEndBesideAPendingRead) {
  const Listener listener;
  const auto transport = Connect(listener.port);
  const int peer = listener.Accept();
  std::optional<IoResult> pending;
  (*transport)->StartRead(absl::MakeSpan(buffer_), [&](IoResult result) {
    pending = std::move(result);
    loop_.Stop();
  });
  char byte;
  EXPECT_TRUE(absl::IsUnavailable((*transport)->TryRead(absl::MakeSpan(&byte, 1)).status));
  close(peer);
  moved_on += absl::Seconds(60);
  // On the loopback the FIN has arrived when close() returns.
  EXPECT_TRUE(absl::IsOutOfRange((*transport)->TryRead(absl::MakeSpan(&byte, 1)).status));
  loop_.Run();
  EXPECT_TRUE(absl::IsOutOfRange(pending->status));
}

TEST_F(TcpNetworkTest, CloseAndDestructionEndPendingOperations) {
  const Listener listener;
  auto transport = Connect(listener.port);
  std::optional<IoResult> pending;
  (*transport)->StartRead(absl::MakeSpan(buffer_), [&](IoResult result) {
    pending = std::move(result);
    loop_.Stop();
  });
  transport->reset();
  EXPECT_FALSE(pending.has_value()) << "inside the call";
  loop_.Run();
  EXPECT_TRUE(absl::IsCancelled(pending->status));
}

TEST_F(TcpNetworkTest, ARefusedPortIsNamed) {
  Listener listener;
  listener.Close();
  const auto transport = Connect(listener.port);
  EXPECT_TRUE(absl::IsUnavailable(transport.status()));
  EXPECT_THAT(std::string(transport.status().message()),
              testing::HasSubstr("127.0.0.1:" + std::to_string(listener.port)));
}

TEST_F(TcpNetworkTest, ResolvesFromTheHostsFile) {
  const auto name = Lookup("localhost");
  ASSERT_TRUE(name.ok()) << name.status();
  EXPECT_FALSE(name->addresses.empty());
  EXPECT_GT(name->time_to_live, absl::ZeroDuration());
}

// A DNS server answers one question as the test says.
TEST_F(TcpNetworkTest, AnUnknownNameIsNotFound) {
  const int server = socket(AF_INET, SOCK_DGRAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(server, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  socklen_t size = sizeof(address);
  getsockname(server, reinterpret_cast<sockaddr*>(&address), &size);
  std::thread answering([server] {
    // One question each for A and AAAA; both get NXDOMAIN.
    for (int i = 0; i < 2; ++i) {
      unsigned char packet[512];
      sockaddr_in from = {};
      socklen_t from_size = sizeof(from);
      const ssize_t bytes =
          recvfrom(server, packet, sizeof(packet), 0, reinterpret_cast<sockaddr*>(&from), &from_size);
      if (bytes < 12) return;
      packet[2] = 0x81;
      packet[3] = 0x83;
      sendto(server, packet, bytes, 0, reinterpret_cast<sockaddr*>(&from), from_size);
    }
  });
  network_ =
      MakeTcpNetwork(loop_, {.servers = "127.0.0.1:" + std::to_string(ntohs(address.sin_port)), .tries = 1});
  const auto name = Lookup("no-such-host.test.");
  EXPECT_TRUE(absl::IsNotFound(name.status())) << name.status();
  EXPECT_THAT(std::string(name.status().message()), testing::HasSubstr("no-such-host.test"));
  shutdown(server, SHUT_RDWR);
  answering.join();
  close(server);
}

TEST_F(TcpNetworkTest, AServerThatIsNotThereIsUnavailable) {
  network_ =
      MakeTcpNetwork(loop_, {.servers = "127.0.0.1:1", .timeout = absl::Milliseconds(100), .tries = 1});
  const auto name = Lookup("host.test.");
  EXPECT_TRUE(absl::IsUnavailable(name.status())) << name.status();
}

}  // namespace
}  // namespace thaw
