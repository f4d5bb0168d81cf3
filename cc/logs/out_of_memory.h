// Recognizes the lines that a runtime writes when memory is exhausted.
//
//   OutOfMemoryDetector detector;
//   if (detector.Matches(line)) ...
//
// A line counts only where it has the form in which the runtime itself writes it: a line that merely mentions
// such an error, for instance a handler that logs what it has caught, is no sign of one.
//
// One thread.

#ifndef THAW_CC_LOGS_OUT_OF_MEMORY_H_
#define THAW_CC_LOGS_OUT_OF_MEMORY_H_

#include <string>
#include <string_view>

#include "cc/logs/log_text.h"

namespace thaw {

// Returns whether the text of a line, which may have several lines itself, is one of a runtime without memory.
bool IsOutOfMemoryText(std::string_view text);

class OutOfMemoryDetector {
 public:
  bool Matches(const LogText& line);

 private:
  std::string text_;
};

}  // namespace thaw

#endif  // THAW_CC_LOGS_OUT_OF_MEMORY_H_
