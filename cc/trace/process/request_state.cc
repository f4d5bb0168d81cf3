#include "cc/trace/process/request_state.h"

#include <map>
#include <utility>

#include "absl/strings/str_join.h"
#include "cc/base/protobuf_writer.h"
#include "cc/base/utf8.h"
#include "cc/trace/trace_fields.h"

namespace thaw {
namespace {

// Bytes of each kind of memory that are kept from one request for the next.
constexpr size_t kKeptBytes = 64 << 10;

// Encodes the function's tags for a tracer's payload, which states them once.
std::string PayloadTags(const std::map<std::string, std::string>& function_tags) {
  if (function_tags.empty()) return "";
  ProtobufWriter out;
  out.StringEntry(TracerPayloadField::kTags, kFunctionTagsTag,
                  RepairUtf8(absl::StrJoin(function_tags, ",", absl::PairFormatter(":"))));
  return std::string(out.bytes());
}

}  // namespace

ProcessorState::ProcessorState(TraceProcessorOptions processor_options, const Clock& processor_clock,
                               InvocationLinks* invocation_links)
    : options(std::move(processor_options)),
      clock(processor_clock),
      links(invocation_links),
      noise(options.runtime_api),
      deduplicator(options.deduplicator_bytes) {
  EncodeFunctionTags();
}

void ProcessorState::EncodeFunctionTags() {
  span_processor.emplace(options);
  payload_tags = PayloadTags(options.function_tags);
}

void RequestMemory::Clear() {
  index.Trim();
  notes.Clear(kKeptBytes);
  traces.Clear(kKeptBytes);
  span.Clear();
  observed_meta.clear();
  const auto trim = [](auto& vector) {
    if (vector.capacity() * sizeof(vector[0]) > kKeptBytes) vector.shrink_to_fit();
  };
  trim(observed_meta);
  trim(span.meta);
  trim(span.metrics);
  if (span.structures.capacity() > kKeptBytes) span.structures.Shrink();
}

RequestState::RequestState(ProcessorState& processor_state, RequestMemory& request_memory,
                           std::string_view body, TraceFormat format, TracerHeaders&& tracer_headers,
                           const TraceLimits& request_limits, SpanObserver* span_observer)
    : processor(processor_state),
      memory(request_memory),
      span(request_memory.span),
      scratch(request_memory.scratch),
      notes(request_memory.notes),
      links(processor_state.links),
      limits(request_limits),
      charge(request_limits.account),
      headers(std::move(tracer_headers)),
      reader(body, format, &charge),
      now(processor_state.clock.Now().wall),
      observer(headers.client_computed_stats || !processor_state.options.compute_stats_on_extension
                   ? nullptr
                   : span_observer) {
  charge.set_beside(request_limits.body_bytes);
  memory.notes.Clear(kKeptBytes);
  memory.traces.Clear(kKeptBytes);
  TakeFixedTags();
}

void RequestState::TakeFixedTags() {
  fixed = &processor.span_processor->fixed_tags(
      /*backend_computes_stats=*/!headers.client_computed_stats &&
      !processor.options.compute_stats_on_extension);
}

SpanView ViewOf(const SpanRecord& span) {
  SpanView view;
  view.service = span.service;
  view.name = span.name;
  view.resource = span.resource;
  view.type = span.type;
  view.trace_id = span.trace_id;
  view.span_id = span.span_id;
  view.parent_id = span.parent_id;
  view.start = span.start;
  view.duration = span.duration;
  view.error = span.error;
  view.meta = span.meta;
  view.metrics = span.metrics;
  for (const SpanMetric& metric : span.metrics) {
    const MetricTag tag = MetricTagOf(metric.key);
    if (metric.value != 1) continue;
    view.top_level |= tag == MetricTag::kTopLevel || tag == MetricTag::kTracerTopLevel;
    view.measured |= tag == MetricTag::kMeasured;
  }
  return view;
}

}  // namespace thaw
