// Any text in place of those in /proc yields figures within their bounds, or none.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "cc/metrics/proc_texts.h"

namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto times = thaw::ParseCpuTimes(text))
    Check(!times->idle_of_core.empty() && times->idle_of_core.size() <= thaw::kMostCores);
  if (const auto uptime = thaw::ParseUptime(text))
    Check(*uptime >= absl::ZeroDuration() && *uptime < absl::InfiniteDuration());
  thaw::ParseNetworkBytes(text);
  for (const std::string_view name : {"Max open files", "Max processes"})
    if (const auto limit = thaw::ParseSoftLimit(text, name)) Check(*limit >= 0);
  return 0;
}
