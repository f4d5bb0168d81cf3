#include "cc/config/pretty_json.h"

#include "gtest/gtest.h"

namespace thaw {
namespace {

TEST(PrettyJsonTest, OneMemberToALine) {
  PrettyJson json;
  json.Open('{');
  json.Add("text", "a\"\n\\");
  json.Add("number", -3);
  json.Add("flag", true);
  json.Add("seconds", absl::Milliseconds(2500));
  json.Add("whole", absl::Seconds(30));
  json.Open('[', "none");
  json.Close(']');
  json.Open('{', "deeper");
  json.Open('[', "list");
  json.Add("a");
  json.Add("\xff");
  json.Close(']');
  json.Add("last", false);
  json.Close('}');
  json.Close('}');
  EXPECT_EQ(std::move(json).Take(),
            "{\n"
            "  \"text\": \"a\\\"\\n\\\\\",\n"
            "  \"number\": -3,\n"
            "  \"flag\": true,\n"
            "  \"seconds\": 2.5,\n"
            "  \"whole\": 30,\n"
            "  \"none\": [],\n"
            "  \"deeper\": {\n"
            "    \"list\": [\n"
            "      \"a\",\n"
            "      \"\xEF\xBF\xBD\"\n"
            "    ],\n"
            "    \"last\": false\n"
            "  }\n"
            "}");
}

TEST(PrettyJsonTest, EmptyObject) {
  PrettyJson json;
  json.Open('{');
  json.Close('}');
  EXPECT_EQ(std::move(json).Take(), "{}");
}

}  // namespace
}  // namespace thaw
