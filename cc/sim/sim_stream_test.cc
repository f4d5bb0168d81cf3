#include "cc/sim/sim_stream.h"

#include <memory>
#include <optional>
#include <string>

#include "gtest/gtest.h"

namespace thaw {
namespace {

class Recorder : public SimStream::Peer {
 public:
  void OnBytes(std::string_view bytes) override { received += bytes; }
  void OnEnd() override { ended = true; }
  std::string received;
  bool ended = false;
};

class SimStreamTest : public testing::Test {
 protected:
  SimStreamTest() {
    auto peer = std::make_unique<Recorder>();
    peer_ = peer.get();
    stream_->set_peer(std::move(peer));
  }
  std::optional<IoResult> Write(std::string_view text) {
    stream_->StartWrite(text, [this](IoResult result) { result_ = std::move(result); });
    RunAll();
    return std::exchange(result_, std::nullopt);
  }
  std::optional<IoResult> Read() {
    stream_->StartRead(absl::MakeSpan(buffer_), [this](IoResult result) { result_ = std::move(result); });
    RunAll();
    return std::exchange(result_, std::nullopt);
  }
  void RunAll() {
    while (world_.Step()) {
    }
  }

  SimWorld world_{1};
  std::shared_ptr<SimStream> stream_ = std::make_shared<SimStream>(world_, absl::Milliseconds(5));
  Recorder* peer_;
  std::string buffer_ = std::string(64, '\0');
  std::optional<IoResult> result_;
};

TEST_F(SimStreamTest, CarriesBytesBothWays) {
  EXPECT_EQ(Write("ping")->bytes, 4);
  EXPECT_EQ(peer_->received, "ping");
  stream_->PeerSend("pong");
  const auto read = Read();
  EXPECT_EQ(buffer_.substr(0, read->bytes), "pong");
}

TEST_F(SimStreamTest, AFinDuringAFreezeIsQueued) {
  stream_->PeerEnd();
  world_.Freeze(absl::Seconds(1), FrozenClocks::kAllAdvance);
  EXPECT_TRUE(absl::IsOutOfRange(stream_->TryRead(absl::MakeSpan(buffer_)).status));
  // The write is still accepted; the reset comes a round trip later.
  EXPECT_TRUE(Write("x")->status.ok());
  EXPECT_TRUE(absl::IsAborted(stream_->TryRead(absl::MakeSpan(buffer_)).status));
}

TEST_F(SimStreamTest, APeerThatForgotLooksAliveUntilTheFirstWrite) {
  stream_->PeerForget();
  world_.Freeze(absl::Seconds(60), FrozenClocks::kAllAdvance);
  EXPECT_TRUE(absl::IsUnavailable(stream_->TryRead(absl::MakeSpan(buffer_)).status));
  EXPECT_TRUE(Write("x")->status.ok());
  EXPECT_TRUE(absl::IsAborted(Read()->status));
  EXPECT_TRUE(absl::IsAborted(Write("y")->status));
}

TEST_F(SimStreamTest, ACutPathIsABlackHole) {
  stream_->CutPath();
  EXPECT_TRUE(Write("x")->status.ok());
  EXPECT_EQ(Read(), std::nullopt);
  EXPECT_EQ(peer_->received, "");
}

TEST_F(SimStreamTest, AClosedWindowHoldsTheWriteBack) {
  stream_->SetWindow(3);
  EXPECT_EQ(Write("abcdef")->bytes, 3);
  EXPECT_EQ(Write("def"), std::nullopt);
  stream_->SetWindow(100);
  RunAll();
  EXPECT_EQ(result_->bytes, 3);
  EXPECT_EQ(peer_->received, "abcdef");
}

TEST_F(SimStreamTest, CloseEndsPendingOperations) {
  EXPECT_EQ(Read(), std::nullopt);
  stream_->Close();
  RunAll();
  EXPECT_TRUE(absl::IsCancelled(result_->status));
  EXPECT_TRUE(peer_->ended);
}

}  // namespace
}  // namespace thaw
