#include "cc/logs/log_processor.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cc/base/fake_byte_account.h"
#include "cc/logs/json_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view kFirst = "11111111-1111-4111-8111-111111111111";
constexpr std::string_view kSecond = "22222222-2222-4222-8222-222222222222";

// A line as the intake would show it.
struct Line {
  std::string text;
  std::string request_id;
  LogStatus status;
  std::string tags;
  bool cut = false;

  friend bool operator==(const Line&, const Line&) = default;
  friend void PrintTo(const Line& line, std::ostream* out) {
    *out << ToString(line.status) << " [" << line.request_id << "] " << line.text << " {" << line.tags << "}";
  }
};

class LogProcessorTest : public testing::Test {
 protected:
  void Make(LogProcessorOptions options = {}) {
    processor_ = std::make_unique<LogProcessor>(std::move(options), [this](const LogEntry& entry) {
      Line line{.request_id = std::string(entry.request_id),
                .status = entry.status,
                .tags = std::string(entry.tags),
                .cut = entry.cut};
      for (const std::string_view piece : entry.pieces)
        entry.escaped ? AppendJsonUnescaped(piece, line.text) : static_cast<void>(line.text.append(piece));
      lines_.push_back(std::move(line));
    });
  }
  void SetUp() override { Make(); }

  template <typename Record>
  void Take(Record record) {
    processor_->Take({.time = now_, .record = std::move(record)});
  }
  void Write(std::string_view json) { Take(FunctionLog{json}); }
  void Start(std::string_view id) { Take(PlatformStart{.request_id = std::string(id), .version = "7"}); }
  void End(std::string_view id, TelemetryStatus status = TelemetryStatus::kSuccess) {
    Take(PlatformRuntimeDone{.request_id = std::string(id), .status = status, .duration = absl::Seconds(1)});
  }
  void Report(std::string_view id) {
    Take(PlatformReport{.request_id = std::string(id),
                        .duration = absl::Milliseconds(1500),
                        .billed_duration = absl::Milliseconds(1500),
                        .memory_size_megabytes = 128,
                        .max_memory_used_megabytes = 64});
  }
  // Returns and forgets the lines so far.
  std::vector<Line> Taken() { return std::exchange(lines_, {}); }
  std::vector<std::string> Texts() {
    std::vector<std::string> texts;
    for (Line& line : Taken()) texts.push_back(std::move(line.text));
    return texts;
  }
  std::vector<std::string> Ids() {
    std::vector<std::string> ids;
    for (Line& line : Taken()) ids.push_back(std::move(line.request_id));
    return ids;
  }
  void UseRules(std::string_view json) {
    std::vector<std::string> errors;
    LogProcessorOptions options;
    options.rules = ProcessingRules(json, errors);
    Make(std::move(options));
  }

  absl::Time now_ = absl::FromUnixSeconds(1'767'323'045);
  std::unique_ptr<LogProcessor> processor_;
  std::vector<Line> lines_;
};

// -- Text, level, tags -------------------------------------------------------------------------------------

TEST_F(LogProcessorTest, AStringIsItsTextAndInfo) {
  Start(kFirst);
  Taken();
  Write(R"("said \"hi\"\tto \u00e9\n")");
  EXPECT_THAT(Taken(),
              ElementsAre(Line{"said \"hi\"\tto \xc3\xa9\n", std::string(kFirst), LogStatus::kInfo, ""}));
}

TEST_F(LogProcessorTest, AnObjectIsItsJsonWithItsLevel) {
  Start(kFirst);
  Taken();
  Write(R"({"level":"ERROR","message":"a \"b\""})");
  EXPECT_THAT(Taken(), ElementsAre(Line{R"({"level":"ERROR","message":"a \"b\""})", std::string(kFirst),
                                        LogStatus::kError, ""}));
}

