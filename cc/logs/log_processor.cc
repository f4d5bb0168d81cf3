#include "cc/logs/log_processor.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <variant>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "cc/base/reserve.h"
#include "cc/base/utf8.h"
#include "cc/logs/json_text.h"
#include "cc/logs/platform_lines.h"

namespace thaw {
namespace {

// The beginning of each line that this extension writes (cc/extension/log_output.cc).
constexpr std::string_view kOwnLine = "THAW | ";

// The work of rules on a line, in the units of ReplaceLimits: in proportion to its length, so that lines that are
// read in one step take a few milliseconds together, and at most 20 ms. A line that takes more is cut.
constexpr int64_t kLeastRuleWork = int64_t{256} << 10;
constexpr int64_t kRuleWorkOfByte = 128;
constexpr int64_t kMostRuleWork = int64_t{8} << 20;
// Bytes that a line in which something is masked loses at its end where it was cut.
constexpr size_t kCutAfterRules = 4096;

// Returns the execution that an ARN of a durable function's execution names:
// "arn:…/durable-execution/NAME/ID". Empty for any other text.
DurableExecution ExecutionOf(std::string_view arn) {
  constexpr std::string_view kMark = "/durable-execution/";
  const size_t mark = arn.find(kMark);
  if (mark == std::string_view::npos) return {};
  const std::string_view rest = arn.substr(mark + kMark.size());
  const size_t slash = rest.find('/');
  if (slash == std::string_view::npos) return {};
  return {.id = rest.substr(slash + 1), .name = rest.substr(0, slash)};
}

// Returns `text` as it stands inside a JSON string. A platform record may have half of a surrogate pair.
std::string Escaped(std::string_view text) {
  std::string escaped;
  if (IsValidUtf8(text)) {
    AppendJsonEscaped(text, escaped);
  } else {
    AppendJsonEscaped(RepairUtf8(text), escaped);
  }
  return escaped;
}

}  // namespace

LogProcessor::LogProcessor(LogProcessorOptions options, Sink sink)
    : options_(std::move(options)),
      sink_(std::move(sink)),
      reader_(options_.account),
      held_(options_.most_held_bytes, options_.account),
      durable_({.most_invocations = options_.most_durable_invocations,
                .most_bytes = options_.most_held_bytes,
                .account = options_.account}),
      charge_(options_.account) {}

void LogProcessor::Take(const TelemetryRecord& record) {
  if (const auto* log = std::get_if<FunctionLog>(&record.record)) {
    TakeLine(record.time, log->json, /*of_function=*/true);
  } else if (const auto* log = std::get_if<ExtensionLog>(&record.record)) {
    TakeLine(record.time, log->json, /*of_function=*/false);
  } else {
    TakePlatform(record);
  }
}

void LogProcessor::OnExecution(std::string_view request_id, ExecutionFacts facts) {
  facts.id = Escaped(facts.id);
  facts.name = Escaped(facts.name);
  facts.status = Escaped(facts.status);
  durable_.OnExecution(Escaped(request_id), std::move(facts), sink_);
}

void LogProcessor::ReleaseHeld() {
  EmitHeld("");
  durable_.Release(sink_);
}

void LogProcessor::TakePlatform(const TelemetryRecord& record) {
  const absl::Time time = record.time;
  if (const auto* init = std::get_if<PlatformInitStart>(&record.record)) {
    if (IsDurable(init->runtime_version)) durable_.set_durable();
    TakePlatformLine(time, invocations_.current(), InitStartLine(*init), LogStatus::kInfo);
  } else if (const auto* start = std::get_if<PlatformStart>(&record.record)) {
    const std::string id = Escaped(start->request_id);
    invocations_.OnStart(id);
    if (!options_.concurrent) EmitHeld(id);
    TakePlatformLine(time, id, StartLine(*start), LogStatus::kInfo, LogKind::kPlatform);
  } else if (const auto* done = std::get_if<PlatformRuntimeDone>(&record.record)) {
    const std::string id = Escaped(done->request_id);
    invocations_.Of(id).runtime = done->duration;
    TakePlatformLine(time, id, EndLine(*done), StatusOfOutcome(done->status), LogKind::kOutcome);
  } else if (const auto* report = std::get_if<PlatformReport>(&record.record)) {
    const std::string id = Escaped(report->request_id);
    if (options_.concurrent) {
      TakePlatformLine(time, id, ManagedReportLine(*report), StatusOfOutcome(report->status),
                       LogKind::kOutcome);
    } else {
      TakePlatformLine(time, id, ReportLine(*report, invocations_.Of(id).runtime), LogStatus::kInfo,
                       LogKind::kPlatform);
    }
  }
}

void LogProcessor::TakePlatformLine(absl::Time time, std::string_view request_id, std::string_view text,
                                    LogStatus status, LogKind kind) {
  const std::string escaped = Escaped(text);
  const std::string_view piece = escaped;
  Pass({.time = time,
        .pieces = {&piece, 1},
        .escaped = true,
        .status = status,
        .request_id = request_id,
        .kind = kind});
}

void LogProcessor::TakeLine(absl::Time time, std::string_view json, bool of_function) {
  TakeText(time, json, of_function);
  reader_.Release();
}

void LogProcessor::TakeText(absl::Time time, std::string_view json, bool of_function) {
  LogText line;
  if (!reader_.Read(json, line)) {
    ++(reader_.no_memory() ? counts_.no_memory : counts_.without_text);
    return;
  }
  if (!of_function && IsOwnDetail(line)) {
    ++counts_.own_lines;
    return;
  }
  const std::string_view request_id = RequestOf(line, of_function);
  LookForOutOfMemory(line, request_id, time);
  if (options_.rules.masking_failed()) {
    ++counts_.dropped_unmasked;
    return;
  }
  Pass({.time = time,
        .pieces = line.pieces,
        .escaped = line.escaped,
        .cut = line.cut,
        .status = line.status,
        .request_id = request_id,
        .tags = line.tags,
        .durable = of_function ? ExecutionOf(line.execution_arn) : DurableExecution()});
}

std::string_view LogProcessor::RequestOf(const LogText& line, bool of_function) const {
  if (of_function && !line.request_id.empty()) return line.request_id;
  if (options_.concurrent) return {};
  if (of_function && !line.pieces.empty()) {
    const std::string_view named = invocations_.NamedBy(line.pieces.front(), line.escaped);
    if (!named.empty()) return named;
  }
  return invocations_.current();
}

bool LogProcessor::IsOwnDetail(LogText& line) {
  if (!line.escaped || line.pieces.empty()) return false;
  std::string_view text = line.pieces.front();
  if (!absl::ConsumePrefix(&text, kOwnLine)) return false;
  if (absl::StartsWith(text, "ERROR |")) {
    line.status = LogStatus::kError;
  } else if (absl::StartsWith(text, "WARN |")) {
    line.status = LogStatus::kWarn;
  } else {
    // Each flush writes such lines, and each of them would cause another flush.
    return true;
  }
  return false;
}

void LogProcessor::LookForOutOfMemory(const LogText& line, std::string_view request_id, absl::Time time) {
  if (request_id.empty() || !out_of_memory_.Matches(line)) return;
  RecentInvocations::Known& invocation = invocations_.Of(request_id);
  if (std::exchange(invocation.out_of_memory, true)) return;
  ++counts_.out_of_memory;
  if (on_out_of_memory_) on_out_of_memory_(request_id, time);
}

void LogProcessor::Pass(LogEntry entry) {
  std::string_view text;
  if (options_.rules.empty() || ApplyRules(entry, text)) {
    if (entry.request_id.empty() && !options_.concurrent && invocations_.current().empty()) {
      Hold(entry);
    } else {
      Emit(entry);
    }
  }
  ReleaseLarge();
}

bool LogProcessor::ApplyRules(LogEntry& entry, std::string_view& text) {
  if (!entry.escaped && entry.pieces.size() == 1) {
    text = entry.pieces[0];
  } else {
    size_t bytes = 0;
    for (const std::string_view piece : entry.pieces) bytes += piece.size();
    text_.clear();
    if (!Reserve(text_, bytes, &charge_).ok()) {
      ++counts_.no_memory;
      return false;
    }
    for (const std::string_view piece : entry.pieces)
      entry.escaped ? AppendJsonUnescaped(piece, text_) : static_cast<void>(text_.append(piece));
    text = text_;
  }
  ReplaceLimits limits{
      .work = std::min(kMostRuleWork, kLeastRuleWork + kRuleWorkOfByte * static_cast<int64_t>(text.size())),
      .most_bytes = LogTextReader::kMostTextBytes,
      .charge = &charge_};
  const std::optional<std::string_view> ruled = options_.rules.Apply(text, limits, masked_, entry.cut);
  if (!ruled.has_value()) {
    ++counts_.left_out;
    return false;
  }
  if (ruled->data() == text.data()) return true;
  ++counts_.masked;
  text = *ruled;
  // A text that a rule masks may have been cut in two.
  if (entry.cut) text = CutUtf8(text, text.size() - std::min(text.size(), kCutAfterRules));
  entry.pieces = {&text, 1};
  entry.escaped = false;
  return true;
}

void LogProcessor::ReleaseLarge() {
  for (std::string* text : {&text_, &masked_})
    if (text->capacity() >= kLargeAllocation) *text = std::string();
  charge_.Release();
}

void LogProcessor::Emit(const LogEntry& entry) {
  ++counts_.lines;
  if (entry.request_id.empty()) ++counts_.without_request;
  durable_.Take(entry, sink_);
}

void LogProcessor::Hold(const LogEntry& entry) {
  ++counts_.held;
  if (const std::optional<absl::Time> oldest = held_.oldest();
      oldest.has_value() && entry.time - *oldest > options_.most_held_time)
    EmitHeld("");
  held_.Add(entry, [this](const LogEntry& oldest) { Emit(oldest); });
}

void LogProcessor::EmitHeld(std::string_view request_id) {
  if (held_.empty()) return;
  held_.Release([&](LogEntry entry) {
    if (entry.request_id.empty()) entry.request_id = request_id;
    Emit(entry);
  });
}

}  // namespace thaw
