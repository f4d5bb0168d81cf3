#include "cc/trace/agent_payload.h"

#include <bit>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "cc/base/msgpack_writer.h"
#include "cc/base/protobuf_reader.h"
#include "cc/trace/trace_fields.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

struct SpanSpec {
  uint64_t id;
  uint64_t parent = 0;
  std::string env = "";
  std::string trace_tag = "";  // _dd.p.dm
  size_t filler = 0;
};

TracePayload Payload(const std::vector<std::vector<SpanSpec>>& traces) {
  MsgpackWriter out;
  out.Array(traces.size());
  for (const auto& spans : traces) {
    out.Array(spans.size());
    for (const SpanSpec& span : spans) {
      out.Map(5);
      out.String("span_id");
      out.Unsigned(span.id);
      out.String("parent_id");
      out.Unsigned(span.parent);
      out.String("service");
      out.String(std::string(span.filler, 's'));
      out.String("meta");
      out.Map(3);
      out.String("env");
      out.String(span.env);
      out.String("_dd.p.dm");
      span.trace_tag.empty() ? out.Raw("\xC0") : out.String(span.trace_tag);
      out.String("_dd.origin");
      out.String("rum");
      out.String("metrics");
      out.Map(span.trace_tag.empty() ? 0 : 1);
      if (!span.trace_tag.empty()) {
        out.String(kSamplingPriorityMetric);
        out.Unsigned(2);
      }
    }
  }
  absl::StatusOr<TracePayload> payload = TracePayload::FromMsgpack(out.bytes());
  EXPECT_TRUE(payload.ok()) << payload.status();
  return *std::move(payload);
}

std::vector<std::string_view> All(std::string_view message, uint32_t field) {
  std::vector<std::string_view> all;
  ProtobufReader reader(message);
  while (reader.Next())
    if (reader.field() == field) all.push_back(reader.bytes());
  EXPECT_TRUE(reader.ok());
  return all;
}

// Returns how often each span id is in the body.
std::map<uint64_t, int> Ids(std::string_view body) {
  std::map<uint64_t, int> ids;
  for (const auto tracer : All(body, 5))
    for (const auto chunk : All(tracer, 6))
      for (const auto span : All(chunk, 3)) {
        ProtobufReader reader(span);
        uint64_t id = 0;
        while (reader.Next())
          if (reader.field() == SpanField::kSpanId) id = reader.value();
        ++ids[id];
      }
  return ids;
}

std::map<std::string, std::string> Meta(std::string_view span) {
  std::map<std::string, std::string> meta;
  for (const auto entry : All(span, SpanField::kMeta)) {
    const auto value = All(entry, 2);
    meta[std::string(All(entry, 1)[0])] = value.empty() ? "" : std::string(value[0]);
  }
  return meta;
}

TEST(AgentPayload, OneProcessIsOneTracerPayload) {
  const TracePayload one = Payload({{{.id = 1, .env = "a"}}, {{.id = 2, .env = "a"}}});
  const TracePayload two = Payload({{{.id = 3, .env = "b"}}});
  const TracePayload three = Payload({{{.id = 4, .env = "a"}}});
  AgentPayloadBuilder builder;
  builder.Add(one);
  builder.Add(two);
  const size_t bound = builder.size_bound_with(three);
  builder.Add(three);
  EXPECT_EQ(builder.size_bound(), bound);
  const std::string body = builder.Finish();
  EXPECT_LE(body.size(), bound);
  EXPECT_TRUE(builder.empty());
  ASSERT_EQ(All(body, 5).size(), 2);
  EXPECT_EQ(All(All(body, 5)[0], 6).size(), 3);
  EXPECT_EQ(Ids(body), (std::map<uint64_t, int>{{1, 1}, {2, 1}, {3, 1}, {4, 1}}));
  ProtobufReader reader(body);
  double target = 0, error = 0;
  while (reader.Next()) {
    if (reader.field() == AgentPayloadField::kTargetTps) target = std::bit_cast<double>(reader.value());
    if (reader.field() == AgentPayloadField::kErrorTps) error = std::bit_cast<double>(reader.value());
  }
  EXPECT_EQ(target, 60.0);
  EXPECT_EQ(error, 60.0);
}

std::string Encode(const TracePayload& payload) {
  AgentPayloadBuilder builder;
  builder.Add(payload);
  return builder.Finish();
}

