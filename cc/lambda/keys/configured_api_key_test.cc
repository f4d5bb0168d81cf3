#include "cc/lambda/keys/configured_api_key.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/strings/match.h"
#include "cc/base/manual_executor.h"
#include "cc/clock/fake_clock.h"
#include "cc/clock/sleep.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

// One answer of a source; the last one repeats.
struct Scripted {
  absl::StatusOr<std::string> answer;
  absl::Duration after;
};

class ConfiguredApiKeyTest : public testing::Test {
 protected:
  using Script = std::deque<Scripted>;

  // A source that follows the script; `asked` counts the look-ups.
  struct Source {
    Script script;
    int asked = 0;
  };
  Task<absl::StatusOr<std::string>> LookUp(Source& source, Cancellation& cancellation) {
    ++source.asked;
    most_at_once_ = std::max(most_at_once_, ++at_once_);
    const Scripted now = source.script.front();
    if (source.script.size() > 1) source.script.pop_front();
    Task<absl::Status> sleeping = Sleep(executor_, clock_, now.after, cancellation);
    const absl::Status slept = co_await std::move(sleeping);
    --at_once_;
    if (!slept.ok()) co_return slept;
    co_return now.answer;
  }
  void Make(std::string literal, std::vector<Script> scripts,
            absl::Duration reload_interval = absl::InfiniteDuration(),
            std::function<double()> random = nullptr) {
    std::vector<ConfiguredApiKey::Source> sources;
    for (Script& script : scripts) {
      sources_.push_back(std::make_unique<Source>(Source{std::move(script)}));
      Source& source = *sources_.back();
      sources.push_back(
          {"source " + std::to_string(sources_.size()),
           [this, &source](Cancellation& cancellation) { return LookUp(source, cancellation); }});
    }
    ConfiguredApiKeyOptions options;
    options.reload_interval = reload_interval;
    options.on_forget = [this] { ++forgotten_; };
    options.random = std::move(random);
    key_ = std::make_unique<ConfiguredApiKey>(executor_, clock_, std::move(literal), std::move(sources),
                                              options);
  }
  static Scripted Gives(std::string key, absl::Duration after = absl::ZeroDuration()) {
    return {std::move(key), after};
  }
  static Scripted Fails() { return {absl::FailedPreconditionError("it says no"), absl::ZeroDuration()}; }
  static Scripted Throttled() { return {absl::UnavailableError("it is throttled"), absl::ZeroDuration()}; }
  static Scripted Hangs() { return {absl::UnavailableError("it is down"), absl::InfiniteDuration()}; }

  std::shared_ptr<std::optional<bool>> Begin() {
    auto result = std::make_shared<std::optional<bool>>();
    absl::AnyInvocable<void(bool)> done = [result](bool got) { *result = got; };
    Spawn<bool>(executor_, key_->Refresh(), std::move(done));
    return result;
  }
  // Runs the executor's ready tasks; time stands still.
  void Settle() {
    do {
      executor_.RunAll();
      clock_.Advance(absl::ZeroDuration());
    } while (!executor_.idle());
  }
  bool Refresh() {
    const auto result = Begin();
    while (!result->has_value()) {
      if (!executor_.Step()) clock_.Advance(clock_.UntilNextAlarm().value_or(absl::Seconds(1)));
    }
    return **result;
  }
  // Returns how long a refresh takes.
  absl::Duration TimeOfRefresh() {
    const absl::Duration began = clock_.Now().monotonic;
    Refresh();
    return clock_.Now().monotonic - began;
  }
  int asked(size_t source = 0) const { return sources_[source]->asked; }
  const ApiKeyCounts& counts() const { return key_->counts(); }

  ManualExecutor executor_;
  FakeClock clock_{executor_};
  std::vector<std::unique_ptr<Source>> sources_;
  std::unique_ptr<ConfiguredApiKey> key_;
  int at_once_ = 0;
  int most_at_once_ = 0;
  int forgotten_ = 0;
};

