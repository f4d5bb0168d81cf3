#include "cc/base/json_special.h"

#include <gtest/gtest.h>

#include <string>

namespace thaw {
namespace {

TEST(JsonSpecial, EveryByteIsFoundAtEveryPlaceOrPassedOver) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    for (size_t size = 1; size <= 25; ++size) {
      for (size_t at = 0; at < size; ++at) {
        std::string text(size, 'x');
        text[at] = c;
        EXPECT_EQ(FindJsonSpecial(text, 0), IsJsonSpecial(c) ? at : size)
            << byte << " at " << at << " of " << size;
      }
    }
  }
}

TEST(JsonSpecial, FirstOfTwoIsFoundBesideEveryOtherByte) {
  for (const char special : {'"', '\\', '\n', '\0', '\x1f'}) {
    for (int byte = 0; byte < 256; ++byte) {
      const char c = static_cast<char>(byte);
      for (size_t at = 0; at + 1 < 16; ++at) {
        std::string text(16, 'x');
        text[at] = c;
        text[at + 1] = special;
        EXPECT_EQ(FindJsonSpecial(text, 0), IsJsonSpecial(c) ? at : at + 1) << byte << " before " << +special;
      }
    }
  }
}

TEST(JsonSpecial, SearchBeginsWhereItIsTold) {
  const std::string text = "\"ordinary\" text";
  EXPECT_EQ(FindJsonSpecial(text, 0), 0);
  EXPECT_EQ(FindJsonSpecial(text, 1), 9);
  EXPECT_EQ(FindJsonSpecial(text, 10), text.size());
  EXPECT_EQ(FindJsonSpecial(text, text.size()), text.size());
  EXPECT_EQ(FindJsonSpecial("", 0), 0);
}

TEST(JsonSpecial, QuotesBackslashesAndControlCharactersAreSpecial) {
  int special = 0;
  for (int byte = 0; byte < 256; ++byte) special += IsJsonSpecial(static_cast<char>(byte)) ? 1 : 0;
  EXPECT_EQ(special, 0x20 + 2);
  EXPECT_TRUE(IsJsonSpecial('"'));
  EXPECT_TRUE(IsJsonSpecial('\\'));
  EXPECT_FALSE(IsJsonSpecial('/'));
  EXPECT_FALSE(IsJsonSpecial('\x7f'));
}

}  // namespace
}  // namespace thaw
