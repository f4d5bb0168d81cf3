#include "cc/telemetry/telemetry_records.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cc/base/utf8.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

constexpr std::string_view kTime = "2026-01-02T03:04:05.678Z";
const absl::Time kTimeValue = absl::FromUnixMillis(1767323045678);
const absl::Time kReceived = absl::FromUnixSeconds(1767400000);

// A record that owns its log text, which is valid only during the call.
struct Given {
  TelemetryRecord record;
  std::string log;
};

struct Decoded {
  std::vector<Given> given;
  TelemetryBatch batch;

  const TelemetryCounts& counts() const { return batch.counts; }
  template <typename Record>
  const Record& Get(size_t i) const {
    return std::get<Record>(given.at(i).record.record);
  }
};

Decoded Decode(std::string_view body) {
  Decoded decoded;
  decoded.batch = DecodeTelemetry(body, kReceived, [&decoded](TelemetryRecord&& record) {
    Given& given = decoded.given.emplace_back();
    if (const auto* function = std::get_if<FunctionLog>(&record.record)) given.log = function->json;
    if (const auto* extension = std::get_if<ExtensionLog>(&record.record)) given.log = extension->json;
    given.record = std::move(record);
  });
  EXPECT_EQ(decoded.counts().records, decoded.given.size());
  return decoded;
}

std::string Element(std::string_view type, std::string_view record) {
  return absl::StrCat(R"({"time":")", kTime, R"(","type":")", type, R"(","record":)", record, "}");
}
std::string Array(const std::vector<std::string>& elements) {
  return absl::StrCat("[", absl::StrJoin(elements, ","), "]");
}
std::string Start(std::string_view id) {
  return Element("platform.start", absl::StrCat(R"({"requestId":")", id, R"("})"));
}

// `broken` stands between two good elements: both must survive, and `broken` must not.
TelemetryCounts Between(std::string_view broken) {
  const Decoded decoded = Decode(Array({Start("before"), std::string(broken), Start("after")}));
  EXPECT_EQ(decoded.given.size(), 2) << broken;
  if (decoded.given.size() == 2) {
    EXPECT_EQ(decoded.Get<PlatformStart>(0).request_id, "before") << broken;
    EXPECT_EQ(decoded.Get<PlatformStart>(1).request_id, "after") << broken;
  }
  EXPECT_FALSE(decoded.batch.first_problem.empty()) << broken;
  return decoded.counts();
}