TEST_F(ConfiguredApiKeyTest, ALiteralKeyIsThereAtOnce) {
  Make("literal", {{Gives("other")}});
  EXPECT_EQ(key_->Current(), "literal");
  executor_.RunAll();
  EXPECT_EQ(asked(), 0);
}

TEST_F(ConfiguredApiKeyTest, NothingIsLookedUpBeforeItIsNeeded) {
  Make("", {{Gives("key")}});
  EXPECT_EQ(key_->Current(), "");
  Settle();
  EXPECT_EQ(asked(), 0);
  EXPECT_TRUE(Refresh());
  EXPECT_EQ(key_->Current(), "key");
  EXPECT_EQ(counts().look_ups, 1);
  EXPECT_EQ(counts().found, 1);
}

TEST_F(ConfiguredApiKeyTest, ASourceThatFailsLetsTheNextOneCount) {
  Make("", {{Fails()}, {Gives("second")}, {Gives("third")}});
  EXPECT_TRUE(Refresh());
  EXPECT_EQ(key_->Current(), "second");
  EXPECT_EQ(asked(2), 0);
  EXPECT_EQ(counts().sources_failed, 1);
  EXPECT_TRUE(key_->failure().ok());
}

TEST_F(ConfiguredApiKeyTest, ASourceThatHangsIsGivenUpInTime) {
  Make("", {{Hangs()}, {Gives("second")}});
  const absl::Duration began = clock_.Now().monotonic;
  EXPECT_TRUE(Refresh());
  EXPECT_EQ(key_->Current(), "second");
  EXPECT_EQ(clock_.Now().monotonic - began, absl::Seconds(5));
}

// As after a lost packet.
TEST_F(ConfiguredApiKeyTest, ASourceThatHangsOnceIsAskedAgainWithinItsTime) {
  Make("", {{Hangs(), Gives("key", absl::Milliseconds(2500))}, {Gives("second")}});
  EXPECT_EQ(TimeOfRefresh(), absl::Milliseconds(2000 + 100 + 2500));
  EXPECT_EQ(key_->Current(), "key");
  EXPECT_EQ(asked(), 2);
  EXPECT_EQ(counts().source_retries, 1);
  EXPECT_EQ(counts().sources_failed, 0);
}

TEST_F(ConfiguredApiKeyTest, TimeThatTheEnvironmentIsFrozenIsNotTheSources) {
  Make("", {{Gives("key", absl::Milliseconds(1900))}});
  const auto result = Begin();
  Settle();
  clock_.Advance(absl::Seconds(1));
  executor_.RunAll();
  clock_.Freeze(absl::Minutes(10));
  Settle();
  clock_.Advance(absl::Milliseconds(950));
  Settle();
  EXPECT_EQ(*result, true);
  EXPECT_EQ(key_->Current(), "key");
  EXPECT_EQ(counts().sources_failed, 0);
}

TEST_F(ConfiguredApiKeyTest, WhenAllFailTheErrorNamesEach) {
  Make("", {{Fails()}, {Hangs()}});
  EXPECT_FALSE(Refresh());
  EXPECT_EQ(key_->Current(), "");
  EXPECT_EQ(key_->failure().message(), "source 1: it says no; source 2: no key within 5s");
}

TEST_F(ConfiguredApiKeyTest, WithoutAnySourceTheErrorNamesTheVariablesToSet) {
  Make("", {});
  EXPECT_FALSE(Refresh());
  EXPECT_TRUE(absl::StrContains(key_->failure().message(), "DD_API_KEY"));
}

// The peers' client remembers a failure as long as the process lives.
TEST_F(ConfiguredApiKeyTest, AFailedLookUpIsNotCachedForEver) {
  Make("", {{Fails(), Gives("key")}});
  EXPECT_FALSE(Refresh());
  clock_.Advance(absl::Seconds(29));
  EXPECT_FALSE(Refresh());
  EXPECT_EQ(asked(), 1) << "a failure is kept for a short time";
  EXPECT_EQ(counts().answered_by_failure, 1);
  clock_.Advance(absl::Seconds(1));
  EXPECT_TRUE(Refresh());
  EXPECT_EQ(key_->Current(), "key");
  EXPECT_TRUE(key_->failure().ok());
}

