#include "cc/trace/trace_reader.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "cc/base/byte_account.h"
#include "cc/base/fake_byte_account.h"
#include "cc/base/msgpack_writer.h"
#include "cc/trace/trace_test_bodies.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using namespace trace_test;

// Makes the values of a v0.5 span: nil, except where `values` has one.
Write Values(std::vector<std::pair<size_t, Write>> values, size_t count = 12) {
  std::vector<Write> all(count, Nil());
  for (const auto& [place, write] : values) all[place] = write;
  return Array(all);
}
std::string V05(std::vector<std::string> table, std::vector<Write> spans) {
  std::vector<Write> strings;
  for (const std::string& text : table) strings.push_back(Text(text));
  return Bytes(Array({Array(strings), Array({Array(spans)})}));
}
Write Pairs(std::vector<std::pair<Write, Write>> pairs) {
  return [pairs](MsgpackWriter& out) {
    out.Map(pairs.size());
    for (const auto& [key, value] : pairs) {
      key(out);
      value(out);
    }
  };
}
Write Float32(float value) {
  return [value](MsgpackWriter& out) {
    std::string bytes = "\xCA";
    for (int shift = 24; shift >= 0; shift -= 8)
      bytes.push_back(static_cast<char>(std::bit_cast<uint32_t>(value) >> shift));
    out.Raw(bytes);
  };
}

struct Result {
  absl::Status status;
  TraceCounts counts;
  std::string first_problem;
  std::vector<std::string> spans;  // "service name id"
  std::vector<SpanMetric> metrics;
  std::vector<std::string> meta;              // "key=value"
  std::vector<std::array<int64_t, 3>> times;  // start, duration, error
  int values_left_out = 0;
};

std::string Line(const SpanRecord& span) {
  return std::string(span.service) + " " + std::string(span.name) + " " + std::to_string(span.span_id);
}

Result ReadAll(const std::string& body, TraceFormat format = TraceFormat::kV05, int64_t step = 100,
               ByteAccount* account = nullptr) {
  SpanRecord span;
  ByteCharge charge(account);
  struct Visitor {
    absl::Status BeginRequest(size_t) { return absl::OkStatus(); }
    absl::Status BeginTrace(size_t) { return absl::OkStatus(); }
    absl::Status OnSpan(size_t position) {
      positions.push_back(position);
      result.spans.push_back(Line(span));
      result.metrics.insert(result.metrics.end(), span.metrics.begin(), span.metrics.end());
      for (const SpanMeta& entry : span.meta)
        result.meta.push_back(std::string(entry.key) + "=" + std::string(entry.value));
      result.times.push_back({span.start, span.duration, span.error});
      result.values_left_out += span.values_left_out;
      return absl::OkStatus();
    }
    absl::Status EndTrace() { return absl::OkStatus(); }

    const SpanRecord& span;
    Result result;
    std::vector<size_t> positions;
  } visitor{.span = span, .result = {}, .positions = {}};
  Result& result = visitor.result;
  const std::vector<size_t>& positions = visitor.positions;
  TraceReader reader(body, format, &charge);
  // Reading in steps gives the same result as reading at once.
  absl::StatusOr<bool> done = false;
  while (done.ok() && !*done) {
    int64_t work = step;
    done = reader.ReadOn(span, result.counts, result.first_problem, visitor, work);
  }
  result.status = done.status();
  // Each span reads the same again, in any order.
  for (size_t i = positions.size(); i-- > 0;) {
    reader.ReadAgain(positions[i], span);
    EXPECT_EQ(Line(span), result.spans[i]);
  }
  return result;
}

TEST(TraceReaderV05, TextIsAPlaceInTheTable) {
  const Result result = ReadAll(V05({"", "svc", "op"}, {Values({{0, Int(1)}, {1, Int(2)}, {4, Int(9)}})}));
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(result.spans, (std::vector<std::string>{"svc op 9"}));
}

