// Any request of a tracer, in either format, processed or not, is refused with a reason, or the result is
// protobuf and can be split.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cc/base/manual_executor.h"
#include "cc/base/msgpack_reader.h"
#include "cc/base/protobuf_reader.h"
#include "cc/base/utf8.h"
#include "cc/clock/fake_clock.h"
#include "cc/trace/agent_payload.h"
#include "cc/trace/process/invocation_links.h"
#include "cc/trace/process/replace_rules.h"
#include "cc/trace/process/tag_filter.h"
#include "cc/trace/process/trace_processor.h"
#include "cc/trace/span_view.h"
#include "cc/trace/trace_payload.h"

namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

int64_t Spans(std::string_view body) {
  int64_t spans = 0;
  thaw::ProtobufReader agent(body);
  while (agent.Next()) {
    thaw::ProtobufReader tracer(agent.bytes());
    while (agent.field() == 5 && tracer.Next()) {
      thaw::ProtobufReader chunk(tracer.bytes());
      while (tracer.field() == 6 && chunk.Next()) spans += chunk.field() == 3;
      Check(chunk.ok());
    }
    Check(tracer.ok());
  }
  Check(agent.ok());
  return spans;
}

void TryPayload(const absl::StatusOr<thaw::TracePayload>& payload) {
  if (!payload.ok()) {
    Check(!payload.status().message().empty());
    return;
  }
  thaw::AgentPayloadBuilder builder;
  builder.Add(*payload);
  const size_t bound = builder.size_bound();
  std::string encoded = builder.Finish();
  Check(encoded.size() <= bound);
  Check(Spans(encoded) == payload->counts().spans);
  int64_t spans = 0;
  const std::vector<std::string> parts = *thaw::SplitToFit(std::move(encoded), 64);
  for (const std::string& part : parts) spans += Spans(part);
  Check(spans == payload->counts().spans);
}

// Checks that an observer sees only text, whatever the span was.
class TextObserver : public thaw::SpanObserver {
 public:
  void OnSpan(const thaw::TracerView&, const thaw::SpanView& span) override {
    for (const std::string_view text : {span.service, span.name, span.resource, span.type})
      Check(thaw::IsValidUtf8(text));
    Check(!span.service.empty() && !span.name.empty());
    Check(span.trace_id != 0 && span.span_id != 0 && span.duration >= 0);
    for (const thaw::SpanMeta& entry : span.meta)
      Check(thaw::IsValidUtf8(entry.key) && thaw::IsValidUtf8(entry.value));
    for (const thaw::SpanMetric& metric : span.metrics) Check(thaw::IsValidUtf8(metric.key));
  }
};

class NoInvocations : public thaw::InvocationLinks {
 public:
  uint64_t OnLoadSpan(uint64_t, uint64_t) override { return 0; }
  void OnPlaceholder(const thaw::SpanView&, std::string_view, bool) override {}
  uint64_t ParentOf(uint64_t, uint64_t parent_id) override { return parent_id; }
};

class Processing {
 public:
  Processing() : processor_(Options(), clock_, &links_) {}

  void Try(std::string_view body, thaw::TraceFormat format) {
    TryPayload(processor_.Process(body, format, {}, &observer_));
    processor_.ForgetLast();
  }

 private:
  static thaw::TraceProcessorOptions Options() {
    std::vector<std::string> warnings;
    thaw::TraceProcessorOptions options;
    options.function_tags = {{"env", "prod"}, {"service", "shop"}};
    options.tag_filter = thaw::TagFilter({.require = "", .regex_reject = "name:^z"}, warnings);
    options.replace_rules = thaw::ReplaceRules(R"([{"name":"*","pattern":"a\\C","repl":"b"}])", warnings);
    options.http_obfuscation = {.remove_query_string = true, .remove_paths_with_digits = true};
    options.compute_stats_on_extension = true;
    return options;
  }

  thaw::ManualExecutor executor_;
  thaw::FakeClock clock_{executor_};
  NoInvocations links_;
  TextObserver observer_;
  thaw::TraceProcessor processor_;
};

