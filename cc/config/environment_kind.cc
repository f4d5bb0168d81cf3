#include "cc/config/environment_kind.h"

#include <string>

namespace thaw {

std::optional<EnvironmentKind> EnvironmentKindOfInitializationType(std::string_view type) {
  for (const EnvironmentKind kind : kAllEnvironmentKinds) {
    // Lambda has no types for the last two kinds.
    if (kind < EnvironmentKind::kOtherLambda && type == ToString(kind)) return kind;
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