TEST_F(LogProcessorTest, LevelsOfEachSpelling) {
  const auto status = [this](std::string_view members) {
    Write(absl::StrCat("{", members, "}"));
    Write(absl::StrCat(
        "\"{",
        [&] {
          std::string escaped;
          AppendJsonEscaped(members, escaped);
          return escaped;
        }(),
        "}\""));
    const std::vector<Line> lines = Taken();
    EXPECT_EQ(lines[0].status, lines[1].status) << "a string that is an object is looked into";
    return lines[0].status;
  };
  Start(kFirst);
  Taken();
  EXPECT_EQ(status(R"("level":"Fatal")"), LogStatus::kCritical);
  EXPECT_EQ(status(R"("level":"CRITICAL")"), LogStatus::kCritical);
  EXPECT_EQ(status(R"("level":"err")"), LogStatus::kError);
  EXPECT_EQ(status(R"("level":"WARNING")"), LogStatus::kWarn);
  EXPECT_EQ(status(R"("level":"warn")"), LogStatus::kWarn);
  EXPECT_EQ(status(R"("level":"Information")"), LogStatus::kInfo);
  EXPECT_EQ(status(R"("level":"debug")"), LogStatus::kDebug);
  EXPECT_EQ(status(R"("level":"TRACE")"), LogStatus::kTrace);
  EXPECT_EQ(status(R"("status":"error")"), LogStatus::kError);
  EXPECT_EQ(status(R"("status":"error","level":"debug")"), LogStatus::kDebug) << "the level counts first";
  EXPECT_EQ(status(R"("status":200)"), LogStatus::kInfo);
  EXPECT_EQ(status(R"("level":"loud")"), LogStatus::kInfo);
  EXPECT_EQ(status(R"("a":{"level":"error"})"), LogStatus::kInfo) << "only the outer object counts";
}

