#include "cc/metrics/metric_names.h"

#include "gtest/gtest.h"

namespace thaw {
namespace {

std::string Name(std::string_view name, std::string_view prefix = "") {
  std::string scratch;
  scratch.reserve(prefix.size() + name.size());
  return std::string(NormalMetricName(prefix, name, scratch));
}

std::string Tag(std::string_view tag) {
  std::string scratch;
  scratch.reserve(tag.size());
  return std::string(NormalMetricTag(tag, scratch));
}

TEST(MetricNames, ANormalNameIsNotCopied) {
  std::string scratch;
  const std::string_view name = "page.Views_2";
  EXPECT_EQ(NormalMetricName("", name, scratch).data(), name.data());
  EXPECT_TRUE(scratch.empty());
}

TEST(MetricNames, NamesFollowThePublishedRules) {
  EXPECT_EQ(Name("Page.Views"), "Page.Views");  // case counts
  EXPECT_EQ(Name("page views-per/second"), "page_views_per_second");
  EXPECT_EQ(Name("7.page"), "page");
  EXPECT_EQ(Name("_.page"), "page");
  EXPECT_EQ(Name("seite.ö"), "seite.__");
  EXPECT_EQ(Name("a\xff\n"), "a__");
  EXPECT_EQ(Name(""), "");
  EXPECT_EQ(Name("12.5"), "");
  EXPECT_EQ(Name(std::string(300, 'n')), std::string(200, 'n'));
  EXPECT_EQ(Name(std::string(300, '-') + "n"), "n");
}

TEST(MetricNames, APrefixStandsBeforeTheNormalName) {
  EXPECT_EQ(Name("views", "shop."), "shop.views");
  EXPECT_EQ(Name("7 views", "shop."), "shop.views");
  EXPECT_EQ(Name("7", "shop."), "");
  EXPECT_EQ(Name(std::string(300, 'n'), "shop."), "shop." + std::string(195, 'n'));
  EXPECT_EQ(Name("views", std::string(250, 'p')).size(), kMaxMetricNameBytes);
}

TEST(MetricNames, TagsFollowThePublishedRules) {
  EXPECT_EQ(Tag("env:prod"), "env:prod");
  EXPECT_EQ(Tag("Env:Prod 1"), "env:prod_1");
  EXPECT_EQ(Tag("région:paris"), "région:paris");
  EXPECT_EQ(Tag("1st:a__b_"), "st:a_b");
  EXPECT_EQ(Tag("!?"), "");
  EXPECT_EQ(Tag(std::string(300, 't')), std::string(200, 't'));
}

TEST(MetricNames, BytesOfATagThatAreNotUtf8BecomeUnderscores) {
  EXPECT_EQ(Tag("a:\xff\xfe"
                "b"),
            "a:_b");
  EXPECT_EQ(Tag("\xc3"), "");
  EXPECT_EQ(Tag("ü:\xc3"), "ü:");
}

TEST(MetricNames, ResultsFitIntoTheRoomThatWasReserved) {
  std::string scratch;
  scratch.reserve(64);
  const char* const at = scratch.data();
  const std::string_view first = NormalMetricName("shop.", "page views", scratch);
  const std::string_view second = NormalMetricTag("Env:\xff\xff\xffX", scratch);
  EXPECT_EQ(first, "shop.page_views");
  EXPECT_EQ(second, "env:_x");
  EXPECT_EQ(scratch.data(), at);
}

}  // namespace
}  // namespace thaw
