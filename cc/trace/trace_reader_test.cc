#include "cc/trace/trace_reader.h"

#include <bit>
#include <cstdint>
#include <string>
#include <vector>

#include "cc/base/msgpack_writer.h"
#include "cc/trace/trace_test_bodies.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using namespace trace_test;

// The values of a v0.5 span that are all nil but for what `values` has at its place.
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
};

std::string Line(const SpanRecord& span) {
  return std::string(span.service) + " " + std::string(span.name) + " " + std::to_string(span.span_id);
}

Result ReadAll(const std::string& body, TraceFormat format = TraceFormat::kV05) {
  SpanRecord span;
  struct Visitor {
    void BeginRequest(size_t) {}
    void BeginTrace(size_t) {}
    void OnSpan(size_t position) {
      positions.push_back(position);
      result.spans.push_back(Line(span));
      result.metrics.insert(result.metrics.end(), span.metrics.begin(), span.metrics.end());
    }
    void EndTrace() {}

    const SpanRecord& span;
    Result result;
    std::vector<size_t> positions;
  } visitor{.span = span, .result = {}, .positions = {}};
  Result& result = visitor.result;
  const std::vector<size_t>& positions = visitor.positions;
  TraceReader reader(body, format);
  result.status = reader.ForEachSpan(span, result.counts, result.first_problem, visitor);
  // Each reads the same again, in any order.
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
           {Values({{1, Text("op")}}), "at byte 27: expected an integer, found a string"},
           {Values({}, 11), "at byte 26: expected the 12 values of a span, found 11"},
           {Map({}), "at byte 25: expected an array, found a map"},
           {Values({{9, Pairs({{Int(1), Text("x")}})}}),
            "at byte 37: expected an integer, found a string"}}) {
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
  EXPECT_NE(result.first_problem.find("entry 1 of the string table is no string"), std::string::npos);
}

TEST(TraceReaderV05, WhatIsNoRequestIsRefusedByName) {
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
