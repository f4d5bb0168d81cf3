// Where the process runs, and what a client does there if nothing else is said.

#ifndef THAW_CC_CONFIG_ENVIRONMENT_KIND_H_
#define THAW_CC_CONFIG_ENVIRONMENT_KIND_H_

#include <optional>
#include <string_view>

#include "cc/config/environment.h"
#include "cc/net/client_options.h"

namespace thaw {

enum class EnvironmentKind {
  kOnDemand,                // Lambda, frozen between invocations
  kSnapStart,               // the same, restored from a snapshot
  kProvisionedConcurrency,  // the same, initialised ahead of the first invocation
  kManagedInstances,        // Lambda that runs on: many invocations at once, no freeze
  kOtherLambda,             // Lambda that doesn't say how, as an emulator; taken to freeze
  kOutsideLambda,
};

// "on-demand", "snap-start", …; "lambda" and "outside Lambda" for the last two.
std::string_view ToString(EnvironmentKind kind);

// By what AWS_LAMBDA_INITIALIZATION_TYPE and telemetry call it ("on-demand", …); nothing if it is none of
// those.
std::optional<EnvironmentKind> EnvironmentKindOfInitializationType(std::string_view type);

// By AWS_LAMBDA_INITIALIZATION_TYPE; without it, or with a value of which nothing is known, by
// AWS_LAMBDA_FUNCTION_NAME.
EnvironmentKind EnvironmentKindOf(const Environment& environment);

// Where the process may freeze: nothing is kept idle, and there are 2 connections to a host. Elsewhere: 4
// idle ones of 8.
ClientOptions DefaultClientOptions(EnvironmentKind kind);

}  // namespace thaw

#endif  // THAW_CC_CONFIG_ENVIRONMENT_KIND_H_
