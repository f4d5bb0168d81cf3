#include "cc/config/option_table.h"

#include <algorithm>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> Shown(Option option) {
  std::vector<std::string> shown;
  for (const OptionSource& source : SourcesOf(RowOf(option)))
    shown.push_back((source.is_yaml ? "datadog.yaml: " : "") + source.name);
  return shown;
}

TEST(OptionTableTest, ARowIsFoundByItsOption) {
  for (const OptionRow& row : kOptionTable) EXPECT_EQ(&RowOf(row.option), &row) << row.name;
  EXPECT_EQ(RowOf(Option::proxy_url).name, "proxy_url");
}

TEST(OptionTableTest, SourcesAreInTheirOrder) {
  EXPECT_THAT(Shown(Option::fips), ElementsAre("DD_LAMBDA_FIPS_MODE"));
  EXPECT_THAT(Shown(Option::proxy_url),
              ElementsAre("DD_PROXY_HTTPS", "datadog.yaml: proxy.https", "HTTPS_PROXY", "https_proxy"));
}

TEST(OptionTableTest, PathsInTheJson) {
  EXPECT_EQ(JsonPathOf(RowOf(Option::site)), "site");
  EXPECT_EQ(JsonPathOf(RowOf(Option::idle_timeout)), "client.idle_timeout");
  EXPECT_EQ(JsonPathOf(RowOf(Option::kms_api_key)), "api_key_sources.kms_api_key");
}

// ToJson writes an object where a group begins: a group in two places would be two members of one name.
TEST(OptionTableTest, OptionsOfAGroupStandTogether) {
  std::vector<std::string> groups;
  for (const OptionRow& row : kOptionTable)
    if (groups.empty() || groups.back() != GroupOf(row)) groups.emplace_back(GroupOf(row));
  for (const std::string& group : groups) {
    if (group.empty()) continue;
    EXPECT_EQ(std::count(groups.begin(), groups.end(), group), 1) << group;
  }
}

TEST(OptionTableTest, OnlyVariablesOfDatadogHaveAnotherName) {
  EXPECT_EQ(OtherNameOf("DD_API_KEY"), "DATADOG_API_KEY");
  EXPECT_EQ(OtherNameOf("HTTPS_PROXY"), "");
  EXPECT_EQ(OtherNameOf("AWS_REGION"), "");
}

}  // namespace
}  // namespace thaw
