#include "cc/trace/span_record.h"

#include <string>
#include <string_view>
#include <vector>

#include "cc/base/protobuf_reader.h"
#include "cc/trace/trace_fields.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

TEST(SpanRecord, IsWrittenWithinItsBound) {
  const std::string longest(1000, 'x');
  for (const std::string_view text :
       {std::string_view(""), std::string_view("a"), std::string_view(longest)}) {
    SpanRecord span;
    span.service = span.name = span.resource = span.type = text;
    span.trace_id = span.span_id = span.parent_id = UINT64_MAX;
    span.start = span.duration = INT64_MIN;
    span.error = -1;
    for (int i = 0; i < 50; ++i) {
      span.meta.push_back({text, text});
      span.metrics.push_back({text, 1.5});
    }
    span.structures.StringEntry(SpanField::kMetaStruct, "k", text);
    ProtobufWriter out;
    WriteSpan(span, "", out);
    EXPECT_LE(out.size(), span.size_bound());
    ProtobufReader chunk(out.bytes());
    ASSERT_TRUE(chunk.Next());
    EXPECT_EQ(chunk.field(), TraceChunkField::kSpans);
    int meta = 0, metrics = 0;
    ProtobufReader fields(chunk.bytes());
    while (fields.Next()) {
      meta += fields.field() == SpanField::kMeta;
      metrics += fields.field() == SpanField::kMetrics;
    }
    EXPECT_TRUE(fields.ok());
    EXPECT_EQ(meta, 50);
    EXPECT_EQ(metrics, 50);
  }
}

TEST(SpanRecord, ZeroValuesAreNotWritten) {
  ProtobufWriter out;
  WriteSpan(SpanRecord(), "", out);
  EXPECT_EQ(out.bytes(), std::string_view("\x1A\x00", 2));
}

TEST(SpanRecord, TextIsRepairedAndCounted) {
  SpanRecord span;
  ScratchText scratch;
  span.service = "a\xFF";
  span.name = "fine";
  span.meta = {{"k\xFE", "v"}, {"k", "v\xFD"}};
  span.metrics = {{"m\xFC", 1}};
  span.RepairText(scratch);
  EXPECT_EQ(span.service, "a\xEF\xBF\xBD");
  EXPECT_EQ(span.name, "fine");
  EXPECT_EQ(span.meta[0].key, "k\xEF\xBF\xBD");
  EXPECT_EQ(span.meta[1].value, "v\xEF\xBF\xBD");
  EXPECT_EQ(span.metrics[0].key, "m\xEF\xBF\xBD");
  EXPECT_EQ(span.strings_repaired, 4);
}

}  // namespace
}  // namespace thaw
