// Sends stats to the intake: StatsPayload as MessagePack, gzip. Requests that may have been accepted are not
// resent, since counting twice is wrong.

#ifndef THAW_CC_FLUSH_STATS_FLUSHER_H_
#define THAW_CC_FLUSH_STATS_FLUSHER_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "cc/flush/flusher_options.h"
#include "cc/flush/payload_flusher.h"
#include "cc/stats/stats_payload.h"

namespace thaw {

struct StatsEncoding {
  using Payload = StatsPayload;
  static constexpr Pipeline kPipeline = Pipeline::kStats;

  // Encoding keeps no memory, since stats are few.
  struct Workspace {
    void Release() {}
  };

  // The intake's limit of a body before compression.
  static constexpr size_t kMaxBytes = 3 << 20;

  // Encodes in order of arrival. Requests have at most kMaxBytes or FlusherOptions::max_batch_bytes,
  // whichever is less, unless one group alone is larger. A payload without a bucket makes no request.
  static absl::Status Encode(const std::vector<HeldPayload<StatsPayload>>& held,
                             const FlusherOptions& options, Workspace& workspace, EmitRequest emit);
  static std::vector<std::string> Split(std::string_view body, const FlusherOptions& options);
};

using StatsFlusher = PayloadFlusher<StatsEncoding>;

}  // namespace thaw

#endif  // THAW_CC_FLUSH_STATS_FLUSHER_H_
