#include "cc/base/cancellation.h"

#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace thaw {
namespace {

const absl::Status kStop = absl::CancelledError("stop");

TEST(Cancellation, RunsCallbacksOnceInOrder) {
  Cancellation cancellation;
  std::string order;
  const auto a = cancellation.OnRequest([&](const absl::Status&) { order += 'a'; });
  const auto b = cancellation.OnRequest([&](const absl::Status& reason) { order += reason.message(); });
  cancellation.Request(kStop);
  cancellation.Request(absl::InternalError("second"));
  EXPECT_EQ(order, "astop");
  EXPECT_EQ(cancellation.reason(), kStop);
}

TEST(Cancellation, ARegistrationThatIsGoneIsNotCalled) {
  Cancellation cancellation;
  int calls = 0;
  {
    const auto gone = cancellation.OnRequest([&](const absl::Status&) { ++calls; });
  }
  cancellation.Request(kStop);
  EXPECT_EQ(calls, 0);
}

TEST(Cancellation, ACallbackMayDropAnother) {
  Cancellation cancellation;
  int calls = 0;
  std::optional<Cancellation::Registration> second;
  const auto first = cancellation.OnRequest([&](const absl::Status&) { second.reset(); });
  second = cancellation.OnRequest([&](const absl::Status&) { ++calls; });
  cancellation.Request(kStop);
  EXPECT_EQ(calls, 0);
}

TEST(Cancellation, AfterTheRequestCallbacksRunAtOnce) {
  Cancellation cancellation;
  cancellation.Request(kStop);
  int calls = 0;
  const auto late = cancellation.OnRequest([&](const absl::Status&) { ++calls; });
  EXPECT_EQ(calls, 1);
}

TEST(Cancellation, AChildFollowsItsParentAndNotTheOtherWayRound) {
  Cancellation parent;
  Cancellation first(&parent);
  Cancellation second(&parent);
  first.Request(absl::DeadlineExceededError("late"));
  EXPECT_FALSE(parent.requested());
  EXPECT_FALSE(second.requested());
  parent.Request(kStop);
  EXPECT_EQ(second.reason(), kStop);
  EXPECT_TRUE(absl::IsDeadlineExceeded(first.reason()));
}

}  // namespace
}  // namespace thaw
