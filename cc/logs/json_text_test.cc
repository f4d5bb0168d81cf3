#include "cc/logs/json_text.h"

#include <string>

#include "boost/json/parse.hpp"
#include "boost/json/value.hpp"
#include "gtest/gtest.h"

namespace thaw {
namespace {

std::string Escaped(std::string_view text) {
  std::string out;
  AppendJsonEscaped(text, out);
  return out;
}
std::string Unescaped(std::string_view inside) {
  std::string out;
  AppendJsonUnescaped(inside, out);
  return out;
}

TEST(JsonTextTest, EachByteBelow128SurvivesAnIndependentReader) {
  std::string all;
  for (int c = 0; c < 128; ++c) all.push_back(static_cast<char>(c));
  EXPECT_EQ(std::string_view(boost::json::parse("\"" + Escaped(all) + "\"").as_string()), all);
  EXPECT_EQ(Unescaped(Escaped(all)), all);
}

TEST(JsonTextTest, EscapesOfOtherWritersAreRead) {
  EXPECT_EQ(Unescaped(R"(\/\b\f\n\r\t\"\\)"), "/\b\f\n\r\t\"\\");
  EXPECT_EQ(Unescaped(R"(\u00e9\u20AC\ud83D\uDE00!)"), "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80!");
  EXPECT_EQ(Unescaped(R"(\ud83d \ude00 \ud83d\u0041)"),
            "\xef\xbf\xbd \xef\xbf\xbd \xef\xbf\xbd"
            "A");
}

TEST(JsonTextTest, HalfPairsAreSuspectedAndBackslashesBeforeAnU) {
  EXPECT_TRUE(MayHaveHalfPairs(R"(a\ud83d)"));
  EXPECT_TRUE(MayHaveHalfPairs(R"(a\uD83D\uDc00)"));
  EXPECT_FALSE(MayHaveHalfPairs(R"(\ud7ff\u00d8)"));
  EXPECT_FALSE(MayHaveHalfPairs(R"(a\\ud83d)"));
  EXPECT_FALSE(MayHaveHalfPairs("none"));
}

TEST(JsonTextTest, ACutSplitsNothing) {
  const std::string_view inside = R"(ab\n\u00e9\ud83d\ude00\\z)";
  for (size_t most = 0; most <= inside.size(); ++most) {
    const std::string_view cut = CutEscaped(inside, most);
    EXPECT_LE(cut.size(), most);
    EXPECT_TRUE(Unescaped(inside).starts_with(Unescaped(cut))) << most;
    boost::system::error_code error;
    boost::json::parse("\"" + std::string(cut) + "\"", error);
    EXPECT_FALSE(error) << most << " " << cut;
  }
  EXPECT_EQ(CutEscaped(inside, 3), "ab");
  EXPECT_EQ(CutEscaped(inside, 4), "ab\\n");
  EXPECT_EQ(CutEscaped(inside, 21), R"(ab\n\u00e9)") << "a pair stays together";
}

}  // namespace
}  // namespace thaw
