#include "cc/base/utf8.h"

#include "gtest/gtest.h"

namespace thaw {
namespace {

TEST(Utf8, WellFormed) {
  for (const char* text : {"", "a", "exactly8", "longer than eight bytes", "\xC3\xA9", "\xE2\x82\xAC",
                           "\xF0\x9F\x98\x80", "\xED\x9F\xBF", "\xEE\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(IsValidUtf8(text)) << text;
    EXPECT_EQ(RepairUtf8(text), text);
  }
}

TEST(Utf8, ABadByteIsSeenWhereverItIs) {
  for (size_t size = 1; size <= 40; ++size) {
    const std::string good(size, 'a');
    EXPECT_TRUE(IsValidUtf8(good));
    for (size_t place = 0; place < size; ++place) {
      std::string bad = good;
      bad[place] = '\x80';
      EXPECT_FALSE(IsValidUtf8(bad)) << size << " bytes, the one at " << place;
    }
  }
}

TEST(Utf8, IllFormedPartsBecomeOneReplacementEach) {
  const std::string r = "\xEF\xBF\xBD";
  const std::pair<std::string, std::string> cases[] = {
      {"\x80", r},                          // a lone continuation byte
      {"\xC0\xAF", r + r},                  // overlong
      {"\xE0\x80\xAF", r + r + r},          // overlong
      {"\xED\xA0\x80", r + r + r},          // a surrogate
      {"\xF4\x90\x80\x80", r + r + r + r},  // over U+10FFFF
      {"\xF5", r},                          // never a first byte
      {"a\xE2\x82", "a" + r},               // cut off: one part
      {"a\xE2\x82z", "a" + r + "z"},        // ends early
      {"12345678\xFF"
       "12345678",
       "12345678" + r + "12345678"},
  };
  for (const auto& [bad, repaired] : cases) {
    EXPECT_FALSE(IsValidUtf8(bad));
    EXPECT_EQ(RepairUtf8(bad), repaired);
    EXPECT_TRUE(IsValidUtf8(RepairUtf8(bad)));
  }
}

TEST(Utf8, PartsComeToTheSameAsTheWhole) {
  for (const std::string_view text : {"aü€𝄞z", "a\xE2\x82z\xF0\x9D\x84", "\x80\x80\x80\x80\x80\x80\x80",
                                      "\xF4\x90\x80\x80\x80", "\xFFü\xED\xA0\x80"}) {
    for (size_t at = 0; at <= text.size(); ++at) {
      const size_t cut = Utf8Cut(text, at);
      EXPECT_LE(cut, at);
      EXPECT_LE(at - cut, 3u);
      EXPECT_EQ(RepairUtf8(text.substr(0, cut)) + RepairUtf8(text.substr(cut)), RepairUtf8(text)) << at;
      EXPECT_EQ(IsValidUtf8(text.substr(0, cut)) && IsValidUtf8(text.substr(cut)), IsValidUtf8(text)) << at;
    }
  }
}

TEST(Utf8, ACutTextEndsWithAWholeCharacter) {
  EXPECT_EQ(CutUtf8("aü", 2), "a");
  EXPECT_EQ(CutUtf8("aü", 3), "aü");
  EXPECT_EQ(CutUtf8("𝄞", 3), "");
  EXPECT_EQ(CutUtf8("", 0), "");
}

}  // namespace
}  // namespace thaw