TEST_F(ConfiguredApiKeyTest, ASourceThatFailsForNowIsAskedAgainAfterDelaysThatGrow) {
  Make("", {{Throttled(), Throttled(), Throttled(), Throttled(), Gives("key")}});
  EXPECT_EQ(TimeOfRefresh(), absl::Milliseconds(100 + 200 + 400 + 800));
  EXPECT_EQ(key_->Current(), "key");
  EXPECT_EQ(asked(), 5);
  EXPECT_EQ(counts().source_retries, 4);
  EXPECT_EQ(counts().sources_failed, 0);
}

TEST_F(ConfiguredApiKeyTest, ThoseDelaysAreJittered) {
  Make("", {{Throttled(), Throttled(), Gives("key")}}, absl::InfiniteDuration(), [] { return 0.5; });
  EXPECT_EQ(TimeOfRefresh(), absl::Milliseconds(75 + 150));
  Make("", {{Throttled(), Throttled(), Gives("key")}}, absl::InfiniteDuration(), [] { return 0.0; });
  EXPECT_EQ(TimeOfRefresh(), absl::Milliseconds(50 + 100));
}

TEST_F(ConfiguredApiKeyTest, ADefiniteNoIsNotAskedForAgain) {
  Make("", {{Fails(), Gives("key")}});
  EXPECT_EQ(TimeOfRefresh(), absl::ZeroDuration());
  EXPECT_EQ(asked(), 1);
}

TEST_F(ConfiguredApiKeyTest, ASourceThatStaysThrottledEndsInItsTimeAndLetsTheNextOneCount) {
  Make("", {{Throttled()}, {Gives("second")}});
  EXPECT_LE(TimeOfRefresh(), absl::Seconds(5));
  EXPECT_LE(asked(0), 8);
  EXPECT_EQ(key_->Current(), "second");
}

TEST_F(ConfiguredApiKeyTest, ATemporaryFailureIsKeptForAGrowingTimeAndThenOnlyProbed) {
  Make("", {{Throttled()}});
  EXPECT_FALSE(Refresh());
  int before = asked();
  for (const int milliseconds : {500, 1000, 2000, 4000, 8000, 16000, 30000, 30000}) {
    EXPECT_FALSE(Refresh());
    EXPECT_EQ(asked(), before) << "it has just failed";
    clock_.Advance(absl::Milliseconds(milliseconds) - absl::Milliseconds(1));
    EXPECT_FALSE(Refresh());
    EXPECT_EQ(asked(), before) << milliseconds;
    clock_.Advance(absl::Milliseconds(1));
    EXPECT_LE(TimeOfRefresh(), absl::Milliseconds(100)) << "a probe";
    EXPECT_EQ(asked(), before + 2);
    before = asked();
  }
}

TEST_F(ConfiguredApiKeyTest, TheLastFlushAsksAgainAfterATemporaryFailure) {
  Make("", {{Throttled(), Throttled(), Throttled(), Throttled(), Throttled(), Throttled(), Throttled(),
             Throttled(), Gives("key")}});
  EXPECT_FALSE(Refresh());
  EXPECT_FALSE(Refresh());
  key_->OnLastFlush();
  EXPECT_TRUE(Refresh());
  EXPECT_EQ(key_->Current(), "key");
}

TEST_F(ConfiguredApiKeyTest, TheLastFlushDoesNotAskForADefiniteNo) {
  Make("", {{Fails(), Gives("key")}});
  EXPECT_FALSE(Refresh());
  key_->OnLastFlush();
  EXPECT_FALSE(Refresh());
  EXPECT_EQ(asked(), 1);
}

