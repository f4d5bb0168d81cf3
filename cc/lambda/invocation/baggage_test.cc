#include "cc/lambda/invocation/baggage.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(BaggageTest, TagsOfTheKeysThatAreAskedFor) {
  const std::string_view header = "user.id=amelie , session.id=789;secure;ttl=3,other=x";
  EXPECT_THAT(BaggageTags(header, {"user.id", "session.id", "account.id"}),
              ElementsAre(Pair("baggage.session.id", "789"), Pair("baggage.user.id", "amelie")));
  EXPECT_THAT(BaggageTags(header, {"*"}),
              ElementsAre(Pair("baggage.other", "x"), Pair("baggage.session.id", "789"),
                          Pair("baggage.user.id", "amelie")));
  EXPECT_THAT(BaggageTags(header, {}), IsEmpty());
}

TEST(BaggageTest, DecodesKeysAndValues) {
  EXPECT_THAT(BaggageTags("a%2Cb=%C3%A9%20=1,empty=", {"*"}),
              ElementsAre(Pair("baggage.a,b", "\xC3\xA9 =1"), Pair("baggage.empty", "")));
}

TEST(BaggageTest, ABadItemLosesNoOther) {
  EXPECT_THAT(BaggageTags(",,no value,=1,a=%zz,b=2;x=%zz,b=3,%4=5", {"*"}),
              ElementsAre(Pair("baggage.b", "2")));
}

TEST(BaggageTest, IsBounded) {
  std::string header;
  for (int i = 0; i < 1000; ++i) absl::StrAppend(&header, i, "=x,");
  EXPECT_EQ(BaggageTags(header, {"*"}).size(), 64u);
  // An item that the limit cuts is dropped.
  const std::string big = absl::StrCat("a=1,b=", std::string(9000, 'x'));
  EXPECT_THAT(BaggageTags(big, {"*"}), ElementsAre(Pair("baggage.a", "1")));
  EXPECT_THAT(BaggageTags(std::string(9000, 'x'), {"*"}), IsEmpty());
}

}  // namespace
}  // namespace thaw
