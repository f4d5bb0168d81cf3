#include "cc/trace/obfuscate/sql_rules.h"

#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace thaw {
namespace {

using Tokens = std::vector<std::pair<SqlToken, std::string_view>>;

std::string Written(const Tokens& tokens) {
  std::string out;
  SqlRules rules(out);
  for (const auto& [token, text] : tokens) rules.Token(token, text);
  return out;
}

constexpr std::pair<SqlToken, std::string_view> kOpen = {SqlToken::kOpen, "("},
                                                kClose = {SqlToken::kClose, ")"},
                                                kComma = {SqlToken::kComma, ","},
                                                kValue = {SqlToken::kValue, "?"},
                                                kName = {SqlToken::kName, "a"};

TEST(SqlRules, AListOfValuesIsOnePlaceholder) {
  EXPECT_EQ(Written({{SqlToken::kListKeyword, "IN"}, kOpen, kValue, kComma, kValue, kClose, kName}),
            "IN ( ? ) a");
}

TEST(SqlRules, FurtherRowsAreLeftOutUnlessTheyAreSubqueries) {
  const std::pair<SqlToken, std::string_view> values = {SqlToken::kListKeyword, "VALUES"};
  EXPECT_EQ(Written({values, kOpen, kValue, kClose, kComma, kOpen, kValue, kClose}), "VALUES ( ? )");
  EXPECT_EQ(Written({values, kOpen, kValue, kClose, kOpen, {SqlToken::kQuery, "SELECT"}, kName, kClose}),
            "VALUES ( ? ) ( SELECT a )");
}

TEST(SqlRules, TheTokenAfterAsIsLeftOut) {
  EXPECT_EQ(Written({kName, {SqlToken::kAs, "AS"}, {SqlToken::kName, "b"}, kComma, kName}), "a, a");
}

TEST(SqlRules, GoingBackTakesBackWhatWasWrittenAndWhatWasKnown) {
  std::string out;
  SqlRules rules(out);
  rules.Token(SqlToken::kName, "a");
  const SqlRules::State before = rules.state();
  rules.Token(SqlToken::kAs, "AS");
  rules.GoBackTo(before);
  rules.Token(SqlToken::kName, "b");
  EXPECT_EQ(out, "a b");
}

TEST(SqlToken, KeywordsHaveAnyCase) {
  EXPECT_EQ(SqlTokenOfName("select"), SqlToken::kQuery);
  EXPECT_EQ(SqlTokenOfName("Null"), SqlToken::kValue);
  EXPECT_EQ(SqlTokenOfName("in"), SqlToken::kListKeyword);
  EXPECT_EQ(SqlTokenOfName("selects"), SqlToken::kName);
}

}  // namespace
}  // namespace thaw
