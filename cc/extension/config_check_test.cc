#include "cc/extension/config_check.h"

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "absl/strings/str_join.h"
#include "cc/extension/pipelines_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::vector<std::string> Problems(Environment::Variables variables, std::string_view yaml = "") {
  const Environment environment(std::move(variables));
  return ProblemsOf(environment, LoadConfig(environment, yaml));
}

// Sets a key, so that only the variable is wrong.
std::vector<std::string> ProblemsOfVariable(const std::string& name, const std::string& value) {
  return Problems({{"DD_API_KEY", "0123456789abcdef"}, {name, value}});
}

TEST(ConfigCheckTest, AConfigurationWithoutFaults) {
  EXPECT_THAT(Problems({{"DD_API_KEY", "0123456789abcdef"}, {"DD_TRACE_ENABLED", "true"}}), IsEmpty());
  EXPECT_THAT(Problems({{"DD_API_KEY_SECRET_ARN", "arn:aws:secretsmanager:eu-west-1:1:secret:dd"}}),
              IsEmpty());
  EXPECT_THAT(Problems({{"DD_API_KEY_SSM_ARN", "arn:aws:ssm:eu-west-1:1:parameter/dd"}}), IsEmpty());
  EXPECT_THAT(Problems({{"DD_KMS_API_KEY", "Y2lwaGVy"}}), IsEmpty());
  EXPECT_THAT(Problems({{"DD_API_KEY", "0123456789abcdef"}, {"HTTPS_PROXY", "p:1"}, {"HTTP_PROXY", "p:1"}}),
              IsEmpty());
}

TEST(ConfigCheckTest, NoApiKey) { EXPECT_THAT(Problems({}), ElementsAre(HasSubstr("there is no API key"))); }

