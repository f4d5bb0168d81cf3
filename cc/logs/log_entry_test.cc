#include "cc/logs/log_entry.h"

#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/match.h"
#include "boost/json/parse.hpp"
#include "boost/json/serialize.hpp"
#include "boost/json/value.hpp"
#include "gtest/gtest.h"

namespace thaw {
namespace {

class LogEntryTest : public testing::Test {
 protected:
  LogEntryTest() { writer_.SetTags("env:prod,quote:\""); }

  LogEntry Entry(std::string_view text, bool escaped = false) {
    text_ = text;
    return {.time = absl::FromUnixMillis(1767323045678),
            .pieces = {&text_, 1},
            .escaped = escaped,
            .status = LogStatus::kWarn,
            .request_id = "8f5"};
  }
  boost::json::value Written(const LogEntry& entry) {
    std::string body;
    cut_ = writer_.Append(entry, body);
    size_ = body.size();
    return boost::json::parse(body);
  }

  LogEntryWriter writer_{{.function_arn = "arn:aws:lambda:eu-west-1:1:function:f", .service = "Checkout"}};
  std::string_view text_;
  bool cut_ = false;
  size_t size_ = 0;
};

TEST_F(LogEntryTest, TheJsonOfTheIntake) {
  EXPECT_EQ(boost::json::serialize(Written(Entry("a \"b\"\n"))),
            R"({"message":{"message":"a \"b\"\n","lambda":{"arn":"arn:aws:lambda:eu-west-1:1:function:f",)"
            R"("request_id":"8f5"},"timestamp":1767323045678,"status":"warn"},)"
            R"("hostname":"arn:aws:lambda:eu-west-1:1:function:f","service":"checkout",)"
            R"("ddtags":"env:prod,quote:\"","ddsource":"lambda"})");
}

TEST_F(LogEntryTest, MissingPartsAreNullAndTagsOfTheLineAreAdded) {
  LogEntry entry = Entry(R"(already \"escaped\")", /*escaped=*/true);
  entry.request_id = {};
  entry.tags = "own:tag";
  entry.durable = {.id = "execution", .name = "order"};
  const boost::json::value written = Written(entry);
  EXPECT_EQ(written.at("message").at("message").as_string(), "already \"escaped\"");
  const boost::json::object& lambda = written.at("message").at("lambda").as_object();
  EXPECT_TRUE(lambda.at("request_id").is_null());
  EXPECT_EQ(lambda.at("durable_function.execution_id").as_string(), "execution");
  EXPECT_EQ(lambda.at("durable_function.execution_name").as_string(), "order");
  EXPECT_EQ(written.at("ddtags").as_string(), "env:prod,quote:\",own:tag");
}

TEST_F(LogEntryTest, ALongLineIsCutBetweenCharactersAndSaysSo) {
  for (const std::string_view unit : {"x", "\xc3\xa9", "\"", "\x01"}) {
    std::string text;
    while (text.size() < 6'000'000) text.append(unit);
    const boost::json::value written = Written(Entry(text));
    EXPECT_TRUE(cut_);
    EXPECT_LE(size_, LogEntryWriter::kMaxEntryBytes);
    EXPECT_GT(size_, LogEntryWriter::kMaxEntryBytes / 2);
    const boost::json::string& message = written.at("message").at("message").as_string();
    EXPECT_TRUE(absl::EndsWith(std::string_view(message), LogEntryWriter::kCutMarker));
  }
  const std::string escaped(2'000'000, '\\');  // a million backslashes, escaped
  Written(Entry(escaped, /*escaped=*/true));
  EXPECT_TRUE(cut_);
  Written(Entry("short"));
  EXPECT_FALSE(cut_);
}

TEST_F(LogEntryTest, ATextThatWasCutBeforeSaysSo) {
  LogEntry entry = Entry("beginning");
  entry.cut = true;
  const boost::json::value written = Written(entry);
  EXPECT_TRUE(cut_);
  EXPECT_EQ(written.at("message").at("message").as_string(), "beginning...TRUNCATED...");
}

TEST_F(LogEntryTest, ACutIsToldWhereverTheLimitMeetsACharacterOrAnEscape) {
  const std::pair<std::string_view, bool> units[] = {
      {"\xf0\x9f\x98\x80", false}, {R"(\n)", true}, {R"(\u00e9)", true}, {R"(\ud83d\ude00)", true}};
  for (const auto& [unit, escaped] : units) {
    for (size_t shift = 0; shift < unit.size(); ++shift) {
      std::string text(shift, 'x');
      while (text.size() < 1'100'000) text.append(unit);
      const boost::json::value written = Written(Entry(text, escaped));
      EXPECT_TRUE(cut_) << unit << " after " << shift;
      const boost::json::string& message = written.at("message").at("message").as_string();
      EXPECT_TRUE(absl::EndsWith(std::string_view(message), LogEntryWriter::kCutMarker));
    }
  }
}

}  // namespace
}  // namespace thaw
