#include "cc/net/testing/memory_datagrams.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "cc/base/manual_executor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using testing::ElementsAre;

class MemoryDatagramsTest : public testing::Test {
 protected:
  void Receive(Datagrams& datagrams) {
    ended_.reset();
    Datagrams::Handler handler = [this](const DatagramBatch& batch) {
      batches_.emplace_back(batch.datagrams.begin(), batch.datagrams.end());
      dropped_ += batch.dropped;
      truncated_ += batch.truncated;
    };
    absl::AnyInvocable<void(absl::Status)> done = [this](absl::Status status) { ended_ = std::move(status); };
    Spawn<absl::Status>(executor_, datagrams.Receive(std::move(handler), cancellation_), std::move(done));
  }

  ManualExecutor executor_;
  MemoryDatagrams::Sender sender_{executor_,
                                  {.datagrams_per_turn = 2, .max_datagram_bytes = 4, .waiting = 5}};
  Cancellation cancellation_;
  std::vector<std::vector<std::string>> batches_;
  int64_t dropped_ = 0;
  int64_t truncated_ = 0;
  std::optional<absl::Status> ended_;
};

TEST_F(MemoryDatagramsTest, HandsOverInOrderAFewInATurn) {
  const std::unique_ptr<Datagrams> datagrams = sender_.Bind();
  for (const char* text : {"a", "", "b"}) sender_.Send(text);
  Receive(*datagrams);
  executor_.RunAll();
  sender_.Send("c");
  EXPECT_EQ(batches_.size(), 2u);  // never inside Send
  executor_.RunAll();
  EXPECT_THAT(batches_, ElementsAre(ElementsAre("a", ""), ElementsAre("b"), ElementsAre("c")));
  EXPECT_EQ(ended_, std::nullopt);
  cancellation_.Request(absl::CancelledError("enough"));
  executor_.RunAll();
  EXPECT_EQ(ended_, absl::CancelledError("enough"));
}

TEST_F(MemoryDatagramsTest, CountsLostDatagrams) {
  const std::unique_ptr<Datagrams> datagrams = sender_.Bind();
  for (int i = 0; i < 8; ++i) sender_.Send(i == 1 ? "too long" : "x");
  EXPECT_EQ(sender_.waiting(), 5);
  Receive(*datagrams);
  executor_.RunAll();
  EXPECT_EQ(truncated_, 1);
  EXPECT_EQ(dropped_, 0);  // the next datagram tells of the three
  sender_.Drop(2);
  sender_.Send("y");
  executor_.RunAll();
  EXPECT_EQ(dropped_, 5);
  cancellation_.Request(absl::CancelledError("enough"));
  executor_.RunAll();
}

TEST_F(MemoryDatagramsTest, AnErrorComesAfterTheSentDatagramsAndEndsOneCall) {
  std::unique_ptr<Datagrams> datagrams = sender_.Bind();
  sender_.Send("a");
  sender_.Fail(absl::ResourceExhaustedError("no buffer space"));
  Receive(*datagrams);
  executor_.RunAll();
  EXPECT_THAT(batches_, ElementsAre(ElementsAre("a")));
  EXPECT_EQ(ended_, absl::ResourceExhaustedError("no buffer space"));
  Receive(*datagrams);
  sender_.Send("b");
  executor_.RunAll();
  EXPECT_EQ(batches_.size(), 2u);
  EXPECT_EQ(ended_, std::nullopt);
  cancellation_.Request(absl::CancelledError("enough"));
  executor_.RunAll();
  datagrams.reset();
  EXPECT_FALSE(sender_.bound());
  sender_.Send("lost");
  EXPECT_EQ(sender_.waiting(), 0);
}

}  // namespace
}  // namespace thaw
