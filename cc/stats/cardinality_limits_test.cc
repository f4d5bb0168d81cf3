#include "cc/stats/cardinality_limits.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

class CardinalityLimitsTest : public testing::Test {
 protected:
  // Encodes a key and admits its values; returns those that are blocked.
  unsigned Add(std::string_view resource, std::vector<SpanMeta> meta = {}) {
    SpanView span;
    span.service = "shop";
    span.resource = resource;
    span.meta = meta;
    const StatsTags tags = StatsTags::Of(span);
    encoder_.Encode(span, tags);
    const unsigned blocked = limits_.BlockedOf(span, tags, encoder_);
    bytes_ += limits_.Admit(span, tags, encoder_, blocked);
    return blocked;
  }

  CardinalityLimits limits_{3};
  AggregationKeyEncoder encoder_{{"region", "tenant"}};
  size_t bytes_ = 0;
};

TEST_F(CardinalityLimitsTest, ValuesThatAreKnownStayAndFurtherOnesAreBlocked) {
  for (size_t i = 0; i < CardinalityLimits::kMaxResources; ++i) ASSERT_EQ(Add(absl::StrCat("r", i)), 0u) << i;
  EXPECT_EQ(bytes_, 16 * CardinalityLimits::kMaxResources);
  EXPECT_EQ(Add("new"), kResourceValue);
  EXPECT_EQ(Add("r7"), 0u);
  EXPECT_EQ(Add(""), 0u);
  EXPECT_EQ(bytes_, 16 * CardinalityLimits::kMaxResources);
}

TEST_F(CardinalityLimitsTest, EachKindOfValuesHasALimitOfItsOwn) {
  const auto endpoint = [this](int i) { return Add("r", {{"http.route", absl::StrCat("/", i)}}); };
  for (size_t i = 0; i < CardinalityLimits::kMaxEndpoints; ++i) ASSERT_EQ(endpoint(i), 0u) << i;
  EXPECT_EQ(endpoint(-1), kEndpointValue);
  const auto peer = [this](int i) {
    return Add("r", {{"span.kind", "client"}, {"peer.service", absl::StrCat("p", i)}});
  };
  for (size_t i = 0; i < CardinalityLimits::kMaxPeers; ++i) ASSERT_EQ(peer(i), 0u) << i;
  EXPECT_EQ(peer(-1), kPeersValue);
  for (const char* tenant : {"a", "b", "c"}) EXPECT_EQ(Add("r", {{"tenant", tenant}}), 0u);
  EXPECT_EQ(Add("r", {{"tenant", "d"}}), kAdditionalValue);
  EXPECT_EQ(Add("r", {{"tenant", "a"}}), 0u);
  EXPECT_EQ(Add("r"), 0u);
}

}  // namespace
}  // namespace thaw