// Each such look-up costs the whole time limit of a source.
TEST_F(ConfiguredApiKeyTest, AHangIsKeptForAsLongAsItTook) {
  Make("", {{Hangs()}});
  EXPECT_EQ(TimeOfRefresh(), absl::Seconds(5));
  clock_.Advance(absl::Milliseconds(4900));
  EXPECT_FALSE(Refresh());
  EXPECT_EQ(asked(), 2);
  clock_.Advance(absl::Milliseconds(100));
  EXPECT_FALSE(Refresh());
  EXPECT_EQ(asked(), 4);
}

TEST_F(ConfiguredApiKeyTest, AThrottledReloadIsAskedAgainMeanwhile) {
  Make("", {{Gives("old"), Throttled(), Gives("new")}}, absl::Minutes(5));
  EXPECT_TRUE(Refresh());
  clock_.Advance(absl::Minutes(5));
  EXPECT_EQ(key_->Current(), "old");
  Settle();
  clock_.Advance(absl::Milliseconds(100));
  Settle();
  EXPECT_EQ(key_->Current(), "new");
}

TEST_F(ConfiguredApiKeyTest, AClockThatIsSetBackKeepsNoFailureLonger) {
  Make("", {{Fails(), Gives("key")}});
  EXPECT_FALSE(Refresh());
  clock_.Advance({.wall = -absl::Hours(1), .monotonic = absl::Seconds(30), .boot = absl::Seconds(30)});
  EXPECT_TRUE(Refresh());
}

TEST_F(ConfiguredApiKeyTest, AFreezeEndsAFailureByTheClockThatSawIt) {
  Make("", {{Fails(), Gives("key")}});
  EXPECT_FALSE(Refresh());
  clock_.Freeze({.wall = absl::Seconds(30)});
  EXPECT_TRUE(Refresh());
}

// The peers' client makes waiting callers spin the loop.
TEST_F(ConfiguredApiKeyTest, WaitingForAKeyDoesNotSpin) {
  Make("", {{Gives("key", absl::Seconds(1))}});
  const auto first = Begin();
  const auto second = Begin();
  Settle();
  const int64_t steps = executor_.steps();
  clock_.Advance(absl::Milliseconds(500));
  executor_.RunAll();
  EXPECT_EQ(executor_.steps(), steps) << "nothing turns meanwhile";
  const auto third = Begin();
  Settle();
  EXPECT_FALSE(first->has_value());
  clock_.Advance(absl::Milliseconds(500));
  Settle();
  for (const auto& result : {first, second, third}) EXPECT_EQ(*result, true);
  EXPECT_EQ(asked(), 1);
  EXPECT_EQ(most_at_once_, 1);
  EXPECT_EQ(counts().look_ups, 1);
  EXPECT_EQ(counts().shared, 2);
}

TEST_F(ConfiguredApiKeyTest, AKeyThatIsRefusedIsLookedUpAgain) {
  Make("", {{Gives("old"), Gives("new")}});
  EXPECT_TRUE(Refresh());
  EXPECT_TRUE(Refresh()) << "at once: the look-up before was no failure";
  EXPECT_EQ(key_->Current(), "new");
}

TEST_F(ConfiguredApiKeyTest, TheSameKeyAgainIsNoNewOneAndIsNotAskedForAgainSoon) {
  Make("", {{Gives("key")}});
  EXPECT_TRUE(Refresh());
  EXPECT_FALSE(Refresh());
  EXPECT_FALSE(Refresh());
  EXPECT_EQ(asked(), 2);
  EXPECT_EQ(counts().sources_refused, 1);
  EXPECT_EQ(key_->Current(), "key") << "it may be good again";
  clock_.Advance(absl::Seconds(30));
  EXPECT_FALSE(Refresh());
  EXPECT_EQ(asked(), 3);
}

