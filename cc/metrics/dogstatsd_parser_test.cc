#include "cc/metrics/dogstatsd_parser.h"

#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cc/base/counted_allocations.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

struct OwnedSample {
  std::string name;
  MetricType type;
  std::vector<double> values;
  std::string member;
  double weight;
  std::optional<absl::Time> time;
  std::vector<std::string> tags;
};

class DogStatsdParserTest : public testing::Test, public MetricSink {
 protected:
  void Add(const MetricSample& sample) override {
    samples_.push_back({.name = std::string(sample.name),
                        .type = sample.type,
                        .values = {sample.values.begin(), sample.values.end()},
                        .member = std::string(sample.member),
                        .weight = sample.weight,
                        .time = sample.time,
                        .tags = {sample.tags.begin(), sample.tags.end()}});
  }

  // Parses a datagram that has to be one sample.
  OwnedSample One(std::string_view datagram) {
    samples_.clear();
    parser_.Parse(datagram);
    EXPECT_THAT(samples_, SizeIs(1)) << datagram;
    return samples_.empty() ? OwnedSample() : samples_.front();
  }
  // Parses a datagram between two good lines, which it must not cost, and returns the reason why it is refused.
  std::string RefusalOf(std::string_view line) {
    samples_.clear();
    const DogStatsdCounts before = parser_.counts();
    parser_.Parse(absl::StrCat("before:1|c\n", line, "\nafter:1|c"));
    EXPECT_THAT(samples_, SizeIs(2)) << line;
    std::string refusal;
    for (const RefusedLine each : kAllRefusedLines)
      if (parser_.counts()[each] > before[each]) absl::StrAppend(&refusal, ToString(each));
    return refusal;
  }

  std::vector<OwnedSample> samples_;
  std::vector<std::string> events_;
  std::vector<std::string> checks_;
  DogStatsdParser parser_{
      {},
      *this,
      [this](const StatsdEvent& event) {
        events_.push_back(absl::StrCat(
            event.title, "/", event.text, "/", event.host, "/", event.aggregation_key, "/", event.priority,
            "/", event.source_type, "/", event.alert_type, "/",
            event.time ? absl::ToUnixSeconds(*event.time) : -1, "/", absl::StrJoin(event.tags, ",")));
      },
      [this](const ServiceCheck& check) {
        checks_.push_back(absl::StrCat(check.name, "/", static_cast<int>(check.status), "/", check.host, "/",
                                       check.message, "/", check.time ? absl::ToUnixSeconds(*check.time) : -1,
                                       "/", absl::StrJoin(check.tags, ",")));
      }};
};

TEST_F(DogStatsdParserTest, ALineIsASample) {
  const OwnedSample sample = One("page.views:1|c");
  EXPECT_EQ(sample.name, "page.views");
  EXPECT_EQ(sample.type, MetricType::kCount);
  EXPECT_THAT(sample.values, ElementsAre(1));
  EXPECT_EQ(sample.weight, 1);
  EXPECT_EQ(sample.time, std::nullopt);
  EXPECT_THAT(sample.tags, IsEmpty());
}

TEST_F(DogStatsdParserTest, HistogramsTimersAndSetsAreTaken) {
  EXPECT_EQ(One("a:-1.5|g").type, MetricType::kGauge);
  EXPECT_EQ(One("a:1|d").type, MetricType::kDistribution);
  EXPECT_EQ(One("a:1|h").type, MetricType::kHistogram);
  EXPECT_EQ(One("a:1|ms").type, MetricType::kHistogram);
  const OwnedSample set = One("a:user:7|s|#t");
  EXPECT_EQ(set.type, MetricType::kSet);
  EXPECT_EQ(set.member, "user:7");
  EXPECT_THAT(set.values, IsEmpty());
}

TEST_F(DogStatsdParserTest, EveryPackedValueIsTaken) {
  EXPECT_THAT(One("a:1:2.5:-3|d").values, ElementsAre(1, 2.5, -3));
  EXPECT_THAT(One("a:21::22:|c").values, ElementsAre(21, 22));
}

