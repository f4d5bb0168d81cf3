// The names of Lambda's enhanced metrics, with unit and meaning. The table in docs/metrics.md is made of them.
//
//   for (const EnhancedMetricRow& row : kEnhancedMetrics) Print(row.name, row.unit, row.help);
//   RowOf(EnhancedMetric::kInvocations).name;   // "aws.lambda.enhanced.invocations"

#ifndef THAW_CC_METRICS_ENHANCED_NAMES_H_
#define THAW_CC_METRICS_ENHANCED_NAMES_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace thaw {

// X(enumerator, name after the prefix, unit, meaning)
#define THAW_ENHANCED_METRICS(X)                                                                            \
  X(kInvocations, "invocations", "", "1 for each invocation")                                               \
  X(kErrors, "errors", "", "1 for each invocation that failed: by the platform's account or the tracer's")  \
  X(kTimeouts, "timeouts", "", "1 for each invocation that took too long")                                  \
  X(kOutOfMemory, "out_of_memory", "", "1 for each request that failed for lack of memory")                 \
  X(kInitDuration, "init_duration", "s", "the initialization of the environment")                           \
  X(kRestoreDuration, "snapstart_restore_duration", "s", "the restore from a snapshot")                     \
  X(kRuntimeDuration, "runtime_duration", "ms", "the run of the handler")                                   \
  X(kProducedBytes, "produced_bytes", "B", "the response's size")                                           \
  X(kResponseLatency, "response_latency", "ms", "the time until the response began")                        \
  X(kResponseDuration, "response_duration", "ms", "the transfer of the response")                           \
  X(kDuration, "duration", "s", "the invocation with its extensions")                                       \
  X(kBilledDuration, "billed_duration", "s", "the part of it that is billed")                               \
  X(kPostRuntimeDuration, "post_runtime_duration", "ms", "the time that extensions took after the handler") \
  X(kMaxMemoryUsed, "max_memory_used", "MB", "the largest use of memory")                                   \
  X(kMemorySize, "memorysize", "MB", "the function's memory")                                               \
  X(kEstimatedCost, "estimated_cost", "USD", "the price of the request and of its billed duration")         \
  X(kShutdowns, "shutdowns", "", "1 for each environment that was shut down")                               \
  X(kUnusedInit, "unused_init", "", "1 for each environment that was shut down without an invocation")      \
  X(kRxBytes, "rx_bytes", "B", "bytes received within an invocation")                                       \
  X(kTxBytes, "tx_bytes", "B", "bytes sent within an invocation")                                           \
  X(kTotalNetwork, "total_network", "B", "the sum of both")                                                 \
  X(kCpuUserTime, "cpu_user_time", "ms", "processor time outside of the kernel within an invocation")       \
  X(kCpuSystemTime, "cpu_system_time", "ms", "processor time in the kernel, interrupts included")           \
  X(kCpuTotalTime, "cpu_total_time", "ms", "the sum of both")                                               \
  X(kCpuTotalUtilizationPct, "cpu_total_utilization_pct", "%", "the part of all cores' time that was used") \
  X(kCpuTotalUtilization, "cpu_total_utilization", "cores", "the same as a number of cores")                \
  X(kNumCores, "num_cores", "", "cores of the environment")                                                 \
  X(kCpuMaxUtilization, "cpu_max_utilization", "%", "the use of the core that was used most")               \
  X(kCpuMinUtilization, "cpu_min_utilization", "%", "the use of the core that was used least")              \
  X(kFdMax, "fd_max", "", "file descriptors that a process may have")                                       \
  X(kFdUse, "fd_use", "", "the largest number of file descriptors that were open")                          \
  X(kThreadsMax, "threads_max", "", "threads that a process may have")                                      \
  X(kThreadsUse, "threads_use", "", "the largest number of threads")                                        \
  X(kTmpMax, "tmp_max", "B", "the size of `/tmp`")                                                          \
  X(kTmpUsed, "tmp_used", "B", "the largest use of `/tmp`")                                                 \
  X(kTmpFree, "tmp_free", "B", "the rest of `/tmp`")

enum class EnhancedMetric : uint8_t {
#define THAW_ENUMERATE(enumerator, name, unit, help) enumerator,
  THAW_ENHANCED_METRICS(THAW_ENUMERATE)
#undef THAW_ENUMERATE
};

struct EnhancedMetricRow {
  EnhancedMetric metric;
  std::string_view name;
  std::string_view unit;  // empty: a number
  std::string_view help;
};

inline constexpr EnhancedMetricRow kEnhancedMetrics[] = {
#define THAW_ROW(enumerator, name, unit, help) \
  {EnhancedMetric::enumerator, "aws.lambda.enhanced." name, unit, help},
    THAW_ENHANCED_METRICS(THAW_ROW)
#undef THAW_ROW
};

constexpr const EnhancedMetricRow& RowOf(EnhancedMetric metric) {
  return kEnhancedMetrics[static_cast<size_t>(metric)];
}

}  // namespace thaw

#endif  // THAW_CC_METRICS_ENHANCED_NAMES_H_
