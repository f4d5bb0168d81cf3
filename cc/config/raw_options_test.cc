#include "cc/config/raw_options.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> Shown(const RawOptions::Texts& texts) {
  std::vector<std::string> shown;
  for (const RawText& text : texts) shown.push_back(absl::StrCat(text.source, " = ", text.text));
  return shown;
}

TEST(RawOptionsTest, EnvironmentBeforeYaml) {
  const RawOptions raw = ReadRawOptions({{"DD_SITE", "a"}, {"DD_APM_DD_URL", "b"}},
                                        "site: c\napm_config: {apm_dd_url: d, compression_level: 5}\n");
  EXPECT_THAT(Shown(raw.site), ElementsAre("DD_SITE = a", "datadog.yaml: site = c"));
  EXPECT_THAT(Shown(raw.trace_url),
              ElementsAre("DD_APM_DD_URL = b", "datadog.yaml: apm_config.apm_dd_url = d"));
  EXPECT_THAT(Shown(raw.compression_level), ElementsAre("datadog.yaml: apm_config.compression_level = 5"));
  EXPECT_THAT(raw.api_key, IsEmpty());
  EXPECT_THAT(raw.warnings, IsEmpty());
}

TEST(RawOptionsTest, TheLongPrefixIsReadAfterTheShortOne) {
  const RawOptions raw = ReadRawOptions(
      {{"DATADOG_SITE", "b"}, {"DD_SITE", "a"}, {"DATADOG_COMPRESSION_LEVEL", "1"}}, "site: c\n");
  EXPECT_THAT(Shown(raw.site), ElementsAre("DD_SITE = a", "DATADOG_SITE = b", "datadog.yaml: site = c"));
  EXPECT_THAT(Shown(raw.compression_level), ElementsAre("DATADOG_COMPRESSION_LEVEL = 1"));
  EXPECT_THAT(raw.warnings, IsEmpty());
}

TEST(RawOptionsTest, ATextOfYamlHasItsLine) {
  const RawOptions raw =
      ReadRawOptions({{"DD_SITE", "a"}}, "env: e\nsite: b\nproxy:\n  no_proxy:\n    - c\n");
  ASSERT_EQ(raw.site.size(), 2u);
  EXPECT_EQ(raw.site[0].line, 0);
  EXPECT_EQ(raw.site[1].line, 2);
  EXPECT_EQ(raw.env.at(0).line, 1);
  EXPECT_EQ(raw.no_proxy.at(0).line, 5);
}

TEST(RawOptionsTest, CompressionLevelsAndProxiesInTheirOrder) {
  const RawOptions raw = ReadRawOptions({{"DD_COMPRESSION_LEVEL", "2"},
                                         {"DD_APM_CONFIG_COMPRESSION_LEVEL", "1"},
                                         {"HTTPS_PROXY", "z"},
                                         {"DD_PROXY_HTTPS", "x"}},
                                        "compression_level: 4\n"
                                        "apm_config: {compression_level: 3}\n"
                                        "proxy: {https: y}\n");
  EXPECT_THAT(
      Shown(raw.compression_level),
      ElementsAre("DD_APM_CONFIG_COMPRESSION_LEVEL = 1", "DD_COMPRESSION_LEVEL = 2",
                  "datadog.yaml: apm_config.compression_level = 3", "datadog.yaml: compression_level = 4"));
  EXPECT_THAT(Shown(raw.proxy_url),
              ElementsAre("DD_PROXY_HTTPS = x", "datadog.yaml: proxy.https = y", "HTTPS_PROXY = z"));
}

TEST(RawOptionsTest, ProxiesOfAnyProgramHaveLowerCaseNamesToo) {
  EXPECT_THAT(Shown(ReadRawOptions({{"https_proxy", "a"}, {"HTTPS_PROXY", "b"}}, "").proxy_url),
              ElementsAre("HTTPS_PROXY = b", "https_proxy = a"));
  EXPECT_THAT(Shown(ReadRawOptions({{"no_proxy", "a"}, {"NO_PROXY", "b"}}, "").no_proxy_of_any_program),
              ElementsAre("NO_PROXY = b", "no_proxy = a"));
}