TEST_F(DogStatsdParserTest, ASampleRateBecomesAWeight) {
  EXPECT_EQ(One("a:1|c|@0.1").weight, 10);
  EXPECT_EQ(One("a:1|d|@1").weight, 1);
  EXPECT_EQ(One("a:1:2|ms|@0.25|#t").weight, 4);
}

TEST_F(DogStatsdParserTest, ATimeIsTakenWholeAndOnlyOfCountsAndGauges) {
  EXPECT_EQ(One("a:1|c|T1656581409").time, absl::FromUnixSeconds(1656581409));
  EXPECT_EQ(One("a:1|g|#t|T1656581409").time, absl::FromUnixSeconds(1656581409));
  EXPECT_EQ(One("a:1|d|T1656581409").time, std::nullopt);
  EXPECT_EQ(One("a:1|ms|Tnever").time, std::nullopt);
  EXPECT_EQ(parser_.counts().times_ignored, 2);
}

TEST_F(DogStatsdParserTest, TagsAreNormalisedAndAnyNumberIsTaken) {
  EXPECT_THAT(One("a:1|c|#env:prod,,Flag,b:2").tags, ElementsAre("env:prod", "flag", "b:2"));
  EXPECT_THAT(One("a:1|c|#").tags, IsEmpty());
  std::string many = "a:1|c|#";
  for (int i = 0; i < 1000; ++i) absl::StrAppend(&many, "tag:", i, ",");
  EXPECT_THAT(One(many).tags, SizeIs(1000));
  EXPECT_EQ(RefusalOf(absl::StrCat("a:1|c|#", std::string(20000, 't'))), "refused_tags");
}

TEST_F(DogStatsdParserTest, OriginAndUnknownFieldsAreIgnoredInAnyOrder) {
  const OwnedSample sample = One("a:1|c|c:ci-0123|e:it-false,cn-x,pu-y|card:low|#t:1|x:unknown||@0.5|new");
  EXPECT_THAT(sample.tags, ElementsAre("t:1"));
  EXPECT_EQ(sample.weight, 2);
}

TEST_F(DogStatsdParserTest, LinesMayBeEmptyAndEndInAnyWay) {
  parser_.Parse("");
  parser_.Parse("\n\r\n\n");
  EXPECT_THAT(samples_, IsEmpty());
  parser_.Parse("a:1|c\r\n\nb:2|c|#t\n");
  ASSERT_THAT(samples_, SizeIs(2));
  EXPECT_EQ(samples_[0].name, "a");
  EXPECT_THAT(samples_[1].tags, ElementsAre("t"));
}

TEST_F(DogStatsdParserTest, NaNAndInfinityAreRefused) {
  for (const std::string_view value : {"NaN", "inf", "-Inf", "1e999", "0x10", "one", "1:nan:2", ":"})
    EXPECT_EQ(RefusalOf(absl::StrCat("a:", value, "|g")), "refused_value") << value;
  // A count that would be infinite with its weight.
  EXPECT_EQ(RefusalOf("a:1e308|c|@0.001"), "refused_value");
}

TEST_F(DogStatsdParserTest, ABadLineCostsThatLineAndIsCountedByReason) {
  for (const std::string_view line : {"garbage", "a:1", ":1|c", "a|c", "a:|c", "|", "|:", "a|1:2|c"})
    EXPECT_EQ(RefusalOf(line), "refused_form") << line;
  EXPECT_EQ(RefusalOf("12:1|c"), "refused_name");
  for (const std::string_view type : {"", "x", "cc", "mss", "C", "m"})
    EXPECT_EQ(RefusalOf(absl::StrCat("a:1|", type)), "refused_type") << type;
  for (const std::string_view rate : {"", "0", "-1", "1.5", "nan", "x", "1e-300"})
    EXPECT_EQ(RefusalOf(absl::StrCat("a:1|c|@", rate)), "refused_rate") << rate;
  for (const std::string_view time : {"", "0", "-1", "1.5", "x", "99999999999999", "+1"})
    EXPECT_EQ(RefusalOf(absl::StrCat("a:1|c|T", time)), "refused_time") << time;
  EXPECT_EQ(parser_.first_refused(), "refused_form: garbage");
}

