#include "cc/net/io/name_race.h"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cc/base/manual_executor.h"
#include "cc/clock/fake_clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using Family = IpAddress::Family;

// Servers that answer when the test tells them to.
class ScriptedServers : public NameServers {
 public:
  void Ask(size_t server, Family family, const std::string& name, Done done) override {
    const std::string question = absl::StrCat(family == Family::kV4 ? "A" : "AAAA", "@", server);
    EXPECT_EQ(name, "intake.test.");
    asked.push_back(question);
    if (refuses == server) return done({.name = absl::UnavailableError("refused")});
    open.emplace(question, std::move(done));
  }
  void Answer(const std::string& question, NameServers::Answer answer) {
    const auto found = open.find(question);
    ASSERT_NE(found, open.end()) << question << " was not asked";
    NameServers::Done done = std::move(found->second);
    open.erase(found);
    done(std::move(answer));
  }
  std::vector<std::string> asked;
  std::multimap<std::string, Done> open;
  std::optional<size_t> refuses;
};

NameServers::Answer Addresses(std::string text, absl::Duration time_to_live = absl::Seconds(60)) {
  const Family family = text.find(':') != std::string::npos ? Family::kV6 : Family::kV4;
  return {.name = ResolvedName{.addresses = {{family, std::move(text)}}, .time_to_live = time_to_live}};
}
NameServers::Answer NoData() { return {.name = absl::NotFoundError("no data")}; }
NameServers::Answer NoSuchName() {
  return {.name = absl::NotFoundError("no such name"), .no_such_name = true};
}
NameServers::Answer ServerFailure() { return {.name = absl::UnavailableError("SERVFAIL")}; }

class NameRaceTest : public testing::Test {
 protected:
  ~NameRaceTest() override {
    cancellation_.Request(absl::CancelledError("the test is over"));
    executor_.RunAll();
  }
  void Start(size_t count = 1) {
    std::vector<size_t> order;
    for (size_t i = 0; i < count; ++i) order.push_back(i);
    Task<NameRaceResult> race =
        RaceNameServers(executor_, clock_, servers_, "intake.test.", std::move(order), cancellation_);
    absl::AnyInvocable<void(NameRaceResult)> done = [this](NameRaceResult result) {
      result_ = std::move(result);
    };
    Spawn<NameRaceResult>(executor_, std::move(race), std::move(done));
    executor_.RunAll();
  }
  void Answer(const std::string& question, NameServers::Answer answer) {
    servers_.Answer(question, std::move(answer));
    executor_.RunAll();
  }
  void Pass(absl::Duration time) {
    clock_.Advance(time);
    executor_.RunAll();
  }
  std::vector<std::string> Found() const {
    std::vector<std::string> texts;
    if (result_.has_value() && result_->name.ok()) {
      for (const IpAddress& address : result_->name->addresses) texts.push_back(address.text);
    }
    return texts;
  }
  bool ended() const { return result_.has_value(); }

  ManualExecutor executor_;
  FakeClock clock_{executor_};
  ScriptedServers servers_;
  Cancellation cancellation_;
  std::optional<NameRaceResult> result_;
};

TEST_F(NameRaceTest, BothFamiliesAreAskedAtOnceAndGivenTogether) {
  Start();
  EXPECT_THAT(servers_.asked, UnorderedElementsAre("AAAA@0", "A@0"));
  Answer("A@0", Addresses("10.0.0.1", absl::Seconds(30)));
  EXPECT_FALSE(ended());
  Answer("AAAA@0", Addresses("fd00::1", absl::Seconds(20)));
  EXPECT_THAT(Found(), UnorderedElementsAre("10.0.0.1", "fd00::1"));
  EXPECT_EQ(result_->name->time_to_live, absl::Seconds(20));
  EXPECT_EQ(result_->answered_by, 0u);
}

TEST_F(NameRaceTest, SilenceAboutIpv6CostsTheResolutionDelay) {
  Start();
  Answer("A@0", Addresses("10.0.0.1"));
  Pass(kResolutionDelay - absl::Milliseconds(1));
  EXPECT_FALSE(ended());
  Pass(absl::Milliseconds(1));
  EXPECT_THAT(Found(), ElementsAre("10.0.0.1"));
  EXPECT_EQ(result_->name->time_to_live, kIncompleteTimeToLive)
      << "the other family may be there the next time";
  // A late answer changes nothing.
  Answer("AAAA@0", Addresses("fd00::1"));
  EXPECT_THAT(Found(), ElementsAre("10.0.0.1"));
}

TEST_F(NameRaceTest, FailureAboutIpv6CostsNoMore) {
  Start();
  Answer("AAAA@0", ServerFailure());
  EXPECT_FALSE(ended());
  // The failed question is asked once more; the addresses do not wait for that.
  Answer("A@0", Addresses("10.0.0.1"));
  Pass(kResolutionDelay);
  EXPECT_THAT(Found(), ElementsAre("10.0.0.1"));
}

TEST_F(NameRaceTest, ThatThereIsNoIpv6IsKnownAtOnce) {
  for (const NameServers::Answer& none : {NoData(), NoSuchName()}) {
    result_.reset();
    Start();
    Answer("AAAA@0", none);
    EXPECT_FALSE(ended());
    Answer("A@0", Addresses("10.0.0.1"));
    EXPECT_THAT(Found(), ElementsAre("10.0.0.1"));
    EXPECT_EQ(result_->name->time_to_live, absl::Seconds(60));
  }
}

