// Makes the options of the units that see a function's data, from configuration, environment and
// registration.
//
//   const FunctionFacts facts = FunctionFactsFrom(environment, config, registration);
//   TraceProcessor processor(TraceProcessorOptionsFrom(config, facts, runtime_api, warnings), clock);

#ifndef THAW_CC_EXTENSION_FUNCTION_SETTINGS_H_
#define THAW_CC_EXTENSION_FUNCTION_SETTINGS_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cc/base/byte_account.h"
#include "cc/clock/clock.h"
#include "cc/config/config.h"
#include "cc/config/environment.h"
#include "cc/lambda/api/extensions_api.h"
#include "cc/lambda/invocation/function_tags.h"
#include "cc/lambda/invocation/invocation_assembler.h"
#include "cc/lambda/invocation/invocation_store.h"
#include "cc/lambda/invocation/lifecycle_endpoints.h"
#include "cc/logs/log_processor.h"
#include "cc/metrics/dogstatsd_parser.h"
#include "cc/metrics/enhanced_metrics.h"
#include "cc/metrics/histogram_options.h"
#include "cc/net/io/udp_datagrams.h"
#include "cc/stats/concentrator.h"
#include "cc/stats/pathway_stats.h"
#include "cc/trace/process/trace_processor_options.h"

namespace thaw {

// Returns the known facts about the function; the registration fills in what Lambda's variables lack.
FunctionFacts FunctionFactsFrom(const Environment& environment, const Config& config,
                                const Registration& registration);

// Adds a line to `warnings` for each rule or filter that can't be used.
TraceProcessorOptions TraceProcessorOptionsFrom(const Config& config, const FunctionFacts& facts,
                                                std::string runtime_api, std::vector<std::string>& warnings);

// Returns nullopt if stats are not computed here.
std::optional<ConcentratorOptions> ConcentratorOptionsFrom(const Config& config);

// Returns null if Data Streams are off. `clock` and `account` must outlive the stats.
std::unique_ptr<PathwayStats> PathwayStatsFrom(const Config& config, const FunctionFacts& facts,
                                               const Clock& clock, ByteAccount& account);

// Adds a line to `warnings` for each style or mapping that can't be used.
LifecycleOptions LifecycleOptionsFrom(const Config& config, const FunctionFacts& facts,
                                      std::vector<std::string>& warnings);

AssemblerOptions AssemblerOptionsFrom(const Config& config, const FunctionFacts& facts, bool concurrent);

// `managed`: many invocations run at once in one environment.
EnhancedMetricsOptions EnhancedMetricsOptionsFrom(const FunctionFacts& facts, bool managed);

// Adds a line to `errors` for each processing rule that can't be used.
LogProcessorOptions LogProcessorOptionsFrom(const Config& config, bool concurrent, ByteAccount& account,
                                            std::vector<std::string>& errors);

DogStatsdOptions DogStatsdOptionsFrom(const Config& config);

// Returns where datagrams of DogStatsD are received. Their buffers are charged to the account: half a megabyte, which
// is resident only where a datagram has been.
UdpOptions DogStatsdSocketFrom(const Config& config, ByteAccount& account);

// Adds a line to `warnings` for each aggregate or percentile that can't be used.
HistogramOptions HistogramOptionsFrom(const Config& config, std::vector<std::string>& warnings);

// Limits the store of invocations to an eighth of the account; the stats get another eighth.
InvocationStoreOptions InvocationStoreOptionsFrom(ByteAccount& account);

// Parses "from:to" pairs with commas between them, as in DD_SERVICE_MAPPING. Leaves out invalid pairs, with a
// line of `warnings` for each.
std::map<std::string, std::string, std::less<>> ParseServiceMapping(std::string_view text,
                                                                    std::vector<std::string>& warnings);

}  // namespace thaw

#endif  // THAW_CC_EXTENSION_FUNCTION_SETTINGS_H_
