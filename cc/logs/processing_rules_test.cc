#include "cc/logs/processing_rules.h"

#include <optional>
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

class ProcessingRulesTest : public testing::Test {
 protected:
  void Use(std::string_view json) {
    errors_.clear();
    rules_ = ProcessingRules(json, errors_);
  }
  // Returns the text after all rules, or "(left out)".
  std::string Of(std::string_view text) {
    ReplaceLimits limits;
    std::string buffer;
    bool cut = false;
    return std::string(rules_.Apply(text, limits, buffer, cut).value_or("(left out)"));
  }

  std::vector<std::string> errors_;
  ProcessingRules rules_;
};

TEST_F(ProcessingRulesTest, TypesInOrder) {
  Use(R"([{"type":"mask_sequences","name":"a","pattern":"token=(\\w)\\w*","replace_placeholder":"token=$1?"},
          {"type":"exclude_at_match","name":"b","pattern":"token=s\\?"},
          {"type":"include_at_match","name":"c","pattern":"token|kept"}])");
  EXPECT_THAT(errors_, IsEmpty());
  EXPECT_EQ(Of("token=abc, token=def"), "token=a?, token=d?");
  EXPECT_EQ(Of("token=secret"), "(left out)") << "a rule sees what the one before it made";
  EXPECT_EQ(Of("nothing"), "(left out)");
  EXPECT_EQ(Of("kept"), "kept");
}

TEST_F(ProcessingRulesTest, APatternThatMeansSomethingElseElsewhereIsRefused) {
  for (const std::string_view pattern : {"", "[a-z&&[^b]]+", "[[:alpha:]~~x]", "[a-z--[aeiou]]", "x[]&&y]"}) {
    Use(absl::StrCat(R"([{"type":"mask_sequences","name":"a","pattern":")", pattern, R"("}])"));
    EXPECT_EQ(errors_.size(), 1u) << pattern;
    EXPECT_TRUE(rules_.masking_failed()) << pattern;
  }
  for (const std::string_view pattern :
       {"a&&b", "[a&]&", "[+--]", "\\\\[&&", "[[:alpha:]]&&", "[^]]&&", "[a]~~"}) {
    Use(absl::StrCat(R"([{"type":"mask_sequences","name":"a","pattern":")", pattern, R"("}])"));
    EXPECT_THAT(errors_, IsEmpty()) << pattern;
  }
}

TEST_F(ProcessingRulesTest, AMemberThatIsNotReadIsNamedAndTheRuleApplied) {
  Use(R"([{"type":"mask_sequences","name":"a","pattern":"x+","replace_placholder":"?"},
          {"type":"mask_sequences","pattern":"y+","replace_placeholder":"!","\u001b":1}])");
  EXPECT_THAT(errors_,
              ElementsAre("log processing rule \"a\" has a member \"replace_placholder\", which is not "
                          "read; the rule is applied without it",
                          "log processing rule 1 has a member \"\\x1b\", which is not read; the rule is "
                          "applied without it"));
  EXPECT_FALSE(rules_.masking_failed());
  EXPECT_EQ(Of("axxbyyc"), "ab!c");
}

TEST_F(ProcessingRulesTest, WithoutAMatchNothingIsCopied) {
  Use(R"([{"type":"mask_sequences","name":"a","pattern":"x+"}])");
  const std::string_view text = "none here";
  ReplaceLimits limits;
  std::string buffer;
  bool cut = false;
  EXPECT_EQ(rules_.Apply(text, limits, buffer, cut)->data(), text.data());
  EXPECT_EQ(Of("axxb"), "ab") << "without a placeholder a match is removed";
}

