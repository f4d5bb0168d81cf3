// What decides how traces are processed, fixed for the life of the environment.

#ifndef THAW_CC_TRACE_PROCESS_TRACE_PROCESSOR_OPTIONS_H_
#define THAW_CC_TRACE_PROCESS_TRACE_PROCESSOR_OPTIONS_H_

#include <cstddef>
#include <map>
#include <string>

#include "cc/trace/obfuscate/obfuscate_http.h"
#include "cc/trace/process/replace_rules.h"
#include "cc/trace/process/span_deduplicator.h"
#include "cc/trace/process/tag_filter.h"

namespace thaw {

struct TraceProcessorOptions {
  // Tags of the function that every span gets, in place of its own of the same name. `service` among them
  // stands in for the service that a tracer calls "aws.lambda".
  std::map<std::string, std::string> function_tags;
  // What the environment is called if no span says so; may be empty.
  std::string env;
  // The service that spans made of a trigger belong to: DD_SERVICE, else the function's name; if both are
  // empty, and wherever `service_representation` is off, "aws.lambda".
  std::string service;
  std::string function_name;
  bool service_representation = true;  // DD_TRACE_AWS_SERVICE_REPRESENTATION_ENABLED

  // Traces whose root it does not keep are left out.
  TagFilter tag_filter;
  // What is left out of URLs. Of SQL and Redis commands the values always are.
  HttpObfuscation http_obfuscation;
  // Applied last.
  ReplaceRules replace_rules;

  // DD_LAMBDA_EXTENSION_COMPUTE_STATS: stats are computed here unless the tracer does; traces whose sampling
  // priority says drop are dropped here.
  bool compute_stats_on_extension = false;
  // AWS_LAMBDA_RUNTIME_API, "host:port": spans of calls to it are left out.
  std::string runtime_api;
  // Memory for the ids of spans that came before; 0: none is recognised.
  size_t deduplicator_bytes = SpanDeduplicator::kDefaultBytes;
};

}  // namespace thaw

#endif  // THAW_CC_TRACE_PROCESS_TRACE_PROCESSOR_OPTIONS_H_
