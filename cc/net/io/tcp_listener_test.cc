#include "cc/net/io/tcp_listener.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/strings/str_cat.h"
#include "cc/net/io/event_loop.h"
#include "cc/net/io/tcp_network.h"
#include "cc/net/testing/refused_calls.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using Accepted = absl::StatusOr<std::unique_ptr<Transport>>;

class TcpListenerTest : public testing::Test {
 protected:
  std::unique_ptr<Listener> Listen(const TcpListenOptions& options = {}) {
    absl::StatusOr<std::unique_ptr<Listener>> listener = ListenOnTcp(loop_, options);
    EXPECT_TRUE(listener.ok()) << listener.status();
    return *std::move(listener);
  }
  Accepted Run(Task<Accepted> task) {
    std::optional<Accepted> result;
    absl::AnyInvocable<void(Accepted)> done = [&](Accepted got) {
      result = std::move(got);
      loop_.Stop();
    };
    Spawn<Accepted>(loop_, std::move(task), std::move(done));
    loop_.Run();
    return *std::move(result);
  }
  Accepted Connect(const Listener& listener) {
    return Run(network_->Connect({IpAddress::Family::kV4, "127.0.0.1"}, listener.port(), {}, never_));
  }
  Accepted Accept(Listener& listener) { return Run(listener.Accept(never_)); }

  EventLoop loop_;
  Cancellation never_;
  std::unique_ptr<Network> network_ = MakeTcpNetwork(loop_);
};

TEST_F(TcpListenerTest, AcceptsEarlierConnectionsInOrder) {
  const std::unique_ptr<Listener> listener = Listen();
  EXPECT_NE(listener->port(), 0);
  std::vector<std::unique_ptr<Transport>> clients;
  for (const std::string_view text : {"one", "two"}) {
    Accepted client = Connect(*listener);
    ASSERT_TRUE(client.ok()) << client.status();
    EXPECT_EQ((*client)->TryWrite(text).bytes, 3);
    clients.push_back(*std::move(client));
  }
  for (const std::string_view text : {"one", "two"}) {
    Accepted server = Accept(*listener);
    ASSERT_TRUE(server.ok()) << server.status();
    char got[8];
    // On the loopback, the bytes have arrived when the write returns.
    const IoResult read = (*server)->TryRead(absl::MakeSpan(got));
    EXPECT_EQ(std::string_view(got, read.bytes), text);
  }
}

TEST_F(TcpListenerTest, TryWriteTakesUntilThereIsNoRoom) {
  const std::unique_ptr<Listener> listener = Listen();
  Accepted client = Connect(*listener);
  Accepted server = Accept(*listener);
  ASSERT_TRUE(client.ok() && server.ok());
  const std::string much(1 << 20, 'x');
  IoResult result;
  int64_t taken = 0;
  do {
    result = (*server)->TryWrite(much);
    taken += result.bytes;
  } while (result.status.ok());
  EXPECT_TRUE(absl::IsUnavailable(result.status)) << result.status;
  EXPECT_GT(taken, 0);
  EXPECT_EQ((*server)->wire_bytes_sent(), taken);
  (*server)->Close();
  EXPECT_TRUE(absl::IsCancelled((*server)->TryWrite("x").status));
}

TEST_F(TcpListenerTest, APortInUseIsNamed) {
  const std::unique_ptr<Listener> listener = Listen();
  const absl::Status status = ListenOnTcp(loop_, {.port = listener->port()}).status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(status.message(), testing::HasSubstr(absl::StrCat("127.0.0.1:", listener->port())));
  EXPECT_TRUE(absl::IsInvalidArgument(ListenOnTcp(loop_, {.address = "localhost"}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(ListenOnTcp(loop_, {.address = "::1"}).status()));
}

TEST_F(TcpListenerTest, APortCanBeTakenAgainAtOnce) {
  std::unique_ptr<Listener> listener = Listen();
  const uint16_t port = listener->port();
  Accepted client = Connect(*listener);
  Accepted server = Accept(*listener);
  ASSERT_TRUE(server.ok());
  // The side that closes first keeps the port in TIME_WAIT.
  server->reset();
  listener.reset();
  EXPECT_EQ(Listen({.port = port})->port(), port);
}

TEST_F(TcpListenerTest, AnAcceptThatWaitsEndsWhenCancelled) {
  const std::unique_ptr<Listener> listener = Listen();
  Cancellation cancellation;
  const Alarm alarm(loop_, absl::Milliseconds(20),
                    [&] { cancellation.Request(absl::CancelledError("enough")); });
  const Accepted accepted = Run(listener->Accept(cancellation));
  EXPECT_EQ(accepted.status(), absl::CancelledError("enough"));
  EXPECT_EQ(Run(listener->Accept(cancellation)).status(), absl::CancelledError("enough"));
  EXPECT_TRUE(Connect(*listener).ok());
  EXPECT_TRUE(Accept(*listener).ok());
}

TEST_F(TcpListenerTest, WithoutDescriptorsItSaysSoAndGoesOnWhenThereAreSome) {
  const std::unique_ptr<Listener> listener = Listen();
  Accepted client = Connect(*listener);
  ASSERT_TRUE(client.ok());
  rlimit limit = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const int next = dup(0);
  ASSERT_GE(next, 0);
  close(next);
  const rlimit none = {static_cast<rlim_t>(next), limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const absl::Status status = Accept(*listener).status();
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_TRUE(Accept(*listener).ok());
}

TEST(TcpListenerAlone, ASocketThatCanNotBeWatchedIsAnErrorAndNoLoopWithoutEnd) {
  const ChildExit exit = WithRefusedCalls({{SYS_epoll_ctl, EPERM}}, [] {
    EventLoop loop;
    const absl::StatusOr<std::unique_ptr<Listener>> listener = ListenOnTcp(loop, {});
    if (!listener.ok()) return 1;
    Cancellation never;
    absl::Status status;
    absl::AnyInvocable<void(Accepted)> done = [&](Accepted got) {
      status = got.status();
      loop.Stop();
    };
    Spawn<Accepted>(loop, (*listener)->Accept(never), std::move(done));
    loop.Run();
    return absl::IsUnavailable(status) ? 0 : 2;
  });
  if (!exit.filtered) GTEST_SKIP() << "no filters of calls on this machine";
  EXPECT_EQ(exit.status, 0);
}

}  // namespace
}  // namespace thaw
