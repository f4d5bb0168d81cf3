#include "cc/metrics/series_payload.h"

#include <bit>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cc/base/protobuf_reader.h"
#include "cc/metrics/metric_origin.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using Tags = std::vector<std::string_view>;

// Returns the content of each field of a message, by number; numbers in decimal.
std::multimap<uint32_t, std::string> Fields(std::string_view message) {
  std::multimap<uint32_t, std::string> fields;
  ProtobufReader reader(message);
  while (reader.Next())
    fields.emplace(reader.field(),
                   reader.wire_type() == 2 ? std::string(reader.bytes()) : std::to_string(reader.value()));
  EXPECT_TRUE(reader.ok());
  return fields;
}

std::string Only(const std::multimap<uint32_t, std::string>& fields, uint32_t number) {
  EXPECT_EQ(fields.count(number), 1u) << number;
  const auto found = fields.find(number);
  return found == fields.end() ? "" : found->second;
}

std::multimap<uint32_t, std::string> Encoded(std::string_view name, const Tags& tags, SeriesType type,
                                             const std::vector<SeriesPoint>& points) {
  const TagSet set(tags);
  MetricBatch batch;
  AppendSeries({.name = name, .tags = set, .owner = MetricOwner::kFunction}, type, points,
               EncodeSeriesTags({"env:prod"}), batch);
  EXPECT_EQ(batch.points, static_cast<int64_t>(points.size()));
  return Fields(Only(Fields(batch.fields.bytes()), 1));
}

TEST(SeriesPayload, ACountHasTheFieldsOfTheSchema) {
  const auto series = Encoded("orders", {"a:1", "b"}, SeriesType::kCount, {{1'700'000'000, 2.5}});
  EXPECT_EQ(Only(series, 2), "orders");
  std::vector<std::string> tags;
  for (auto [tag, end] = series.equal_range(3); tag != end; ++tag) tags.push_back(tag->second);
  EXPECT_EQ(tags, (std::vector<std::string>{"env:prod", "a:1", "b"}));
  const auto point = Fields(Only(series, 4));
  EXPECT_EQ(Only(point, 1), std::to_string(std::bit_cast<uint64_t>(2.5)));
  EXPECT_EQ(Only(point, 2), "1700000000");
  EXPECT_EQ(Only(series, 5), "1");
  EXPECT_EQ(Only(series, 8), "10");
  const auto origin = Fields(Only(Fields(Only(series, 9)), 1));
  EXPECT_EQ(Only(origin, 4), "1");
  EXPECT_EQ(Only(origin, 5), "38");
  EXPECT_EQ(Only(origin, 6), "472");
}

// Type 0 is "unspecified", and 1 a count.
TEST(SeriesPayload, AGaugeIsNoCount) {
  const auto series = Encoded("queue", {}, SeriesType::kGauge, {{1, 2}, {11, 3}});
  EXPECT_EQ(Only(series, 5), "3");
  EXPECT_EQ(series.count(8), 0u);
  EXPECT_EQ(series.count(4), 2u);
}

TEST(SeriesPayload, ARateHasAnIntervalLikeACount) {
  const auto series = Encoded("time.count", {}, SeriesType::kRate, {{1, 0.5}});
  EXPECT_EQ(Only(series, 5), "2");
  EXPECT_EQ(Only(series, 8), "10");
}

TEST(SeriesPayload, ATagOfAResourceBecomesAResource) {
  const auto series = Encoded("n", {"a", "dd.internal.resource:i-1:host"}, SeriesType::kGauge, {{1, 2}});
  const auto resource = Fields(Only(series, 1));
  EXPECT_EQ(Only(resource, 1), "host");
  EXPECT_EQ(Only(resource, 2), "i-1");
  EXPECT_EQ(series.count(3), 2u);
}

TEST(MetricOrigin, FollowsFromTheName) {
  EXPECT_EQ(OriginService("orders"), 472u);
  EXPECT_EQ(OriginService("aws.lambdas.n"), 472u);
  EXPECT_EQ(OriginService("aws.lambda.enhanced.errors"), 473u);
  EXPECT_EQ(OriginService("jvm.heap"), 474u);
  EXPECT_EQ(OriginService("runtime.node.cpu"), 474u);
  EXPECT_EQ(OriginService("datadog.n"), 0u);
}

}  // namespace
}  // namespace thaw
