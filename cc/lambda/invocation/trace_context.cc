#include "cc/lambda/invocation/trace_context.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "cc/lambda/invocation/baggage.h"

namespace thaw {
namespace {

constexpr std::string_view kParentTag = "_dd.parent_id";
constexpr std::string_view kErrorTag = "_dd.propagation_error";
constexpr std::string_view kDecisionMakerTag = "_dd.p.dm";
constexpr std::string_view kBaggageHeader = "baggage";
constexpr std::string_view kBaggagePrefix = "ot-baggage-";

// Longest x-datadog-tags header that tracers accept.
constexpr size_t kMaxTagsHeader = 512;
// Largest numbers of tracestate members and of baggage items that the standards allow to be sent.
constexpr int kMaxStateMembers = 32;
constexpr size_t kMaxBaggageItems = 64;
constexpr size_t kMaxBaggageValue = 4096;

// Parses `text` as lower-case hexadecimal of exactly `digits` digits, at most 16.
std::optional<uint64_t> ParseHex(std::string_view text, size_t digits) {
  if (text.size() != digits) return std::nullopt;
  uint64_t value = 0;
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit && !(c >= 'a' && c <= 'f')) return std::nullopt;
    value = value << 4 | static_cast<uint64_t>(digit ? c - '0' : c - 'a' + 10);
  }
  return value;
}

std::string Hex16(uint64_t value) { return absl::StrCat(absl::Hex(value, absl::kZeroPad16)); }

std::optional<uint64_t> NotZero(std::optional<uint64_t> id) {
  return id.value_or(0) == 0 ? std::nullopt : id;
}

std::string_view Header(const HttpHeaders& carrier, std::string_view name) {
  return absl::StripAsciiWhitespace(FindHeader(carrier, name).value_or(std::string_view()));
}

// Sets the high half and its tag; 0 removes the tag.
void SetTraceIdHigh(TraceContext& context, uint64_t high) {
  context.trace_id_high = high;
  if (high == 0) {
    context.tags.erase(std::string(kTraceIdHighTag));
  } else {
    context.tags.insert_or_assign(std::string(kTraceIdHighTag), Hex16(high));
  }
}

std::optional<TraceContext> ExtractDatadog(const HttpHeaders& carrier) {
  const std::optional<uint64_t> trace_id = ParseDecimalId(Header(carrier, "x-datadog-trace-id"));
  if (!trace_id) return std::nullopt;
  TraceContext context{.trace_id = *trace_id};
  context.parent_id = ParseDecimalId(Header(carrier, "x-datadog-parent-id")).value_or(0);
  context.sampling_priority = ParseSamplingPriority(Header(carrier, "x-datadog-sampling-priority"));
  context.origin = std::string(Header(carrier, "x-datadog-origin"));
  context.tags = ParsePropagationTags(Header(carrier, "x-datadog-tags"));
  if (const auto tid = context.tags.find(kTraceIdHighTag); tid != context.tags.end()) {
    const std::optional<uint64_t> high = ParseHex(tid->second, 16);
    if (!high) context.tags.emplace(kErrorTag, absl::StrCat("malformed_tid ", tid->second));
    SetTraceIdHigh(context, high.value_or(0));
  }
  return context;
}

// Reads the `dd` member of a tracestate: priority, origin, last Datadog span and tags.
void ReadTraceState(std::string_view state, bool sampled, TraceContext& context) {
  std::string_view ours;
  int members = 0;
  for (const std::string_view part : absl::StrSplit(state, ',')) {
    if (++members > kMaxStateMembers) break;
    std::string_view member = absl::StripAsciiWhitespace(part);
    if (absl::ConsumePrefix(&member, "dd=")) {
      ours = member;
      break;
    }
  }
  std::optional<int> priority;
  for (const std::string_view part : absl::StrSplit(ours, ';', absl::SkipEmpty())) {
    const std::pair<std::string_view, std::string_view> item = absl::StrSplit(part, absl::MaxSplits(':', 1));
    std::string_view name = absl::StripAsciiWhitespace(item.first);
    if (name == "s") {
      priority = ParseSamplingPriority(item.second);
    } else if (name == "o") {
      context.origin = absl::StrReplaceAll(item.second, {{"~", "="}});
    } else if (name == "p") {
      if (ParseHex(item.second, 16)) context.tags.emplace(kParentTag, item.second);
    } else if (absl::ConsumePrefix(&name, "t.") && !name.empty()) {
      context.tags.emplace(absl::StrCat("_dd.p.", name), absl::StrReplaceAll(item.second, {{"~", "="}}));
    }
  }
  // The flag was set last: where the two disagree, the flag counts, and the decision's maker is unknown.
  if (sampled == (priority.value_or(0) > 0) && priority) {
    context.sampling_priority = priority;
  } else {
    context.sampling_priority = sampled ? 1 : 0;
    if (priority) context.tags.erase(std::string(kDecisionMakerTag));
    if (priority && sampled) context.tags.emplace(kDecisionMakerTag, "-0");
  }
}

