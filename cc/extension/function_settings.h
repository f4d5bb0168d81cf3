// What configuration, environment and registration come to for those who look at a function's traces.
//
//   const FunctionTags tags(FactsOf(environment, config, registration));
//   TraceProcessor processor(ProcessingOf(config, tags, runtime_api, warnings), …);

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

// The function, as far as anybody says. What Lambda's variables don't say the registration does.
FunctionFacts FactsOf(const Environment& environment, const Config& config, const Registration& registration);

// Rules and filters that can't be used are each a line of `warnings`.
TraceProcessorOptions ProcessingOf(const Config& config, const FunctionFacts& facts, std::string runtime_api,
                                   std::vector<std::string>& warnings);

LifecycleOptions LifecycleOf(const Config& config, const FunctionFacts& facts, bool concurrent,
                             std::vector<std::string>& warnings);

// "from:to" pairs with commas between them, as DD_SERVICE_MAPPING has them. What is no pair is left out, with
// a line of `warnings`.
std::map<std::string, std::string, std::less<>> ParseServiceMapping(std::string_view text,
                                                                    std::vector<std::string>& warnings);

}  // namespace thaw

#endif  // THAW_CC_EXTENSION_FUNCTION_SETTINGS_H_