TEST_F(NameRaceTest, Ipv6AddressesWaitLongerForTheOthers) {
  Start();
  Answer("AAAA@0", Addresses("fd00::1"));
  Pass(kResolutionDelayOfIpv6 - absl::Milliseconds(1));
  EXPECT_FALSE(ended());
  Answer("A@0", Addresses("10.0.0.1"));
  EXPECT_THAT(Found(), UnorderedElementsAre("10.0.0.1", "fd00::1"));
}

TEST_F(NameRaceTest, Ipv6AddressesAloneAreGivenAfterAWhile) {
  Start();
  Answer("AAAA@0", Addresses("fd00::1"));
  Pass(kResolutionDelayOfIpv6);
  EXPECT_THAT(Found(), ElementsAre("fd00::1"));
  EXPECT_EQ(result_->name->time_to_live, kIncompleteTimeToLive);
}

TEST_F(NameRaceTest, ANameThatIsNotIsNotFound) {
  Start();
  Answer("A@0", NoSuchName());
  Pass(kResolutionDelay);
  EXPECT_TRUE(absl::IsNotFound(result_->name.status()));
}

TEST_F(NameRaceTest, ANameWithoutIpv4AddressesWaitsForTheOthers) {
  Start();
  Answer("A@0", NoData());
  Pass(absl::Seconds(1));
  EXPECT_FALSE(ended());
  Answer("AAAA@0", Addresses("fd00::1"));
  EXPECT_THAT(Found(), ElementsAre("fd00::1"));
}

TEST_F(NameRaceTest, ASilentServerHasTheNextOneAskedBesideIt) {
  Start(2);
  Pass(kServerDelay - absl::Milliseconds(1));
  EXPECT_EQ(servers_.asked.size(), 2u);
  Pass(absl::Milliseconds(1));
  EXPECT_THAT(servers_.asked, UnorderedElementsAre("A@0", "AAAA@0", "A@1", "AAAA@1"));
  Answer("A@1", Addresses("10.0.0.1"));
  Answer("AAAA@1", NoData());
  EXPECT_THAT(Found(), ElementsAre("10.0.0.1"));
  EXPECT_EQ(result_->answered_by, 1u);
}

TEST_F(NameRaceTest, ASlowServersAnswerIsStillTaken) {
  Start(2);
  Pass(kServerDelay);
  Answer("A@0", Addresses("10.0.0.1"));
  Answer("AAAA@0", NoData());
  EXPECT_THAT(Found(), ElementsAre("10.0.0.1"));
  EXPECT_EQ(result_->answered_by, 0u);
}

TEST_F(NameRaceTest, AServerThatFailsHasTheNextOneAskedAtOnce) {
  Start(3);
  Answer("A@0", ServerFailure());
  EXPECT_THAT(servers_.asked, UnorderedElementsAre("A@0", "AAAA@0", "A@1"));
  Answer("A@1", ServerFailure());
  Answer("A@2", Addresses("10.0.0.1"));
  Pass(kResolutionDelay);
  EXPECT_THAT(Found(), ElementsAre("10.0.0.1"));
}

TEST_F(NameRaceTest, AServerThatFailsInsideTheCallIsNoObstacle) {
  servers_.refuses = 0;
  Start(2);
  EXPECT_THAT(servers_.asked, UnorderedElementsAre("A@0", "AAAA@0", "A@1", "AAAA@1"));
  Answer("A@1", Addresses("10.0.0.1"));
  Answer("AAAA@1", NoData());
  EXPECT_THAT(Found(), ElementsAre("10.0.0.1"));
}

TEST_F(NameRaceTest, ALostPacketIsSentAgain) {
  Start();
  Pass(kRepeatDelay);
  EXPECT_THAT(servers_.asked, UnorderedElementsAre("A@0", "AAAA@0", "A@0", "AAAA@0"));
  Answer("A@0", Addresses("10.0.0.1"));
  Pass(kResolutionDelay);
  EXPECT_THAT(Found(), ElementsAre("10.0.0.1"));
  Pass(absl::Seconds(10));
  EXPECT_EQ(servers_.asked.size(), 4u);
}

TEST_F(NameRaceTest, WhenAllFailTheFailureIsGiven) {
  servers_.refuses = 0;
  Start();
  ASSERT_TRUE(ended());
  EXPECT_TRUE(absl::IsUnavailable(result_->name.status()));
  EXPECT_FALSE(result_->answered_by.has_value());
}

TEST_F(NameRaceTest, AFailureIsNoProofThatThereIsNoName) {
  Start();
  Answer("AAAA@0", NoData());
  Answer("A@0", ServerFailure());
  Answer("A@0", ServerFailure());
  ASSERT_TRUE(ended());
  EXPECT_TRUE(absl::IsUnavailable(result_->name.status()));
}

TEST_F(NameRaceTest, AFreezeIsNotTheServersSlowness) {
  Start(2);
  Pass(absl::Milliseconds(100));
  clock_.Freeze({.wall = absl::Minutes(5), .monotonic = absl::Minutes(5), .boot = absl::Minutes(5)});
  executor_.RunAll();
  EXPECT_EQ(servers_.asked.size(), 2u);
  Pass(kServerDelay);
  EXPECT_EQ(servers_.asked.size(), 4u);
}

TEST_F(NameRaceTest, GivingUpEndsItAndAnswersThatComeLaterAreNothing) {
  Start(2);
  cancellation_.Request(absl::DeadlineExceededError("late"));
  executor_.RunAll();
  ASSERT_TRUE(ended());
  EXPECT_TRUE(absl::IsDeadlineExceeded(result_->name.status()));
  Answer("A@0", ServerFailure());
  Pass(absl::Seconds(10));
  EXPECT_EQ(servers_.asked.size(), 2u);
}

}  // namespace
}  // namespace thaw
