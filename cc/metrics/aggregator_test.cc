#include "cc/metrics/aggregator.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "cc/base/fake_byte_account.h"
#include "cc/base/manual_executor.h"
#include "cc/clock/fake_clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;
using testing::UnorderedElementsAre;

using Points = std::vector<std::pair<int64_t, double>>;  // time and value
using Scope = Aggregator::Scope;

// Keeps what is drained, as text: "c name#a:1,b:2"; c: count, r: rate, g: gauge, d: distribution.
class Taken : public MetricPointTaker {
 public:
  void TakeSeries(const MetricLabel& label, SeriesType type, absl::Span<const SeriesPoint> points) override {
    const char* const letter = type == SeriesType::kCount ? "c" : type == SeriesType::kRate ? "r" : "g";
    Points& all = series[Label(letter, label)];
    for (const SeriesPoint& point : points) all.emplace_back(point.time, point.value);
  }
  void TakeSketches(const MetricLabel& label, absl::Span<const SketchPoint> points) override {
    for (const SketchPoint& point : points)
      sketches[Label("d", label)].emplace_back(point.time, *point.sketch);
  }
  static std::string Label(std::string_view type, const MetricLabel& label) {
    std::string text = absl::StrCat(type, " ", label.name, label.owner == MetricOwner::kExtension ? "!" : "");
    for (size_t i = 0; i < label.tags.size(); ++i) absl::StrAppend(&text, i == 0 ? "#" : ",", label.tags[i]);
    return text;
  }

  std::map<std::string, Points> series;
  std::map<std::string, std::vector<std::pair<int64_t, AgentSketch>>> sketches;
};

class AggregatorTest : public testing::Test {
 protected:
  static constexpr int64_t kBegin = 1'700'000'000;

  AggregatorTest() { SetClock(kBegin); }

  void SetClock(int64_t seconds) {
    clock_.Advance({.wall = absl::FromUnixSeconds(seconds) - clock_.Now().wall});
  }
  void Make(AggregatorOptions options = {}) {
    aggregator_ = std::make_unique<Aggregator>(std::move(options), clock_, account_);
  }
  void Add(std::string_view name, MetricType type, std::vector<double> values,
           std::vector<std::string_view> tags = {}, double weight = 1) {
    aggregator_->Add({.name = name, .type = type, .values = values, .weight = weight, .tags = tags},
                     MetricOwner::kFunction);
  }
  Taken Drain(Scope scope = Scope::kAll) {
    Taken taken;
    aggregator_->Drain(scope, taken);
    return taken;
  }

  ManualExecutor executor_;
  FakeClock clock_{executor_};
  FakeByteAccount account_{64 << 20};
  std::unique_ptr<Aggregator> aggregator_;
};

TEST_F(AggregatorTest, CountsAreAddedUpAndTheNewestGaugeCounts) {
  Make();
  Add("requests", MetricType::kCount, {2, 3});
  Add("requests", MetricType::kCount, {1}, {}, /*weight=*/10);
  Add("queue", MetricType::kGauge, {7, 5});
  Add("queue", MetricType::kGauge, {6});
  EXPECT_THAT(Drain().series, UnorderedElementsAre(Pair("c requests", ElementsAre(Pair(kBegin, 15))),
                                                   Pair("g queue", ElementsAre(Pair(kBegin, 6)))));
  EXPECT_THAT(Drain().series, IsEmpty());
  EXPECT_EQ(account_.taken(), 0u);
}

TEST_F(AggregatorTest, TheOrderAndRepetitionOfTagsDoNotMatter) {
  Make();
  Add("n", MetricType::kCount, {1}, {"b:2", "a:1", "b:2"});
  Add("n", MetricType::kCount, {1}, {"a:1", "b:2"});
  Add("n", MetricType::kCount, {1}, {"b:2", "a:1", "a:1", "b:2", "a:1"});
  Add("n", MetricType::kCount, {1}, {"a:1b:2"});
  EXPECT_THAT(Drain().series, UnorderedElementsAre(Pair("c n#a:1,b:2", ElementsAre(Pair(kBegin, 3))),
                                                   Pair("c n#a:1b:2", ElementsAre(Pair(kBegin, 1)))));
}

