#include "cc/config/configuration_page.h"

#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "cc/base/read_file.h"
#include "cc/config/option_table.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::HasSubstr;

TEST(ConfigurationPageTest, TheFileEqualsThePageOfTheTableOfOptions) {
  const absl::StatusOr<std::string> file = ReadWholeFile("docs/configuration.md", 1 << 20);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(*file, ConfigurationPage())
      << "bazel run //cc/config:print_configuration_page > docs/configuration.md";
}

TEST(ConfigurationPageTest, EachSourceOfEachOptionIsListed) {
  const std::string page = ConfigurationPage();
  for (const OptionRow& row : kOptionTable) {
    EXPECT_FALSE(row.help.empty()) << row.name;
    for (const OptionSource& source : SourcesOf(row)) {
      EXPECT_THAT(page, HasSubstr(absl::StrCat("`", source.name, "`"))) << row.name;
    }
  }
}

TEST(ConfigurationPageTest, DefaultsAreThoseOfTheCode) {
  const std::string page = ConfigurationPage();
  EXPECT_THAT(
      page,
      HasSubstr(
          "| `DD_SITE` | `site` | Domain of the intake to which all data are sent. | `datadoghq.com` |\n"));
  EXPECT_THAT(page, HasSubstr("| 0 or 4 |\n"));
  EXPECT_THAT(page, HasSubstr("| 30 s |\n"));
  EXPECT_THAT(page, HasSubstr("| never |\n"));
  EXPECT_THAT(page, HasSubstr("| `AWS_ACCESS_KEY_ID` | | "));
}

TEST(ConfigurationPageTest, NoTwoOptionsHaveASourceInCommon) {
  std::set<std::string> seen;
  for (const OptionRow& row : kOptionTable) {
    for (const OptionSource& source : SourcesOf(row)) {
      // The level of all data is the default of each kind's own.
      if (source.name == "DD_COMPRESSION_LEVEL" || source.name == "compression_level") continue;
      EXPECT_TRUE(seen.insert(absl::StrCat(source.is_yaml ? "yaml:" : "", source.name)).second)
          << source.name;
    }
  }
}

}  // namespace
}  // namespace thaw
