// The kind of environment that the process runs in, and a client's default options there.

#ifndef THAW_CC_CONFIG_ENVIRONMENT_KIND_H_
#define THAW_CC_CONFIG_ENVIRONMENT_KIND_H_

#include <optional>
#include <string_view>

#include "cc/config/environment.h"
#include "cc/net/client_options.h"

namespace thaw {

enum class EnvironmentKind {
  kOnDemand,                // Lambda, frozen between invocations
  kSnapStart,               // like kOnDemand, restored from a snapshot
  kProvisionedConcurrency,  // like kOnDemand, initialised ahead of the first invocation
  kManagedInstances,        // Lambda without freezes, many invocations at once
  kOtherLambda,             // Lambda of an unknown kind, such as an emulator; assumed to freeze
  kOutsideLambda,
};

// Returns "on-demand", "snap-start", …; "lambda" and "outside Lambda" for the last two.
std::string_view ToString(EnvironmentKind kind);

// Parses the names that AWS_LAMBDA_INITIALIZATION_TYPE and telemetry use ("on-demand", …). Returns nullopt
// for any other text.
std::optional<EnvironmentKind> EnvironmentKindOfInitializationType(std::string_view type);

// Determines the kind by AWS_LAMBDA_INITIALIZATION_TYPE; if that is missing or has an unknown value, by
// AWS_LAMBDA_FUNCTION_NAME.
EnvironmentKind EnvironmentKindOf(const Environment& environment);

// Returns the defaults: where the process may freeze, no idle connections and at most 2 connections per host;
// elsewhere 4 idle ones and at most 8.
ClientOptions DefaultClientOptions(EnvironmentKind kind);

}  // namespace thaw

#endif  // THAW_CC_CONFIG_ENVIRONMENT_KIND_H_
