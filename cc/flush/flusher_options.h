// Options of a pipeline's flusher.
//
// The limits that pipelines share have options of their own (shared_resources.h), and so has the emulation of
// peers' clients (peers_options.h).
//
//   FlusherOptions options = DefaultFlusherOptions(PipelineNamed("stats"));
//   options.max_batch_bytes = 1 << 20;
//   THAW_RETURN_IF_ERROR(options.Validate());

#ifndef THAW_CC_FLUSH_FLUSHER_OPTIONS_H_
#define THAW_CC_FLUSH_FLUSHER_OPTIONS_H_

#include <cstddef>

#include "absl/status/status.h"

namespace thaw {

struct PipelineSpec;

// The comment of each field is its docstring in Python, too (python/bindings/option_texts.py).
struct FlusherOptions {
  // The level of zstd or gzip. A higher one makes smaller bodies and takes more processor time.
  int compression_level = 3;
  // Limits a payload's bytes before compression; larger ones are split. The intake refuses bodies that are
  // too large.
  size_t max_batch_bytes = 12'000'000;
  // Encodes without waiting for a flush when more bytes than this wait to be encoded: that costs a request
  // more now and then, but compressed data take a tenth of the memory. 0: only a flush encodes.
  size_t encode_above_bytes = 0;
  // Resends requests that may have been accepted, marked possible_duplicate. Off for stats and metrics, where
  // counting twice is wrong: such requests are dropped.
  bool retry_ambiguous = true;

  // Returns InvalidArgument, naming the field and its value, if an option is out of range.
  absl::Status Validate() const;
};

// Returns the options of a pipeline for which nothing is configured.
FlusherOptions DefaultFlusherOptions(const PipelineSpec& spec);

}  // namespace thaw

#endif  // THAW_CC_FLUSH_FLUSHER_OPTIONS_H_
