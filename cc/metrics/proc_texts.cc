#include "cc/metrics/proc_texts.h"

#include <algorithm>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"

namespace thaw {
namespace {

// The interfaces over which functions reach the network, in Lambda's kinds of environments.
constexpr std::string_view kInterfaces[] = {"vinternal_1", "vint_runtime", "Ceth1"};

constexpr double kMostSeconds = 1e9;  // thirty years

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

// Removes the first line from `text` and returns it.
std::string_view TakeLine(std::string_view& text) {
  const size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

// Removes the first word from `line` and returns it; empty if there is none.
std::string_view TakeWord(std::string_view& line) {
  while (!line.empty() && IsBlank(line.front())) line.remove_prefix(1);
  size_t end = 0;
  while (end < line.size() && !IsBlank(line[end])) ++end;
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(end);
  return word;
}

bool TakeNumber(std::string_view& line, uint64_t& number) {
  const std::string_view word = TakeWord(line);
  return !word.empty() && absl::ascii_isdigit(static_cast<unsigned char>(word.front())) &&
         absl::SimpleAtoi(word, &number);
}

uint64_t Sum(uint64_t a, uint64_t b) {
  return b > std::numeric_limits<uint64_t>::max() - a ? std::numeric_limits<uint64_t>::max() : a + b;
}

// The columns of a line "cpu" or "cpuN" that are used. Older kernels have fewer of them.
struct CpuLine {
  uint64_t user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0;
};

std::optional<CpuLine> ParseCpuLine(std::string_view columns) {
  CpuLine line;
  for (uint64_t* const number : {&line.user, &line.nice, &line.system, &line.idle})
    if (!TakeNumber(columns, *number)) return std::nullopt;
  for (uint64_t* const number : {&line.iowait, &line.irq, &line.softirq})
    if (!TakeNumber(columns, *number)) break;
  return line;
}

}  // namespace

std::optional<CpuTimes> ParseCpuTimes(std::string_view text) {
  CpuTimes times;
  bool has_sum = false;
  while (!text.empty()) {
    std::string_view line = TakeLine(text);
    if (!absl::StartsWith(line, "cpu")) break;  // the lines of cores come first
    const std::string_view name = TakeWord(line);
    const std::optional<CpuLine> columns = ParseCpuLine(line);
    if (!columns.has_value()) return std::nullopt;
    const uint64_t idle = Sum(columns->idle, columns->iowait);
    if (name == "cpu") {
      has_sum = true;
      times.user = columns->user;
      times.system = Sum(columns->system, Sum(columns->irq, columns->softirq));
      times.idle = idle;
    } else if (times.idle_of_core.size() < kMostCores) {
      times.idle_of_core.push_back(idle);
    }
  }
  if (!has_sum || times.idle_of_core.empty()) return std::nullopt;
  return times;
}

std::optional<absl::Duration> ParseUptime(std::string_view text) {
  std::string_view line = TakeLine(text);
  const std::string_view word = TakeWord(line);
  double seconds = 0;
  if (word.empty() || !absl::ascii_isdigit(static_cast<unsigned char>(word.front())) ||
      !absl::SimpleAtod(word, &seconds) || !(seconds <= kMostSeconds)) {
    return std::nullopt;
  }
  return absl::Seconds(seconds);
}

std::optional<NetworkBytes> ParseNetworkBytes(std::string_view text) {
  while (!text.empty()) {
    std::string_view line = absl::StripLeadingAsciiWhitespace(TakeLine(text));
    const bool wanted = std::any_of(std::begin(kInterfaces), std::end(kInterfaces),
                                    [line](std::string_view name) { return absl::StartsWith(line, name); });
    const size_t colon = line.find(':');
    if (!wanted || colon == std::string_view::npos) continue;
    line.remove_prefix(colon + 1);
    // Eight columns of what was received, bytes first, and then bytes that were sent.
    uint64_t columns[9];
    for (uint64_t& column : columns)
      if (!TakeNumber(line, column)) return std::nullopt;
    return NetworkBytes{.received = columns[0], .sent = columns[8]};
  }
  return std::nullopt;
}

std::optional<int64_t> ParseSoftLimit(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    std::string_view line = TakeLine(text);
    if (!absl::ConsumePrefix(&line, name) || line.empty() || !IsBlank(line.front())) continue;
    const std::string_view word = TakeWord(line);
    int64_t limit = 0;
    if (!absl::SimpleAtoi(word, &limit) || limit < 0) return std::nullopt;  // "unlimited"
    return limit;
  }
  return std::nullopt;
}

}  // namespace thaw