TEST(TelemetryRecords, ReadsInitStart) {
  const Decoded decoded = Decode(Array({Element("platform.initStart", R"({
      "initializationType":"snap-start","phase":"init","runtimeVersion":"python:3.13.v1",
      "runtimeVersionArn":"arn:r","functionName":"f","functionVersion":"7","instanceId":"i-1",
      "instanceMaxMemory":256})")}));
  const auto& record = decoded.Get<PlatformInitStart>(0);
  EXPECT_EQ(decoded.given[0].record.time, kTimeValue);
  EXPECT_EQ(record.initialization_type, "snap-start");
  EXPECT_EQ(record.phase, InitPhase::kInit);
  EXPECT_EQ(record.runtime_version, "python:3.13.v1");
  EXPECT_EQ(record.runtime_version_arn, "arn:r");
  EXPECT_EQ(record.function_name, "f");
  EXPECT_EQ(record.function_version, "7");
  EXPECT_EQ(record.instance_id, "i-1");
  EXPECT_EQ(record.instance_max_memory, 256);
  EXPECT_EQ(decoded.batch.first_problem, "");
}

TEST(TelemetryRecords, ReadsTheEndOfAnInit) {
  const Decoded decoded = Decode(Array(
      {Element("platform.initRuntimeDone",
               R"({"initializationType":"on-demand","phase":"invoke","status":"failure","errorType":"E"})"),
       Element("platform.initReport",
               R"({"initializationType":"on-demand","phase":"init","status":"success",
                   "metrics":{"durationMs":125.33}})")}));
  EXPECT_EQ(decoded.Get<PlatformInitRuntimeDone>(0).phase, InitPhase::kInvoke);
  EXPECT_EQ(decoded.Get<PlatformInitRuntimeDone>(0).status, TelemetryStatus::kFailure);
  EXPECT_EQ(decoded.Get<PlatformInitRuntimeDone>(0).error_type, "E");
  EXPECT_EQ(decoded.Get<PlatformInitReport>(1).status, TelemetryStatus::kSuccess);
  EXPECT_EQ(decoded.Get<PlatformInitReport>(1).duration, absl::Microseconds(125330));
}

TEST(TelemetryRecords, ReadsAnInvocation) {
  const Decoded decoded = Decode(
      Array({Element("platform.start",
                     R"({"requestId":"r1","version":"$LATEST","functionArn":"arn:f",
                   "tracing":{"spanId":"54565fb41ac79632","type":"X-Amzn-Trace-Id","value":"Root=1-2-3"}})"),
             Element("platform.runtimeDone",
                     R"({"requestId":"r1","status":"success","metrics":{"durationMs":2.5,"producedBytes":15},
                   "spans":[{"name":"responseLatency","start":"2026-01-02T03:04:05.700Z","durationMs":23.02}],
                   "tracing":{"value":"Root=4"}})"),
             Element("platform.report",
                     R"({"requestId":"r1","status":"error","errorType":"Runtime.ExitError",
                   "metrics":{"durationMs":3,"billedDurationMs":4,"memorySizeMB":128,"maxMemoryUsedMB":66,
                              "initDurationMs":10.5,"restoreDurationMs":20,"billedRestoreDurationMs":30}})")}));
  const auto& start = decoded.Get<PlatformStart>(0);
  EXPECT_EQ(start.request_id, "r1");
  EXPECT_EQ(start.version, "$LATEST");
  EXPECT_EQ(start.function_arn, "arn:f");
  EXPECT_EQ(start.tracing_header, "Root=1-2-3");
  const auto& done = decoded.Get<PlatformRuntimeDone>(1);
  EXPECT_EQ(done.request_id, "r1");
  EXPECT_EQ(done.status, TelemetryStatus::kSuccess);
  EXPECT_EQ(done.duration, absl::Microseconds(2500));
  EXPECT_EQ(done.produced_bytes, 15);
  EXPECT_EQ(done.tracing_header, "Root=4");
  ASSERT_EQ(done.spans.size(), 1);
  EXPECT_EQ(done.spans[0].name, "responseLatency");
  EXPECT_EQ(done.spans[0].start, kTimeValue + absl::Milliseconds(22));
  EXPECT_EQ(done.spans[0].duration, absl::Microseconds(23020));
  const auto& report = decoded.Get<PlatformReport>(2);
  EXPECT_EQ(report.status, TelemetryStatus::kError);
  EXPECT_EQ(report.error_type, "Runtime.ExitError");
  EXPECT_EQ(report.duration, absl::Milliseconds(3));
  EXPECT_EQ(report.billed_duration, absl::Milliseconds(4));
  EXPECT_EQ(report.memory_size_megabytes, 128);
  EXPECT_EQ(report.max_memory_used_megabytes, 66);
  EXPECT_EQ(report.init_duration, absl::Microseconds(10500));
  EXPECT_EQ(report.restore_duration, absl::Milliseconds(20));
  EXPECT_EQ(report.billed_restore_duration, absl::Milliseconds(30));
  EXPECT_EQ(decoded.batch.first_problem, "");
}

TEST(TelemetryRecords, ReadsARestore) {
  const Decoded decoded = Decode(Array(
      {Element("platform.restoreStart", R"({"functionName":"f","functionVersion":"3","instanceId":"i"})"),
       Element("platform.restoreRuntimeDone", R"({"status":"timeout","errorType":"T"})"),
       Element("platform.restoreReport", R"({"status":"success","metrics":{"durationMs":15.19}})")}));
  EXPECT_EQ(decoded.Get<PlatformRestoreStart>(0).function_version, "3");
  EXPECT_EQ(decoded.Get<PlatformRestoreRuntimeDone>(1).status, TelemetryStatus::kTimeout);
  EXPECT_EQ(decoded.Get<PlatformRestoreRuntimeDone>(1).error_type, "T");
  EXPECT_EQ(decoded.Get<PlatformRestoreReport>(2).duration, absl::Microseconds(15190));
}

TEST(TelemetryRecords, ReadsRecordsOfExtensions) {
  const Decoded decoded = Decode(
      Array({Element("platform.extension", R"({"name":"x","state":"Ready","events":["INVOKE","SHUTDOWN"]})"),
             Element("platform.telemetrySubscription",
                     R"({"name":"x","state":"Subscribed","types":["platform"]})")}));
  EXPECT_EQ(decoded.Get<PlatformExtension>(0).events, (std::vector<std::string>{"INVOKE", "SHUTDOWN"}));
  EXPECT_EQ(decoded.Get<PlatformExtension>(0).state, "Ready");
  EXPECT_EQ(decoded.Get<PlatformTelemetrySubscription>(1).types, std::vector<std::string>{"platform"});
}

TEST(TelemetryRecords, LogsDroppedIsCounted) {
  const Decoded decoded = Decode(
      Array({Element("platform.logsDropped", R"({"reason":"slow","droppedRecords":12,"droppedBytes":3400})"),
             Element("platform.logsDropped", R"({"reason":"slow","droppedRecords":1,"droppedBytes":100})")}));
  EXPECT_EQ(decoded.Get<PlatformLogsDropped>(0).reason, "slow");
  EXPECT_EQ(decoded.counts().platform_dropped_records, 13);
  EXPECT_EQ(decoded.counts().platform_dropped_bytes, 3500);
}

TEST(TelemetryRecords, LogsAreGivenOnAsTheJsonTheyCameAs) {
  const std::string object = R"({"level":"INFO", "message":"a \"b\" [","n":1.50,"nested":{"x":[{}]}})";
  const Decoded decoded = Decode(Array({Element("function", R"("hello \u00e9 \"]},{\"time\":\n")"),
                                        Element("function", object), Element("extension", R"("é")")}));
  EXPECT_EQ(decoded.given[0].log, R"("hello \u00e9 \"]},{\"time\":\n")");
  EXPECT_EQ(decoded.given[1].log, object);
  EXPECT_EQ(decoded.given[2].log, R"("é")");
  EXPECT_TRUE(std::holds_alternative<ExtensionLog>(decoded.given[2].record.record));
}

TEST(TelemetryRecords, MembersMayComeInAnyOrderAndWithSpaceBetween) {
  const Decoded decoded = Decode(
      " [ { \"record\" : { \"requestId\" : \"r\" } , \"more\" : [ 1 , { } ] ,\n \"type\" : "
      "\"platform.start\" , \"time\" : \"2026-01-02T03:04:05.678Z\" } ] \n");
  EXPECT_EQ(decoded.Get<PlatformStart>(0).request_id, "r");
  EXPECT_EQ(decoded.given[0].record.time, kTimeValue);
  EXPECT_EQ(decoded.batch.first_problem, "");
}

TEST(TelemetryRecords, AnEmptyArrayIsNoProblem) {
  EXPECT_EQ(Decode("[]").batch.first_problem, "");
  EXPECT_EQ(Decode(" [ ] ").counts().bodies_refused, 0);
}

TEST(TelemetryRecords, OneUnknownRecordDoesNotLoseTheBatch) {
  EXPECT_EQ(Between(Element("platform.ofTheFuture", R"({"requestId":"r"})")).unknown_types, 1);
  EXPECT_EQ(Between(Element("platform.fault", R"("text")")).unknown_types, 1);
  EXPECT_EQ(Between(R"({"time":"2026-01-02T03:04:05Z","record":{}})").unknown_types, 1);
  EXPECT_EQ(Between(R"({"type":7,"record":{}})").unknown_types, 1);
  EXPECT_EQ(Between("{}").unknown_types, 1);
}

TEST(TelemetryRecords, OneUnknownWordDoesNotLoseTheRecord) {
  const Decoded decoded = Decode(Array(
      {Element("platform.initStart", R"({"initializationType":"of-the-future","phase":"of-the-future"})"),
       Element("platform.runtimeDone", R"({"requestId":"r","status":"of-the-future"})")}));
  EXPECT_EQ(decoded.Get<PlatformInitStart>(0).initialization_type, "of-the-future");
  EXPECT_EQ(decoded.Get<PlatformInitStart>(0).phase, InitPhase::kUnknown);
  EXPECT_EQ(decoded.Get<PlatformRuntimeDone>(1).status, TelemetryStatus::kUnknown);
  EXPECT_EQ(decoded.counts().members_ignored, 2);
}

TEST(TelemetryRecords, RuntimeDoneWithoutMetricsIsGivenOn) {
  const Decoded decoded =
      Decode(Array({Element("platform.runtimeDone", R"({"requestId":"r","status":"timeout"})"),
                    Element("platform.runtimeDone", R"({"requestId":"s","status":"error","metrics":null})"),
                    Element("platform.runtimeDone", R"({"requestId":"t"})")}));
  EXPECT_EQ(decoded.Get<PlatformRuntimeDone>(0).status, TelemetryStatus::kTimeout);
  EXPECT_EQ(decoded.Get<PlatformRuntimeDone>(0).duration, std::nullopt);
  EXPECT_EQ(decoded.Get<PlatformRuntimeDone>(1).status, TelemetryStatus::kError);
  EXPECT_EQ(decoded.Get<PlatformRuntimeDone>(2).request_id, "t");
  EXPECT_EQ(decoded.batch.first_problem, "");
}

TEST(TelemetryRecords, AWronglyTypedMemberIsAsGoodAsMissing) {
  const Decoded decoded = Decode(Array(
      {Element("platform.runtimeDone",
               R"({"requestId":"r","status":3,"errorType":[],"metrics":{"durationMs":"2","producedBytes":-1},
          "spans":[7,{"name":"a"},{"name":"b","durationMs":1e300},{"name":"c","durationMs":1}],
          "tracing":"x"})")}));
  const auto& done = decoded.Get<PlatformRuntimeDone>(0);
  EXPECT_EQ(done.request_id, "r");
  EXPECT_EQ(done.status, TelemetryStatus::kUnknown);
  EXPECT_EQ(done.duration, std::nullopt);
  EXPECT_EQ(done.produced_bytes, std::nullopt);
  ASSERT_EQ(done.spans.size(), 1);
  EXPECT_EQ(done.spans[0].name, "c");
  // They are status, errorType, durationMs, producedBytes, tracing, three spans, and the immense number.
  EXPECT_EQ(decoded.counts().members_ignored, 9);
}

TEST(TelemetryRecords, WithoutARequestIdARecordIsOfNoUse) {
  EXPECT_EQ(Between(Element("platform.start", "{}")).incomplete, 1);
  EXPECT_EQ(Between(Element("platform.report", R"({"requestId":""})")).incomplete, 1);
  EXPECT_EQ(Between(Element("platform.runtimeDone", R"({"requestId":17})")).incomplete, 1);
  EXPECT_EQ(Between(Element("platform.runtimeDone", R"("text")")).incomplete, 1);
  EXPECT_EQ(Between(R"({"type":"function"})").incomplete, 1);
  EXPECT_EQ(Between(R"({"type":"platform.start"})").incomplete, 1);
}

TEST(TelemetryRecords, ATimeThatCannotBeReadIsThatOfArrival) {
  const Decoded decoded = Decode(R"([{"type":"function","record":"a"},
      {"time":"yesterday","type":"function","record":"b"},{"time":5,"type":"function","record":"c"}])");
  ASSERT_EQ(decoded.given.size(), 3);
  for (const Given& given : decoded.given) EXPECT_EQ(given.record.time, kReceived);
  EXPECT_EQ(decoded.counts().times_replaced, 3);
}

TEST(TelemetryRecords, NonUtf8DoesNotAbort) {
  const Decoded decoded =
      Decode(Array({Start("before"), Element("function", "\"a\xff\xc3z\""),
                    Element("platform.start", "{\"requestId\":\"\xfe\"}"), Start("after")}));
  ASSERT_EQ(decoded.given.size(), 4);
  EXPECT_EQ(decoded.given[1].log, "\"a\uFFFD\uFFFDz\"");
  EXPECT_EQ(decoded.Get<PlatformStart>(2).request_id, "\uFFFD");
  EXPECT_EQ(decoded.Get<PlatformStart>(3).request_id, "after");
  EXPECT_EQ(decoded.counts().repaired, 2);
  EXPECT_EQ(decoded.counts().malformed, 0);
}

TEST(TelemetryRecords, HalfASurrogatePairIsLeftToTheReaderOfTheLog) {
  EXPECT_EQ(Decode(Array({Element("function", R"("\ud83d")")})).given.at(0).log, R"("\ud83d")");
}

TEST(TelemetryRecords, ABrokenElementDoesNotLoseItsNeighbours) {
  for (const std::string_view broken : {
           "7",
           "null",
           "\"text\"",
           "[]",
           "[{}]",
           "nonsense",
           "{nonsense}",
           R"({"time":})",
           R"({"a":1,})",
           R"({"type":"function","record":"a)"
           "\n"
           R"("})",
           R"({"type":"function","record":"\q"})",
           R"({"type":"function","record":01})",
           R"({"type":"function","record":{"a":1]})",
           "}",
           "{}}",
           "{\"a\" 1}",
           "'x'",
       }) {
    const TelemetryCounts counts = Between(broken);
    EXPECT_GE(counts.malformed + counts.unknown_types, 1) << broken;
  }
}

