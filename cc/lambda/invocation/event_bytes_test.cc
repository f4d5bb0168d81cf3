#include "cc/lambda/invocation/event_bytes.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "boost/json/parse.hpp"
#include "boost/json/value.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::optional<std::string> Listed(std::string_view text) { return ListedBytes(boost::json::parse(text)); }
std::optional<std::string> Bytes(std::string_view text) {
  return ListedOrBase64Bytes(boost::json::parse(text));
}

TEST(EventBytesTest, EveryFormOfAListIsRead) {
  for (const char* form :
       {"[49,55]", R"({"0":49,"1":55})", R"({"1":55,"0":49,"length":2})", R"(["49","55"])",
        R"({"0":"49","1":"55"})", "[49.0,55.0]", R"(["49.0","55"])", R"("[49, 55]")", R"("49,55")",
        R"("[49 55]")", R"(" [ 49  55 ] ")", R"({"type":"Buffer","data":[49,55]})",
        R"({"hb":{"0":49,"1":55},"offset":0})", R"({"data":"[49,55]"})"})
    EXPECT_EQ(Listed(form), "17") << form;
  EXPECT_EQ(Listed("[]"), "");
  EXPECT_EQ(Listed("{}"), "");
}

TEST(EventBytesTest, SignedBytesAreBytes) {
  EXPECT_EQ(Listed("[122,111,-61,-85]"), "zo\xc3\xab");
  EXPECT_EQ(Listed(R"({"0":122,"1":111,"2":"-61","3":"-85"})"), "zo\xc3\xab");
  EXPECT_EQ(Listed("[-128,-1,0,127,128,255]"), std::string("\x80\xff\0\x7f\x80\xff", 6));
}

TEST(EventBytesTest, AListWithAnyOtherElementIsNoBytes) {
  for (const char* form : {"null",
                           "7",
                           "true",
                           "\"\"",
                           "\"17\"",
                           "\"[]\"",
                           "\"[a]\"",
                           "\"[ ]\"",
                           "\"[49 a]\"",
                           "\"49 55\"",
                           "\"a,b\"",
                           "[256]",
                           "[-129]",
                           "[1.5]",
                           "[null]",
                           "[[1]]",
                           "[true]",
                           R"(["x"])",
                           R"([49,""])",
                           R"({"a":1})",
                           R"({"data":{"data":[1]}})",
                           R"({"data":null})",
                           R"({"0":49,"2":50})",
                           R"({"0":49,"1":50,"4294967298":51})",
                           R"({"hb":{"0":49,"2":55},"offset":0})",
                           "[1e300]"})
    EXPECT_EQ(Listed(form), std::nullopt) << form;
}

TEST(EventBytesTest, Base64IsReadWhereBytesAreMeant) {
  for (const char* form : {"[49,55]", "\"MTc=\"", "\"MTc\""}) EXPECT_EQ(Bytes(form), "17") << form;
  EXPECT_EQ(Bytes("\"-_8\""), "\xfb\xff");
  EXPECT_EQ(Bytes("\"%%\""), std::nullopt);
  EXPECT_EQ(Bytes("{\"a\":1}"), std::nullopt);
}

TEST(EventBytesTest, ItemsComeInTheOrderOfTheirNumbers) {
  const auto items = [](std::string_view text) {
    std::vector<int64_t> items;
    ForEachItem(boost::json::parse(text),
                [&items](const boost::json::value& item) { items.push_back(item.as_int64()); });
    return items;
  };
  EXPECT_THAT(items("[3,2]"), ElementsAre(3, 2));
  EXPECT_THAT(items(R"({"1":2,"10":9,"0":3,"2":4})"), ElementsAre(3, 2, 4, 9));
  EXPECT_THAT(items(R"({"0":3,"2":9,"01":5,"x":6,"-1":7,"":8})"), ElementsAre(3, 9));
  EXPECT_THAT(items("{}"), IsEmpty());
  EXPECT_THAT(items("7"), IsEmpty());
  EXPECT_EQ(FirstItem(boost::json::parse("[]")), nullptr);
  EXPECT_EQ(FirstItem(boost::json::parse(R"({"1":2})")), nullptr);
}

}  // namespace
}  // namespace thaw