std::optional<TraceContext> ExtractTraceParent(const HttpHeaders& carrier) {
  const std::string_view parent = Header(carrier, "traceparent");
  constexpr size_t kSize = 55;  // for version 00; later ones may append "-…"
  if (parent.size() < kSize || parent[2] != '-' || parent[35] != '-' || parent[52] != '-')
    return std::nullopt;
  const std::optional<uint64_t> version = ParseHex(parent.substr(0, 2), 2);
  if (!version || *version == 0xFF) return std::nullopt;
  if (parent.size() > kSize && (*version == 0 || parent[kSize] != '-')) return std::nullopt;
  const std::optional<uint64_t> high = ParseHex(parent.substr(3, 16), 16);
  const std::optional<uint64_t> low = NotZero(ParseHex(parent.substr(19, 16), 16));
  const std::optional<uint64_t> span = NotZero(ParseHex(parent.substr(36, 16), 16));
  const std::optional<uint64_t> flags = ParseHex(parent.substr(53, 2), 2);
  if (!high || !low || !span || !flags) return std::nullopt;
  TraceContext context{.trace_id = *low, .parent_id = *span};
  ReadTraceState(Header(carrier, "tracestate"), (*flags & 1) != 0, context);
  SetTraceIdHigh(context, *high);
  return context;
}

// Reads a B3 trace id of 16 or 32 digits.
std::optional<TraceContext> B3Context(std::string_view trace, std::string_view span) {
  const std::string lower_trace = absl::AsciiStrToLower(trace), lower_span = absl::AsciiStrToLower(span);
  std::string_view low_digits = lower_trace;
  std::optional<uint64_t> high = 0;
  if (low_digits.size() == 32) {
    high = ParseHex(low_digits.substr(0, 16), 16);
    low_digits.remove_prefix(16);
  }
  const std::optional<uint64_t> low = NotZero(ParseHex(low_digits, 16));
  const std::optional<uint64_t> parent = NotZero(ParseHex(lower_span, 16));
  if (!high || !low || !parent) return std::nullopt;
  TraceContext context{.trace_id = *low, .parent_id = *parent};
  SetTraceIdHigh(context, *high);
  return context;
}

std::optional<int> B3Priority(std::string_view sampled) {
  if (sampled == "1" || absl::EqualsIgnoreCase(sampled, "true")) return 1;
  if (sampled == "0" || absl::EqualsIgnoreCase(sampled, "false")) return 0;
  if (sampled == "d") return 2;
  return std::nullopt;
}

std::optional<TraceContext> ExtractB3(const HttpHeaders& carrier) {
  const std::vector<std::string_view> parts = absl::StrSplit(Header(carrier, "b3"), '-');
  if (parts.size() < 2) return std::nullopt;
  std::optional<TraceContext> context = B3Context(parts[0], parts[1]);
  if (context && parts.size() > 2) context->sampling_priority = B3Priority(parts[2]);
  return context;
}

std::optional<TraceContext> ExtractB3Multi(const HttpHeaders& carrier) {
  std::optional<TraceContext> context =
      B3Context(Header(carrier, "x-b3-traceid"), Header(carrier, "x-b3-spanid"));
  if (context)
    context->sampling_priority =
        Header(carrier, "x-b3-flags") == "1" ? 2 : B3Priority(Header(carrier, "x-b3-sampled"));
  return context;
}

