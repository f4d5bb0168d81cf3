// Builds the trace and lifecycle options from configuration, environment and registration.
//
//   const FunctionFacts facts = FactsOf(environment, config, registration);
//   TraceProcessor processor(ProcessingOf(config, facts, runtime_api, warnings), clock);

#ifndef THAW_CC_EXTENSION_FUNCTION_SETTINGS_H_
#define THAW_CC_EXTENSION_FUNCTION_SETTINGS_H_

#include <string>
#include <vector>

#include "cc/config/config.h"
#include "cc/config/environment.h"
#include "cc/lambda/api/extensions_api.h"
#include "cc/lambda/invocation/function_tags.h"
#include "cc/lambda/invocation/lifecycle_endpoints.h"
#include "cc/trace/process/trace_processor_options.h"

namespace thaw {

// Returns the known facts about the function; the registration fills in what Lambda's variables lack.
FunctionFacts FactsOf(const Environment& environment, const Config& config, const Registration& registration);

// Adds a line to `warnings` for each rule or filter that can't be used.
TraceProcessorOptions ProcessingOf(const Config& config, const FunctionFacts& facts, std::string runtime_api,
                                   std::vector<std::string>& warnings);

LifecycleOptions LifecycleOf(const Config& config, const FunctionFacts& facts, bool concurrent,
                             std::vector<std::string>& warnings);

// Parses "from:to" pairs with commas between them, as in DD_SERVICE_MAPPING. Leaves out invalid pairs, with a
// line of `warnings` for each.
std::map<std::string, std::string, std::less<>> ParseServiceMapping(std::string_view text,
                                                                    std::vector<std::string>& warnings);

}  // namespace thaw

#endif  // THAW_CC_EXTENSION_FUNCTION_SETTINGS_H_
