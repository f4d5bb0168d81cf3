#include "cc/base/printable.h"

#include <string>

#include "gtest/gtest.h"

namespace thaw {
namespace {

TEST(Printable, LeavesTextAsItIs) {
  for (const char* text : {"", "plain ~ text", "back\\slash \"quote\"", "Zo\u00eb \u65e5\u672c \U0001F600"}) {
    EXPECT_EQ(Printable(text), text);
  }
}

TEST(Printable, EscapesTerminalControlBytes) {
  EXPECT_EQ(Printable("a\r\nb\tc"), "a\\r\\nb\\tc");
  EXPECT_EQ(Printable("\x1b[31mred\x07\x7f"), "\\x1b[31mred\\x07\\x7f");
  EXPECT_EQ(Printable(std::string("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(Printable("\u009b31m \u0085"), "\\u009b31m \\u0085");
  EXPECT_EQ(Printable("a\u2028b\u2029c\u202ed\u2066e\u200ff\ufeff"),
            "a\\u2028b\\u2029c\\u202ed\\u2066e\\u200ff\\ufeff");
}

TEST(Printable, EscapesBytesThatAreNotUtf8) {
  EXPECT_EQ(Printable("a\xff\xfe"), "a\\xff\\xfe");
  EXPECT_EQ(Printable("\xc3"), "\\xc3");
  EXPECT_EQ(Printable("\xc3("), "\\xc3(");
  EXPECT_EQ(Printable("\x9b"), "\\x9b");
  EXPECT_EQ(Printable("\xe2\x80"), "\\xe2\\x80");
  EXPECT_EQ(Printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");
}

}  // namespace
}  // namespace thaw
