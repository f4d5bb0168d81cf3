// Settings of trace processing, fixed for the life of the environment.

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
  // Tags of the function that every span gets; they replace its own tags of the same names. A tag `service`
  // also replaces the service that a tracer calls "aws.lambda".
  std::map<std::string, std::string> function_tags;
  // The environment's name if no span names one; may be empty.
  std::string env;
  // The service of spans made of a trigger: DD_SERVICE, else the function's name. "aws.lambda" if both are
  // empty or `service_representation` is off.
  std::string service;
  std::string function_name;
  bool service_representation = true;  // DD_TRACE_AWS_SERVICE_REPRESENTATION_ENABLED

  // Traces whose root it rejects are left out.
  TagFilter tag_filter;
  // Parts to remove from URLs. Values are always removed from SQL and Redis commands.
  HttpObfuscation http_obfuscation;
  // Rules applied as the last step.
  ReplaceRules replace_rules;

  // DD_LAMBDA_EXTENSION_COMPUTE_STATS: stats are computed here unless the tracer computes them; traces whose
  // sampling priority says drop are dropped here.
  bool compute_stats_on_extension = false;
  // DD_SERVERLESS_ERROR_SAMPLER_ENABLED: a trace of those that a sampler dropped (priority 0) is sent if one of its
  // spans has an error. What a user dropped (priority -1) stays dropped.
  bool error_sampler = false;
  // AWS_LAMBDA_RUNTIME_API, "host:port": spans of calls to it are left out.
  std::string runtime_api;
  // Memory for the ids of earlier spans; 0: no span is recognised.
  size_t deduplicator_bytes = SpanDeduplicator::kDefaultBytes;
};

}  // namespace thaw

#endif  // THAW_CC_TRACE_PROCESS_TRACE_PROCESSOR_OPTIONS_H_
