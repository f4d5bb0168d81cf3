// Writes the core's warnings and errors to standard error, each as one line that a terminal can show.
//
//   InstallLogLines();            // when the module is loaded
//   const NoLogLines quiet;       // what this thread logs while it lives is not written
//
// Texts of peers are escaped. Without this the logging library would write them as they are, behind a preamble
// that means nothing to a user of the package.

#ifndef THAW_PYTHON_BINDINGS_LOG_LINES_H_
#define THAW_PYTHON_BINDINGS_LOG_LINES_H_

namespace thaw::python {

// Call with the GIL, before anything is logged. Further calls do nothing: an import that failed may be repeated.
void InstallLogLines();

// Keeps a thread quiet, as in a simulation, whose failures lose no data.
class NoLogLines {
 public:
  NoLogLines();
  ~NoLogLines();
  NoLogLines(const NoLogLines&) = delete;
  NoLogLines& operator=(const NoLogLines&) = delete;
};

}  // namespace thaw::python

#endif  // THAW_PYTHON_BINDINGS_LOG_LINES_H_
