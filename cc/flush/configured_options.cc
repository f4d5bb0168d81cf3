#include "cc/flush/configured_options.h"

#include <utility>

#include "cc/base/status_macros.h"

namespace thaw {

FlusherOptions FlusherOptionsFrom(const Config& config, const PipelineSpec& spec) {
  FlusherOptions options = DefaultFlusherOptions(spec);
  if (spec.limits.configured_level != nullptr)
    options.compression_level = config.*spec.limits.configured_level;
  return options;
}

absl::StatusOr<std::vector<Endpoint>> EndpointsFrom(const Config& config, const PipelineSpec& spec,
                                                    const std::shared_ptr<ApiKeySource>& api_key,
                                                    std::vector<std::string>& warnings) {
  std::vector<Endpoint> endpoints;
  THAW_ASSIGN_OR_RETURN(Endpoint primary, MakeEndpoint(BaseUrlOf(spec, config), spec.path, api_key));
  endpoints.push_back(std::move(primary));
  if (spec.additional_endpoints == nullptr) return endpoints;
  const std::string_view path = spec.additional_path.empty() ? spec.path : spec.additional_path;
  for (const AdditionalEndpoint& additional : config.*spec.additional_endpoints) {
    for (const std::string& key : additional.keys) {
      absl::StatusOr<Endpoint> endpoint =
          MakeEndpoint(additional.url, path, std::make_shared<LiteralApiKey>(key));
      if (endpoint.ok()) {
        endpoints.push_back(*std::move(endpoint));
      } else {
        warnings.push_back(std::string(endpoint.status().message()));
      }
    }
  }
  return endpoints;
}

SharedResources SharedResourcesFrom(Executor& executor, Clock& clock, const Config& config) {
  // The memory to compress in is a megabyte, and making it anew takes a fifth of the time of a flush of metrics. It is
  // kept where a function has 256 MB or more: there it matters less than the time.
  constexpr size_t kKeptFrom = size_t{32} << 20;
  SharedResources shared = MakeSharedResources(executor, clock, {.outbox_bytes = config.outbox_bytes});
  if (config.outbox_bytes >= kKeptFrom) shared.zstd = std::make_shared<ZstdMemory>();
  return shared;
}

FlushSchedule FlushScheduleFrom(const Config& config, const ClockReading& now) {
  return FlushSchedule(config.flush_strategy, config.flush_timeout, now);
}

CoordinatorOptions CoordinatorOptionsFrom(const Config& config) {
  return {.flush_timeout = config.flush_timeout};
}

}  // namespace thaw
