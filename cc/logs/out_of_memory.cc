#include "cc/logs/out_of_memory.h"

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "cc/logs/json_text.h"

namespace thaw {
namespace {

// Parts of which each such line has one; all but a few lines have none.
constexpr std::string_view kHints[] = {"emory", "signal: killed"};

// A runtime's line is at the beginning of a long text, or in its first lines.
constexpr size_t kReadBytes = 16 * 1024;

bool HasHint(const LogText& line) {
  for (const std::string_view piece : line.pieces)
    for (const std::string_view hint : kHints)
      if (absl::StrContains(piece, hint)) return true;
  return false;
}

// Returns whether `line` is `name`, or begins with `name` and a colon, as the last line of a traceback does.
bool Names(std::string_view line, std::string_view name) {
  return absl::ConsumePrefix(&line, name) && (line.empty() || line.front() == ':');
}

bool IsGo(std::string_view line) { return absl::StartsWith(line, "fatal error: runtime: out of memory"); }

bool IsJava(std::string_view line) {
  constexpr std::string_view kError = "java.lang.OutOfMemoryError";
  if (Names(line, kError)) return true;
  // "Java heap space: java.lang.OutOfMemoryError", as Lambda's runtime writes it.
  if (std::string_view before = line; absl::ConsumeSuffix(&before, kError))
    return absl::EndsWith(before, ": ");
  if (absl::ConsumePrefix(&line, "Caused by: ")) return Names(line, kError);
  if (!absl::ConsumePrefix(&line, "Exception in thread \"")) return false;
  const size_t quote = line.find("\" ");
  return quote != std::string_view::npos && Names(line.substr(quote + 2), kError);
}

bool IsNode(std::string_view line) {
  return absl::StartsWith(line, "FATAL ERROR: ") && absl::StrContains(line, "JavaScript heap out of memory");
}

bool IsPlatform(std::string_view line) {
  constexpr std::string_view kKilled = "Runtime exited with error: signal: killed";
  if (absl::ConsumePrefix(&line, "RequestId: ")) {
    const size_t space = line.find(' ');
    line = space == std::string_view::npos ? std::string_view() : line.substr(space + 1);
    absl::ConsumePrefix(&line, "Error: ");
  }
  return absl::StartsWith(line, kKilled);
}

bool IsRuby(std::string_view line) {
  return absl::EndsWith(line, ": failed to allocate memory (NoMemoryError)") ||
         line == "failed to allocate memory (NoMemoryError)";
}

bool IsDotNet(std::string_view line) {
  absl::ConsumePrefix(&line, "Unhandled exception. ");
  return Names(line, "System.OutOfMemoryException");
}

bool IsErrorType(std::string_view name) {
  for (const std::string_view known :
       {"MemoryError", "java.lang.OutOfMemoryError", "System.OutOfMemoryException", "OutOfMemoryException",
        "NoMemoryError", "Function<NoMemoryError>", "Runtime.OutOfMemory"})
    if (name == known) return true;
  return false;
}

}  // namespace

bool IsOutOfMemoryText(std::string_view text) {
  text = text.substr(0, kReadBytes);
  // Lambda's Python runtime writes "[ERROR] MemoryError", and the traceback after it.
  if (std::string_view python = text; absl::ConsumePrefix(&python, "[ERROR] MemoryError"))
    return python.empty() || python.front() == ':' || python.front() == '\n' || python.front() == '\r';
  // A traceback within a text is one that the function has caught and logs.
  const bool traceback = absl::StartsWith(text, "Traceback (most recent call last):");
  for (std::string_view line : absl::StrSplit(text, absl::ByAnyChar("\r\n"))) {
    if (IsGo(line) || IsJava(line) || IsNode(line) || IsPlatform(line) || IsRuby(line) || IsDotNet(line))
      return true;
    if (traceback && Names(line, "MemoryError")) return true;
  }
  return false;
}

bool OutOfMemoryDetector::Matches(const LogText& line) {
  if (!HasHint(line)) return false;
  // An error that a runtime writes as JSON names its type.
  if (!line.error_type.empty()) return IsErrorType(line.error_type);
  if (!line.escaped) return false;
  text_.clear();
  for (const std::string_view piece : line.pieces) AppendJsonUnescaped(CutEscaped(piece, kReadBytes), text_);
  return IsOutOfMemoryText(text_);
}

}  // namespace thaw