TEST(TelemetryRecords, ATruncatedElementDoesNotLoseItsNeighbours) {
  const std::string whole = Element("function", R"({"message":"a","list":[1,2,{"b":"c"}]})");
  for (size_t size = 1; size < whole.size(); ++size) {
    EXPECT_GE(Between(whole.substr(0, size)).malformed, 1) << whole.substr(0, size);
  }
}

TEST(TelemetryRecords, ATruncatedBodyKeepsItsWholeRecords) {
  const std::string body = Array({Start("first"), Start("second")});
  const size_t first_end = 1 + Start("first").size();
  for (size_t size = 1; size < body.size(); ++size) {
    const Decoded decoded = Decode(body.substr(0, size));
    EXPECT_EQ(decoded.given.size(), (size >= first_end) + (size + 1 >= body.size())) << size;
    EXPECT_EQ(decoded.counts().bodies_cut, 1) << size;
  }
}

TEST(TelemetryRecords, ARecordNestedTooDeepIsLeftOutAlone) {
  for (const size_t depth : {1000, 1'000'000}) {
    std::string deep = std::string(depth, '[') + std::string(depth, ']');
    EXPECT_EQ(Between(Element("function", deep)).malformed, 1);
    EXPECT_EQ(Between(Element("platform.start", deep)).malformed, 1);
  }
  // Real log lines are not deeper than this.
  const std::string log = std::string(100, '[') + std::string(100, ']');
  EXPECT_EQ(Decode(Array({Element("function", log)})).given.at(0).log, log);
}