std::optional<TraceContext> ExtractStyle(PropagationStyle style, const HttpHeaders& carrier) {
  switch (style) {
    case PropagationStyle::kDatadog:
      return ExtractDatadog(carrier);
    case PropagationStyle::kTraceContext:
      return ExtractTraceParent(carrier);
    case PropagationStyle::kB3:
      return ExtractB3(carrier);
    case PropagationStyle::kB3Multi:
      return ExtractB3Multi(carrier);
    case PropagationStyle::kBaggage:
      break;
  }
  return std::nullopt;
}

// Takes the more exact parts from a traceparent of the same trace.
void TakeNearerParent(const TraceContext& w3c, TraceContext& context) {
  const bool same_high =
      w3c.trace_id_high == context.trace_id_high || w3c.trace_id_high == 0 || context.trace_id_high == 0;
  if (w3c.trace_id != context.trace_id || !same_high) return;
  if (context.trace_id_high == 0) SetTraceIdHigh(context, w3c.trace_id_high);
  if (w3c.parent_id == context.parent_id) return;
  // The last Datadog tracer's span; spans of other tracers may have followed.
  if (const auto last = w3c.tags.find(kParentTag); last != w3c.tags.end()) {
    context.tags.insert_or_assign(std::string(kParentTag), last->second);
  } else if (context.parent_id != 0) {
    context.tags.insert_or_assign(std::string(kParentTag), Hex16(context.parent_id));
  }
  context.parent_id = w3c.parent_id;
}

void ReadBaggage(const HttpHeaders& carrier, const PropagationOptions& options, SpanTags& tags) {
  const std::vector<PropagationStyle>& styles = options.styles;
  if (std::find(styles.begin(), styles.end(), PropagationStyle::kBaggage) != styles.end())
    tags = BaggageTags(Header(carrier, kBaggageHeader), options.baggage_tag_keys);
  if (!options.http_baggage) return;
  const size_t most = tags.size() + kMaxBaggageItems;
  for (const auto& [name, value] : carrier) {
    if (tags.size() >= most) break;
    if (name.size() > kBaggagePrefix.size() && value.size() <= kMaxBaggageValue &&
        absl::StartsWithIgnoreCase(name, kBaggagePrefix))
      tags.emplace(absl::AsciiStrToLower(name.substr(kBaggagePrefix.size())), value);
  }
}

}  // namespace

std::vector<PropagationStyle> ParsePropagationStyles(std::string_view text,
                                                     std::vector<std::string>& unknown) {
  constexpr std::array<std::pair<std::string_view, PropagationStyle>, 6> kNames = {{
      {"datadog", PropagationStyle::kDatadog},
      {"tracecontext", PropagationStyle::kTraceContext},
      {"b3", PropagationStyle::kB3},
      {"b3 single header", PropagationStyle::kB3},
      {"b3multi", PropagationStyle::kB3Multi},
      {"baggage", PropagationStyle::kBaggage},
  }};
  std::vector<PropagationStyle> styles;
  for (const std::string_view part : absl::StrSplit(text, ',')) {
    const std::string name = absl::AsciiStrToLower(absl::StripAsciiWhitespace(part));
    if (name.empty() || name == "none") continue;
    const auto known =
        std::find_if(kNames.begin(), kNames.end(), [&](const auto& entry) { return entry.first == name; });
    if (known == kNames.end()) {
      unknown.push_back(name);
    } else if (std::find(styles.begin(), styles.end(), known->second) == styles.end()) {
      styles.push_back(known->second);
    }
  }
  return styles;
}

std::optional<TraceContext> ExtractTraceContext(const HttpHeaders& carrier,
                                                const PropagationOptions& options) {
  std::optional<TraceContext> context;
  for (const PropagationStyle style : options.styles) {
    if (context && (options.extract_first || style != PropagationStyle::kTraceContext)) continue;
    std::optional<TraceContext> found = ExtractStyle(style, carrier);
    if (!found) continue;
    if (context) {
      TakeNearerParent(*found, *context);
    } else {
      context = std::move(found);
    }
  }
  if (context) ReadBaggage(carrier, options, context->baggage);
  return context;
}

