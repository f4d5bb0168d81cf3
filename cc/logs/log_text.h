// Reads what a log line's record says: its text, level, tags and request.
//
//   LogTextReader reader;
//   LogText line;
//   if (!reader.Read(log.json, line)) ...   // neither a text nor an object
//   for (const std::string_view piece : line.pieces) ...
//
// A record is a JSON string, or a JSON object that a function with JSON logging writes. A string that is a JSON
// object is looked into as well. Level, tags and request are top-level members: `level`, else `status`; `ddtags`,
// at the top or in an object `message`, which is taken out of the text; `requestId`, else `AWSRequestId`.
//
// Nothing is copied, except what stood escaped in a string and has to be looked into. A record that is longer than
// any of Lambda's is not looked into, and its text is cut. One thread.

#ifndef THAW_CC_LOGS_LOG_TEXT_H_
#define THAW_CC_LOGS_LOG_TEXT_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/container/inlined_vector.h"
#include "cc/base/byte_account.h"
#include "cc/base/declare_enum.h"

namespace thaw {

// The status of a line, as the intake names it. X(enumerator, name, the lines)
#define THAW_LOG_STATUSES(X)                                 \
  X(kCritical, critical, "lines of level critical or fatal") \
  X(kError, error, "lines of level error")                   \
  X(kWarn, warn, "lines of level warn or warning")           \
  X(kInfo, info, "lines of level info, or without a level")  \
  X(kDebug, debug, "lines of level debug")                   \
  X(kTrace, trace, "lines of level trace")
THAW_DECLARE_ENUM(LogStatus, kLogStatuses, THAW_LOG_STATUSES)

// The pieces of a text, one after the other.
using TextPieces = absl::InlinedVector<std::string_view, 4>;

struct LogText {
  TextPieces pieces;
  // Whether the pieces are written as inside a JSON string.
  bool escaped = false;
  // Whether the record's text goes on behind the pieces.
  bool cut = false;
  LogStatus status = LogStatus::kInfo;
  // The members, as written inside a JSON string; empty if there is none.
  std::string_view tags;
  std::string_view request_id;     // of an object record
  std::string_view execution_arn;  // likewise
  std::string_view error_type;     // likewise
};

class LogTextReader {
 public:
  // The longest text that is read: Lambda's largest batch of records has as many bytes.
  static constexpr size_t kMostTextBytes = size_t{1} << 20;

  // `account` is charged with large copies; may be null, and must outlive the reader.
  explicit LogTextReader(ByteAccount* account = nullptr) : charge_(account) {}

  // Reads `json`, a well-formed record. Views into it and into the reader are valid until the next call or
  // Release(). Returns false for a number, a list or another value without text, and where a copy has no room.
  bool Read(std::string_view json, LogText& line);
  // Returns whether the last call of Read had no room for a copy.
  bool no_memory() const { return no_memory_; }
  // Frees the memory of large copies.
  void Release();

 private:
  bool ReadParts(std::string_view json, LogText& line);
  bool ReadString(std::string_view inside, LogText& line);
  // Makes room in a text that has to be empty. Returns false if there is none.
  bool Reserve(std::string& text, size_t bytes);

  ByteCharge charge_;
  bool no_memory_ = false;
  std::string unescaped_;
  std::string repaired_;
  std::string repaired_tags_;
};

}  // namespace thaw

#endif  // THAW_CC_LOGS_LOG_TEXT_H_
