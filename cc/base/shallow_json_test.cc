#include "cc/base/shallow_json.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "boost/json/serialize.hpp"
#include "gtest/gtest.h"

namespace thaw {
namespace {

std::string Nested(size_t depth, char open = '[', char close = ']') {
  return absl::StrCat(std::string(depth, open), std::string(depth, close));
}

// Returns the parsed value serialised, or the error's text.
std::string Read(const std::string& text) {
  boost::system::error_code error;
  const boost::json::value value = ParseShallowJson(text, error);
  return error ? error.message() : boost::json::serialize(value);
}

TEST(ShallowJson, ReadsUsualNesting) {
  for (const std::string& text : {std::string("null"), std::string(R"({"a":[1,{"b":"]}\"["}]})"),
                                  Nested(kMaxShallowDepth), std::string("\"[[[\"")}) {
    EXPECT_EQ(Read(text), text);
  }
}

TEST(ShallowJson, LeavesOutOnlyValuesNestedTooDeeply) {
  EXPECT_EQ(Read(Nested(kMaxShallowDepth + 1)),
            absl::StrCat(std::string(kMaxShallowDepth, '['), "null", std::string(kMaxShallowDepth, ']')));
  const std::string kept =
      absl::StrCat(std::string(kMaxShallowDepth - 1, '['), "null", std::string(kMaxShallowDepth - 1, ']'));
  for (const size_t depth : {kMaxShallowDepth, size_t{1000}, size_t{60'000}, size_t{1'000'000}}) {
    EXPECT_EQ(
        Read(absl::StrCat(R"({"first":1,"deep":)", Nested(depth), R"(,"between":"]","deep too":)",
                          Nested(depth), R"(,"last":2})")),
        absl::StrCat(R"({"first":1,"deep":)", kept, R"(,"between":"]","deep too":)", kept, R"(,"last":2})"))
        << depth;
  }
  std::string objects;
  for (int i = 0; i < 60'000; ++i) objects += R"({"\"}":)";
  EXPECT_EQ(
      Read(absl::StrCat(R"({"a":[)", objects, "7", std::string(60'000, '}'), R"(],"b":2})")).substr(0, 5),
      R"({"a":)");
}

TEST(ShallowJson, InvalidJsonIsAnError) {
  for (const std::string& text :
       {std::string(60'000, '['), std::string(60'000, ']'), absl::StrCat(Nested(100), "]"),
        absl::StrCat("[", Nested(100)), absl::StrCat(Nested(100), "\""), std::string("{\"a\":\"\\"),
        std::string(), absl::StrCat("{\"a\":", std::string(60'000, '['))}) {
    boost::system::error_code error;
    EXPECT_TRUE(ParseShallowJson(text, error).is_null());
    EXPECT_TRUE(error.failed()) << text.substr(0, 20);
  }
}

}  // namespace
}  // namespace thaw