TEST(TraceReaderV05, NilIsTheZeroValue) {
  EXPECT_EQ(ReadAll(V05({}, {Values({})})).spans, (std::vector<std::string>{"  0"}));
}

// The peer refuses the request.
TEST(TraceReaderV05, Float32MetricsAreTaken) {
  const Result result = ReadAll(
      V05({"m"}, {Values({{10, Pairs({{Int(0), Float32(1.5)}, {Int(0), Int(-2)}, {Int(0), Float(2.5)}})}})}));
  ASSERT_EQ(result.metrics.size(), 3);
  EXPECT_EQ(result.metrics[0].value, 1.5);
  EXPECT_EQ(result.metrics[1].value, -2);
  EXPECT_EQ(result.metrics[2].value, 2.5);
}

TEST(TraceReaderV05, OneBadSpanDoesNotRefuseTheRequest) {
  for (const auto& [bad, problem] : std::vector<std::pair<Write, std::string>>{
           {Values({{0, Int(3)}}), "at byte 26: there is no string 3 in the table of 3"},
           {Values({{0, Int(-1)}}), "at byte 26: there is no string 18446744073709551615 in the table of 3"},
           {Values({{1, Array({})}}), "at byte 27: expected an integer, found an array"},
           {Values({}, 11), "at byte 26: expected the 12 values of a span, found 11"},
           {Map({}), "at byte 25: expected an array, found a map"},
           {Values({{7, Text("soon")}}), "at byte 33: expected an integer, found a string"}}) {
    const Result result =
        ReadAll(V05({"", "svc", "op"}, {Values({{0, Int(1)}, {4, Int(1)}}), bad, Values({{4, Int(2)}})}));
    EXPECT_TRUE(result.status.ok());
    EXPECT_EQ(result.spans, (std::vector<std::string>{"svc  1", "  2"}));
    EXPECT_EQ(result.counts.spans_left_out, 1);
    EXPECT_EQ(result.first_problem, problem);
  }
}

TEST(TraceReaderV05, ABadEntryOfTheTableLosesOnlySpansThatNameIt) {
  const std::string body =
      Bytes(Array({Array({Text("a"), Map({{"no", Text("string")}}), Text("c")}),
                   Array({Array({Values({{0, Int(0)}}), Values({{0, Int(1)}}), Values({{0, Int(2)}})})})}));
  const Result result = ReadAll(body);
  EXPECT_EQ(result.spans, (std::vector<std::string>{"a  0", "c  0"}));
  EXPECT_NE(result.first_problem.find("entry 1 of the string table is not a string"), std::string::npos);
}

TEST(TraceReaderV05, ABodyThatIsNoRequestIsRefusedByName) {
  EXPECT_EQ(ReadAll("").status.message(), "at byte 0: expected an array, the input of 0 bytes ends first");
  EXPECT_EQ(ReadAll(Bytes(Array({Array({})}))).status.message(),
            "at byte 0: expected an array of a string table and of traces, found one of 1");
  EXPECT_EQ(ReadAll(Bytes(Array({Map({}), Array({})}))).status.message(),
            "at byte 1: expected an array, found a map");
  EXPECT_EQ(ReadAll(Bytes(Array({Array({}), Int(1)}))).status.message(),
            "at byte 2: expected an array, found an integer");
  const std::string whole = V05({"", "svc"}, {Values({{0, Int(1)}, {9, Pairs({{Int(1), Int(0)}})}})});
  for (size_t cut = 0; cut < whole.size(); ++cut)
    EXPECT_EQ(ReadAll(whole.substr(0, cut)).status.code(), absl::StatusCode::kInvalidArgument) << cut;
  EXPECT_EQ(ReadAll(whole + "x").status.code(), absl::StatusCode::kInvalidArgument);
}