TEST(RawOptionsTest, NamesThatNoOptionHasAreWarnings) {
  const RawOptions raw = ReadRawOptions({{"DD_SIET", "a"}, {"DD_TRACE_ENABLED", "true"}},
                                        "proxy: {https: b}\nhttps_proxy: c\ncluster_checks: true\n");
  ASSERT_EQ(raw.warnings.size(), 3u);
  EXPECT_THAT(raw.warnings[0].text, HasSubstr("did you mean DD_SITE?"));
  EXPECT_THAT(raw.warnings[1].text, HasSubstr("line 2: the key \"https_proxy\" is not read"));
  EXPECT_THAT(raw.warnings[1].text, HasSubstr("did you mean proxy.https?"));
  EXPECT_THAT(raw.warnings[2].text, HasSubstr("cluster_checks"));
}

TEST(RawOptionsTest, AListOfTagsIsNotSplitAtSpaces) {
  EXPECT_THAT(Shown(ReadRawOptions({}, "tags: ['team:data eng']\n").tags),
              ElementsAre("datadog.yaml: tags = team:data eng,"));
  EXPECT_THAT(Shown(ReadRawOptions({}, "tags: 'a:b c:d'\n").tags),
              ElementsAre("datadog.yaml: tags = a:b c:d"));
  EXPECT_THAT(ReadRawOptions({}, "tags: []\n").tags, IsEmpty());
}

TEST(RawOptionsTest, EmptyIsAbsentAndWhiteSpaceIsTakenOff) {
  const RawOptions raw =
      ReadRawOptions({{"DD_SITE", ""}, {"DD_API_KEY", " \t\n"}, {"DD_FLUSH_TIMEOUT", " 5\n"}},
                     "site: ''\napi_key: ' k '\nflush_timeout:\n");
  EXPECT_THAT(raw.site, IsEmpty());
  EXPECT_THAT(Shown(raw.api_key), ElementsAre("datadog.yaml: api_key = k"));
  EXPECT_THAT(Shown(raw.flush_timeout), ElementsAre("DD_FLUSH_TIMEOUT = 5"));
}

TEST(RawOptionsTest, YamlListsAndMapsLookAsVariablesDo) {
  const RawOptions raw = ReadRawOptions({},
                                        "proxy:\n  no_proxy: [a, .b]\n"
                                        "apm_config:\n"
                                        "  additional_endpoints:\n"
                                        "    https://x: [k1, k2]\n"
                                        "    https://y: [k\"3]\n");
  EXPECT_THAT(Shown(raw.no_proxy), ElementsAre("datadog.yaml: proxy.no_proxy = a,.b"));
  EXPECT_THAT(Shown(raw.additional_endpoints),
              ElementsAre("datadog.yaml: apm_config.additional_endpoints = "
                          R"({"https://x":["k1","k2"],"https://y":["k\"3"]})"));
  EXPECT_THAT(
      Shown(ReadRawOptions({}, "apm_config: {additional_endpoints: '{\"u\": []}'}").additional_endpoints),
      ElementsAre("datadog.yaml: apm_config.additional_endpoints = {\"u\": []}"));
  EXPECT_THAT(ReadRawOptions({}, "apm_config: {additional_endpoints: {}}").additional_endpoints, IsEmpty());
}

TEST(RawOptionsTest, BrokenYamlIsOneWarningAndTheEnvironmentCounts) {
  const RawOptions raw = ReadRawOptions({{"DD_SITE", "a"}}, "site: b\napi_key: [c\n");
  EXPECT_THAT(Shown(raw.site), ElementsAre("DD_SITE = a"));
  EXPECT_THAT(raw.api_key, IsEmpty());
  ASSERT_EQ(raw.warnings.size(), 1u);
  EXPECT_EQ(raw.warnings[0].source, "datadog.yaml");
  EXPECT_TRUE(raw.warnings[0].is_error);
  EXPECT_THAT(raw.warnings[0].text, HasSubstr("datadog.yaml is not used at all: line 3, column 1: "));
}

TEST(RawOptionsTest, AnotherTypeThanWantedIsOneWarning) {
  const RawOptions raw = ReadRawOptions({}, "site: [a]\napm_config: text\nflush_timeout: 5\n");
  EXPECT_THAT(Shown(raw.flush_timeout), ElementsAre("datadog.yaml: flush_timeout = 5"));
  ASSERT_EQ(raw.warnings.size(), 2u);
  EXPECT_EQ(raw.warnings[0].source, "datadog.yaml: site");
  EXPECT_EQ(raw.warnings[0].text,
            "datadog.yaml, line 1, column 7: site is a list and must be a text; it is not used");
  EXPECT_EQ(raw.warnings[1].text,
            "datadog.yaml, line 2, column 13: apm_config is a text and must be a map; it is not used");
}

}  // namespace
}  // namespace thaw