TEST(AgentPayload, SplitsBetweenProcessesThenTracesThenSpans) {
  const TracePayload a = Payload({{{.id = 1, .env = "a"}}, {{.id = 2, .env = "a"}}});
  const TracePayload b = Payload({{{.id = 3, .env = "b"}}});
  AgentPayloadBuilder builder;
  builder.Add(a);
  builder.Add(b);
  const std::vector<std::string> processes = SplitAgentPayload(builder.Finish());
  ASSERT_EQ(processes.size(), 2);
  EXPECT_EQ(Ids(processes[0]), (std::map<uint64_t, int>{{1, 1}, {2, 1}}));
  EXPECT_EQ(Ids(processes[1]), (std::map<uint64_t, int>{{3, 1}}));
  const std::vector<std::string> traces = SplitAgentPayload(processes[0]);
  ASSERT_EQ(traces.size(), 2);
  EXPECT_EQ(Ids(traces[0]), (std::map<uint64_t, int>{{1, 1}}));
  EXPECT_EQ(All(All(traces[0], 5)[0], TracerPayloadField::kEnv)[0], "a");
  EXPECT_TRUE(SplitAgentPayload(traces[0]).empty());
}

TEST(AgentPayload, EachPartOfATraceKeepsTheTracesFields) {
  const std::string body = Encode(Payload({{{.id = 1, .parent = 2},
                                            {.id = 2, .trace_tag = "-4"},
                                            {.id = 3, .parent = 2},
                                            {.id = 4, .parent = 2}}}));
  const std::vector<std::string> parts = SplitAgentPayload(body);
  ASSERT_EQ(parts.size(), 2);
  EXPECT_EQ(Ids(parts[0]).size() + Ids(parts[1]).size(), 4);
  for (const std::string& part : parts) {
    const std::string_view chunk = All(All(part, 5)[0], 6)[0];
    EXPECT_EQ(All(chunk, TraceChunkField::kOrigin)[0], "rum");
    ProtobufReader reader(chunk);
    int64_t priority = 0;
    while (reader.Next())
      if (reader.field() == TraceChunkField::kPriority) priority = static_cast<int64_t>(reader.value());
    EXPECT_EQ(priority, 2);
    const std::string_view first = All(chunk, TraceChunkField::kSpans)[0];
    EXPECT_EQ(Meta(first)["_dd.p.dm"], "-4");
    EXPECT_FALSE(All(first, SpanField::kMetrics).empty());
  }
}

TEST(AgentPayload, EachPartOfATraceWithoutItsRootKeepsTheFirstSpansFields) {
  const std::vector<std::string> parts =
      SplitAgentPayload(Encode(Payload({{{.id = 2, .parent = 1, .trace_tag = "-4"},
                                         {.id = 3, .parent = 1},
                                         {.id = 4, .parent = 1},
                                         {.id = 5, .parent = 1}}})));
  ASSERT_EQ(parts.size(), 2);
  for (const std::string& part : parts)
    EXPECT_EQ(Meta(All(All(All(part, 5)[0], 6)[0], TraceChunkField::kSpans)[0])["_dd.p.dm"], "-4");
}

TEST(AgentPayload, EveryPartFitsOrIsOneSpan) {
  std::vector<std::vector<SpanSpec>> traces(1);
  std::map<uint64_t, int> expected;
  for (uint64_t id = 1; id <= 100; ++id) {
    traces[0].push_back({.id = id, .parent = id - 1, .trace_tag = "x", .filler = id == 50 ? 5000u : 100u});
    expected[id] = 1;
  }
  for (const size_t limit : {300u, 1000u, 4000u, 100'000u}) {
    std::map<uint64_t, int> ids;
    const std::vector<std::string> parts = *SplitToFit(Encode(Payload(traces)), limit);
    for (const std::string& part : parts) {
      const auto here = Ids(part);
      EXPECT_TRUE(part.size() <= limit || here.size() == 1) << part.size();
      for (const auto& [id, times] : here) ids[id] += times;
    }
    EXPECT_EQ(ids, expected) << limit;
  }
}

TEST(AgentPayload, OnlyAnAgentPayloadIsSplit) {
  EXPECT_TRUE(SplitAgentPayload("").empty());
  EXPECT_TRUE(SplitAgentPayload("garbage").empty());
  EXPECT_EQ(*SplitToFit("garbage", 2), std::vector<std::string>{"garbage"});
}

}  // namespace
}  // namespace thaw
