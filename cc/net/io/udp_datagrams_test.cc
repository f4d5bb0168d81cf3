#include "cc/net/io/udp_datagrams.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/strings/str_cat.h"
#include "cc/base/fake_byte_account.h"
#include "cc/net/io/event_loop.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::SizeIs;

// A blocking socket that sends to a port of the loopback.
class UdpClient {
 public:
  explicit UdpClient(uint16_t port) : socket_(socket(AF_INET, SOCK_DGRAM, 0)) {
    sockaddr_in to = {};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof(to)), 0);
  }
  UdpClient(const UdpClient&) = delete;
  UdpClient& operator=(const UdpClient&) = delete;
  ~UdpClient() { close(socket_); }

  void Send(std::string_view text) {
    EXPECT_EQ(send(socket_, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  }

 private:
  const int socket_;
};

class UdpDatagramsTest : public testing::Test {
 protected:
  UdpDatagramsTest() = default;
  explicit UdpDatagramsTest(EventLoop::ReadClocks read) : loop_(read) {}

  std::unique_ptr<Datagrams> Bind(const UdpOptions& options = {}) {
    absl::StatusOr<std::unique_ptr<Datagrams>> bound = BindUdp(loop_, options);
    EXPECT_TRUE(bound.ok()) << bound.status();
    return *std::move(bound);
  }
  // Receives until `count` datagrams have come, truncated ones included, or ten seconds have passed.
  absl::Status ReceiveUntil(Datagrams& datagrams, size_t count) {
    Cancellation enough;
    const Alarm alarm(loop_, absl::Seconds(10), [&] { enough.Request(absl::DeadlineExceededError("late")); });
    size_t came = 0;
    Datagrams::Handler handler = [&](const DatagramBatch& batch) {
      batches_.push_back(batch.datagrams.size());
      received_.insert(received_.end(), batch.datagrams.begin(), batch.datagrams.end());
      dropped_ += batch.dropped;
      truncated_ += batch.truncated;
      came += batch.datagrams.size() + static_cast<size_t>(batch.truncated);
      if (on_batch_) on_batch_();
      if (came >= count) enough.Request(absl::CancelledError("enough"));
    };
    std::optional<absl::Status> ended;
    absl::AnyInvocable<void(absl::Status)> done = [&](absl::Status status) {
      ended = std::move(status);
      loop_.Stop();
    };
    Spawn<absl::Status>(loop_, datagrams.Receive(std::move(handler), enough), std::move(done));
    loop_.Run();
    return *ended;
  }

  EventLoop loop_;
  std::vector<std::string> received_;
  std::vector<size_t> batches_;
  int64_t dropped_ = 0;
  int64_t truncated_ = 0;
  absl::AnyInvocable<void()> on_batch_;
};

TEST_F(UdpDatagramsTest, ReceivesEarlierDatagramsInOrderEmptyOnesIncluded) {
  const std::unique_ptr<Datagrams> datagrams = Bind();
  EXPECT_NE(datagrams->port(), 0);
  UdpClient client(datagrams->port());
  for (const std::string_view text : {"page.views:1|c", "", "fuel:0.5|g"}) client.Send(text);
  EXPECT_EQ(ReceiveUntil(*datagrams, 3), absl::CancelledError("enough"));
  EXPECT_THAT(received_, ElementsAre("page.views:1|c", "", "fuel:0.5|g"));
  EXPECT_THAT(batches_, ElementsAre(3));
  EXPECT_EQ(dropped_, 0);
  EXPECT_EQ(truncated_, 0);
}

TEST_F(UdpDatagramsTest, TheLongestDatagramOfUdpIsReceivedWhole) {
  const std::unique_ptr<Datagrams> datagrams = Bind({.datagrams_per_batch = 2});
  UdpClient client(datagrams->port());
  for (const char fill : {'a', 'b', 'c'}) {
    client.Send(std::string(65507, fill));
    EXPECT_TRUE(absl::IsCancelled(ReceiveUntil(*datagrams, 1)));
  }
  EXPECT_THAT(received_,
              ElementsAre(std::string(65507, 'a'), std::string(65507, 'b'), std::string(65507, 'c')));
}

TEST_F(UdpDatagramsTest, ALongerDatagramThanAllowedIsCountedAndLeftOut) {
  const std::unique_ptr<Datagrams> datagrams = Bind({.max_datagram_bytes = 8});
  UdpClient client(datagrams->port());
  for (const std::string_view text : {"12345678", "123456789", "x"}) client.Send(text);
  EXPECT_TRUE(absl::IsCancelled(ReceiveUntil(*datagrams, 3)));
  EXPECT_THAT(received_, ElementsAre("12345678", "x"));
  EXPECT_EQ(truncated_, 1);
}

TEST_F(UdpDatagramsTest, ASenderWithoutPauseLeavesTheLoopItsTurns) {
  const std::unique_ptr<Datagrams> datagrams = Bind({.datagrams_per_batch = 4, .bytes_per_turn = 1});
  UdpClient client(datagrams->port());
  for (int i = 0; i < 40; ++i) client.Send("x");
  // Work that is queued by a batch's handler runs before the next batch comes.
  std::vector<size_t> batches_before;
  on_batch_ = [&] { loop_.Post([&] { batches_before.push_back(batches_.size()); }); };
  EXPECT_TRUE(absl::IsCancelled(ReceiveUntil(*datagrams, 40)));
  EXPECT_THAT(batches_, SizeIs(10));
  EXPECT_THAT(batches_, Each(4));
  // The loop stops after the last batch.
  EXPECT_THAT(batches_before, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9));
}