TEST(TelemetryRecords, AnObjectWithinABrokenElementIsNoElement) {
  // A function's log line looks like an element itself.
  const std::string forged = Element("platform.runtimeDone", R"({"requestId":"forged","status":"error"})");
  const TelemetryCounts counts =
      Between(R"({"time":"t","type":"function","record":)" + forged + R"(,"x":"a)");
  EXPECT_EQ(counts.malformed, 1);
}

TEST(TelemetryRecords, ABodyThatIsNoArrayIsRefused) {
  for (const std::string_view body : {"", " ", "{}", "nonsense", "\"[]\"", "\xff"}) {
    const Decoded decoded = Decode(body);
    EXPECT_EQ(decoded.counts().bodies_refused, 1) << body;
    EXPECT_TRUE(decoded.given.empty());
  }
  EXPECT_EQ(Decode("<html>").batch.first_problem, "byte 0: the body is not an array");
}

TEST(TelemetryRecords, ABodyBrokenThroughoutIsGivenUp) {
  // Each element begins well and never ends, so that each is searched to the end.
  std::string body = "[";
  for (int i = 0; i < 20'000; ++i) absl::StrAppend(&body, R"({"time":[)", i, ",");
  const Decoded decoded = Decode(body);
  EXPECT_EQ(decoded.counts().bodies_given_up, 1);
  EXPECT_LE(decoded.counts().malformed, 80);
}

TEST(TelemetryRecords, TheFirstProblemNamesTheFaultAndItsPlace) {
  EXPECT_EQ(Decode(Array({Element("unheard.of", "1")})).batch.first_problem,
            "byte 1: an element's type is not known");
  const std::string good = Start("r");
  EXPECT_EQ(Decode(Array({good, Element("platform.start", "{}")})).batch.first_problem,
            absl::StrCat("byte ", 2 + good.size(), ": the record of platform.start has no requestId"));
}

TEST(TelemetryRecords, CountsAddUp) {
  TelemetryCounts sum = Decode(Array({Start("a"), "7"})).counts();
  sum += Decode(Array({Start("b")})).counts();
  EXPECT_EQ(sum.records, 2);
  EXPECT_EQ(sum.malformed, 1);
  int64_t visited = 0;
  sum.Visit([&visited](std::string_view, int64_t value, std::string_view text) {
    visited += value;
    EXPECT_FALSE(text.empty());
  });
  EXPECT_EQ(visited, 3);
}

// Returns what is decoded in steps of so much work.
std::vector<std::string> DecodedInSteps(std::string_view body, int64_t step, TelemetryBatch& batch) {
  std::vector<std::string> records;
  TelemetryWork work(body, kReceived, IsValidUtf8(body));
  const auto give = [&records](TelemetryRecord&& record) {
    records.push_back(absl::StrCat(record.record.index(), " ", absl::FormatTime(record.time)));
    if (const auto* log = std::get_if<FunctionLog>(&record.record)) records.back() += log->json;
    if (const auto* done = std::get_if<PlatformRuntimeDone>(&record.record))
      records.back() += done->request_id;
  };
  while (!work.Step(step, give)) {
  }
  batch = work.Take();
  return records;
}

TEST(TelemetryWork, AnyStepsComeToTheSame) {
  const std::string log = R"({"time":"2026-01-02T03:04:05Z","type":"function","record":)";
  const std::string done =
      R"({"type":"platform.runtimeDone" , "record" :{"requestId":"a\"b","x":[1,{"y":"}"}]}})";
  for (const std::string& body :
       {absl::StrCat("  [ ,", log, R"("a \\\" ü €𝄞 \u00e9"},,)", done, " , ", log, " -1.5e7 } ]  "),
        absl::StrCat("[", log, "\"\xff\xe2\x82\xf0\x9d\x84 ü\x80\x80\x80\x80\x80\x80\"},", done, "]"),
        absl::StrCat("[", log, "1 2},", done, R"(,{"a": [},)", log, R"(""},{"type": [},)", done),
        absl::StrCat("[", log, "{\"a\":{\"b\":[null,true,false,\"\"]} , \"time\":1 }  },7,\"\\\"\",", done),
        absl::StrCat("[", log, R"("no end)"), std::string("[[[[["), std::string("   "),
        std::string("[}]}")}) {
    TelemetryBatch whole;
    const std::vector<std::string> records = DecodedInSteps(body, int64_t{1} << 40, whole);
    for (const int64_t step : {1, 2, 3, 7, 513, 600, 1000}) {
      TelemetryBatch batch;
      EXPECT_EQ(DecodedInSteps(body, step, batch), records) << body << " in steps of " << step;
      EXPECT_EQ(batch.first_problem, whole.first_problem) << body << " in steps of " << step;
      EXPECT_EQ(batch.counts.records, whole.counts.records);
      EXPECT_EQ(batch.counts.malformed, whole.counts.malformed);
      EXPECT_EQ(batch.counts.repaired, whole.counts.repaired);
    }
  }
}

TEST(TelemetryWork, AStepIsShortWhateverTheBodyIs) {
  constexpr size_t kSize = 4 << 20;
  constexpr int64_t kStep = 256 << 10;
  const auto many = [](std::string_view part) {
    std::string all;
    while (all.size() < kSize) all += part;
    return all;
  };
  const std::string log = R"({"time":"2026-01-02T03:04:05Z","type":"function","record":)";
  const std::string done = R"({"type":"platform.runtimeDone","record":{"requestId":"a","x":[)";
  for (const std::string& body : {
           absl::StrCat("[", many(absl::StrCat(log, "1},")), "1]"),
           absl::StrCat("[", many(absl::StrCat(done, "]}},")), "1]"),
           absl::StrCat("[", many(absl::StrCat(done, std::string(30'000, '1'), "]}},")), "1]"),
           absl::StrCat("[", many(absl::StrCat(done, "[]", std::string(3 * 20'000, ' '), "]}},")), "1]"),
           absl::StrCat("[", many("1,"), "1]"),
           absl::StrCat("[", many("{},"), "1]"),
           absl::StrCat("[", many("tru,"), "1]"),
           absl::StrCat("[", many(","), "1]"),
           absl::StrCat("[", many("[}"), "1]"),
           absl::StrCat("[", many("{\"type\": [},"), "1]"),
           absl::StrCat("[", many(" "), "1]"),
           many("["),
           absl::StrCat("[", log, "\"", many("x"), "\"}]"),
           absl::StrCat("[", log, "\"", many("\\\""), "\"}]"),
           absl::StrCat("[", log, "\"", many("\xff"), "\"}]"),
           absl::StrCat("[", log, "\"", many("ü"), "\xff\"}]"),
           absl::StrCat("[", log, "[", many("{\"a\":[]},"), "1]}]"),
           absl::StrCat("[{", many("\"a\":1,"), "\"b\":1}]"),
           absl::StrCat("[", log, many("1"), "}]"),
           absl::StrCat("[", log, "1", many(" "), "}]"),
       }) {
    TelemetryWork work(body, kReceived, IsValidUtf8(body));
    int64_t given = 0, most = 0, steps = 0;
    for (bool all = false; !all; ++steps) {
      const int64_t before = given;
      all = work.Step(kStep, [&given](TelemetryRecord&&) { ++given; });
      most = std::max(most, given - before);
    }
    const std::string_view head = std::string_view(body).substr(0, 100);
    // Some of what is broken is given up early.
    const bool given_up = work.Take().counts.bodies_given_up > 0;
    EXPECT_TRUE(given_up || steps >= static_cast<int64_t>(kSize) / kStep) << head;
    EXPECT_LE(most, kStep / TelemetryWork::kElementWork + 1) << head;
  }
}

TEST(TelemetryRecordTest, TheRuntimeVersionOfADurableFunctionSaysSo) {
  EXPECT_TRUE(IsDurable("python:3.14.DurableFunction.v6"));
  EXPECT_FALSE(IsDurable("python:3.14.v6"));
}

}  // namespace
}  // namespace thaw
