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
// Nothing is copied, except what stood escaped in a string and has to be looked into. One thread.

#ifndef THAW_CC_LOGS_LOG_TEXT_H_
#define THAW_CC_LOGS_LOG_TEXT_H_

#include <string>
#include <string_view>

#include "absl/container/inlined_vector.h"

namespace thaw {

enum class LogStatus { kCritical, kError, kWarn, kInfo, kDebug, kTrace };
std::string_view ToString(LogStatus status);

// The pieces of a text, one after the other.
using TextPieces = absl::InlinedVector<std::string_view, 4>;

struct LogText {
  TextPieces pieces;
  // Whether the pieces are written as inside a JSON string.
  bool escaped = false;
  LogStatus status = LogStatus::kInfo;
  // The members, as written inside a JSON string; empty if there is none.
  std::string_view tags;
  std::string_view request_id;     // of an object record
  std::string_view execution_arn;  // likewise
  std::string_view error_type;     // likewise
};

class LogTextReader {
 public:
  // Reads `json`, a well-formed record. Views into it and into the reader are valid until the next call. Returns
  // false for a number, a list or another value without text.
  bool Read(std::string_view json, LogText& line);

 private:
  void ReadString(std::string_view inside, LogText& line);

  std::string unescaped_;
  std::string repaired_;
};

}  // namespace thaw

#endif  // THAW_CC_LOGS_LOG_TEXT_H_