TEST_F(DogStatsdParserTest, BytesThatAreNotUtf8CostNoOtherLine) {
  EXPECT_EQ(RefusalOf("\xff\xfe"), "refused_form");
  const OwnedSample sample = One("a\xff:1|c|#t:\xc3(,ok:\xc3\xa9");
  EXPECT_EQ(sample.name, "a_");
  EXPECT_THAT(sample.tags, ElementsAre("t:", "ok:é"));
}

TEST_F(DogStatsdParserTest, InvocationsCountedByOldLibrariesAreLeftOut) {
  parser_.Parse("aws.lambda.enhanced.invocations:1|d|#t\naws.lambda.enhanced.errors:1|d");
  EXPECT_THAT(samples_, SizeIs(1));
  EXPECT_EQ(parser_.counts().left_to_platform, 1);
}

TEST_F(DogStatsdParserTest, ANamespaceStandsBeforeEachName) {
  DogStatsdParser parser({.name_prefix = "shop."}, *this, nullptr, nullptr);
  parser.Parse("page views:1|c\nb:1|g");
  ASSERT_THAT(samples_, SizeIs(2));
  EXPECT_EQ(samples_[0].name, "shop.page_views");
  EXPECT_EQ(samples_[1].name, "shop.b");
}

TEST_F(DogStatsdParserTest, EventsAreTaken) {
  parser_.Parse("_e{5,4}:title|text");
  parser_.Parse(
      "_e{3,10}:a|b|one\\ntwo|x|d:1656581409|h:box|k:key|p:low|s:nagios|t:error|#Env:Prod,b|c:ci-1|card:low");
  parser_.Parse("_e{1,0}:t||p:urgent|t:odd|d:soon");
  EXPECT_THAT(events_, ElementsAre("title/text///normal//info/-1/",
                                   "a|b/one\ntwo|x/box/key/low/nagios/error/1656581409/env:prod,b",
                                   "t////normal//info/-1/"));
  EXPECT_EQ(parser_.counts().events, 3);
}

TEST_F(DogStatsdParserTest, EventsWhoseLengthsAreWrongAreRefused) {
  for (const std::string_view line :
       {"_e{5,4}", "_e{5,4}:", "_e{0,4}:|text", "_e{5,4}:title|tex", "_e{5,4}:title|textmore",
        "_e{4,4}:title|t", "_e{-5,4}:title|text", "_e{5}:title|text", "_e{5,4:title|text", "_e{,}:|",
        "_e{4294967295,4294967295}:a|b", "_e{99999999999,1}:a|b"})
    EXPECT_EQ(RefusalOf(line), "refused_event") << line;
  EXPECT_EQ(RefusalOf("_e{1,1}:a|b|#" + std::string(20000, 't')), "refused_tags");
  EXPECT_THAT(events_, IsEmpty());
}

TEST_F(DogStatsdParserTest, ServiceChecksAreTaken) {
  parser_.Parse("_sc|db.up|0");
  parser_.Parse("_sc|db.up|2|d:1656581409|h:box|#Env:Prod|m:line\\ntwo m\\:x|c:ci-1");
  parser_.Parse("_sc|db|3|d:soon");
  EXPECT_THAT(checks_,
              ElementsAre("db.up/0///-1/", "db.up/2/box/line\ntwo m:x/1656581409/env:prod", "db/3///-1/"));
  for (const std::string_view line : {"_sc|", "_sc|a", "_sc|a|", "_sc|a|4", "_sc|a|00", "_sc||0", "_sc|a|ok"})
    EXPECT_EQ(RefusalOf(line), "refused_service_check") << line;
}

TEST_F(DogStatsdParserTest, ANormalLineNeedsNoAllocation) {
  class Ignoring : public MetricSink {
    void Add(const MetricSample&) override {}
  } ignoring;
  DogStatsdParser parser({}, ignoring, nullptr, nullptr);
  const std::string datagram =
      "page.views:1|c|#env:prod,route:checkout\nload:0.5:0.7|g\nhandler.time:12.25|d|@0.5";
  parser.Parse(datagram);
  const int64_t before = CountedAllocations();
  for (int i = 0; i < 100; ++i) parser.Parse(datagram);
  const int64_t allocations = CountedAllocations() - before;
  EXPECT_TRUE(allocations == 0 || !kAllocationsAreCounted) << allocations;
}

}  // namespace
}  // namespace thaw
