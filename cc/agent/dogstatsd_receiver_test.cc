#include "cc/agent/dogstatsd_receiver.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "cc/base/manual_executor.h"
#include "cc/clock/fake_clock.h"
#include "cc/net/testing/memory_datagrams.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class DogStatsdReceiverTest : public testing::Test, public MetricSink {
 protected:
  DogStatsdReceiverTest() { receiver_->Serve(sender_.Bind()); }
  ~DogStatsdReceiverTest() override {
    receiver_.reset();
    executor_.RunAll();
    EXPECT_FALSE(sender_.bound());
  }

  void Add(const MetricSample& sample) override {
    names_.emplace_back(sample.name);
    received_.push_back(sample.received);
    if (on_sample_) on_sample_();
  }

  // Runs one wait of a flush and returns whether it has ended, and nothing else but what it waits for.
  bool WaitForWork(absl::Duration at_most) {
    bool ended = false;
    Spawn(executor_, receiver_->WaitForWork(at_most), [&ended] { ended = true; });
    for (int step = 0; !ended && step < 10'000; ++step) executor_.Step();
    return ended;
  }

  ManualExecutor executor_;
  FakeClock clock_{executor_};
  MemoryDatagrams::Sender sender_{executor_, {.datagrams_per_turn = 4}};
  std::vector<std::string> names_;
  std::vector<std::optional<absl::Time>> received_;
  std::vector<std::string> others_;
  absl::AnyInvocable<void()> on_sample_;
  std::unique_ptr<DogStatsdReceiver> receiver_ = std::make_unique<DogStatsdReceiver>(
      executor_, clock_, DogStatsdOptions{}, *this,
      [this](const StatsdEvent& event) { others_.push_back(absl::StrCat("event ", event.title)); },
      [this](const ServiceCheck& check) { others_.push_back(absl::StrCat("check ", check.name)); });
};

TEST_F(DogStatsdReceiverTest, LinesOfDatagramsArePassedOnInOrder) {
  sender_.Send("a:1|c\nb:1|g");
  sender_.Send("_e{1,1}:t|x\n_sc|up|0");
  sender_.Send("c:1|d");
  executor_.RunAll();
  EXPECT_THAT(names_, ElementsAre("a", "b", "c"));
  EXPECT_THAT(others_, ElementsAre("event t", "check up"));
  EXPECT_EQ(receiver_->counts().datagrams, 3);
  EXPECT_EQ(receiver_->counts().bytes, 11 + 20 + 5);
  EXPECT_EQ(receiver_->line_counts().samples, 3);
}

TEST_F(DogStatsdReceiverTest, SamplesCarryTheTimeAtWhichTheirDatagramWasRead) {
  sender_.Send("a:1|c\nb:1|c");
  executor_.RunAll();
  const absl::Time first = clock_.Now().wall;
  clock_.Advance({.wall = absl::Seconds(10)});
  sender_.Send("a:1|c");
  executor_.RunAll();
  EXPECT_THAT(received_, ElementsAre(first, first, first + absl::Seconds(10)));
}

TEST_F(DogStatsdReceiverTest, DroppedAndTruncatedDatagramsAreCounted) {
  sender_.Send("a:1|c");
  sender_.Drop(7);
  sender_.Send(std::string(70'000, 'x'));
  sender_.Send("");
  executor_.RunAll();
  EXPECT_EQ(receiver_->counts().dropped, 7);
  EXPECT_EQ(receiver_->counts().truncated, 1);
  EXPECT_EQ(receiver_->counts().datagrams, 2);
}

TEST_F(DogStatsdReceiverTest, OthersHaveTheirTurnsWhileDatagramsCome) {
  for (int i = 0; i < 40; ++i) sender_.Send("a:1|c");
  executor_.Step();
  std::vector<size_t> seen;
  absl::AnyInvocable<void()> look = [&] {
    seen.push_back(names_.size());
    if (names_.size() < 40) executor_.Post([&look] { look(); });
  };
  look();
  executor_.RunAll();
  EXPECT_THAT(names_, SizeIs(40));
  EXPECT_GE(seen.size(), 10u);
}

TEST_F(DogStatsdReceiverTest, AFlushWaitsForTheLastLinesOfAFunction) {
  executor_.RunAll();
  for (int i = 0; i < 30; ++i) sender_.Send(absl::StrCat("n", i, ":1|c"));
  EXPECT_THAT(names_, IsEmpty());
  EXPECT_TRUE(WaitForWork(absl::Seconds(1)));
  EXPECT_THAT(names_, SizeIs(30));
  EXPECT_EQ(names_.back(), "n29");
  EXPECT_EQ(receiver_->counts().waits_cut, 0);
  // The task that receives goes on.
  sender_.Send("later:1|c");
  executor_.RunAll();
  EXPECT_EQ(names_.back(), "later");
}

TEST_F(DogStatsdReceiverTest, AFunctionThatGoesOnSendingHoldsUpNoFlush) {
  executor_.RunAll();
  on_sample_ = [this] {
    clock_.Advance(absl::Milliseconds(1));
    sender_.Send("a:1|c");
  };
  sender_.Send("a:1|c");
  EXPECT_TRUE(WaitForWork(absl::Seconds(10)));
  EXPECT_EQ(receiver_->counts().waits_cut, 1);
  EXPECT_LE(names_.size(), 200u);
  const size_t before = names_.size();
  EXPECT_TRUE(WaitForWork(-absl::Seconds(1)));  // no time is left: one batch all the same
  EXPECT_GT(names_.size(), before);
  on_sample_ = nullptr;
  executor_.RunAll();
}

TEST_F(DogStatsdReceiverTest, AFailureToReceiveIsCountedAndItIsTriedAgain) {
  sender_.Fail(absl::ResourceExhaustedError("no buffer space available"));
  executor_.RunAll();
  EXPECT_EQ(receiver_->counts().failures, 1);
  sender_.Send("a:1|c");
  executor_.RunAll();
  EXPECT_THAT(names_, IsEmpty());
  clock_.Advance(absl::Milliseconds(100));
  executor_.RunAll();
  EXPECT_THAT(names_, ElementsAre("a"));
}

TEST(DogStatsdReceiver, WithoutASocketThereIsNothingToWaitFor) {
  ManualExecutor executor;
  FakeClock clock(executor);
  class Ignoring : public MetricSink {
    void Add(const MetricSample&) override {}
  } ignoring;
  DogStatsdReceiver receiver(executor, clock, {}, ignoring, nullptr, nullptr);
  receiver.Serve(nullptr);
  bool ended = false;
  Spawn(executor, receiver.WaitForWork(absl::Seconds(1)), [&ended] { ended = true; });
  executor.RunAll();
  EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace thaw