TEST(TraceReaderV05, ATableBeyondMemoryIsRefused) {
  MsgpackWriter out;
  out.Array(2);
  out.Array(TraceReader::kMaxStrings + 1);
  out.Raw(std::string(TraceReader::kMaxStrings + 1, '\xA0'));
  out.Array(0);
  EXPECT_EQ(ReadAll(out.bytes()).status.message(),
            "at byte 1: expected a table of at most 4194304 strings, found one of 4194305");
}

TEST(TraceReader, ValuesOfOtherTypesAreConvertedWhereNoMeaningIsLost) {
  const Write yes = [](MsgpackWriter& out) { out.Bool(true); };
  const Write no = [](MsgpackWriter& out) { out.Bool(false); };
  const Result result = ReadAll(
      Body({{Map({{"trace_id", Float(7)},
                  {"span_id", Text("9223372036854775813")},
                  {"start", Float(1.7e18)},
                  {"duration", Float(12.6)},
                  {"error", yes},
                  {"meta", Map({{"a", Int(-5)},
                                {"b", yes},
                                {"c", no},
                                {"d", Float(0.1)},
                                {"e", Float(5)},
                                {"f", Float32(0.1f)},
                                {"g", [](MsgpackWriter& out) { out.Unsigned(UINT64_MAX); }},
                                {"h", Text("text")}})},
                  {"metrics", Map({{"m", Text("1.5")}, {"n", yes}, {"o", Text("-3")}, {"p", Text("nan")}})}}),
             Map({{"span_id", Int(2)},
                  {"start", Text("17")},
                  {"duration", Float32(3)},
                  {"error", Float(0.2)}}),
             Map({{"span_id", Int(3)}, {"error", [](MsgpackWriter& out) { out.Unsigned(1ull << 32); }}}),
             Map({{"span_id", Int(4)}, {"error", Text("true")}}),
             Map({{"span_id", Int(5)}, {"error", Text("False")}})}}),
      TraceFormat::kV04);
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(result.counts.spans_left_out, 0) << result.first_problem;
  EXPECT_EQ(result.spans, (std::vector<std::string>{"  9223372036854775813", "  2", "  3", "  4", "  5"}));
  EXPECT_EQ(result.meta, (std::vector<std::string>{"a=-5", "b=true", "c=false", "d=0.1", "e=5", "f=0.1",
                                                   "g=18446744073709551615", "h=text"}));
  ASSERT_EQ(result.metrics.size(), 3) << "one is not finite";
  EXPECT_EQ(result.metrics[0].value, 1.5);
  EXPECT_EQ(result.metrics[1].value, 1);
  EXPECT_EQ(result.metrics[2].value, -3);
  EXPECT_EQ(result.times,
            (std::vector<std::array<int64_t, 3>>{
                {1'700'000'000'000'000'000, 13, 1}, {17, 3, 1}, {0, 0, INT32_MAX}, {0, 0, 1}, {0, 0, 0}}));
}

TEST(TraceReader, AValueThatMeansNothingLosesItsSpanOnly) {
  const Write yes = [](MsgpackWriter& out) { out.Bool(true); };
  for (const auto& [key, value] : std::vector<std::pair<std::string, Write>>{{"trace_id", Float(1.5)},
                                                                             {"trace_id", Float(1e17)},
                                                                             {"span_id", Text("x")},
                                                                             {"start", Float(1e300)},
                                                                             {"start", Float(NAN)},
                                                                             {"start", yes},
                                                                             {"duration", Text("1s")},
                                                                             {"duration", Array({})},
                                                                             {"error", Text("no")},
                                                                             {"service", Array({})},
                                                                             {"resource", Map({})}}) {
    const Result result = ReadAll(Body({{Span(1, 0), Map({{"span_id", Int(2)}, {key, value}}), Span(3, 0)}}),
                                  TraceFormat::kV04);
    EXPECT_EQ(result.spans, (std::vector<std::string>{"  1", "  3"})) << key;
    EXPECT_EQ(result.counts.spans_left_out, 1) << key;
    EXPECT_NE(result.first_problem, "") << key;
  }
}

