#include "cc/config/environment_kind.h"

#include <string>

namespace thaw {

std::string_view ToString(EnvironmentKind kind) {
  switch (kind) {
    case EnvironmentKind::kOnDemand:
      return "on-demand";
    case EnvironmentKind::kSnapStart:
      return "snap-start";
    case EnvironmentKind::kProvisionedConcurrency:
      return "provisioned-concurrency";
    case EnvironmentKind::kManagedInstances:
      return "lambda-managed-instances";
    case EnvironmentKind::kOtherLambda:
      return "lambda";
    case EnvironmentKind::kOutsideLambda:
      return "outside Lambda";
  }
  return "unknown";
}

std::optional<EnvironmentKind> EnvironmentKindOfInitializationType(std::string_view type) {
  for (const EnvironmentKind kind :
       {EnvironmentKind::kOnDemand, EnvironmentKind::kSnapStart, EnvironmentKind::kProvisionedConcurrency,
        EnvironmentKind::kManagedInstances}) {
    if (type == ToString(kind)) return kind;
  }
  return std::nullopt;
}

EnvironmentKind EnvironmentKindOf(const Environment& environment) {
  const std::string type = environment.Get("AWS_LAMBDA_INITIALIZATION_TYPE").value_or("");
  if (const auto kind = EnvironmentKindOfInitializationType(type)) return *kind;
  const bool in_lambda = !type.empty() || !environment.Get("AWS_LAMBDA_FUNCTION_NAME").value_or("").empty();
  return in_lambda ? EnvironmentKind::kOtherLambda : EnvironmentKind::kOutsideLambda;
}

ClientOptions DefaultClientOptions(EnvironmentKind kind) {
  ClientOptions options;
  if (kind == EnvironmentKind::kManagedInstances || kind == EnvironmentKind::kOutsideLambda) {
    options.max_idle_per_host = 4;
    options.max_connections_per_host = 8;
  }
  return options;
}

}  // namespace thaw
