// Reads the figures of texts in /proc.
//
//   const std::optional<CpuTimes> cpu = ParseCpuTimes(text_of_proc_stat);
//   const std::optional<NetworkBytes> network = ParseNetworkBytes(text_of_proc_net_dev);
//
// Any bytes are accepted: text of another form gives nullopt. Pure.
//
// Source: proc(5); names of the network interfaces in Lambda's environments.

#ifndef THAW_CC_METRICS_PROC_TEXTS_H_
#define THAW_CC_METRICS_PROC_TEXTS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/time/time.h"

namespace thaw {

// Cores beyond this number are left out.
inline constexpr size_t kMostCores = 1024;

// Processor times since the system's start, in ticks.
struct CpuTimes {
  uint64_t user = 0;
  uint64_t system = 0;  // with the time in interrupts
  uint64_t idle = 0;    // of all cores together, with the time in which they only waited for a disk
  std::vector<uint64_t> idle_of_core;
};

struct NetworkBytes {
  uint64_t received = 0;
  uint64_t sent = 0;
};

// Reads /proc/stat. Returns nullopt without a line of all cores, or of any one.
std::optional<CpuTimes> ParseCpuTimes(std::string_view text);

// Reads /proc/uptime.
std::optional<absl::Duration> ParseUptime(std::string_view text);

// Reads /proc/net/dev. Returns the figures of the interface over which functions reach the network, nullopt if there
// is none.
std::optional<NetworkBytes> ParseNetworkBytes(std::string_view text);

// Reads the soft limit with this name, "Max open files", in /proc/PID/limits. Returns nullopt if there is none.
std::optional<int64_t> ParseSoftLimit(std::string_view text, std::string_view name);

}  // namespace thaw

#endif  // THAW_CC_METRICS_PROC_TEXTS_H_
