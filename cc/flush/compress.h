// Bodies compressed as the intake wants them, and back, for splitting what it found too large.

#ifndef THAW_CC_FLUSH_COMPRESS_H_
#define THAW_CC_FLUSH_COMPRESS_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace thaw {

// One zstd frame that says how large its content is. `level`: 1 to 22.
absl::StatusOr<std::string> CompressZstd(std::string_view data, int level);

// One gzip member (RFC 1952) without name and time, so that equal data give equal bytes. `level`: 1 to 9;
// higher ones are 9.
absl::StatusOr<std::string> CompressGzip(std::string_view data, int level);

// The content of one frame, or one member. InvalidArgument: it is none, or cut off. ResourceExhausted: the
// content is larger than `max_size`, of which no more is ever made.
absl::StatusOr<std::string> DecompressZstd(std::string_view data, size_t max_size);
absl::StatusOr<std::string> DecompressGzip(std::string_view data, size_t max_size);

}  // namespace thaw

#endif  // THAW_CC_FLUSH_COMPRESS_H_
