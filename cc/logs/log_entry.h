// One log line as the intake receives it, and its JSON.
//
//   LogEntryWriter writer({.function_arn = arn, .service = "checkout"});
//   writer.SetTags("env:prod,version:7");
//   const bool cut = writer.Append(entry, body);
//
// Members that all entries share are encoded once. The text is copied once, from the record into `body`.
//
// One thread.

#ifndef THAW_CC_LOGS_LOG_ENTRY_H_
#define THAW_CC_LOGS_LOG_ENTRY_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "cc/logs/log_text.h"

namespace thaw {

// The execution of a durable function: texts as written inside a JSON string. Empty ones are left out.
struct DurableExecution {
  std::string_view id;
  std::string_view name;
  std::string_view status = {};
  std::optional<bool> first_invocation = std::nullopt;
};

// The kind of a log line.
enum class LogKind {
  kLine,      // anything
  kPlatform,  // the platform's line of an invocation's start or report
  kOutcome,   // the platform's line of its outcome
};

// A log line. Its views must be valid during the call that it is passed to.
struct LogEntry {
  absl::Time time;
  absl::Span<const std::string_view> pieces;  // the text
  bool escaped = false;                       // the pieces are written as inside a JSON string
  bool cut = false;                           // the text went on
  LogStatus status = LogStatus::kInfo;
  // The request id, as written inside a JSON string; empty if there is none.
  std::string_view request_id;
  std::string_view tags;
  LogKind kind = LogKind::kLine;
  DurableExecution durable;
};

class LogEntryWriter {
 public:
  struct Source {
    std::string function_arn;
    std::string service;
  };
  // The largest entry that the intake accepts, and the part of it that is reserved for all but the text.
  static constexpr size_t kMaxEntryBytes = 1'000'000;
  static constexpr size_t kReservedBytes = 16 * 1024;
  // Appended to the text of a line that was cut.
  static constexpr std::string_view kCutMarker = "...TRUNCATED...";

  explicit LogEntryWriter(const Source& source);

  // Sets the tags of all entries, "name:value" with commas between them.
  void SetTags(std::string_view tags);
  // Appends the entry's JSON object. Returns whether its text had to be cut.
  bool Append(const LogEntry& entry, std::string& body) const;

 private:
  // Appends the text. Returns whether it had to be cut.
  static bool AppendText(const LogEntry& entry, size_t most, std::string& body);

  std::string after_text_;  // up to the request id
  std::string before_tags_;
  std::string tags_;
};

}  // namespace thaw

#endif  // THAW_CC_LOGS_LOG_ENTRY_H_