// The peers' client never tries more than the first configured source.
TEST_F(ConfiguredApiKeyTest, ALiteralKeyThatIsRefusedGivesWayToTheNextSource) {
  Make("literal", {{Gives("secret")}});
  EXPECT_TRUE(Refresh());
  EXPECT_EQ(key_->Current(), "secret");
}

TEST_F(ConfiguredApiKeyTest, WhenEveryKeyIsRefusedEachIsTriedAgainLater) {
  Make("literal", {{Gives("secret")}});
  EXPECT_TRUE(Refresh());
  EXPECT_FALSE(Refresh());
  EXPECT_EQ(key_->Current(), "secret");
  EXPECT_TRUE(absl::StrContains(key_->failure().message(), "the intake refused"));
  EXPECT_FALSE(absl::StrContains(key_->failure().message(), "literal"));
  clock_.Advance(absl::Seconds(30));
  EXPECT_TRUE(Refresh());
  EXPECT_EQ(key_->Current(), "literal");
}

TEST_F(ConfiguredApiKeyTest, ALiteralKeyAloneIsNotReplaced) {
  Make("literal", {});
  EXPECT_FALSE(Refresh());
  EXPECT_EQ(key_->Current(), "literal");
}

TEST_F(ConfiguredApiKeyTest, AKeyIsTrimmed) {
  Make("", {{Gives(" \tkey\r\n")}});
  EXPECT_TRUE(Refresh());
  EXPECT_EQ(key_->Current(), "key");
}

TEST_F(ConfiguredApiKeyTest, AKeyThatNoHeaderMayCarryIsRefusedAndNotShown) {
  for (const char* bad : {"hid\r\nden", "hid den", "hid\xff", "hid\x7f", "", " \n"}) {
    sources_.clear();
    Make("", {{Gives(bad)}, {Gives("good")}});
    EXPECT_TRUE(Refresh());
    EXPECT_EQ(key_->Current(), "good") << bad;
    sources_.clear();
    Make("", {{Gives(bad)}});
    EXPECT_FALSE(Refresh());
    EXPECT_FALSE(absl::StrContains(key_->failure().message(), "hid"));
    EXPECT_FALSE(absl::StrContains(key_->failure().message(), "den"));
  }
}

TEST_F(ConfiguredApiKeyTest, AnOldKeyStaysInUseWhileItIsLookedUpAgain) {
  Make("", {{Gives("old"), Gives("new", absl::Seconds(1))}}, absl::Minutes(1));
  EXPECT_TRUE(Refresh());
  clock_.Advance(absl::Seconds(59));
  EXPECT_EQ(key_->Current(), "old");
  Settle();
  EXPECT_EQ(counts().reloads, 0);
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(key_->Current(), "old");
  EXPECT_EQ(key_->Current(), "old");
  Settle();
  EXPECT_EQ(counts().reloads, 1);
  clock_.Advance(absl::Seconds(1));
  Settle();
  EXPECT_EQ(key_->Current(), "new");
  EXPECT_EQ(asked(), 2);
}

TEST_F(ConfiguredApiKeyTest, AReloadCountsTheLargestAdvance) {
  Make("", {{Gives("old"), Gives("new")}}, absl::Minutes(1));
  EXPECT_TRUE(Refresh());
  clock_.Advance({.wall = -absl::Hours(1), .boot = absl::Minutes(1)});
  EXPECT_EQ(key_->Current(), "old");
  Settle();
  EXPECT_EQ(key_->Current(), "new");
}

TEST_F(ConfiguredApiKeyTest, AReloadThatFailsLeavesTheKeyAndIsTriedAgainSoon) {
  Make("", {{Gives("old"), Fails(), Gives("new")}}, absl::Minutes(5));
  EXPECT_TRUE(Refresh());
  clock_.Advance(absl::Minutes(5));
  EXPECT_EQ(key_->Current(), "old");
  Settle();
  EXPECT_EQ(key_->Current(), "old");
  Settle();
  EXPECT_EQ(asked(), 2) << "not at once";
  clock_.Advance(absl::Seconds(30));
  EXPECT_EQ(key_->Current(), "old");
  Settle();
  EXPECT_EQ(key_->Current(), "new");
}

