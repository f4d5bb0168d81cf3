// The table of pipelines, one row for each kind of data that is sent to Datadog. docs/development.md says how
// a pipeline is added.
//
//   constexpr const PipelineSpec& kTraces = PipelineNamed("traces");

#ifndef THAW_CC_FLUSH_PIPELINE_TABLE_H_
#define THAW_CC_FLUSH_PIPELINE_TABLE_H_

#include <string_view>

#include "cc/config/config.h"
#include "cc/flush/pipeline_spec.h"

namespace thaw {

inline constexpr PipelineSpec kPipelineTable[] = {
    {
        .name = "traces",
        .host_prefix = "trace.agent",
        .url = &Config::trace_url,
        .path = "/api/v0.2/traces",
        .codec = {.content_type = "application/x-protobuf", .content_encoding = "zstd"},
        .additional_endpoints = &Config::additional_endpoints,
        .limits = {.configured_level = &Config::compression_level},
    },
    {
        .name = "stats",
        .host_prefix = "trace.agent",
        .url = &Config::trace_url,
        .path = "/api/v0.2/stats",
        .codec = {.content_type = "application/msgpack", .content_encoding = "gzip"},
        .retry_ambiguous = false,
        .additional_endpoints = &Config::additional_endpoints,
        .limits = {.max_batch_bytes = 3 << 20, .compression_level = 1},
    },
    {
        .name = "logs",
        .host_prefix = "http-intake.logs",
        .url = &Config::logs_url,
        .path = "/api/v2/logs",
        .codec = {.content_type = "application/json", .content_encoding = "zstd", .protocol = "agent-json"},
        .additional_endpoints = &Config::logs_additional_endpoints,
        .limits = {.max_batch_bytes = 5'000'000,
                   .max_batch_entries = 1000,
                   .configured_level = &Config::logs_compression_level},
        .enabled = [](const Config& config) { return config.logs.enabled() && !config.logs.worker; },
    },
    {
        // The same for an Observability Pipelines Worker, which has an address of its own.
        .name = "logs_to_worker",
        .host_prefix = "logs-worker",
        .url = &Config::logs_worker_url,
        .additional_path = "/api/v2/logs",
        .codec = {.content_type = "application/json"},
        .additional_endpoints = &Config::logs_additional_endpoints,
        .limits = {.max_batch_bytes = 5'000'000, .max_batch_entries = 1000},
        .enabled = [](const Config& config) { return config.logs.enabled() && config.logs.worker; },
    },
    {
        .name = "series",
        .host_prefix = "api",
        .url = &Config::metrics_url,
        .path = "/api/v2/series",
        .codec = {.content_type = "application/x-protobuf", .content_encoding = "zstd"},
        .retry_ambiguous = false,
        .additional_endpoints = &Config::metrics_additional_endpoints,
        .limits = {.max_batch_bytes = 5'242'880, .configured_level = &Config::metrics_compression_level},
    },
    {
        .name = "sketches",
        .host_prefix = "api",
        .url = &Config::metrics_url,
        .path = "/api/beta/sketches",
        .codec = {.content_type = "application/x-protobuf", .content_encoding = "zstd"},
        .retry_ambiguous = false,
        .additional_endpoints = &Config::metrics_additional_endpoints,
        .limits = {.configured_level = &Config::metrics_compression_level},
    },
    {
        // Events of DogStatsD clients. Host and path are those of the Datadog Agent:
        // comp/forwarder/defaultforwarder/endpoints/endpoints.go of github.com/DataDog/datadog-agent.
        .name = "events",
        .host_prefix = "app",
        .url = &Config::events_url,
        .path = "/intake/",
        .codec = {.content_type = "application/json", .content_encoding = "zstd"},
        .retry_ambiguous = false,
        .additional_endpoints = &Config::metrics_additional_endpoints,
        .limits = {.max_batch_bytes = 3 << 20, .max_batch_entries = 100},
    },
    {
        // Service checks of DogStatsD clients, by Datadog's public API. The time of a check makes it the same
        // when it comes twice.
        .name = "service_checks",
        .host_prefix = "api",
        .url = &Config::metrics_url,
        .path = "/api/v1/check_run",
        .codec = {.content_type = "application/json", .content_encoding = "zstd"},
        .additional_endpoints = &Config::metrics_additional_endpoints,
        .limits = {.max_batch_bytes = 3 << 20, .max_batch_entries = 1000},
    },
    {
        // Checkpoints that the extension makes; those of tracers are proxied to the same path.
        .name = "data_streams",
        .host_prefix = "trace.agent",
        .url = &Config::trace_url,
        .path = "/api/v0.1/pipeline_stats",
        .codec = {.content_type = "application/msgpack", .content_encoding = "gzip"},
        .retry_ambiguous = false,
        .additional_endpoints = &Config::additional_endpoints,
        .limits = {.max_batch_bytes = 3 << 20, .compression_level = 1},
        .enabled = [](const Config& config) { return config.data_streams.enabled; },
    },
    {
        // Requests of tracers for other intakes, which are passed on as they are. Each intake has a pipeline
        // with this row and its own host (PipelineList::AddProxied).
        .name = "proxied",
    },
};

// Has no definition: a call while a constant is computed is an error of the compiler.
const PipelineSpec& NoPipelineHasThisName();

// Returns the row with this name. Does not compile if there is none.
consteval const PipelineSpec& PipelineNamed(std::string_view name) {
  for (const PipelineSpec& spec : kPipelineTable)
    if (spec.name == name) return spec;
  return NoPipelineHasThisName();
}

}  // namespace thaw

#endif  // THAW_CC_FLUSH_PIPELINE_TABLE_H_
