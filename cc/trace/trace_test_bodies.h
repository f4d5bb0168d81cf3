// Builds the requests that tests of this room need, and takes results apart.
//
//   const std::string body = Body({{Span(1, 0, {{"service", Text("svc")}}), Span(2, 1)}});
//   const TracePayload payload = FinishedPayload(body);   // as the room's tests make it of `body`
//   EXPECT_EQ(Str(Spans(payload)[0], SpanField::kService), "svc");

#ifndef THAW_CC_TRACE_TRACE_TEST_BODIES_H_
#define THAW_CC_TRACE_TRACE_TEST_BODIES_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cc/base/msgpack_writer.h"
#include "cc/base/protobuf_reader.h"
#include "cc/trace/trace_fields.h"
#include "cc/trace/trace_payload.h"
#include "gtest/gtest.h"

namespace thaw::trace_test {

using Write = std::function<void(MsgpackWriter&)>;
using Fields = std::vector<std::pair<std::string, Write>>;

inline Write Text(std::string text) {
  return [text](MsgpackWriter& out) { out.String(text); };
}
inline Write Int(int64_t value) {
  return [value](MsgpackWriter& out) { out.Signed(value); };
}
inline Write Float(double value) {
  return [value](MsgpackWriter& out) {
    std::string bytes = "\xCB";
    for (int shift = 56; shift >= 0; shift -= 8)
      bytes.push_back(static_cast<char>(std::bit_cast<uint64_t>(value) >> shift));
    out.Raw(bytes);
  };
}
inline Write Nil() {
  return [](MsgpackWriter& out) { out.Raw("\xC0"); };
}
inline Write Map(Fields fields) {
  return [fields](MsgpackWriter& out) {
    out.Map(fields.size());
    for (const auto& [key, write] : fields) {
      out.String(key);
      write(out);
    }
  };
}
inline Write Array(std::vector<Write> values) {
  return [values](MsgpackWriter& out) {
    out.Array(values.size());
    for (const Write& write : values) write(out);
  };
}
inline Write Span(uint64_t id, uint64_t parent, Fields more = {}) {
  Fields fields = {{"trace_id", Int(7)}, {"span_id", Int(id)}, {"parent_id", Int(parent)}};
  fields.insert(fields.end(), more.begin(), more.end());
  return Map(fields);
}
inline std::string Bytes(const Write& write) {
  MsgpackWriter out;
  write(out);
  return out.Take();
}
inline std::string Body(std::vector<std::vector<Write>> traces) {
  std::vector<Write> chunks;
  for (std::vector<Write>& spans : traces) chunks.push_back(Array(spans));
  return Bytes(Array(chunks));
}

inline std::vector<std::string_view> All(std::string_view message, uint32_t field) {
  std::vector<std::string_view> all;
  ProtobufReader reader(message);
  while (reader.Next())
    if (reader.field() == field) all.push_back(reader.bytes());
  EXPECT_TRUE(reader.ok());
  return all;
}
inline std::string Str(std::string_view message, uint32_t field) {
  const auto all = All(message, field);
  return all.empty() ? "" : std::string(all.back());
}
inline int64_t Num(std::string_view message, uint32_t field) {
  int64_t value = 0;
  ProtobufReader reader(message);
  while (reader.Next())
    if (reader.field() == field) value = static_cast<int64_t>(reader.value());
  return value;
}
inline std::map<std::string, std::string> Entries(std::string_view message, uint32_t field) {
  std::map<std::string, std::string> entries;
  for (const std::string_view entry : All(message, field)) entries[Str(entry, 1)] = Str(entry, 2);
  return entries;
}
inline std::vector<std::string_view> Spans(const TracePayload& payload, size_t chunk = 0) {
  const auto chunks = All(payload.chunk_fields(), TracerPayloadField::kChunks);
  return chunk < chunks.size() ? All(chunks[chunk], TraceChunkField::kSpans)
                               : std::vector<std::string_view>();
}
inline std::string Chunk(const TracePayload& payload, size_t chunk) {
  return std::string(All(payload.chunk_fields(), TracerPayloadField::kChunks)[chunk]);
}
inline std::map<std::string, double> Metrics(std::string_view span) {
  std::map<std::string, double> metrics;
  for (const std::string_view entry : All(span, SpanField::kMetrics))
    metrics[Str(entry, 1)] = std::bit_cast<double>(Num(entry, 2));
  return metrics;
}

}  // namespace thaw::trace_test

#endif  // THAW_CC_TRACE_TRACE_TEST_BODIES_H_