TEST_F(AggregatorTest, ACountAndAGaugeOfOneNameAreTwoMetrics) {
  Make();
  Add("n", MetricType::kCount, {1});
  Add("n", MetricType::kGauge, {2});
  Add("n", MetricType::kDistribution, {3});
  const double value = 4;
  aggregator_->Add({.name = "n", .type = MetricType::kCount, .values = {&value, 1}}, MetricOwner::kExtension);
  const Taken taken = Drain();
  EXPECT_THAT(taken.series, UnorderedElementsAre(Pair("c n", ElementsAre(Pair(kBegin, 1))),
                                                 Pair("c n!", ElementsAre(Pair(kBegin, 4))),
                                                 Pair("g n", ElementsAre(Pair(kBegin, 2)))));
  EXPECT_THAT(taken.sketches, UnorderedElementsAre(Pair("d n", SizeIs(1))));
}

TEST_F(AggregatorTest, ABucketIsTenSecondsOfTheWallClock) {
  Make();
  SetClock(kBegin + 9);
  Add("n", MetricType::kCount, {1});
  SetClock(kBegin + 10);
  Add("n", MetricType::kCount, {2});
  SetClock(kBegin + 35);
  Add("n", MetricType::kCount, {4});
  EXPECT_THAT(Drain().series["c n"],
              ElementsAre(Pair(kBegin, 1), Pair(kBegin + 10, 2), Pair(kBegin + 30, 4)));
}

TEST_F(AggregatorTest, AValueCountsInTheBucketInWhichItWasReceived) {
  Make();
  const double value = 1;
  SetClock(kBegin + 10);
  aggregator_->Add({.name = "n",
                    .type = MetricType::kGauge,
                    .values = {&value, 1},
                    .received = absl::FromUnixSeconds(kBegin + 9)},
                   MetricOwner::kFunction);
  Add("n", MetricType::kGauge, {2});
  EXPECT_THAT(Drain().series, ElementsAre(Pair("g n", ElementsAre(Pair(kBegin, 1), Pair(kBegin + 10, 2)))));
}

