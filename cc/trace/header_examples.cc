// Compiles the examples in the headers of this room. Each is the body of a function, whose parameters and whatever
// stands above it declare the names that the example uses. tools/header_examples.py explains it.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "cc/base/byte_account.h"
#include "cc/base/protobuf_writer.h"
#include "cc/base/status_macros.h"
#include "cc/trace/agent_payload.h"
#include "cc/trace/obfuscate/obfuscate_http.h"
#include "cc/trace/obfuscate/obfuscate_redis.h"
#include "cc/trace/obfuscate/obfuscate_sql.h"
#include "cc/trace/obfuscate/sql_rules.h"
#include "cc/trace/process/fixed_tags.h"
#include "cc/trace/process/invocation_links.h"
#include "cc/trace/process/normalize_span.h"
#include "cc/trace/process/replace_all.h"
#include "cc/trace/process/replace_rules.h"
#include "cc/trace/process/span_deduplicator.h"
#include "cc/trace/process/span_processor.h"
#include "cc/trace/process/tag_filter.h"
#include "cc/trace/process/text_work.h"
#include "cc/trace/process/trace_indexer.h"
#include "cc/trace/process/trace_linker.h"
#include "cc/trace/process/trace_processor.h"
#include "cc/trace/process/trace_work.h"
#include "cc/trace/process/trace_writer.h"
#include "cc/trace/span_index.h"
#include "cc/trace/span_note.h"
#include "cc/trace/span_view.h"
#include "cc/trace/trace_payload.h"
#include "cc/trace/trace_reader.h"
#include "cc/trace/trace_reader_internal.h"
#include "cc/trace/trace_request_writer.h"
#include "cc/trace/trace_test_bodies.h"

namespace thaw {
namespace {

void AgentPayloadExample(const TracePayload& payload, const TracePayload& other, std::string& body) {
#include "cc/trace/agent_payload.h.example"
}

void ObfuscateObfuscateHttpExample() {
#include "cc/trace/obfuscate/obfuscate_http.h.example"
}

void ObfuscateObfuscateRedisExample() {
#include "cc/trace/obfuscate/obfuscate_redis.h.example"
}

void ObfuscateObfuscateSqlExample() {
#include "cc/trace/obfuscate/obfuscate_sql.h.example"
}

void ObfuscateSqlRulesExample() {
#include "cc/trace/obfuscate/sql_rules.h.example"
}

struct Entry {
  std::string_view key;
};

void ProcessFixedTagsExample(const Entry& entry, const SpanRecord& span, ProtobufWriter& out) {
#include "cc/trace/process/fixed_tags.h.example"
}

class Invocations : public InvocationLinks {
 public:
  uint64_t OnLoadSpan(uint64_t trace_id, uint64_t span_id) override;
  void OnPlaceholder(const SpanView& span, std::string_view meta_struct, bool client_computed_stats) override;
  uint64_t ParentOf(uint64_t trace_id, uint64_t parent_id) override;
};

void ProcessInvocationLinksExample(TraceProcessorOptions& options, const Clock& clock) {
#include "cc/trace/process/invocation_links.h.example"
}

void ProcessNormalizeSpanExample(std::string_view span_service) {
#include "cc/trace/process/normalize_span.h.example"
}

void ProcessReplaceRulesExample(std::string_view json, std::string_view url) {
#include "cc/trace/process/replace_rules.h.example"
}

void ProcessReplaceAllExample(std::string_view& text, const std::unique_ptr<const re2::RE2>& pattern) {
#include "cc/trace/process/replace_all.h.example"
}

void ProcessSpanDeduplicatorExample(SpanDeduplicator& deduplicator, uint64_t trace_id, uint64_t span_id) {
#include "cc/trace/process/span_deduplicator.h.example"
}

void ProcessSpanProcessorExample(SpanProcessor& processor, SpanRecord& span, bool backend_computes_stats,
                                 bool top_level, absl::Time now, ScratchText& scratch, TextWork& work,
                                 ProtobufWriter& out) {
#include "cc/trace/process/span_processor.h.example"
}

void ProcessTagFilterExample(const RootSpan& root) {
#include "cc/trace/process/tag_filter.h.example"
}

std::string_view ProcessTextWorkExample(std::string_view body, std::string_view query, int64_t steps) {
#include "cc/trace/process/text_work.h.example"
  return {};
}

absl::Status ProcessTraceIndexerExample(RequestState& request) {
#include "cc/trace/process/trace_indexer.h.example"
  return absl::OkStatus();
}

absl::Status ProcessTraceLinkerExample(RequestState& request, NotedTrace& trace) {
#include "cc/trace/process/trace_linker.h.example"
  return absl::OkStatus();
}

void ProcessTraceProcessorExample(TraceProcessorOptions& options, const Clock& clock,
                                  InvocationLinks& invocations, std::string_view body, TracerHeaders headers,
                                  SpanObserver& observer) {
#include "cc/trace/process/trace_processor.h.example"
}

void Use(TracePayload payload);

void ProcessTraceWorkExample(TraceProcessor& processor, std::string_view body, TraceFormat format,
                             TracerHeaders headers, TraceLimits limits, SpanObserver& concentrator) {
#include "cc/trace/process/trace_work.h.example"
}

absl::Status ProcessTraceWriterExample(RequestState& request, std::string_view body,
                                       const NotedTrace& trace) {
#include "cc/trace/process/trace_writer.h.example"
  return absl::OkStatus();
}

absl::Status SpanIndexExample(SpanIndex& index, const SpanNotes& notes, const NotedTrace& trace,
                              const SpanNote& note, ByteCharge& charge, int64_t work) {
#include "cc/trace/span_index.h.example"
  return absl::OkStatus();
}

void SpanNoteExample(const SpanRecord& span, size_t position) {
#include "cc/trace/span_note.h.example"
}

void SpanViewExample(TraceProcessor& processor, std::string_view body, TraceFormat format,
                     TracerHeaders headers) {
#include "cc/trace/span_view.h.example"
}

absl::Status TracePayloadExample(std::string_view body, TracerHeaders headers) {
#include "cc/trace/trace_payload.h.example"
  return absl::OkStatus();
}

struct SpanVisitor {
  absl::Status BeginRequest(size_t traces);
  absl::Status BeginTrace(size_t spans);
  absl::Status OnSpan(size_t position);
  absl::Status EndTrace();
};

absl::Status TraceReaderExample(std::string_view body, TraceCounts& counts, std::string& first_problem,
                                SpanVisitor& visitor, size_t position) {
#include "cc/trace/trace_reader.h.example"
  return absl::OkStatus();
}

void TraceRequestWriterExample(TraceProcessor& processor, TracerHeaders headers) {
#include "cc/trace/trace_request_writer.h.example"
}

using trace_test::Body;
using trace_test::Span;
using trace_test::Spans;
using trace_test::Str;
using trace_test::Text;
TracePayload FinishedPayload(const std::string& body);

void TraceTestBodiesExample() {
#include "cc/trace/trace_test_bodies.h.example"
}

}  // namespace

// Defines a member a second time; this file is not linked with trace_reader_structures.cc.
#include "cc/trace/trace_reader_internal.h.example"

}  // namespace thaw
