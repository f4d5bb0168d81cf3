// The kind of environment that the process runs in, and a client's default options there.

#ifndef THAW_CC_CONFIG_ENVIRONMENT_KIND_H_
#define THAW_CC_CONFIG_ENVIRONMENT_KIND_H_

#include <optional>
#include <string_view>

#include "cc/base/declare_enum.h"
#include "cc/config/environment.h"
#include "cc/net/client_options.h"

namespace thaw {

// X(enumerator, name, the environment)
#define THAW_ENVIRONMENT_KINDS(X)                                                                      \
  X(kOnDemand, "on-demand", "Lambda, frozen between invocations")                                      \
  X(kSnapStart, "snap-start", "like kOnDemand, restored from a snapshot")                              \
  X(kProvisionedConcurrency, "provisioned-concurrency",                                                \
    "like kOnDemand, initialised ahead of the first invocation")                                       \
  X(kManagedInstances, "lambda-managed-instances", "Lambda without freezes, many invocations at once") \
  X(kOtherLambda, "lambda", "Lambda of an unknown kind, such as an emulator; assumed to freeze")       \
  X(kOutsideLambda, "outside Lambda", "no Lambda")
THAW_DECLARE_ENUM_WITH_TEXTS(EnvironmentKind, kAllEnvironmentKinds, THAW_ENVIRONMENT_KINDS)

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