Write Timestamp(int64_t seconds, uint32_t nanoseconds) {
  return [=](MsgpackWriter& out) {
    std::string bytes = "\xC7\x0C\xFF";
    for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(nanoseconds >> shift));
    for (int shift = 56; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(seconds >> shift));
    out.Raw(bytes);
  };
}

TEST(TraceReader, EmptyCollectionsOfTheOtherKindAreEmpty) {
  const Result result = ReadAll(Body({{Span(1, 0,
                                            {{"meta", Array({})},
                                             {"metrics", Array({})},
                                             {"meta_struct", Array({})},
                                             {"span_links", Map({})},
                                             {"span_events", Map({})}})}}),
                                TraceFormat::kV04);
  EXPECT_EQ(result.spans, (std::vector<std::string>{"  1"})) << result.first_problem;
  EXPECT_EQ(result.values_left_out, 0) << result.first_problem;
}

TEST(TraceReader, NumbersInPlaceOfTextAndKeysAreConverted) {
  const Write yes = [](MsgpackWriter& out) { out.Bool(true); };
  const Result result =
      ReadAll(Body({{Map({{"service", Int(5)}, {"name", Float(1.5)}, {"type", yes}, {"resource", Int(-1)}}),
                     Pairs({{Text("span_id"), Int(2)},
                            {Int(5), Int(1)},
                            {Float(1), Map({})},
                            {Text("meta"), Pairs({{Int(5), Text("a")}, {yes, Int(7)}})},
                            {Text("metrics"), Pairs({{Int(6), Int(1)}})}})}}),
              TraceFormat::kV04);
  EXPECT_EQ(result.spans, (std::vector<std::string>{"5 1.5 0", "  2"})) << result.first_problem;
  EXPECT_EQ(result.meta, (std::vector<std::string>{"5=a", "true=7"}));
  ASSERT_EQ(result.metrics.size(), 1);
  EXPECT_EQ(result.values_left_out, 0);
}