bool IsTraceContextHeader(std::string_view name) {
  for (const std::string_view prefix :
       {std::string_view("x-datadog-"), std::string_view("x-b3-"), kBaggagePrefix})
    if (absl::StartsWithIgnoreCase(name, prefix)) return true;
  for (const std::string_view whole : {std::string_view("traceparent"), std::string_view("tracestate"),
                                       std::string_view("b3"), kBaggageHeader})
    if (absl::EqualsIgnoreCase(name, whole)) return true;
  return false;
}

std::optional<TraceContext> ContextOfXrayHeader(std::string_view header) {
  std::optional<uint64_t> trace_id, parent;
  std::optional<int> sampled;
  bool is_datadogs = false;
  for (const std::string_view part : absl::StrSplit(header, ';', absl::SkipEmpty())) {
    const std::pair<std::string_view, std::string_view> item = absl::StrSplit(part, absl::MaxSplits('=', 1));
    const std::string name = absl::AsciiStrToLower(absl::StripAsciiWhitespace(item.first));
    const std::string value = absl::AsciiStrToLower(absl::StripAsciiWhitespace(item.second));
    if (name == "root") {
      // The format is 1-<8 digits of a time>-<24 digits>; the last 16 digits count.
      const std::vector<std::string_view> root = absl::StrSplit(value, '-');
      if (root.size() != 3 || root[0] != "1" || !ParseHex(root[1], 8) || root[2].size() != 24) continue;
      const std::optional<uint64_t> high = ParseHex(root[2].substr(0, 8), 8);
      if (!high) continue;
      trace_id = NotZero(ParseHex(root[2].substr(8), 16));
      is_datadogs = *high == 0;
    } else if (name == "parent") {
      parent = NotZero(ParseHex(value, 16));
    } else if (name == "sampled") {
      sampled = value == "1" ? std::optional(1) : value == "0" ? std::optional(0) : std::nullopt;
    }
  }
  if (!trace_id || !parent) return std::nullopt;
  if (sampled == 0 && !is_datadogs) sampled.reset();
  return TraceContext{.trace_id = *trace_id, .parent_id = *parent, .sampling_priority = sampled};
}

SpanTags ParsePropagationTags(std::string_view header) {
  SpanTags tags;
  if (header.size() > kMaxTagsHeader) {
    tags.emplace(kErrorTag, "extract_max_size");
    return tags;
  }
  for (const std::string_view part : absl::StrSplit(header, ',', absl::SkipEmpty())) {
    const std::pair<std::string_view, std::string_view> item = absl::StrSplit(part, absl::MaxSplits('=', 1));
    const std::string_view name = absl::StripAsciiWhitespace(item.first);
    const std::string_view value = absl::StripAsciiWhitespace(item.second);
    if (name.empty() || value.empty()) {
      tags.clear();
      tags.emplace(kErrorTag, "decoding_error");
      return tags;
    }
    if (absl::StartsWith(name, "_dd.p.")) tags.insert_or_assign(std::string(name), std::string(value));
  }
  return tags;
}

std::optional<uint64_t> ParseDecimalId(std::string_view text) {
  uint64_t id = 0;
  // SimpleAtoi also takes signs and spaces.
  if (text.empty() || !absl::ascii_isdigit(static_cast<unsigned char>(text.front())) ||
      !absl::SimpleAtoi(text, &id))
    return std::nullopt;
  return NotZero(id);
}

std::optional<int> ParseSamplingPriority(std::string_view text) {
  int priority = 0;
  if (!absl::SimpleAtoi(text, &priority)) return std::nullopt;
  return priority;
}

HttpHeaders TraceContextReplyHeaders(const TraceContext& context) {
  HttpHeaders headers = {{"x-datadog-trace-id", absl::StrCat(context.trace_id)}};
  if (context.sampling_priority)
    headers.emplace_back("x-datadog-sampling-priority", absl::StrCat(*context.sampling_priority));
  if (context.trace_id_high != 0)
    headers.emplace_back("x-datadog-tags", absl::StrCat(kTraceIdHighTag, "=", Hex16(context.trace_id_high)));
  return headers;
}

}  // namespace thaw
