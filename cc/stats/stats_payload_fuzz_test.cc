// Whatever a tracer sends as stats: it is refused with a reason, or what comes out is the same when it is
// read again, and can be split.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "cc/stats/stats_batch.h"
#include "cc/stats/stats_payload.h"

namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

void Try(std::string_view body) {
  const absl::StatusOr<thaw::StatsPayload> payload = thaw::StatsPayload::FromMsgpack(body);
  if (!payload.ok()) {
    Check(!payload.status().message().empty());
    return;
  }
  const absl::StatusOr<thaw::StatsPayload> again = thaw::StatsPayload::FromMsgpack(payload->bytes());
  Check(again.ok());
  Check(again->bytes() == payload->bytes());
  Check(again->counts().groups == payload->counts().groups);
  thaw::SplitStatsToFit(thaw::EncodeStatsBatch({payload->bytes()}), 64);
  thaw::SplitStatsBatch(body);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  Try(input);
  Try("\x81\xA5Stats\x91" + input);
  Try("\x82\xA4Tags\x91" + input);
  return 0;
}