TEST(TraceReader, AStartMayBeATimestamp) {
  const auto raw = [](std::string bytes) -> Write { return [bytes](MsgpackWriter& out) { out.Raw(bytes); }; };
  using std::string_literals::operator""s;
  const Result result =
      ReadAll(Body({{Map({{"span_id", Int(1)}, {"start", Timestamp(1'700'000'000, 5)}}),
                     Map({{"span_id", Int(2)}, {"start", raw("\xD6\xFF\x65\x53\xF1\x00"s)}}),
                     Map({{"span_id", Int(3)}, {"start", raw("\xD7\xFF\x00\x00\x00\x14\x65\x53\xF1\x00"s)}}),
                     Map({{"span_id", Int(4)}, {"start", raw("\xD6\x01\x65\x53\xF1\x00"s)}}),
                     Map({{"span_id", Int(5)}, {"start", Timestamp(INT64_MAX, 0)}}),
                     Map({{"span_id", Int(6)}, {"start", Timestamp(1, 1'000'000'000)}})}}),
              TraceFormat::kV04);
  EXPECT_EQ(result.times, (std::vector<std::array<int64_t, 3>>{{1'700'000'000'000'000'005, 0, 0},
                                                               {1'700'000'000'000'000'000, 0, 0},
                                                               {1'700'000'000'000'000'005, 0, 0}}));
  EXPECT_EQ(result.counts.spans_left_out, 3) << "another extension, and times that are none";
}

TEST(TraceReader, ATagOrMetricThatMeansNothingLosesItself) {
  for (const auto& [key, value] : std::vector<std::pair<std::string, Write>>{
           {"meta", Map({{"k", Array({})}, {"good", Text("1")}})},
           {"meta", Map({{"k", Map({})}, {"good", Text("1")}})},
           {"meta", Pairs({{Array({}), Text("x")}, {Text("good"), Int(1)}})},
           {"metrics", Map({{"k", Text("fast")}, {"good", Int(1)}})},
           {"metrics", Map({{"k", Text("")}, {"good", Int(1)}})},
           {"metrics", Map({{"k", Array({Int(1)})}, {"good", Int(1)}})}}) {
    const Result result = ReadAll(Body({{Span(1, 0), Map({{"span_id", Int(2)}, {key, value}}), Span(3, 0)}}),
                                  TraceFormat::kV04);
    EXPECT_EQ(result.spans, (std::vector<std::string>{"  1", "  2", "  3"})) << key;
    EXPECT_EQ(result.meta.size() + result.metrics.size(), 1) << key;
    EXPECT_EQ(result.values_left_out, 1) << key;
    EXPECT_NE(result.first_problem, "") << key;
  }
  for (const char* key : {"meta", "metrics", "meta_struct", "span_links", "span_events"}) {
    const Result result =
        ReadAll(Body({{Map({{"span_id", Int(2)}, {key, Text("x")}}), Span(3, 0)}}), TraceFormat::kV04);
    EXPECT_EQ(result.spans, (std::vector<std::string>{"  2", "  3"})) << key;
    EXPECT_EQ(result.values_left_out, 1) << key;
  }
}

TEST(TraceReaderV05, ATagOrMetricThatMeansNothingLosesItself) {
  const Result result =
      ReadAll(V05({"a", "b"}, {Values({{0, Text("svc")},
                                       {1, Float(1.5)},
                                       {9, Pairs({{Int(0), Text("x")},
                                                  {Text("t"), Int(1)},
                                                  {Int(0), Int(7)},
                                                  {Int(7), Int(0)},
                                                  {Int(0), Map({})}})},
                                       {10, Pairs({{Int(1), Text("much")}, {Int(0), Int(3)}})}}),
                               Values({{4, Int(2)}, {9, Array({})}, {10, Array({})}})}));
  EXPECT_EQ(result.spans, (std::vector<std::string>{"svc 1.5 0", "  2"})) << result.first_problem;
  EXPECT_EQ(result.meta, (std::vector<std::string>{"a=x", "t=b"}));
  ASSERT_EQ(result.metrics.size(), 1);
  EXPECT_EQ(result.values_left_out, 4);
  EXPECT_NE(result.first_problem.find("there is no string 7 in the table of 2"), std::string::npos);
}

TEST(TraceReaderV05, NumbersAndBooleansInMetaAreConverted) {
  const Write yes = [](MsgpackWriter& out) { out.Bool(true); };
  const Result result =
      ReadAll(V05({"k", "v"}, {Values({{6, Float(1e9)},
                                       {7, Float(2.0)},
                                       {8, yes},
                                       {9, Pairs({{Int(0), Int(1)}, {Int(0), yes}, {Int(0), Float(1.5)}})},
                                       {10, Pairs({{Int(0), Text("2.5")}})}})}));
  EXPECT_EQ(result.counts.spans_left_out, 0) << result.first_problem;
  EXPECT_EQ(result.meta, (std::vector<std::string>{"k=v", "k=true", "k=1.5"}));
  EXPECT_EQ(result.times, (std::vector<std::array<int64_t, 3>>{{1'000'000'000, 2, 1}}));
  ASSERT_EQ(result.metrics.size(), 1);
  EXPECT_EQ(result.metrics[0].value, 2.5);
}

TEST(TraceReader, ALargeRequestIsReadInSteps) {
  // One span has a million meaningless values, the other more than are read.
  MsgpackWriter some, many;
  some.Array(1'000'000);
  some.Raw(std::string(1'000'000, '\x01'));
  many.Array(2'000'000);
  many.Raw(std::string(2'000'000, '\x01'));
  const Write some_values = [&some](MsgpackWriter& out) { out.Raw(some.bytes()); };
  const Write many_values = [&many](MsgpackWriter& out) { out.Raw(many.bytes()); };
  const std::string body =
      Body({{Span(1, 0, {{"x", some_values}}), Span(2, 0, {{"x", many_values}}), Span(3, 0)}});
  SpanRecord span;
  struct Visitor {
    absl::Status BeginRequest(size_t) { return absl::OkStatus(); }
    absl::Status BeginTrace(size_t) { return absl::OkStatus(); }
    absl::Status OnSpan(size_t) { return ++spans, absl::OkStatus(); }
    absl::Status EndTrace() { return absl::OkStatus(); }
    int spans = 0;
  } visitor;
  TraceCounts counts;
  std::string first_problem;
  TraceReader reader(body, TraceFormat::kV04);
  int steps = 0;
  absl::StatusOr<bool> done = false;
  for (; done.ok() && !*done; ++steps) {
    int64_t work = 1 << 20;
    done = reader.ReadOn(span, counts, first_problem, visitor, work);
    EXPECT_GT(work, -(2 << 20)) << "no step goes far beyond what it may";
  }
  EXPECT_TRUE(done.ok()) << done.status();
  EXPECT_GE(steps, 10);
  EXPECT_EQ(visitor.spans, 2);
  EXPECT_EQ(counts.spans_left_out, 1);
  EXPECT_NE(first_problem.find("a span of more than 1048576 values"), std::string::npos) << first_problem;
}

TEST(TraceReader, MemoryIsChargedBeforeItIsAskedFor) {
  // A table of a million strings takes 16 MB, a span of 60,000 tags two.
  MsgpackWriter table;
  table.Array(2);
  table.Array(1'000'000);
  table.Raw(std::string(1'000'000, '\xA0'));
  table.Array(0);
  MsgpackWriter tags;
  tags.Map(60'000);
  tags.Raw(std::string(120'000, '\xA0'));
  const Write many = [&tags](MsgpackWriter& out) { out.Raw(tags.bytes()); };
  // An empty link is one byte, and three while it is written.
  MsgpackWriter links;
  links.Array(500'000);
  links.Raw(std::string(500'000, '\x80'));
  const Write empty_links = [&links](MsgpackWriter& out) { out.Raw(links.bytes()); };
  for (const auto& [body, format] :
       {std::pair(table.bytes(), TraceFormat::kV05),
        std::pair(Body({{Span(1, 0, {{"meta", many}})}}), TraceFormat::kV04),
        std::pair(Body({{Span(1, 0, {{"span_links", empty_links}})}}), TraceFormat::kV04)}) {
    for (const size_t room : {size_t{1} << 20, size_t{64} << 20}) {
      FakeByteAccount account(room);
      const absl::Status status = ReadAll(body, format, 100, &account).status;
      EXPECT_EQ(status.ok(), room > 1 << 20) << status;
      EXPECT_TRUE(status.ok() || absl::IsOutOfRange(status)) << status;
      if (status.ok()) {
        EXPECT_GT(account.most(), 1 << 20);
      }
      EXPECT_EQ(account.taken(), 0);
    }
  }
}

TEST(TraceReader, TagsBeyondMemoryLoseTheirSpanOnly) {
  MsgpackWriter tags;
  tags.Map(TraceReader::kMaxTags + 1);
  tags.Raw(std::string(2 * (TraceReader::kMaxTags + 1), '\xA0'));
  const Write many = [&tags](MsgpackWriter& out) { out.Raw(tags.bytes()); };
  const Result result =
      ReadAll(Body({{Span(1, 0), Span(2, 0, {{"meta", many}}), Span(3, 0)}}), TraceFormat::kV04);
  EXPECT_EQ(result.spans, (std::vector<std::string>{"  1", "  3"}));
  EXPECT_NE(result.first_problem.find("a span with more than 65536 tags"), std::string::npos);
}

}  // namespace
}  // namespace thaw
