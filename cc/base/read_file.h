// Reads a whole file that a user named: configuration, certificates, the hosts file.
//
//   absl::StatusOr<std::string> text = ReadWholeFile(path, 1 << 20);
//
// A name may lead to anything. Only regular files are opened, and at most `max_bytes` are read, so that a
// pipe without a writer, a terminal or an endless device costs an error and no time.
//
// Any thread.

#ifndef THAW_CC_BASE_READ_FILE_H_
#define THAW_CC_BASE_READ_FILE_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"

namespace thaw {

// Returns the content of `path`, which may be empty. An error's text says what is wrong and omits the path:
//   NotFound             there is no such file, or no such folder
//   FailedPrecondition   a folder, a pipe, a device or a socket
//   ResourceExhausted    larger than `max_bytes`
//   another code         the system's reason
absl::StatusOr<std::string> ReadWholeFile(const std::string& path, size_t max_bytes);

}  // namespace thaw

#endif  // THAW_CC_BASE_READ_FILE_H_