TEST_F(ConfiguredApiKeyTest, AReloadThatFailedKeepsNoRefusalFromBeingLookedInto) {
  Make("", {{Gives("old"), Fails(), Gives("new")}}, absl::Minutes(5));
  EXPECT_TRUE(Refresh());
  clock_.Advance(absl::Minutes(5));
  key_->Current();
  Settle();
  EXPECT_TRUE(Refresh());
  EXPECT_EQ(key_->Current(), "new");
}

TEST_F(ConfiguredApiKeyTest, ARefusalDuringAReloadSharesIt) {
  Make("", {{Gives("old"), Gives("new", absl::Seconds(1))}}, absl::Minutes(5));
  EXPECT_TRUE(Refresh());
  clock_.Advance(absl::Minutes(5));
  key_->Current();
  EXPECT_TRUE(Refresh());
  EXPECT_EQ(key_->Current(), "new");
  EXPECT_EQ(counts().look_ups, 2);
  EXPECT_EQ(counts().shared, 1);
}

TEST_F(ConfiguredApiKeyTest, ALiteralKeyIsNotReloaded) {
  Make("literal", {{Gives("other")}}, absl::Minutes(1));
  clock_.Advance(absl::Hours(1));
  EXPECT_EQ(key_->Current(), "literal");
  Settle();
  EXPECT_EQ(counts().look_ups, 0);
}

TEST_F(ConfiguredApiKeyTest, ASnapshotHoldsNoKeyThatWasLookedUp) {
  Make("literal", {{Gives("secret"), Gives("restored")}});
  EXPECT_TRUE(Refresh());
  EXPECT_EQ(key_->Current(), "secret");
  key_->Forget();
  EXPECT_EQ(key_->Current(), "literal");
  EXPECT_EQ(forgotten_, 1);
  EXPECT_TRUE(Refresh());
  EXPECT_EQ(key_->Current(), "restored");
}

TEST_F(ConfiguredApiKeyTest, ALookUpDuringForgetDoesNotCount) {
  Make("", {{Gives("of the snapshot", absl::Seconds(1)), Gives("restored", absl::Milliseconds(1900))}});
  const auto before = Begin();
  Settle();
  key_->Forget();
  const auto after = Begin();
  Settle();
  EXPECT_EQ(*before, false);
  EXPECT_FALSE(after->has_value());
  EXPECT_TRUE(key_->failure().ok());
  clock_.Advance(absl::Seconds(2));
  Settle();
  EXPECT_EQ(*after, true);
  EXPECT_EQ(key_->Current(), "restored");
}

TEST_F(ConfiguredApiKeyTest, AFailureOfBeforeTheSnapshotIsForgotten) {
  Make("", {{Fails(), Gives("key")}});
  EXPECT_FALSE(Refresh());
  key_->Forget();
  EXPECT_TRUE(Refresh());
}

TEST_F(ConfiguredApiKeyTest, ItMayGoWhileItIsLookedUp) {
  Make("", {{Hangs()}});
  const auto result = Begin();
  Settle();
  key_.reset();
  Settle();
  EXPECT_EQ(*result, false);
  EXPECT_EQ(at_once_, 0);
}

TEST_F(ConfiguredApiKeyTest, EachCountIsVisitedOnce) {
  Make("", {{Gives("key")}});
  EXPECT_TRUE(Refresh());
  int64_t sum = 0;
  int visited = 0;
  counts().Visit([&sum, &visited](const char*, int64_t value, const char* text) {
    EXPECT_NE(std::string_view(text), "");
    sum += value;
    ++visited;
  });
  EXPECT_EQ(sum, counts().look_ups + counts().found);
  EXPECT_EQ(visited, 8);
}

}  // namespace
}  // namespace thaw
