#include "cc/config/yaml_source.h"

#include <string>

#include "gtest/gtest.h"

namespace thaw {
namespace {

std::string Refused(std::string_view text) { return std::string(CheckYamlCharacters(text).message()); }

TEST(YamlSourceTest, CharactersThatYamlDoesNotAllowAreNamedWithTheirPlace) {
  EXPECT_TRUE(CheckYamlCharacters("site: d\xc3\xa4\r\n\ttab\n").ok());
  EXPECT_TRUE(CheckYamlCharacters("").ok());
  EXPECT_EQ(Refused(std::string_view("a: b\nc: d\0e\n", 11)),
            "line 2, column 5: a NUL character, which YAML does not allow");
  EXPECT_EQ(Refused("a: \x1b[31m"), "line 1, column 4: a control character, 0x1b, which YAML does not allow");
  EXPECT_EQ(Refused("a: \x7f"), "line 1, column 4: a control character, 0x7f, which YAML does not allow");
  EXPECT_EQ(Refused("a: b\r\nc: d\re: f\r\n"),
            "line 2, column 5: a carriage return without a line feed behind it, which ends no line here");
  EXPECT_FALSE(CheckYamlCharacters("a: b\r").ok());
  EXPECT_EQ(Refused("a: b\nc: \xff\nd: e"), "line 2, column 1: the line is not UTF-8");
  // UTF-16, as an editor on Windows may write it.
  EXPECT_FALSE(CheckYamlCharacters(std::string_view("\xff\xfe"
                                                    "a\0:\0",
                                                    6))
                   .ok());
}

TEST(YamlSourceTest, AQuoteThatIsNotClosedIsFound) {
  EXPECT_EQ(CheckQuotes("a: \"b\"", 3, 0), QuoteFault::kNone);
  EXPECT_EQ(CheckQuotes("a: \"b", 3, 0), QuoteFault::kNotClosed);
  EXPECT_EQ(CheckQuotes("a: 'b", 3, 0), QuoteFault::kNotClosed);
  EXPECT_EQ(CheckQuotes("a: 'b''", 3, 0), QuoteFault::kNotClosed) << "a doubled quote is one character";
  EXPECT_EQ(CheckQuotes("a: 'b'''", 3, 0), QuoteFault::kNone);
  EXPECT_EQ(CheckQuotes("a: \"b\\\"", 3, 0), QuoteFault::kNotClosed) << "an escaped quote is a character";
  EXPECT_EQ(CheckQuotes("a: \"b\\\\\"", 3, 0), QuoteFault::kNone);
  EXPECT_EQ(CheckQuotes("a: \"b'", 3, 0), QuoteFault::kNotClosed);
  EXPECT_EQ(CheckQuotes("a: b\"c", 3, 0), QuoteFault::kNone) << "it begins without a quote";
}

TEST(YamlSourceTest, FurtherLinesOfAQuotedTextAreIndented) {
  EXPECT_EQ(CheckQuotes("a: \"b\n  c\"", 3, 0), QuoteFault::kNone);
  EXPECT_EQ(CheckQuotes("a: \"b\n\n  c\"", 3, 0), QuoteFault::kNone) << "an empty line has no indentation";
  EXPECT_EQ(CheckQuotes("a: \"b\nc: \"", 3, 0), QuoteFault::kNotIndented);
  EXPECT_EQ(CheckQuotes("a:\n  b: \"c\n  d: \"", 8, 2), QuoteFault::kNotIndented);
  EXPECT_EQ(CheckQuotes("a: \"b\\\nc\"", 3, 0), QuoteFault::kNotIndented);
  EXPECT_EQ(CheckQuotes("a: \"b\r\n\r\n  c\"", 3, 0), QuoteFault::kNone);
}

TEST(YamlSourceTest, AnchorsAndTagsStandBeforeTheQuote) {
  EXPECT_EQ(CheckQuotes("a: &x !!str \"b", 3, 0), QuoteFault::kNotClosed);
  EXPECT_EQ(CheckQuotes("a: !!str # remark \"\n  'b'", 3, 0), QuoteFault::kNone);
  EXPECT_EQ(CheckQuotes("a: &x", 3, 0), QuoteFault::kNone);
  EXPECT_EQ(CheckQuotes("a: !", 3, 0), QuoteFault::kNone);
  EXPECT_EQ(CheckQuotes("\xef\xbb\xbf"
                        "a: \"b",
                        3, 0),
            QuoteFault::kNotClosed)
      << "after a byte order mark";
}

}  // namespace
}  // namespace thaw