TEST_F(UdpDatagramsTest, ATurnReceivesBatchesUntilItsBytesHaveCome) {
  // Each datagram counts as 164 bytes, so that a turn ends with its second batch.
  const std::unique_ptr<Datagrams> datagrams = Bind({.datagrams_per_batch = 4, .bytes_per_turn = 1000});
  UdpClient client(datagrams->port());
  for (int i = 0; i < 21; ++i) client.Send(std::string(100, 'x'));
  std::vector<size_t> batches_before;
  on_batch_ = [&] { loop_.Post([&] { batches_before.push_back(batches_.size()); }); };
  EXPECT_TRUE(absl::IsCancelled(ReceiveUntil(*datagrams, 21)));
  EXPECT_THAT(batches_, ElementsAre(4, 4, 4, 4, 4, 1));
  EXPECT_THAT(batches_before, ElementsAre(2, 2, 4, 4));
}

TEST_F(UdpDatagramsTest, EmptyDatagramsEndATurn) {
  const std::unique_ptr<Datagrams> datagrams = Bind({.datagrams_per_batch = 2, .bytes_per_turn = 300});
  UdpClient client(datagrams->port());
  for (int i = 0; i < 12; ++i) client.Send("");
  std::vector<size_t> batches_before;
  on_batch_ = [&] { loop_.Post([&] { batches_before.push_back(batches_.size()); }); };
  EXPECT_TRUE(absl::IsCancelled(ReceiveUntil(*datagrams, 12)));
  EXPECT_THAT(batches_before, ElementsAre(3, 3, 3));
}

TEST_F(UdpDatagramsTest, ACancellationByTheHandlerEndsTheTurn) {
  const std::unique_ptr<Datagrams> datagrams = Bind({.datagrams_per_batch = 2});
  UdpClient client(datagrams->port());
  for (const std::string_view text : {"a", "b", "c", "d", "e"}) client.Send(text);
  EXPECT_EQ(ReceiveUntil(*datagrams, 3), absl::CancelledError("enough"));
  EXPECT_THAT(received_, ElementsAre("a", "b", "c", "d"));
  EXPECT_EQ(ReceiveUntil(*datagrams, 1), absl::CancelledError("enough"));
  EXPECT_EQ(received_.back(), "e");
}

TEST_F(UdpDatagramsTest, DatagramsTheKernelDropsAreCountedWithThoseThatHadRoom) {
  const std::unique_ptr<Datagrams> datagrams = Bind({.receive_buffer_bytes = 4096});
  UdpClient client(datagrams->port());
  for (int round = 1; round <= 2; ++round) {
    received_.clear();
    dropped_ = 0;
    for (int i = 0; i < 100; ++i) client.Send(std::string(100, 'x'));
    EXPECT_TRUE(absl::IsCancelled(ReceiveUntil(*datagrams, 1)));
    ASSERT_LT(received_.size(), 100u);
    EXPECT_EQ(dropped_, static_cast<int64_t>(100 - received_.size()));
    client.Send("next");
    dropped_ = 0;
    EXPECT_TRUE(absl::IsCancelled(ReceiveUntil(*datagrams, 1)));
    EXPECT_EQ(received_.back(), "next");
    EXPECT_EQ(dropped_, 0);
  }
}

TEST_F(UdpDatagramsTest, AReceiveThatWaitsEndsWhenCancelledAndTheNextOneGoesOn) {
  const std::unique_ptr<Datagrams> datagrams = Bind();
  Cancellation cancellation;
  const Alarm alarm(loop_, absl::Milliseconds(20),
                    [&] { cancellation.Request(absl::CancelledError("stop")); });
  for (int again = 0; again < 2; ++again) {
    std::optional<absl::Status> ended;
    absl::AnyInvocable<void(absl::Status)> done = [&](absl::Status status) {
      ended = std::move(status);
      loop_.Stop();
    };
    Spawn<absl::Status>(loop_, datagrams->Receive([](const DatagramBatch&) {}, cancellation),
                        std::move(done));
    loop_.Run();
    EXPECT_EQ(ended, absl::CancelledError("stop"));
  }
  UdpClient client(datagrams->port());
  client.Send("x");
  EXPECT_EQ(ReceiveUntil(*datagrams, 1), absl::CancelledError("enough"));
  EXPECT_THAT(received_, ElementsAre("x"));
}