TEST_F(AggregatorTest, AClockThatStepsNeitherLosesNorRepeatsAValue) {
  Make();
  Add("n", MetricType::kCount, {1});
  SetClock(kBegin + 100'000);
  Add("n", MetricType::kCount, {2});
  SetClock(kBegin + 5);
  Add("n", MetricType::kCount, {4});
  SetClock(kBegin - 1000);
  Add("n", MetricType::kCount, {8});
  // The bucket in the future is closed, since the clock is not in it.
  EXPECT_THAT(Drain(Scope::kClosed).series["c n"], ElementsAre(Pair(kBegin, 5), Pair(kBegin + 100'000, 2)));
  EXPECT_THAT(Drain(Scope::kClosed).series, IsEmpty());
  SetClock(kBegin + 5);
  EXPECT_THAT(Drain(Scope::kClosed).series["c n"], ElementsAre(Pair(kBegin - 1000, 8)));
  EXPECT_TRUE(aggregator_->empty());
}

TEST_F(AggregatorTest, AnOpenBucketStaysWhereNoFreezeFollows) {
  Make();
  Add("n", MetricType::kGauge, {1}, {"a:1"});
  EXPECT_THAT(Drain(Scope::kClosed).series, IsEmpty());
  Add("n", MetricType::kGauge, {2}, {"a:1"});
  SetClock(kBegin + 10);
  Add("n", MetricType::kGauge, {3}, {"a:1"});
  EXPECT_THAT(Drain(Scope::kClosed).series["g n#a:1"], ElementsAre(Pair(kBegin, 2)));
  EXPECT_THAT(Drain().series["g n#a:1"], ElementsAre(Pair(kBegin + 10, 3)));
}

TEST_F(AggregatorTest, ADrainInPortionsTakesWhatWasThereWhenItBegan) {
  Make();
  constexpr int kMetrics = 100;
  for (int i = 0; i < kMetrics; ++i) Add(absl::StrCat("n", i), MetricType::kCount, {1});
  Taken first;
  aggregator_->BeginDrain(Scope::kAll);
  int portions = 1;
  while (aggregator_->DrainSome(7, first)) {
    ++portions;
    Add(absl::StrCat("n", portions), MetricType::kCount, {10});
    EXPECT_FALSE(aggregator_->empty());
  }
  EXPECT_EQ(portions, kMetrics / 7 + 1);
  EXPECT_THAT(first.series, SizeIs(kMetrics));
  for (const auto& [label, points] : first.series) EXPECT_THAT(points, ElementsAre(Pair(kBegin, 1)));
  const Taken second = Drain();
  EXPECT_THAT(second.series, SizeIs(portions - 1));
  for (const auto& [label, points] : second.series) EXPECT_THAT(points, ElementsAre(Pair(kBegin + 1, 10)));
  EXPECT_EQ(account_.taken(), 0u);
}

TEST_F(AggregatorTest, ADrainInPortionsLeavesTheOpenBucketOfAMetric) {
  Make();
  Add("n", MetricType::kCount, {1});
  Add("old", MetricType::kDistribution, {1});
  SetClock(kBegin + 10);
  Add("n", MetricType::kCount, {2});
  Add("new", MetricType::kDistribution, {1});
  Taken closed;
  aggregator_->BeginDrain(Scope::kClosed);
  EXPECT_TRUE(aggregator_->DrainSome(1, closed));
  Add("n", MetricType::kCount, {4});
  EXPECT_FALSE(aggregator_->DrainSome(1, closed));
  EXPECT_THAT(closed.series, UnorderedElementsAre(Pair("c n", ElementsAre(Pair(kBegin, 1)))));
  EXPECT_THAT(closed.sketches, UnorderedElementsAre(Pair("d old", SizeIs(1))));
  EXPECT_EQ(aggregator_->contexts(), 2u);
  const Taken rest = Drain();
  EXPECT_THAT(rest.series, UnorderedElementsAre(Pair("c n", ElementsAre(Pair(kBegin + 10, 6)))));
  EXPECT_THAT(rest.sketches, UnorderedElementsAre(Pair("d new", SizeIs(1))));
  EXPECT_EQ(account_.taken(), 0u);
}

TEST_F(AggregatorTest, CountsOfOneBucketThatIsFlushedTwiceDoNotReplaceEachOther) {
  Make();
  Points all;
  for (int flush = 0; flush < 4; ++flush) {
    Add("n", MetricType::kCount, {1});
    const Points points = Drain().series["c n"];
    all.insert(all.end(), points.begin(), points.end());
    if (flush == 1) SetClock(kBegin + 6);
  }
  EXPECT_THAT(all,
              ElementsAre(Pair(kBegin, 1), Pair(kBegin + 1, 1), Pair(kBegin + 6, 1), Pair(kBegin + 7, 1)));
  for (int flush = 0; flush < 20; ++flush) {
    Add("n", MetricType::kCount, {1});
    EXPECT_LT(Drain().series["c n"][0].first, kBegin + 10);
  }
}

TEST_F(AggregatorTest, GaugesOfOneBucketThatIsFlushedTwiceKeepTheNewest) {
  Make();
  Add("n", MetricType::kGauge, {1});
  EXPECT_THAT(Drain().series["g n"], ElementsAre(Pair(kBegin, 1)));
  SetClock(kBegin + 3);
  Add("n", MetricType::kGauge, {2});
  EXPECT_THAT(Drain().series["g n"], ElementsAre(Pair(kBegin, 2)));
}

TEST_F(AggregatorTest, SamplesWithATimeAreNotAggregated) {
  Make();
  const double values[] = {1, 2};
  for (int i = 0; i < 2; ++i)
    aggregator_->Add({.name = "n",
                      .type = MetricType::kCount,
                      .values = values,
                      .weight = 2,
                      .time = absl::FromUnixSeconds(kBegin - 77)},
                     MetricOwner::kFunction);
  Add("n", MetricType::kCount, {5});
  EXPECT_THAT(Drain(Scope::kClosed).series["c n"], ElementsAre(Pair(kBegin - 77, 2), Pair(kBegin - 77, 4),
                                                               Pair(kBegin - 77, 2), Pair(kBegin - 77, 4)));
  EXPECT_THAT(Drain().series["c n"], ElementsAre(Pair(kBegin, 5)));
}

TEST_F(AggregatorTest, ADistributionWithATimeIsCountedInTheBucketOfThatTime) {
  Make();
  for (const double value : {1.0, 2.0})
    aggregator_->Add({.name = "n",
                      .type = MetricType::kDistribution,
                      .values = {&value, 1},
                      .time = absl::FromUnixSeconds(kBegin - 77)},
                     MetricOwner::kExtension);
  const Taken taken = Drain();
  ASSERT_THAT(taken.sketches, SizeIs(1));
  const auto& sketches = taken.sketches.at("d n!");
  ASSERT_THAT(sketches, SizeIs(1));
  EXPECT_EQ(sketches[0].first, kBegin - 80);
  EXPECT_EQ(sketches[0].second.count(), 2);
}

TEST_F(AggregatorTest, HistogramsBecomeTheSeriesOfTheAgent) {
  Make();
  for (int i = 100; i >= 1; --i) Add("h", MetricType::kHistogram, {static_cast<double>(i)});
  EXPECT_THAT(Drain().series, UnorderedElementsAre(Pair("g h.max", ElementsAre(Pair(kBegin, 100))),
                                                   Pair("g h.median", ElementsAre(Pair(kBegin, 50))),
                                                   Pair("g h.avg", ElementsAre(Pair(kBegin, 50.5))),
                                                   Pair("r h.count", ElementsAre(Pair(kBegin, 10))),
                                                   Pair("g h.95percentile", ElementsAre(Pair(kBegin, 95)))));
}

TEST_F(AggregatorTest, HistogramsAreCopiedToDistributionsOnRequest) {
  Make({.histograms = {.aggregates = {HistogramAggregate::kSum},
                       .percentiles = {},
                       .copy_to_distribution = true,
                       .distribution_prefix = "dist."}});
  Add("h", MetricType::kHistogram, {1, 2}, {"a"}, /*weight=*/2);
  const Taken taken = Drain();
  EXPECT_THAT(taken.series, UnorderedElementsAre(Pair("g h.sum#a", ElementsAre(Pair(kBegin, 6)))));
  ASSERT_THAT(taken.sketches, UnorderedElementsAre(Pair("d dist.h#a", SizeIs(1))));
  EXPECT_EQ(taken.sketches.at("d dist.h#a")[0].second.count(), 4);
}

TEST_F(AggregatorTest, SetsCountDifferentTexts) {
  Make();
  for (const std::string_view member : {"a", "b", "a", ""})
    aggregator_->Add({.name = "users", .type = MetricType::kSet, .member = member}, MetricOwner::kFunction);
  EXPECT_THAT(Drain().series["g users"], ElementsAre(Pair(kBegin, 3)));
}

TEST_F(AggregatorTest, SumsStayFinite) {
  Make();
  for (int i = 0; i < 3; ++i) Add("n", MetricType::kCount, {1.7e308}, {}, /*weight=*/10);
  EXPECT_THAT(Drain().series["c n"], ElementsAre(Pair(kBegin, std::numeric_limits<double>::max())));
}

// -- Memory ----------------------------------------------------------------------------------------------

TEST_F(AggregatorTest, TooManyTagsOfOneNameAreCountedTogetherSoThatSumsStayRight) {
  Make({.max_bytes = 256 << 10});
  for (int i = 0; i < 100; ++i) Add("modest", MetricType::kCount, {1}, {absl::StrCat("tag:", i % 10)});
  constexpr int kSamples = 50'000;
  for (int i = 0; i < kSamples; ++i) {
    const std::string tag = absl::StrCat("user:", i);
    Add("flood", MetricType::kCount, {1}, {tag});
    // Other names still get tags of their own.
    if (i % 500 == 0) Add("modest", MetricType::kCount, {1}, {absl::StrCat("late:", i)});
  }
  EXPECT_LE(account_.most(), (256 << 10) * 9 / 8);
  EXPECT_GT(aggregator_->counts().limited, kSamples / 2);
  EXPECT_EQ(aggregator_->counts().dropped, 0);
  Taken taken = Drain();
  double flood = 0;
  int late = 0;
  for (const auto& [label, points] : taken.series) {
    if (label.starts_with("c flood")) flood += points[0].second;
    if (label.starts_with("c modest#late")) ++late;
  }
  EXPECT_EQ(flood, kSamples);
  EXPECT_EQ(late, 100);
  EXPECT_GT(taken.series["c flood#cardinality:limited"][0].second, kSamples / 2);
  EXPECT_FALSE(taken.series.contains("c modest#cardinality:limited"));
  EXPECT_EQ(account_.taken(), 0u);
}

TEST_F(AggregatorTest, AMillionContextsStayWithinTheBound) {
  Make({.max_bytes = 128 << 10});
  for (int i = 0; i < 1'000'000; ++i) Add(absl::StrCat("name", i % 100'000), MetricType::kCount, {1}, {"a"});
  EXPECT_LE(account_.most(), (128 << 10) * 9 / 8 + 1024);
  EXPECT_GT(aggregator_->counts().dropped, 0);
  EXPECT_EQ(aggregator_->counts().samples, 1'000'000);
  double sum = 0;
  for (const auto& [label, points] : Drain().series) sum += points[0].second;
  EXPECT_EQ(sum + static_cast<double>(aggregator_->counts().dropped), 1'000'000);
}

TEST_F(AggregatorTest, ValuesThatGrowWithinAMetricStayWithinTheBound) {
  Make({.max_bytes = 64 << 10});
  for (int i = 0; i < 100'000; ++i) {
    Add("d", MetricType::kDistribution, {std::exp(i % 1400 - 700.0)}, {absl::StrCat("t:", i % 50)});
    const std::string member = absl::StrCat("member", i);
    aggregator_->Add({.name = "s", .type = MetricType::kSet, .member = member}, MetricOwner::kFunction);
  }
  // A vector that may grow doubles.
  EXPECT_LE(account_.most(), 2 * (64 << 10));
  int64_t values = 0;
  for (const auto& [label, sketches] : Drain().sketches) values += sketches[0].second.count();
  EXPECT_EQ(values, 100'000);
  EXPECT_GT(aggregator_->counts().dropped, 0);
}

TEST_F(AggregatorTest, AnAccountWithoutRoomLimitsNewTags) {
  Make();
  Add("n", MetricType::kCount, {1}, {"a"});
  ASSERT_TRUE(account_.Take((64 << 20) - account_.taken()).ok());
  Add("n", MetricType::kCount, {2}, {"a"});
  Add("n", MetricType::kCount, {4}, {"b"});
  EXPECT_THAT(Drain().series,
              UnorderedElementsAre(Pair("c n#a", ElementsAre(Pair(kBegin, 3))),
                                   Pair("c n#cardinality:limited", ElementsAre(Pair(kBegin, 4)))));
}

TEST_F(AggregatorTest, MemoryIsFlatOverManyFlushes) {
  Make();
  size_t most = 0;
  for (int flush = 0; flush < 2000; ++flush) {
    SetClock(kBegin + flush * 7);
    for (int i = 0; i < 5; ++i) {
      const std::string tag = absl::StrCat("request:", 10'000 + flush * 5 + i);
      Add("n", MetricType::kDistribution, {1.0 * i}, {tag, "fixed:1"});
    }
    if (flush == 10) most = account_.most();
    Drain();
    ASSERT_EQ(account_.taken(), 0u);
  }
  EXPECT_EQ(account_.most(), most);
}

}  // namespace
}  // namespace thaw
