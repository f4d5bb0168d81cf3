// Compiles the examples in the headers of this room. Each is the body of a function, whose parameters and whatever
// stands above it declare the names that the example uses. tools/header_examples.py explains it.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cc/logs/durable_lines.h"
#include "cc/logs/held_logs.h"
#include "cc/logs/json_text.h"
#include "cc/logs/log_batch.h"
#include "cc/logs/log_entry.h"
#include "cc/logs/log_processor.h"
#include "cc/logs/log_text.h"
#include "cc/logs/out_of_memory.h"
#include "cc/logs/platform_lines.h"
#include "cc/logs/processing_rules.h"
#include "cc/logs/recent_invocations.h"
#include "cc/trace/process/replace_all.h"

namespace thaw {
namespace {

void DurableLinesExample(const LogEntry& entry, DurableLines::Emit emit, std::string_view request_id,
                         const std::string& id, const std::string& name) {
#include "cc/logs/durable_lines.h.example"
}

void HeldLogsExample(const LogEntry& entry, HeldLogs::Emit emit) {
#include "cc/logs/held_logs.h.example"
}

void JsonTextExample(std::string_view inside, std::string& body) {
#include "cc/logs/json_text.h.example"
}

void LogBatchExample(const LogEntryWriter& writer, const LogEntry& entry) {
#include "cc/logs/log_batch.h.example"
}

void LogEntryExample(const std::string& arn, const LogEntry& entry, std::string& body) {
#include "cc/logs/log_entry.h.example"
}

void LogProcessorExample(LogProcessorOptions options, const TelemetryRecord& record) {
#include "cc/logs/log_processor.h.example"
}

void LogTextExample(const FunctionLog& log) {
#include "cc/logs/log_text.h.example"
}

void OutOfMemoryExample(const LogText& line) {
#include "cc/logs/out_of_memory.h.example"
}

void PlatformLinesExample(const PlatformRuntimeDone& done) {
#include "cc/logs/platform_lines.h.example"
}

void ProcessingRulesExample(const std::string& json, std::string_view line, ReplaceLimits& limits) {
#include "cc/logs/processing_rules.h.example"
}

void RecentInvocationsExample(std::string_view text, bool escaped) {
#include "cc/logs/recent_invocations.h.example"
}

}  // namespace
}  // namespace thaw