TEST_F(UdpDatagramsTest, WaitingDatagramsAreReceivedAtOnceWithAndWithoutAPendingReceive) {
  const std::unique_ptr<Datagrams> datagrams = Bind({.datagrams_per_batch = 2, .bytes_per_turn = 1});
  UdpClient client(datagrams->port());
  const auto take = [&](const DatagramBatch& batch) {
    received_.insert(received_.end(), batch.datagrams.begin(), batch.datagrams.end());
  };
  EXPECT_FALSE(datagrams->ReceiveWaiting(take));
  for (const std::string_view text : {"a", "", "c"}) client.Send(text);
  EXPECT_TRUE(datagrams->ReceiveWaiting(take));
  EXPECT_THAT(received_, ElementsAre("a", ""));
  EXPECT_TRUE(datagrams->ReceiveWaiting(take));
  EXPECT_FALSE(datagrams->ReceiveWaiting(take));
  EXPECT_THAT(received_, ElementsAre("a", "", "c"));
  // The pending one goes on with what comes later.
  const Alarm alarm(loop_, absl::Milliseconds(20), [&] {
    client.Send("d");
    EXPECT_TRUE(datagrams->ReceiveWaiting(take));
    client.Send("e");
  });
  EXPECT_TRUE(absl::IsCancelled(ReceiveUntil(*datagrams, 1)));
  EXPECT_THAT(received_, ElementsAre("a", "", "c", "d", "e"));
}

// A clock that goes on with each reading, so that a busy machine changes nothing.
ClockReading CountReadings() {
  static absl::Duration now;
  now += absl::Microseconds(50);
  return {.wall = absl::UnixEpoch() + now, .monotonic = now, .boot = now};
}

class PacedUdpDatagramsTest : public UdpDatagramsTest {
 protected:
  PacedUdpDatagramsTest() : UdpDatagramsTest(&CountReadings) {}

  // Sends `left` datagrams, one each `every`.
  void Send(UdpClient& client, int left, absl::Duration every) {
    if (left == 0) return;
    client.Send("x");
    alarm_.emplace(loop_, every, [this, &client, left, every] { Send(client, left - 1, every); });
  }

  std::optional<Alarm> alarm_;
};

TEST_F(PacedUdpDatagramsTest, DatagramsThatComeQuicklyAreLeftToGather) {
  const std::unique_ptr<Datagrams> datagrams = Bind();
  UdpClient client(datagrams->port());
  Send(client, 100, absl::Microseconds(200));
  EXPECT_TRUE(absl::IsCancelled(ReceiveUntil(*datagrams, 100)));
  EXPECT_THAT(received_, SizeIs(100));
  EXPECT_LT(batches_.size(), 60u);
  // The first few are read at once.
  EXPECT_THAT(std::vector<size_t>(batches_.begin(), batches_.begin() + 8), Each(1));
}

TEST_F(PacedUdpDatagramsTest, DatagramsThatComeSlowlyAreReadAtOnce) {
  const std::unique_ptr<Datagrams> datagrams = Bind();
  UdpClient client(datagrams->port());
  Send(client, 10, absl::Milliseconds(2));
  EXPECT_TRUE(absl::IsCancelled(ReceiveUntil(*datagrams, 10)));
  EXPECT_THAT(batches_, Each(1));
}

TEST_F(UdpDatagramsTest, AnAddressThatCanNotBeBoundIsNamed) {
  const std::unique_ptr<Datagrams> datagrams = Bind();
  const absl::Status taken = BindUdp(loop_, {.port = datagrams->port()}).status();
  EXPECT_TRUE(absl::IsUnavailable(taken)) << taken;
  EXPECT_THAT(taken.message(), testing::HasSubstr(absl::StrCat("127.0.0.1:", datagrams->port(), "/udp")));
  EXPECT_TRUE(absl::IsInvalidArgument(BindUdp(loop_, {.address = "localhost"}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(BindUdp(loop_, {.datagrams_per_batch = 0}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(BindUdp(loop_, {.max_datagram_bytes = 0}).status()));
}

TEST_F(UdpDatagramsTest, BuffersAreChargedForAsLongAsTheSocketExists) {
  FakeByteAccount account(1 << 20);
  std::unique_ptr<Datagrams> datagrams =
      Bind({.datagrams_per_batch = 10, .max_datagram_bytes = 8192, .account = &account});
  EXPECT_GE(account.taken(), 81920u);
  EXPECT_LT(account.taken(), 90000u);
  datagrams.reset();
  EXPECT_EQ(account.taken(), 0u);
  EXPECT_FALSE(BindUdp(loop_, {.account = &account}).ok());  // 2 MiB
  EXPECT_EQ(account.taken(), 0u);
}

}  // namespace
}  // namespace thaw
