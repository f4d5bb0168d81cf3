#include "cc/flush/flusher_options.h"

#include "absl/strings/str_cat.h"
#include "cc/flush/pipeline_spec.h"

namespace thaw {

absl::Status FlusherOptions::Validate() const {
  if (compression_level < 0 || compression_level > 22) {
    return absl::InvalidArgumentError(absl::StrCat("compression_level is ", compression_level,
                                                   "; it must be from 0 (the library's default) to 22"));
  }
  if (max_batch_bytes < 1024) {
    return absl::InvalidArgumentError(
        absl::StrCat("max_batch_bytes is ", max_batch_bytes, "; it must be at least 1024"));
  }
  return absl::OkStatus();
}

FlusherOptions DefaultFlusherOptions(const PipelineSpec& spec) {
  return {.compression_level = spec.limits.compression_level,
          .max_batch_bytes = spec.limits.max_batch_bytes,
          .encode_above_bytes = spec.limits.encode_above_bytes,
          .retry_ambiguous = spec.retry_ambiguous};
}

}  // namespace thaw
