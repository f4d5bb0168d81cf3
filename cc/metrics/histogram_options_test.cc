#include "cc/metrics/histogram_options.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(HistogramOptions, BlanksAndCommasSeparate) {
  std::vector<std::string> warnings;
  const HistogramOptions options =
      ParseHistogramOptions("max, min median\tavg sum count max", "0.95,0.99 1 .5", warnings);
  EXPECT_THAT(options.aggregates, ElementsAre(HistogramAggregate::kMax, HistogramAggregate::kMin,
                                              HistogramAggregate::kMedian, HistogramAggregate::kAverage,
                                              HistogramAggregate::kSum, HistogramAggregate::kCount));
  EXPECT_THAT(options.percentiles, ElementsAre(95, 99, 100, 50));
  EXPECT_THAT(warnings, IsEmpty());
}

TEST(HistogramOptions, WordsThatCanNotBeUsedAreLeftOut) {
  std::vector<std::string> warnings;
  const HistogramOptions options = ParseHistogramOptions("mean max", "95 nan 0.9 -1 x", warnings);
  EXPECT_THAT(options.aggregates, ElementsAre(HistogramAggregate::kMax));
  EXPECT_THAT(options.percentiles, ElementsAre(90));
  ASSERT_EQ(warnings.size(), 5u);
  EXPECT_THAT(warnings[0], HasSubstr("DD_HISTOGRAM_AGGREGATES has \"mean\""));
  EXPECT_THAT(warnings[1], HasSubstr("DD_HISTOGRAM_PERCENTILES has \"95\""));
}

TEST(HistogramOptions, TheDefaultsAreThoseOfTheAgent) {
  std::vector<std::string> warnings;
  const HistogramOptions parsed = ParseHistogramOptions("max median avg count", "0.95", warnings);
  EXPECT_EQ(parsed.aggregates, HistogramOptions().aggregates);
  EXPECT_EQ(parsed.percentiles, HistogramOptions().percentiles);
}

}  // namespace
}  // namespace thaw