TEST_F(ProcessingRulesTest, ALineThatMaskingMakesTooLongIsCut) {
  Use(R"([{"type":"mask_sequences","name":"a","pattern":"\\d","replace_placeholder":"[hidden]"},
          {"type":"mask_sequences","name":"b","pattern":"x","replace_placeholder":""}])");
  ReplaceLimits limits{.most_bytes = 1'000};
  std::string buffer;
  bool cut = false;
  const auto text = rules_.Apply(std::string(10'000, '1'), limits, buffer, cut);
  EXPECT_TRUE(cut);
  EXPECT_LE(text->size(), 1'000u);
  EXPECT_EQ(text->find('1'), std::string::npos);
}

TEST_F(ProcessingRulesTest, ABadRuleCostsThatRuleAloneAndIsNamedOnce) {
  Use(R"([{"type":"exclude_at_match","name":"broken","pattern":"("},
          {"type":"exclude_at_match","name":"good","pattern":"bad"},
          {"type":"drop","pattern":"x"}, 7, {"type":"exclude_at_match","name":"empty"}])");
  EXPECT_EQ(Of("bad"), "(left out)");
  EXPECT_EQ(Of("x"), "x");
  EXPECT_FALSE(rules_.masking_failed());
  EXPECT_THAT(errors_, ElementsAre(HasSubstr("log processing rule \"broken\" can't be used: "),
                                   HasSubstr("log processing rule 2 can't be used: its \"type\" is \"drop\""),
                                   HasSubstr("log processing rule 3 can't be used: it is not an object"),
                                   HasSubstr("it has no text \"pattern\"")));
}

TEST_F(ProcessingRulesTest, AMaskingRuleThatCantBeUsedFailsClosed) {
  for (const char* rule :
       {R"({"type":"mask_sequences","name":"m","pattern":"("})", R"({"type":"mask_sequences","name":"m"})",
        R"({"type":"mask_sequence","name":"m","pattern":"x"})",
        R"({"type":"mask_sequences","name":"m","pattern":"x","replace_placeholder":7})",
        R"("mask_sequences")"}) {
    Use(absl::StrCat("[", rule, "]"));
    EXPECT_TRUE(rules_.masking_failed()) << rule;
    EXPECT_THAT(errors_, ElementsAre(HasSubstr("lines of functions and extensions are dropped"))) << rule;
  }
  Use(R"([{"type":"mask_sequences","name":"m","pattern":"x"})");
  EXPECT_TRUE(rules_.masking_failed()) << "the whole list can't be read";
  EXPECT_THAT(errors_, ElementsAre(HasSubstr("not JSON")));
  Use(R"([{"type":"exclude_at_match","name":"e","pattern":"x"})");
  EXPECT_FALSE(rules_.masking_failed());
}

TEST_F(ProcessingRulesTest, PatternsOfOtherEnginesAreToldApart) {
  const auto error_of = [this](std::string_view pattern) {
    Use(absl::StrCat(R"([{"type":"exclude_at_match","name":"n","pattern":")", pattern, R"("}])"));
    return errors_.empty() ? "" : errors_[0];
  };
  EXPECT_THAT(error_of("a(?=b)"), HasSubstr("RE2, which takes linear time, has no look-ahead"));
  EXPECT_THAT(error_of(R"((a)\\1)"), HasSubstr("back-references"));
  EXPECT_THAT(error_of("(?x)a b"), HasSubstr("Rust's regex takes the flag x"));
  EXPECT_THAT(error_of(R"(\\u{41})"), HasSubstr("RE2 only \\x{…}"));
  EXPECT_EQ(error_of("(?<name>a)(?P<other>b)"), "");
  EXPECT_EQ(error_of(R"(\\(?<name)"), "") << "an escaped bracket is none";
}

TEST_F(ProcessingRulesTest, NamedGroupsAndDollarsInPlaceholders) {
  Use(R"([{"type":"mask_sequences","name":"m","pattern":"(?<user>\\w+)@\\w+","replace_placeholder":"${user}@$$"}])");
  EXPECT_EQ(Of("me@here"), "me@$");
}

TEST_F(ProcessingRulesTest, APatternThatOthersNeedExponentialTimeForIsQuick) {
  Use(R"([{"type":"exclude_at_match","name":"n","pattern":"(a+)+$"}])");
  EXPECT_EQ(Of(std::string(200'000, 'a') + "b").size(), 200'001u);
}

}  // namespace
}  // namespace thaw
