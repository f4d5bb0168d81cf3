#include "cc/base/counts_json.h"

#include <boost/json/serialize.hpp>

#include "cc/base/declare_counts.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

#define THAW_KITCHEN_COUNTS(X) X(eggs, "eggs that were broken") X(omelettes, "omelettes made of them")
#define THAW_KITCHEN_HISTOGRAMS(X) X(baking_time, "time in the oven")
struct Kitchen {
  THAW_DECLARE_COUNTS(THAW_KITCHEN_COUNTS)
  THAW_DECLARE_HISTOGRAMS(THAW_KITCHEN_HISTOGRAMS)
};

TEST(CountsJsonTest, CountsAreMembersInTheOrderOfTheirList) {
  const Kitchen kitchen{.eggs = 3};
  EXPECT_EQ(boost::json::serialize(CountsToJson(kitchen)), R"({"eggs":3,"omelettes":0})");
  EXPECT_EQ(boost::json::serialize(NonzeroCountsToJson(kitchen)), R"({"eggs":3})");
}

TEST(CountsJsonTest, AHistogramIsItsQuantilesInSeconds) {
  Kitchen kitchen;
  for (int i = 0; i < 100; ++i) kitchen.baking_time.Record(absl::Seconds(2));
  boost::json::object object;
  AddHistograms(kitchen, object);
  const boost::json::object& time = object["baking_time"].as_object();
  EXPECT_EQ(time.size(), 6u);
  EXPECT_EQ(time.at("count"), 100);
  EXPECT_EQ(time.at("sum"), 200.0);
  EXPECT_EQ(time.at("max"), 2.0);
  for (const char* name : {"p50", "p95", "p99"}) EXPECT_NEAR(time.at(name).as_double(), 2.0, 0.125) << name;
}

}  // namespace
}  // namespace thaw