TEST_F(LogProcessorTest, TagsAreMovedOutOfTheText) {
  Start(kFirst);
  Taken();
  Write(R"({"ddtags":"a:b,c:d","level":"warn","n":1})");
  Write(R"({"n":1,"ddtags":"a:b"})");
  Write(R"({"ddtags":"a:b"})");
  Write(R"({"message":{"x":1,"ddtags":"a:b","y":2},"level":"error"})");
  Write(R"("{\"n\":\"\\\"\",\"ddtags\":\"a:b\",\"m\":2}")");
  EXPECT_THAT(Taken(),
              ElementsAre(Line{R"({"level":"warn","n":1})", std::string(kFirst), LogStatus::kWarn, "a:b,c:d"},
                          Line{R"({"n":1})", std::string(kFirst), LogStatus::kInfo, "a:b"},
                          Line{"{}", std::string(kFirst), LogStatus::kInfo, "a:b"},
                          Line{R"({"x":1,"y":2})", std::string(kFirst), LogStatus::kError, "a:b"},
                          Line{R"({"n":"\"","m":2})", std::string(kFirst), LogStatus::kInfo, "a:b"}));
}

TEST_F(LogProcessorTest, TagsOfAWrongTypeStayInTheText) {
  Start(kFirst);
  Taken();
  Write(R"({"ddtags":["a:b"]})");
  Write(R"({"message":{"ddtags":7}})");
  EXPECT_THAT(Texts(), ElementsAre(R"({"ddtags":["a:b"]})", R"({"message":{"ddtags":7}})"));
}

TEST_F(LogProcessorTest, ValuesWithoutTextAreCounted) {
  for (const char* json : {"7", "null", "true", "[1]"}) Write(json);
  EXPECT_THAT(Taken(), IsEmpty());
  EXPECT_EQ(processor_->counts().without_text, 4);
}

TEST_F(LogProcessorTest, HalfOfASurrogatePairIsReplaced) {
  Start(kFirst);
  Taken();
  Write(R"("a\ud83d b \ud83d\ude00")");
  EXPECT_THAT(Texts(), ElementsAre("a\xef\xbf\xbd b \xf0\x9f\x98\x80"));
}

TEST_F(LogProcessorTest, HalfOfASurrogatePairInTagsAndNamesDoesNoHarm) {
  Start(kFirst);
  Taken();
  Write(R"({"ddtags":"a:\ud83d","requestId":"\ud83d","n":1})");
  EXPECT_THAT(Taken(), ElementsAre(Line{R"({"requestId":"\ud83d","n":1})", std::string(kFirst),
                                        LogStatus::kInfo, "a:\xef\xbf\xbd"}));
  Take(PlatformReport{.request_id = "\xed\xa0\xbd"});
  EXPECT_THAT(Ids(), ElementsAre("\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"));
}

// -- Platform lines ----------------------------------------------------------------------------------------

TEST_F(LogProcessorTest, PlatformRecordsBecomeTheLinesOfLambda) {
  Take(PlatformInitStart{.runtime_version = "python:3.13.v22"});
  Start(kFirst);
  End(kFirst);
  Report(kFirst);
  EXPECT_THAT(
      Texts(),
      ElementsAre("INIT_START Runtime Version: python:3.13.v22 Runtime Version ARN: ?",
                  absl::StrCat("START RequestId: ", kFirst, " Version: 7"),
                  absl::StrCat("END RequestId: ", kFirst),
                  absl::StrCat("REPORT RequestId: ", kFirst,
                               " Duration: 1500.00 ms Runtime Duration: 1000.00 ms Post Runtime Duration: "
                               "500.00 ms Billed Duration: 1500 ms Memory Size: 128 MB Max Memory Used: 64 "
                               "MB")));
}

TEST_F(LogProcessorTest, AFailedInvocationEndsWithAnErrorWhateverItsStatusIsCalled) {
  Start(kFirst);
  Taken();
  Take(PlatformRuntimeDone{
      .request_id = std::string(kFirst), .status = TelemetryStatus::kTimeout, .duration = absl::Seconds(3)});
  Take(PlatformRuntimeDone{.request_id = std::string(kFirst),
                           .status = TelemetryStatus::kError,
                           .error_type = "Runtime.ExitError"});
  Take(PlatformRuntimeDone{.request_id = std::string(kFirst), .status = TelemetryStatus::kFailure});
  const std::string end = absl::StrCat("END RequestId: ", kFirst);
  EXPECT_THAT(Taken(), ElementsAre(Line{absl::StrCat(end, " Task timed out after 3.00 seconds"),
                                        std::string(kFirst), LogStatus::kError, ""},
                                   Line{absl::StrCat(end, " Task failed: \"Runtime.ExitError\""),
                                        std::string(kFirst), LogStatus::kError, ""},
                                   Line{absl::StrCat(end, " Task failed: \"\""), std::string(kFirst),
                                        LogStatus::kError, ""}));
}

TEST_F(LogProcessorTest, AReportHasNoRuntimeOfAnotherInvocation) {
  Start(kFirst);
  End(kFirst);
  Start(kSecond);
  Take(PlatformRuntimeDone{.request_id = std::string(kSecond)});
  Taken();
  Report(kSecond);
  EXPECT_THAT(Texts(), ElementsAre(testing::Not(testing::HasSubstr("Runtime Duration"))));
}

// -- Requests ----------------------------------------------------------------------------------------------

TEST_F(LogProcessorTest, LinesOfTheStartGoToTheFirstInvocation) {
  Take(PlatformInitStart{});
  Write("\"loading\"");
  Take(ExtensionLog{"\"extension\""});
  EXPECT_THAT(Taken(), IsEmpty());
  Start(kFirst);
  EXPECT_THAT(Ids(), ElementsAre(kFirst, kFirst, kFirst, kFirst));
  EXPECT_EQ(processor_->counts().held, 3);
}

TEST_F(LogProcessorTest, ALineBetweenEndAndReportKeepsTheRequest) {
  Start(kFirst);
  End(kFirst);
  Taken();
  Write("\"late\"");
  Report(kFirst);
  Write("\"later\"");
  EXPECT_THAT(Ids(), ElementsAre(kFirst, kFirst, kFirst));
}

TEST_F(LogProcessorTest, ALineAfterTheReportIsNotTheNextInvocations) {
  Start(kFirst);
  End(kFirst);
  Report(kFirst);
  Taken();
  Write("\"late\"");
  Start(kSecond);
  Write(absl::StrCat("\"2026-01-02T03:04:05.678Z\\t", kFirst, "\\tINFO\\tvery late\""));
  Write(absl::StrCat("\"[INFO]\\t2026-01-02T03:04:05.678Z\\t", kFirst, "\\tvery late, of Python\""));
  Write(absl::StrCat("\"about ", kFirst, "\""));
  Write(absl::StrCat("\"one\\ttwo\\tthree\\tfour\\t", kFirst, "\\tfive\""));
  EXPECT_THAT(Ids(), ElementsAre(kFirst, kSecond, kFirst, kFirst, kSecond, kSecond));
}

TEST_F(LogProcessorTest, AnObjectNamesItsRequest) {
  Start(kSecond);
  Taken();
  Write(absl::StrCat(R"({"requestId":")", kFirst, R"("})"));
  Write(absl::StrCat(R"({"AWSRequestId":")", kFirst, R"("})"));
  Write(absl::StrCat(R"({"AWSRequestId":"other","requestId":")", kFirst, R"("})"));
  Write(R"({"requestId":""})");
  Write(R"({"requestId":7})");
  Take(ExtensionLog{R"({"requestId":"its own matter"})"});
  EXPECT_THAT(Ids(), ElementsAre(kFirst, kFirst, kFirst, kSecond, kSecond, kSecond));
}

TEST_F(LogProcessorTest, WithoutAnyInvocationLinesLeaveAtTheEnd) {
  Write("\"loading\"");
  processor_->ReleaseHeld();
  EXPECT_THAT(Taken(), ElementsAre(Line{"loading", "", LogStatus::kInfo, ""}));
  EXPECT_EQ(processor_->counts().without_request, 1);
}

TEST_F(LogProcessorTest, HeldLinesAreBoundedInBytesAndTime) {
  FakeByteAccount account(1 << 20);
  LogProcessorOptions options;
  options.most_held_bytes = 2000;
  options.account = &account;
  Make(std::move(options));
  for (int i = 0; i < 100; ++i) Write(absl::StrCat("\"", i, std::string(100, 'x'), "\""));
  EXPECT_GT(Taken().size(), 80u);
  EXPECT_LE(account.taken(), 2000u);
  now_ += absl::Hours(1);
  Write("\"much later\"");
  EXPECT_GT(Taken().size(), 3u);
  Start(kFirst);
  EXPECT_THAT(Taken(), testing::SizeIs(2));
  EXPECT_EQ(account.taken(), 0u);
}

TEST_F(LogProcessorTest, OnManagedInstancesOnlyTheRecordTells) {
  LogProcessorOptions options;
  options.concurrent = true;
  Make(std::move(options));
  Start(kFirst);
  Start(kSecond);
  Write("\"whose?\"");
  Write(absl::StrCat(R"({"requestId":")", kFirst, R"("})"));
  Take(PlatformReport{
      .request_id = std::string(kFirst), .status = TelemetryStatus::kTimeout, .duration = absl::Seconds(3)});
  Take(PlatformReport{.request_id = std::string(kSecond), .status = TelemetryStatus::kError});
  const std::vector<Line> lines = Taken();
  ASSERT_EQ(lines.size(), 6u);
  EXPECT_EQ(lines[2].request_id, "");
  EXPECT_EQ(lines[3].request_id, kFirst);
  EXPECT_EQ(lines[4].text, absl::StrCat("REPORT RequestId: ", kFirst,
                                        " Runtime Duration: 3000.00 ms Task timed out after 3.00 seconds"));
  EXPECT_EQ(lines[5].text, absl::StrCat("REPORT RequestId: ", kSecond, " Task failed with an unknown error"));
  EXPECT_EQ(lines[5].status, LogStatus::kError);
}

TEST_F(LogProcessorTest, IdsOfAnyBytesStayInsideTheirString) {
  Start("a\"b\\");
  const std::vector<Line> lines = Taken();
  EXPECT_EQ(lines[0].request_id, R"(a\"b\\)");
}

TEST_F(LogProcessorTest, ALineOfADurableFunctionNamesItsExecution) {
  std::string id, name;
  LogProcessor processor({}, [&](const LogEntry& entry) {
    id = entry.durable.id;
    name = entry.durable.name;
  });
  processor.Take({.record = PlatformStart{.request_id = std::string(kFirst)}});
  const auto write = [&](std::string_view json) { processor.Take({.record = FunctionLog{json}}); };
  write(R"({"executionArn":"arn:aws:lambda:eu-west-1:1:function:f:1/durable-execution/order/8f5","n":1})");
  EXPECT_EQ(name, "order");
  EXPECT_EQ(id, "8f5");
  write(R"({"executionArn":"arn:aws:states:other"})");
  EXPECT_EQ(name + id, "");
}

// -- Rules -------------------------------------------------------------------------------------------------

TEST_F(LogProcessorTest, RulesSeeTheTextAfterTagsWereTakenOut) {
  UseRules(R"([{"type":"exclude_at_match","name":"x","pattern":"ddtags"},
               {"type":"mask_sequences","name":"m","pattern":"token=\\w+","replace_placeholder":"token=?"}])");
  Start(kFirst);
  Taken();
  Write(R"({"ddtags":"a:b","n":"token=abc"})");
  Write(R"("quoted \"token=abc\"")");
  Write(R"("about ddtags")");
  EXPECT_THAT(Texts(), ElementsAre(R"({"n":"token=?"})", "quoted \"token=?\""));
  EXPECT_EQ(processor_->counts().left_out, 1);
  EXPECT_EQ(processor_->counts().masked, 2);
}

TEST_F(LogProcessorTest, RulesHoldForPlatformLinesAndForHeldOnes) {
  UseRules(R"json([{"type":"exclude_at_match","name":"x","pattern":"^(START|loading)"}])json");
  Write("\"loading\"");
  Write("\"kept\"");
  Start(kFirst);
  EXPECT_THAT(Texts(), ElementsAre("kept"));
}

TEST_F(LogProcessorTest, AMaskingRuleThatCantBeUsedDropsLinesOfFunctionAndExtensionsOnly) {
  UseRules(R"json([{"type":"mask_sequences","name":"m","pattern":"(?=x)"}])json");
  Start(kFirst);
  Write("\"secret\"");
  Take(ExtensionLog{"\"secret\""});
  EXPECT_THAT(Texts(), ElementsAre(absl::StrCat("START RequestId: ", kFirst, " Version: 7")));
  EXPECT_EQ(processor_->counts().dropped_unmasked, 2);
}

// -- Out of memory, own lines ------------------------------------------------------------------------------

TEST_F(LogProcessorTest, OutOfMemoryCountsOncePerRequestAndOnlyWhereTheRuntimeWritesIt) {
  Start(kFirst);
  Write(R"("a user mentions MemoryError and java.lang.OutOfMemoryError")");
  Write(R"("[ERROR]\t2026-01-02T03:04:05.678Z\tid\tcaught MemoryError")");
  EXPECT_EQ(processor_->counts().out_of_memory, 0);
  Write(R"("[ERROR] MemoryError\nTraceback (most recent call last):\n  File")");
  Take(ExtensionLog{R"("RequestId: x Error: Runtime exited with error: signal: killed")"});
  EXPECT_EQ(processor_->counts().out_of_memory, 1);
  Start(kSecond);
  Write(R"("fatal error: runtime: out of memory")");
  EXPECT_EQ(processor_->counts().out_of_memory, 2);
}

TEST_F(LogProcessorTest, OwnLinesOfDetailAreLeftOutAndOwnErrorsAreNot) {
  Start(kFirst);
  Taken();
  Take(ExtensionLog{R"("THAW | DEBUG | {\"version\":1}\n")"});
  Take(ExtensionLog{R"("THAW | INFO | ready\n")"});
  Take(ExtensionLog{R"("THAW | ERROR | lost\n")"});
  Take(ExtensionLog{R"("THAW | WARN | slow\n")"});
  Write(R"("THAW | DEBUG | a function may write so\n")");
  const std::vector<Line> lines = Taken();
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0].status, LogStatus::kError);
  EXPECT_EQ(lines[1].status, LogStatus::kWarn);
  EXPECT_EQ(processor_->counts().own_lines, 2);
}

// -- Lines that are longer than any of Lambda's -------------------------------------------------------------

constexpr std::string_view kMaskDigits =
    R"([{"type":"mask_sequences","name":"m","pattern":"\\d","replace_placeholder":"[hidden by a rule]"}])";

class LongLinesTest : public LogProcessorTest {
 protected:
  static constexpr size_t kLong = 6'000'000;

  LogProcessorOptions Options(std::string_view rules) {
    LogProcessorOptions options;
    options.rules = ProcessingRules(rules, errors_);
    options.account = &account_;
    return options;
  }
  static std::string Many(std::string_view part, size_t bytes = kLong) {
    std::string text;
    while (text.size() < bytes) text.append(part);
    return text;
  }

  std::vector<std::string> errors_;
  FakeByteAccount account_{16 << 20};
};

TEST_F(LongLinesTest, RulesMakeNoLineThatMemoryDoesNotHold) {
  for (const std::string_view part : {"1", "1 ", "\\u0031", "\\ud800", "\\b\\ud800 "}) {
    Make(Options(kMaskDigits));
    Start(kFirst);
    Taken();
    Write(absl::StrCat("\"", Many(part), "\""));
    const std::vector<Line> lines = Taken();
    ASSERT_EQ(lines.size(), 1u) << part;
    EXPECT_EQ(lines[0].text.find('1'), std::string::npos) << part;
    EXPECT_LE(account_.most(), size_t{8} << 20) << part;
    EXPECT_EQ(account_.taken(), 0u) << part << ": nothing is kept of it";
  }
}

TEST_F(LongLinesTest, OneIsCutBeforeItIsLookedInto) {
  Make(Options(""));
  Start(kFirst);
  Taken();
  for (const std::string& json :
       {absl::StrCat("{", Many("\"a\":1,"), "\"level\":\"error\"}"),
        absl::StrCat("\"{", Many("\\\"a\\\":1,"), "\\\"b\\\":1}\""), absl::StrCat("\"", Many("x"), "\"")}) {
    Write(json);
    const std::vector<Line> lines = Taken();
    ASSERT_EQ(lines.size(), 1u);
    EXPECT_LE(lines[0].text.size(), LogTextReader::kMostTextBytes);
    EXPECT_TRUE(lines[0].cut);
  }
  Write(absl::StrCat("{", Many("\"a\":1,", 200'000), "\"level\":\"error\"}"));
  const std::vector<Line> lines = Taken();
  EXPECT_EQ(lines[0].status, LogStatus::kError) << "the longest lines of Lambda are read whole";
  EXPECT_FALSE(lines[0].cut);
}

TEST_F(LongLinesTest, NoPartOfWhatIsMaskedStandsWhereALineIsCut) {
  Make(Options(
      R"([{"type":"mask_sequences","name":"m","pattern":"secret=[a-z]+;","replace_placeholder":""}])"));
  Start(kFirst);
  Taken();
  // Masks make the line shorter, and its end is within another one.
  Write(absl::StrCat("\"", Many("secret=abcdefghijklmnop;-"), "\""));
  const std::vector<Line> lines = Taken();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_TRUE(lines[0].cut);
  EXPECT_EQ(lines[0].text.find("secret"), std::string::npos);
  EXPECT_GT(lines[0].text.size(), 1'000u);
}

TEST_F(LongLinesTest, WithoutMemoryOneIsLeftOutAndCounted) {
  FakeByteAccount little(100'000);
  LogProcessorOptions options = Options(kMaskDigits);
  options.account = &little;
  Make(std::move(options));
  Start(kFirst);
  Taken();
  Write(absl::StrCat("\"", Many("a", 200'000), "\""));
  Write("\"short 1\"");
  EXPECT_THAT(Texts(), ElementsAre("short [hidden by a rule]"));
  EXPECT_EQ(processor_->counts().no_memory, 1);
}

// -- Durable functions -------------------------------------------------------------------------------------

TEST_F(LogProcessorTest, LinesOfADurableFunctionWaitForTheirExecution) {
  std::vector<std::string> executions;
  LogProcessor processor({.most_durable_invocations = 1}, [&executions](const LogEntry& entry) {
    executions.push_back(absl::StrCat(entry.durable.id, "/", entry.durable.name, "/", entry.durable.status));
  });
  const auto take = [&](auto record) { processor.Take({.time = now_, .record = std::move(record)}); };
  take(PlatformInitStart{.runtime_version = "python:3.13.DurableFunction.v4"});
  take(PlatformStart{.request_id = std::string(kFirst), .version = "7"});
  take(FunctionLog{"\"line\""});
  take(PlatformRuntimeDone{.request_id = std::string(kFirst), .status = TelemetryStatus::kSuccess});
  EXPECT_THAT(executions, IsEmpty());
  EXPECT_EQ(processor.counts().lines, 4);
  processor.OnExecution(kFirst, {.id = "e\"1", .name = "orders", .status = "SUCCEEDED"});
  // The line of the start, INIT_START among them, and the line itself; then END with the status.
  EXPECT_THAT(executions,
              ElementsAre("e\\\"1/orders/", "e\\\"1/orders/", "e\\\"1/orders/", "e\\\"1/orders/SUCCEEDED"));
  executions.clear();
  take(PlatformStart{.request_id = std::string(kSecond), .version = "7"});
  processor.ReleaseHeld();
  EXPECT_THAT(executions, ElementsAre("//"));
}

}  // namespace
}  // namespace thaw
