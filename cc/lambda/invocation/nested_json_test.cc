#include "cc/lambda/invocation/nested_json.h"

#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "boost/json/parse.hpp"
#include "boost/json/serialize.hpp"
#include "boost/json/string.hpp"
#include "boost/json/value.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

std::string Nested(std::string_view text) {
  const boost::json::value value = boost::json::string(text);
  return boost::json::serialize(NestedJson(&value));
}

std::string NestedBytes(const boost::json::value& value) {
  return boost::json::serialize(NestedBytesJson(&value));
}

TEST(NestedJsonTest, ATextIsReadAsJson) {
  EXPECT_EQ(Nested(R"({"a":[1]})"), R"({"a":[1]})");
  for (const char* text : {"", "no JSON", "{", "{}}"}) EXPECT_EQ(Nested(text), "null") << text;
}

TEST(NestedJsonTest, JsonThatARuntimeHasParsedIsKept) {
  const boost::json::value object = boost::json::parse(R"({"a":1})");
  EXPECT_EQ(NestedJson(&object), object);
  const boost::json::value list = boost::json::parse("[1]");
  EXPECT_TRUE(NestedJson(&list).is_null());
  EXPECT_TRUE(NestedJson(nullptr).is_null());
  EXPECT_TRUE(NestedBytesJson(nullptr).is_null());
}

TEST(NestedJsonTest, BytesAreReadInEachOfTheirForms) {
  EXPECT_EQ(NestedBytes(boost::json::string(absl::Base64Escape(R"({"a":1})"))), R"({"a":1})");
  EXPECT_EQ(NestedBytes(boost::json::parse("[123,125]")), "{}");
  EXPECT_EQ(NestedBytes(boost::json::string(R"({"a":1})")), R"({"a":1})");
  EXPECT_EQ(NestedBytes(boost::json::parse(R"({"a":1})")), R"({"a":1})");
  EXPECT_EQ(NestedBytes(boost::json::parse("17")), "null");
}

TEST(NestedJsonTest, TextLongerThanAnyMessageIsNotRead) {
  const std::string_view begin = "{\"a\":\"", end = "\"}";
  const auto of_size = [&](size_t size) {
    return absl::StrCat(begin, std::string(size - begin.size() - end.size(), 'x'), end);
  };
  EXPECT_NE(Nested(of_size(1 << 20)), "null");
  EXPECT_EQ(Nested(of_size((1 << 20) + 1)), "null");
}

}  // namespace
}  // namespace thaw
