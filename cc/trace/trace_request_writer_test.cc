#include "cc/trace/trace_request_writer.h"

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cc/base/protobuf_reader.h"
#include "cc/trace/trace_fields.h"
#include "cc/trace/trace_payload.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

std::vector<std::string> SpansOf(const TracePayload& payload) {
  std::vector<std::string> spans;
  ProtobufReader chunks(payload.chunk_fields());
  while (chunks.Next()) {
    ProtobufReader chunk(chunks.bytes());
    while (chunk.Next()) {
      if (chunk.field() == TraceChunkField::kSpans) spans.emplace_back(chunk.bytes());
    }
  }
  return spans;
}

OwnedSpan Span() {
  return {.service = "shop",
          .name = "web.request",
          .resource = "GET /",
          .type = "web",
          .trace_id = 0xFFFFFFFFFFFFFFFF,
          .span_id = 2,
          .parent_id = 3,
          .start = absl::FromUnixNanos(1767225600500000001),
          .duration = absl::Nanoseconds(120),
          .is_error = true,
          .tags = {{"a", "1"}, {"b", ""}},
          .metrics = {{"m", -1.5}},
          .meta_struct = {{"appsec", "\x81\xff"}}};
}

TEST(TraceRequestWriterTest, WritesEachMemberOfASpan) {
  const OwnedSpan written = Span();
  absl::StatusOr<TracePayload> payload = TracePayload::FromMsgpack(EncodeTraceRequest({&written, 1}));
  ASSERT_TRUE(payload.ok()) << payload.status();
  const std::vector<std::string> spans = SpansOf(*payload);
  ASSERT_THAT(spans, SizeIs(1));

  std::vector<std::string_view> texts;
  std::vector<uint64_t> numbers;
  std::vector<std::string_view> keys;
  std::vector<double> metrics;
  std::string_view meta_struct;
  ProtobufReader span(spans[0]);
  while (span.Next()) {
    switch (span.field()) {
      case SpanField::kService:
      case SpanField::kName:
      case SpanField::kResource:
      case SpanField::kType:
        texts.push_back(span.bytes());
        break;
      case SpanField::kTraceId:
      case SpanField::kSpanId:
      case SpanField::kParentId:
      case SpanField::kStart:
      case SpanField::kDuration:
      case SpanField::kError:
        numbers.push_back(span.value());
        break;
      case SpanField::kMeta:
      case SpanField::kMetrics:
      case SpanField::kMetaStruct: {
        ProtobufReader entry(span.bytes());
        while (entry.Next()) {
          if (entry.field() == 1) keys.push_back(entry.bytes());
          if (entry.field() != 2) continue;
          if (span.field() == SpanField::kMetrics) metrics.push_back(std::bit_cast<double>(entry.value()));
          if (span.field() == SpanField::kMetaStruct) meta_struct = entry.bytes();
        }
        break;
      }
      default:
        break;
    }
  }
  EXPECT_THAT(texts, ElementsAre("shop", "web.request", "GET /", "web"));
  EXPECT_THAT(numbers, ElementsAre(0xFFFFFFFFFFFFFFFF, 2u, 3u, 1767225600500000001u, 120u, 1u));
  EXPECT_THAT(keys, ElementsAre("a", "b", "m", "appsec"));
  EXPECT_THAT(metrics, ElementsAre(-1.5));
  EXPECT_EQ(meta_struct, "\x81\xff");
}

TEST(TraceRequestWriterTest, SpansShareOneTrace) {
  const OwnedSpan spans[] = {Span(), Span(), Span()};
  absl::StatusOr<TracePayload> payload = TracePayload::FromMsgpack(EncodeTraceRequest(spans));
  ASSERT_TRUE(payload.ok()) << payload.status();
  EXPECT_EQ(payload->counts().chunks, 1);
  EXPECT_THAT(SpansOf(*payload), SizeIs(3));
}

}  // namespace
}  // namespace thaw