void Try(std::string_view body) {
  static Processing& processing = *new Processing;
  TryPayload(thaw::TracePayload::FromMsgpack(body));
  processing.Try(body, thaw::TraceFormat::kV04);
}

void TryV05(std::string_view body) {
  static Processing& processing = *new Processing;
  TryPayload(thaw::TracePayload::FromMsgpack(body, {}, thaw::TraceFormat::kV05));
  processing.Try(body, thaw::TraceFormat::kV05);
}

// Checks that no value in place of a collection, or of a part of one, loses its span.
void KeepsItsSpan(std::string_view body, thaw::TraceFormat format) {
  const absl::StatusOr<thaw::TracePayload> payload = thaw::TracePayload::FromMsgpack(body, {}, format);
  Check(payload.ok());
  Check(payload->counts().spans == 1);
}

void TryValue(std::string_view value) {
  // A span of more tags than are read is left out.
  constexpr size_t kAtMost = 64 << 10;
  // One nested as deep as can be has no room for more around it.
  const std::string nested = std::string(8, '\x91').append(value);
  thaw::MsgpackReader reader(nested);
  if (value.size() > kAtMost || !reader.Skip() || !reader.at_end()) return;
  using std::string_view_literals::operator""sv;
  for (const std::string_view field :
       {"\xA4meta"sv, "\xA7metrics"sv, "\xABmeta_struct"sv, "\xAAspan_links"sv, "\xABspan_events"sv,
        "\xA4meta\x81\xA1k"sv, "\xA7metrics\x81\xA1k"sv, "\xABmeta_struct\x81\xA1k"sv,
        "\xAAspan_links\x92\x80"sv, "\xABspan_events\x92\x80"sv,
        "\xAAspan_links\x91\x81\xAA"
        "attributes\x81\xA1k"sv,
        "\xABspan_events\x91\x81\xAA"
        "attributes\x81\xA1k"sv}) {
    KeepsItsSpan(absl::StrCat("\x91\x91\x82\xA7span_id\x01", field, value), thaw::TraceFormat::kV04);
  }
  const std::string_view head = "\x92\x91\xA0\x91\x91\x9C\xC0\xC0\xC0\x01\x01\xC0\xC0\xC0\xC0"sv;
  KeepsItsSpan(absl::StrCat(head, value, "\xC0\xC0"), thaw::TraceFormat::kV05);
  KeepsItsSpan(absl::StrCat(head, "\x81", "\xA1k", value, "\xC0\xC0"), thaw::TraceFormat::kV05);
  KeepsItsSpan(absl::StrCat(head, "\xC0", value, "\xC0"), thaw::TraceFormat::kV05);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  Try(input);
  TryValue(input);
  // Wrap the input in an array of arrays of maps, which most inputs lack.
  std::string wrapped = "\x91\x91\x81\xA4meta";
  wrapped.append(input);
  Try(wrapped);
  wrapped.replace(4, 4, "type");
  Try(wrapped);
  Try("\x91\x91\x81\xABspan_events\x91" + std::string(input));
  Try("\x91\x91\x81\xAAspan_links\x91" + std::string(input));
  Try("\x91\x92\x82\xA7span_id\x01" + std::string(input));
  // Add ids, so that the span is processed, and a type that is obfuscated.
  for (const std::string_view type : {"\xA3web", "\xA3sql", "\xA5redis"})
    Try(absl::StrCat("\x91\x91\x84\xA8trace_id\x01\xA7span_id\x01\xA4type", type, "\xA8resource", input));
  Try("\x91\x91\x83\xA8trace_id\x01\xA7span_id\x01\xA4meta" + std::string(input));
  TryV05(input);
  TryV05("\x92\x93\xA0\xA1x" + std::string(input));
  TryV05("\x92\x93\xA0\xA3sql\xA8http.url\x91\x91\x9C\x01\x01\x01\x01\x01\x01" + std::string(input));
  return 0;
}
