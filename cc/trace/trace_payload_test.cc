#include "cc/trace/trace_payload.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "cc/base/counted_allocations.h"
#include "cc/base/msgpack_writer.h"
#include "cc/base/protobuf_reader.h"
#include "cc/trace/span_note.h"
#include "cc/trace/trace_fields.h"
#include "cc/trace/trace_test_bodies.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using namespace trace_test;

TracePayload Parse(const std::string& body, TracerHeaders headers = {}) {
  absl::StatusOr<TracePayload> payload = TracePayload::FromMsgpack(body, std::move(headers));
  EXPECT_TRUE(payload.ok()) << payload.status();
  return *std::move(payload);
}

// The bytes are those a tracer sent, not those we assume.
TEST(TracePayload, ARequestOfARealTracerLosesNothing) {
  std::ifstream file("testdata/ddtrace_v04.msgpack", std::ios::binary);
  const std::string body((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  ASSERT_FALSE(body.empty());
  const TracePayload payload = Parse(body);
  EXPECT_EQ(payload.counts().chunks, 3);
  EXPECT_EQ(payload.counts().spans, 29);
  EXPECT_EQ(payload.counts().spans_left_out + payload.counts().chunks_left_out, 0);
  EXPECT_EQ(payload.counts().strings_repaired, 0);
  EXPECT_EQ(payload.first_problem(), "");
  for (const std::string_view text : {"GET /basket/{id}", "shop", "basket.items", "_dd.p.tid"})
    EXPECT_NE(payload.chunk_fields().find(text), std::string_view::npos) << text;
}

TEST(TracePayload, EveryFieldOfASpan) {
  const std::string struct_bytes("\x81\xA1x\x00\xFF", 5);
  const TracePayload payload = Parse(Body({{Map(
      {{"service", Text("svc")},
       {"name", Text("op")},
       {"resource", Text("GET /")},
       {"trace_id", Int(1)},
       {"span_id", Int(2)},
       {"parent_id", Int(3)},
       {"start", Int(1'700'000'000'000'000'000)},
       {"duration", Int(5)},
       {"error", Int(1)},
       {"meta", Map({{"k", Text("v")}, {"gone", Nil()}})},
       {"metrics", Map({{"m", Float(1.5)}, {"i", Int(-3)}, {"gone", Nil()}})},
       {"type", Text("web")},
       {"meta_struct", Map({{"appsec", [&](MsgpackWriter& out) { out.Binary(struct_bytes); }}})},
       {"span_links", Array({Map({{"trace_id", Int(11)},
                                  {"trace_id_high", Int(12)},
                                  {"span_id", Int(13)},
                                  {"attributes", Map({{"a", Text("b")}})},
                                  {"tracestate", Text("dd=s:1")},
                                  {"flags", Int(0x80000001)}})})},
       {"span_events",
        Array({Map(
            {{"time_unix_nano", Int(99)},
             {"name", Text("event")},
             {"attributes",
              Map({{"s", Map({{"type", Int(0)}, {"string_value", Text("text")}})},
                   {"b", Map({{"type", Int(1)}, {"bool_value", [](MsgpackWriter& out) { out.Bool(true); }}})},
                   {"i", Map({{"type", Int(2)}, {"int_value", Int(-5)}})},
                   {"d", Map({{"type", Int(3)}, {"double_value", Float(2.5)}})},
                   {"l", Map({{"type", Int(4)},
                              {"array_value",
                               Map({{"values",
                                     Array({Map({{"type", Int(2)}, {"int_value", Int(8)}})})}})}})}})}})})},
       {"unknown", Array({Nil(), Map({{"x", Int(1)}})})}})}}));
  const auto spans = Spans(payload);
  ASSERT_EQ(spans.size(), 1);
  const std::string_view span = spans[0];
  EXPECT_EQ(Str(span, 1), "svc");
  EXPECT_EQ(Str(span, 2), "op");
  EXPECT_EQ(Str(span, 3), "GET /");
  EXPECT_EQ(Num(span, 4), 1);
  EXPECT_EQ(Num(span, 5), 2);
  EXPECT_EQ(Num(span, 6), 3);
  EXPECT_EQ(Num(span, 7), 1'700'000'000'000'000'000);
  EXPECT_EQ(Num(span, 8), 5);
  EXPECT_EQ(Num(span, 9), 1);
  EXPECT_EQ(Entries(span, 10), (std::map<std::string, std::string>{{"k", "v"}}));
  const auto metrics = All(span, 11);
  ASSERT_EQ(metrics.size(), 2);
  EXPECT_EQ(std::bit_cast<double>(Num(metrics[0], 2)), 1.5);
  EXPECT_EQ(std::bit_cast<double>(Num(metrics[1], 2)), -3.0);
  EXPECT_EQ(Str(span, 12), "web");
  EXPECT_EQ(Entries(span, 13)["appsec"], struct_bytes);
  const std::string link = Str(span, 14);
  EXPECT_EQ(Num(link, 1), 11);
  EXPECT_EQ(Num(link, 2), 12);
  EXPECT_EQ(Num(link, 3), 13);
  EXPECT_EQ(Entries(link, 4), (std::map<std::string, std::string>{{"a", "b"}}));
  EXPECT_EQ(Str(link, 5), "dd=s:1");
  EXPECT_EQ(Num(link, 6), 0x80000001);
  const std::string event = Str(span, 15);
  EXPECT_EQ(Num(event, 1), 99);
  EXPECT_EQ(Str(event, 2), "event");
  auto attributes = Entries(event, 3);
  EXPECT_EQ(Str(attributes["s"], 2), "text");
  EXPECT_EQ(Num(attributes["b"], 1), 1);
  EXPECT_EQ(Num(attributes["b"], 3), 1);
  EXPECT_EQ(Num(attributes["i"], 4), -5);
  EXPECT_EQ(std::bit_cast<double>(Num(attributes["d"], 5)), 2.5);
  EXPECT_EQ(Num(attributes["l"], 1), 4);
  EXPECT_EQ(Num(Str(Str(attributes["l"], 6), 1), 4), 8);
  EXPECT_EQ(payload.counts().spans, 1);
  EXPECT_EQ(payload.counts().spans_left_out, 0);
}

TEST(TracePayload, NilIsTheZeroValue) {
  const TracePayload payload = Parse(Body({{Map({{"service", Nil()},
                                                 {"span_id", Nil()},
                                                 {"meta", Nil()},
                                                 {"metrics", Nil()},
                                                 {"span_links", Nil()},
                                                 {"error", Nil()}})}}));
  EXPECT_EQ(payload.counts().spans, 1);
  EXPECT_EQ(Spans(payload)[0], "");
}

TEST(TracePayload, NegativeIdsAreTwosComplement) {
  const TracePayload payload = Parse(Body({{Span(static_cast<uint64_t>(-2), 0)}}));
  EXPECT_EQ(static_cast<uint64_t>(Num(Spans(payload)[0], 5)), 0xFFFFFFFFFFFFFFFE);
}

TEST(TracePayload, NegativeDurationsAreZeroAndOnesThatMeanNothingLoseTheirSpan) {
  const TracePayload payload =
      Parse(Body({{Span(1, 0, {{"duration", Int(-5)}}), Span(2, 1, {{"duration", Text("x")}})}}));
  ASSERT_EQ(Spans(payload).size(), 1);
  EXPECT_EQ(Num(Spans(payload)[0], 8), 0);
  EXPECT_EQ(payload.counts().spans_left_out, 1);
  EXPECT_NE(payload.first_problem(), "");
}

TEST(TracePayload, MetricsThatAreNotFiniteAreLeftOut) {
  const TracePayload payload =
      Parse(Body({{Span(1, 0,
                        {{"metrics", Map({{"nan", Float(std::nan(""))},
                                          {"inf", Float(std::numeric_limits<double>::infinity())},
                                          {"fine", Float(1)}})}})}}));
  EXPECT_EQ(payload.counts().metrics_not_finite, 2);
  EXPECT_EQ(All(Spans(payload)[0], 11).size(), 1);
}

TEST(TracePayload, ABadSpanLosesNoOther) {
  for (const Write& bad :
       {Text("no map"), Array({}), Span(9, 0, {{"service", Array({})}}), Span(9, 0, {{"start", Text("x")}}),
        Span(9, 0, {{"metrics", Map({{"n", Float(std::nan(""))}})}, {"error", Text("x")}}),
        Map({{"span_id", Float(1.5)}})}) {
    const TracePayload payload = Parse(Body({{Span(1, 0), bad, Span(2, 1)}, {Span(3, 0)}}));
    EXPECT_EQ(payload.counts().spans, 3);
    EXPECT_EQ(payload.counts().spans_left_out, 1);
    EXPECT_EQ(payload.counts().metrics_not_finite, 0);
    EXPECT_NE(payload.first_problem(), "");
    ASSERT_EQ(Spans(payload).size(), 2);
    EXPECT_EQ(Num(Spans(payload)[0], 5), 1);
    EXPECT_EQ(Num(Spans(payload)[1], 5), 2);
    EXPECT_EQ(Spans(payload, 1).size(), 1);
  }
}

TEST(TracePayload, PartsOfStructuresAreConvertedWhereNoMeaningIsLost) {
  const Write yes = [](MsgpackWriter& out) { out.Bool(true); };
  const Write large = [](MsgpackWriter& out) { out.Unsigned(UINT64_MAX); };
  const TracePayload payload = Parse(Body({{Span(
      1, 0,
      {{"span_links", Array({Map({{"trace_id", Text("11")},
                                  {"span_id", Float(13)},
                                  {"flags", Text("1")},
                                  {"tracestate", Int(5)},
                                  {"attributes", Map({{"a", Int(5)}, {"b", yes}})}}),
                             Map({{"trace_id", Int(1)}, {"attributes", Array({})}})})},
       {"span_events", Array({Map({{"time_unix_nano", Float(99.0)},
                                   {"name", Int(7)},
                                   {"attributes", Map({{"s", Text("raw")},
                                                       {"b", yes},
                                                       {"i", Int(-5)},
                                                       {"d", Float(2.5)},
                                                       {"u", large},
                                                       {"l", Array({Int(8), Text("x")})},
                                                       {"w", Map({{"type", Float(2)},
                                                                  {"int_value", Text("6")}})}})}})})}})}}));
  ASSERT_EQ(Spans(payload).size(), 1) << payload.first_problem();
  EXPECT_EQ(payload.counts().values_left_out, 0) << payload.first_problem();
  const std::string_view span = Spans(payload)[0];
  const auto links = All(span, SpanField::kSpanLinks);
  ASSERT_EQ(links.size(), 2);
  EXPECT_EQ(Num(links[0], SpanLinkField::kTraceId), 11);
  EXPECT_EQ(Num(links[0], SpanLinkField::kSpanId), 13);
  EXPECT_EQ(Num(links[0], SpanLinkField::kFlags), 1);
  EXPECT_EQ(Str(links[0], SpanLinkField::kTracestate), "5");
  EXPECT_EQ(Entries(links[0], SpanLinkField::kAttributes),
            (std::map<std::string, std::string>{{"a", "5"}, {"b", "true"}}));
  const std::string event = Str(span, SpanField::kSpanEvents);
  EXPECT_EQ(Num(event, SpanEventField::kTimeUnixNano), 99);
  EXPECT_EQ(Str(event, SpanEventField::kName), "7");
  auto attributes = Entries(event, SpanEventField::kAttributes);
  EXPECT_EQ(Num(attributes["s"], AttributeField::kType), 0);
  EXPECT_EQ(Str(attributes["s"], AttributeField::kString), "raw");
  EXPECT_EQ(Num(attributes["b"], AttributeField::kType), 1);
  EXPECT_EQ(Num(attributes["b"], AttributeField::kBool), 1);
  EXPECT_EQ(Num(attributes["i"], AttributeField::kType), 2);
  EXPECT_EQ(Num(attributes["i"], AttributeField::kInt), -5);
  EXPECT_EQ(Num(attributes["d"], AttributeField::kType), 3);
  EXPECT_EQ(std::bit_cast<double>(Num(attributes["d"], AttributeField::kDouble)), 2.5);
  EXPECT_EQ(Num(attributes["u"], AttributeField::kType), 3) << "larger than the field for integers";
  EXPECT_EQ(Num(attributes["l"], AttributeField::kType), 4);
  const std::string array = Str(attributes["l"], AttributeField::kArray);
  const auto items = All(array, AttributeField::kArrayValues);
  ASSERT_EQ(items.size(), 2);
  EXPECT_EQ(Num(items[0], AttributeField::kInt), 8);
  EXPECT_EQ(Str(items[1], AttributeField::kString), "x");
  EXPECT_EQ(Num(attributes["w"], AttributeField::kType), 2);
  EXPECT_EQ(Num(attributes["w"], AttributeField::kInt), 6);
}

TEST(TracePayload, ABadPartOfAStructureLosesItself) {
  const TracePayload payload = Parse(Body({{Span(
      1, 0,
      {{"meta_struct", Map({{"bad", Int(1)}, {"good", Text("bytes")}})},
       {"span_links",
        Array({Map({{"trace_id", Int(1)}}), Int(1), Map({{"trace_id", Text("x")}}),
               Map({{"trace_id", Int(2)}, {"attributes", Map({{"bad", Array({})}, {"a", Text("b")}})}}),
               Map({{"trace_id", Int(3)}, {"attributes", Text("bad")}})})},
       {"span_events", Array({Text("x"), Map({{"time_unix_nano", Text("noon")}}),
                              Map({{"name", Text("e")},
                                   {"attributes", Map({{"bad", Map({{"bool_value", Text("x")}})},
                                                       {"nested", Array({Array({}), Int(1)})},
                                                       {"good", Text("1")}})}})})}})}}));
  ASSERT_EQ(Spans(payload).size(), 1) << payload.first_problem();
  EXPECT_EQ(payload.counts().spans_left_out, 0);
  EXPECT_EQ(payload.counts().values_left_out, 9);
  EXPECT_NE(payload.first_problem(), "");
  const std::string_view span = Spans(payload)[0];
  EXPECT_EQ(Entries(span, SpanField::kMetaStruct), (std::map<std::string, std::string>{{"good", "bytes"}}));
  const auto links = All(span, SpanField::kSpanLinks);
  ASSERT_EQ(links.size(), 3);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(Num(links[i], SpanLinkField::kTraceId), i + 1);
  EXPECT_EQ(Entries(links[1], SpanLinkField::kAttributes), (std::map<std::string, std::string>{{"a", "b"}}));
  const auto events = All(span, SpanField::kSpanEvents);
  ASSERT_EQ(events.size(), 1);
  auto attributes = Entries(events[0], SpanEventField::kAttributes);
  EXPECT_EQ(attributes.size(), 2);
  EXPECT_EQ(Str(attributes["good"], AttributeField::kString), "1");
  EXPECT_EQ(All(Str(attributes["nested"], AttributeField::kArray), AttributeField::kArrayValues).size(), 1);
}

TEST(TracePayload, ABadTraceLosesNoOther) {
  const TracePayload payload = Parse(Bytes(Array({Int(1), Array({Span(1, 0)}), Nil(), Array({})})));
  EXPECT_EQ(payload.counts().chunks, 1);
  EXPECT_EQ(payload.counts().chunks_left_out, 1);
  EXPECT_EQ(payload.counts().empty_chunks, 2);
  EXPECT_EQ(payload.first_problem(), "at byte 1: expected an array, found an integer");
}

TEST(TracePayload, AnUnreadableBodyIsRefusedByName) {
  const auto refusal = [](const std::string& body) {
    const absl::StatusOr<TracePayload> payload = TracePayload::FromMsgpack(body);
    EXPECT_EQ(payload.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(payload.status().message());
  };
  EXPECT_EQ(refusal(""), "at byte 0: expected an array, the input of 0 bytes ends first");
  EXPECT_EQ(refusal(Bytes(Map({}))), "at byte 0: expected an array, found a map");
  EXPECT_EQ(refusal(Body({}) + "x"), "at byte 1: 1 bytes follow the end of the array of traces");
  const std::string whole = Body({{Span(1, 0, {{"service", Text("s")}})}, {Span(2, 0)}});
  for (size_t cut = 0; cut < whole.size(); ++cut) refusal(whole.substr(0, cut));
  // A value that is not looked at is nested too deep.
  MsgpackWriter deep;
  deep.Raw("\x91\x91\x81\xA1x");
  deep.Raw(std::string(1000, '\x91'));
  deep.Raw("\x01");
  EXPECT_NE(refusal(deep.bytes()).find("nested deeper than 64"), std::string::npos);
}

TEST(TracePayload, AnEmptyBodyIsEmpty) {
  const TracePayload payload = Parse(Body({}));
  EXPECT_TRUE(payload.empty());
  EXPECT_EQ(payload.chunk_fields(), "");
}

TEST(TracePayload, StringsAreRepaired) {
  const TracePayload payload = Parse(
      Body({{Span(1, 0, {{"service", Text("a\xFF")}, {"meta", Map({{"k\xC0", Text("\xED\xA0\x80")}})}})}}));
  EXPECT_EQ(payload.counts().strings_repaired, 3);
  EXPECT_EQ(Str(Spans(payload)[0], 1), "a\xEF\xBF\xBD");
}

Fields Priority(double priority) { return {{"metrics", Map({{kSamplingPriorityMetric, Float(priority)}})}}; }
Fields Meta(Fields meta) { return {{"meta", Map(std::move(meta))}}; }

TEST(TracePayload, PriorityIsTheRootsElseTheFirstElseNone) {
  const TracePayload payload = Parse(Body({
      {Span(1, 5, Priority(1)), Span(5, 0, Priority(2)), Span(6, 5)},
      {Span(1, 5, Priority(1)), Span(5, 0), Span(6, 5, Priority(2))},
      {Span(1, 0)},
      {Span(1, 0, Priority(0))},
      {Span(2, 9, Priority(-1)), Span(3, 2, Priority(1))},  // no root: the span whose parent is elsewhere
      {Span(2, 3, Priority(1)), Span(3, 2, Priority(2))},   // a ring: the last
      {Span(1, 0, Priority(1e300))},
  }));
  const int64_t expected[] = {2, 1, kNoPriority, 0, -1, 2, std::numeric_limits<int32_t>::max()};
  for (size_t i = 0; i < std::size(expected); ++i)
    EXPECT_EQ(Num(Chunk(payload, i), TraceChunkField::kPriority), expected[i]) << i;
}

TEST(TracePayload, OriginIsTheRoots) {
  const TracePayload payload = Parse(Body({
      {Span(1, 5, Meta({{"_dd.origin", Text("child")}})), Span(5, 0, Meta({{"_dd.origin", Text("rum")}}))},
      {Span(1, 5, Meta({{"_dd.origin", Text("child")}})), Span(5, 0)},
  }));
  EXPECT_EQ(Str(Chunk(payload, 0), TraceChunkField::kOrigin), "rum");
  EXPECT_EQ(Str(Chunk(payload, 1), TraceChunkField::kOrigin), "");
}

TEST(TracePayload, TheProcessIsDescribedByTheRootsFirst) {
  TracerHeaders headers;
  headers.lang = "python";
  headers.lang_version = "3.11";
  headers.tracer_version = "3.0";
  headers.container_id = "c1";
  const TracePayload payload = Parse(
      Body({{Span(1, 5, Meta({{"env", Text("child")}, {"version", Text("child")}})),
             Span(5, 0, Meta({{"env", Text("Prod Env")}, {"runtime-id", Text("r1")}}))},
            {Span(8, 0,
                  Meta({{"env", Text("later")}, {"_dd.hostname", Text("h")}, {"version", Text("x")}}))}}),
      headers);
  const std::string_view process = payload.process_fields();
  EXPECT_EQ(Str(process, TracerPayloadField::kContainerId), "c1");
  EXPECT_EQ(Str(process, TracerPayloadField::kLanguageName), "python");
  EXPECT_EQ(Str(process, TracerPayloadField::kLanguageVersion), "3.11");
  EXPECT_EQ(Str(process, TracerPayloadField::kTracerVersion), "3.0");
  EXPECT_EQ(Str(process, TracerPayloadField::kRuntimeId), "r1");
  EXPECT_EQ(Str(process, TracerPayloadField::kEnv), "prod_env");
  EXPECT_EQ(Str(process, TracerPayloadField::kHostname), "h");
  EXPECT_EQ(Str(process, TracerPayloadField::kAppVersion), "child");
}

std::string ManySpans(int traces, int spans) {
  std::vector<std::vector<Write>> body(traces);
  for (int t = 0; t < traces; ++t)
    for (int s = 0; s < spans; ++s)
      body[t].push_back(Span(t * spans + s + 1, s == 0 ? 0 : t * spans + s,
                             {{"service", Text("svc")},
                              {"meta", Map({{"env", Text("prod")}, {"key", Text(std::string(40, 'v'))}})},
                              {"metrics", Map({{"_sampling_priority_v1", Float(1)}})}}));
  return Body(body);
}

TEST(TracePayload, AllocationsDoNotDependOnTheNumberOfSpans) {
  if (!kAllocationsAreCounted) GTEST_SKIP() << "a sanitizer's allocator is in use";
  // The notes of a trace take another block for some thousands of spans.
  constexpr int64_t kMost = 8, kMostOfBlock = 4;
  for (const auto& [traces, spans] :
       {std::pair{1, 1}, {1, 10}, {1, 10'000}, {1000, 1}, {1000, 10}, {10, 1000}}) {
    const std::string body = ManySpans(traces, spans);
    const int64_t before = CountedAllocations();
    const absl::StatusOr<TracePayload> payload = TracePayload::FromMsgpack(body);
    const int64_t used = CountedAllocations() - before;
    ASSERT_TRUE(payload.ok());
    EXPECT_EQ(payload->counts().spans, traces * spans);
    EXPECT_LE(used, kMost + kMostOfBlock * (spans / static_cast<int>(SpanNotes::kBlock)))
        << traces << " traces of " << spans << " spans";
  }
}

TEST(TracePayload, ManySpansWithoutARootTakeNoQuadraticTime) {
  // Each span's parent is another span of the chunk, so that each is looked up.
  constexpr int kSpans = 200'000;
  MsgpackWriter out;
  out.Array(1);
  out.Array(kSpans);
  for (int i = 1; i <= kSpans; ++i) {
    out.Map(2);
    out.String("span_id");
    out.Unsigned(i);
    out.String("parent_id");
    out.Unsigned(i % kSpans + 1);
  }
  EXPECT_EQ(Parse(out.bytes()).counts().spans, kSpans);
}

}  // namespace
}  // namespace thaw