TEST(ConfigCheckTest, FilesRulesFiltersAndNames) {
  for (const auto& [name, value, what] :
       {std::tuple("DD_TLS_CERT_FILE", "/nowhere/roots.pem", "/nowhere/roots.pem"),
        {"DD_APM_REPLACE_TAGS", R"([{"name": "*", "pattern": "(", "repl": ""}])", "replace rule 0"},
        {"DD_APM_REPLACE_TAGS", "[", "the replace rules are not JSON"},
        {"DD_APM_FILTER_TAGS_REGEX_REJECT", "a:(", "DD_APM_FILTER_TAGS_REGEX_REJECT"},
        {"DD_APM_FILTER_TAGS_REGEX_REQUIRE", "a:(", "DD_APM_FILTER_TAGS_REGEX_REQUIRE"},
        {"DD_APM_FILTER_TAGS_REJECT", ":", "DD_APM_FILTER_TAGS_REJECT: \":\" does not begin with the name"},
        {"DD_APM_FILTER_TAGS_REGEX_REQUIRE", "{\"a", "DD_APM_FILTER_TAGS_REGEX_REQUIRE: "},
        {"DD_API_KEY_SECRET_ARN", "nope", "DD_API_KEY_SECRET_ARN is \"nope\": it is not an ARN"},
        {"DD_API_KEY_SECRET_ARN", "arn:aws:secretsmanager:x", "it does not have the form arn:"},
        {"DD_API_KEY_SECRET_ARN", "arn:aws:ssm:eu-west-1:1:parameter/dd", "not an ARN of secretsmanager"},
        {"DD_API_KEY_SSM_ARN", "nope", "DD_API_KEY_SSM_ARN is \"nope\": it is not an ARN"},
        {"DD_KMS_API_KEY", "!!", "DD_KMS_API_KEY is not base64"},
        {"DD_FLUSH_STRATEGY", "end", "did you mean DD_SERVERLESS_FLUSH_STRATEGY?"},
        {"DD_APM_IGNORE_RESOURCES", "a", "did you mean DD_APM_FILTER_TAGS_REGEX_REJECT?"},
        {"HTTP_PROXY", "p:1", "the variable HTTP_PROXY is not read"},
        {"all_proxy", "p:1", "the variable all_proxy is not read"},
        {"DD_SERVICE_MAPPING", "a", "DD_SERVICE_MAPPING"},
        {"DD_TRACE_PROPAGATION_STYLE", "datadgo", "datadgo"},
        {"DD_SITE", "datadog.com", "not one of Datadog's sites"},
        {"DD_SIET", "datadoghq.eu", "did you mean DD_SITE?"}}) {
    EXPECT_THAT(ProblemsOfVariable(name, value), ElementsAre(HasSubstr(what))) << name;
  }
  EXPECT_THAT(Problems({{"DD_API_KEY", "0123456789abcdef"}}, "sitte: a\n"),
              ElementsAre(HasSubstr("\"sitte\"")));
  EXPECT_THAT(Problems({{"DD_API_KEY", "0123456789abcdef"}}, "service: \"a\\0b\"\n"),
              ElementsAre(HasSubstr("it has a NUL character")));
}

TEST(ConfigCheckTest, ACertificateFileWithoutACertificate) {
  const std::string file = std::filesystem::path(testing::TempDir()) / "roots.pem";
  std::ofstream(file) << "no certificate\n";
  EXPECT_THAT(ProblemsOfVariable("DD_TLS_CERT_FILE", file), ElementsAre(HasSubstr(file)));
}

TEST(ConfigCheckTest, TheStartLineNamesWhatMatters) {
  const Config config = LoadConfig(Environment({{"DD_API_KEY", "0123456789abcdef"},
                                                {"DD_KMS_API_KEY", "c2VjcmV0"},
                                                {"DD_SITE", "datadoghq.eu"},
                                                {"DD_SERVERLESS_FLUSH_STRATEGY", "end"}}),
                                   "");
  EXPECT_THAT(StartLine(config),
              AllOf(HasSubstr("site datadoghq.eu, API key from DD_API_KEY (then KMS), flush strategy end, "
                              "traces go to https://trace.agent.datadoghq.eu"),
                    Not(HasSubstr("0123456789abcdef"))));
  EXPECT_THAT(StartLine(LoadConfig(Environment(), "")), HasSubstr("API key from no source"));
}

class TryConnectionTest : public PipelinesFixture {
 protected:
  ConnectionTrial Try(Environment::Variables variables) {
    const Config config = LoadConfig(Environment(std::move(variables)), "");
    std::optional<ConnectionTrial> ended;
    Spawn<ConnectionTrial>(executor_, TryConnection(executor_, clock_, network_, config, [] { return 0.5; }),
                           [&ended](ConnectionTrial trial) { ended = std::move(trial); });
    for (int second = 0; second < 20 && !ended.has_value(); ++second) {
      executor_.RunAll();
      clock_.Advance(absl::Seconds(1));
    }
    EXPECT_TRUE(ended.has_value()) << "it takes 10 s at most";
    return ended.value_or(ConnectionTrial());
  }
};

TEST_F(TryConnectionTest, AnIntakeThatCanNotBeReached) {
  const ConnectionTrial trial = Try({{"DD_API_KEY", "0123456789abcdef"}});
  EXPECT_FALSE(trial.succeeded);
  EXPECT_THAT(trial.lines,
              ElementsAre(HasSubstr("the API key was found (DD_API_KEY)"),
                          AllOf(HasSubstr("https://trace.agent.datadoghq.com/api/v0.2/traces did not accept"),
                                HasSubstr("nobody answers"))));
  EXPECT_THAT(absl::StrJoin(trial.lines, "\n"), Not(HasSubstr("0123456789abcdef")));
}

TEST_F(TryConnectionTest, AKeyThatIsNowhere) {
  const ConnectionTrial trial = Try({});
  EXPECT_FALSE(trial.succeeded);
  EXPECT_THAT(trial.lines, ElementsAre(HasSubstr("no API key: none is configured")));
}

}  // namespace
}  // namespace thaw
