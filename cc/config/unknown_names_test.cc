#include "cc/config/unknown_names.h"

#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const NameSet kKnown = {"DD_API_KEY", "DD_ENV",  "DD_PROXY_HTTPS", "DD_SERVERLESS_FLUSH_STRATEGY",
                        "DD_SITE",    "DD_TAGS", "AWS_REGION"};

std::vector<std::string> Texts(const std::vector<ConfigWarning>& warnings) {
  std::vector<std::string> texts;
  for (const ConfigWarning& warning : warnings) texts.push_back(warning.text);
  return texts;
}

std::vector<std::string> Misspelled(const std::string& name) {
  return Texts(MisspelledVariables(Environment({{name, "s3cr3t"}}), kKnown));
}

TEST(UnknownNamesTest, AVariableCloseToAKnownOneIsNamed) {
  for (const auto& [given, meant] : {std::pair("DD_SIT", "DD_SITE"),
                                     {"DD_STIE", "DD_SITE"},
                                     {"DD_SITES", "DD_SITE"},
                                     {"dd_site", "DD_SITE"},
                                     {"DD_TAG", "DD_TAGS"},
                                     {"DD_APIKEY", "DD_API_KEY"},
                                     {"DD_API_KEYS", "DD_API_KEY"},
                                     {"DD_SERVERLESS_FLUSH_STRATGEY", "DD_SERVERLESS_FLUSH_STRATEGY"},
                                     {"DD_HTTPS_PROXY", "DD_PROXY_HTTPS"}}) {
    EXPECT_THAT(Misspelled(given), ElementsAre(absl::StrCat("the variable \"", given,
                                                            "\" is not read; did you mean ", meant, "?")));
  }
}

TEST(UnknownNamesTest, AVariableThatLacksAWordIsNamed) {
  for (const auto& [given, meant] : {std::pair("DD_LOGS_PROCESSING_RULES", "DD_LOGS_CONFIG_PROCESSING_RULES"),
                                     {"DD_LOGS_CONFIG_DD_URL", "DD_LOGS_CONFIG_LOGS_DD_URL"},
                                     {"DATADOG_STATSD_NAMESPACE", "DD_STATSD_METRIC_NAMESPACE"},
                                     {"DD_TRACE_ENABLED", ""},
                                     {"DD_RULES", ""},
                                     {"DD_TRACE_PROPAGATION_STYLE_INJECT", ""}}) {
    const std::vector<std::string> said = Texts(MisspelledVariables(
        Environment({{given, "s3cr3t"}}), {"DD_LOGS_CONFIG_PROCESSING_RULES", "DD_LOGS_CONFIG_LOGS_DD_URL",
                                           "DD_STATSD_METRIC_NAMESPACE", "DD_TRACE_PROPAGATION_STYLE_EXTRACT",
                                           "DD_TRACE_EXPERIMENTAL_FEATURES_ENABLED", "DD_PROCESSING_RULES"}));
    if (*meant == '\0') {
      EXPECT_THAT(said, IsEmpty()) << given;
    } else {
      EXPECT_THAT(said, ElementsAre(HasSubstr(absl::StrCat("did you mean ", meant, "?"))));
    }
  }
}

TEST(UnknownNamesTest, VariablesOfTracersAndOthersAreLeftAlone) {
  for (const char* name : {"DD_SITE", "DD_APP_KEY", "DD_TRACE_ENABLED", "DD_LOGS_INJECTION", "DD_URL", "DD_",
                           "SITE", "AWS_REGIO", "DDSITE"}) {
    EXPECT_THAT(Misspelled(name), IsEmpty()) << name;
  }
  EXPECT_THAT(Misspelled("DD_" + std::string(100'000, 'X')), IsEmpty());
}

TEST(UnknownNamesTest, TheLongPrefixIsAsGoodAsTheShortOne) {
  for (const char* name : {"DATADOG_SITE", "DATADOG_APP_KEY", "DATADOG_TRACE_ENABLED", "DATADOG_"}) {
    EXPECT_THAT(Misspelled(name), IsEmpty()) << name;
  }
  for (const char* name : {"DATADOG_STIE", "datadog_SITE"}) {
    EXPECT_THAT(Misspelled(name),
                ElementsAre(absl::StrCat("the variable \"", name, "\" is not read; did you mean DD_SITE?")));
  }
}

TEST(UnknownNamesTest, KeysThatAreNotReadAreNamedWithTheirLine) {
  const NameSet known = {"site", "apm_config.replace_tags", "apm_config.obfuscation.http.x", "proxy.https"};
  const YamlDocument document = *YamlDocument::Parse(
      "sitte: a\n"
      "apm_config:\n"
      "  replace_tag: []\n"
      "  obfuscation: {http: {x: 1, y: 2}}\n"
      "https_proxy: b\n"
      "x-defaults: {anything: goes}\n"
      "logs_enabled: true\n");
  const std::vector<ConfigWarning> warnings = UnknownYamlKeys(document, known);
  EXPECT_THAT(
      Texts(warnings),
      ElementsAre("datadog.yaml, line 1: the key \"sitte\" is not read; did you mean site?",
                  "datadog.yaml, line 3: the key \"apm_config.replace_tag\" is not read; did you mean "
                  "apm_config.replace_tags?",
                  "datadog.yaml, line 4: the key \"apm_config.obfuscation.http.y\" is not read; did you mean "
                  "apm_config.obfuscation.http.x?",
                  "datadog.yaml, line 5: the key \"https_proxy\" is not read; did you mean proxy.https?",
                  "datadog.yaml, line 7: the key \"logs_enabled\" is not read"));
}

TEST(UnknownNamesTest, AKeyThatJoinsTheNamesOfAPathIsTold) {
  const NameSet known = {"site", "logs_config.use_compression", "apm_config.obfuscation.http.x"};
  const YamlDocument document = *YamlDocument::Parse(
      "logs_config.use_compression: false\n"
      "apm_config:\n"
      "  obfuscation.http: {x: 1}\n"
      "'site.': a\n");
  const std::string_view reason =
      " is not read: each name between its dots must be a key of its own, below the one before";
  EXPECT_THAT(
      Texts(UnknownYamlKeys(document, known)),
      ElementsAre(absl::StrCat("datadog.yaml, line 1: the key \"logs_config.use_compression\"", reason),
                  absl::StrCat("datadog.yaml, line 3: the key \"apm_config.obfuscation.http\"", reason),
                  absl::StrCat("datadog.yaml, line 4: the key \"site.\"", reason)));
}

TEST(UnknownNamesTest, AKeyAtTheWrongPlaceIsTold) {
  const YamlDocument document = *YamlDocument::Parse("replace_tags: []\n");
  EXPECT_THAT(Texts(UnknownYamlKeys(document, {"apm_config.replace_tags"})),
              ElementsAre(HasSubstr("did you mean apm_config.replace_tags?")));
}

TEST(UnknownNamesTest, ManyUnknownKeysAreTwentyWarnings) {
  std::string text;
  for (int i = 0; i < 1000; ++i) absl::StrAppend(&text, "k", i, ": v\n");
  const std::vector<ConfigWarning> warnings = UnknownYamlKeys(*YamlDocument::Parse(text), {"site"});
  ASSERT_THAT(warnings, SizeIs(20));
  EXPECT_EQ(warnings.back().text, "datadog.yaml has 981 more keys that are not read");
}

}  // namespace
}  // namespace thaw
