// Implements --check-config, and the connection trial that --connect adds.
//
//   for (const std::string& problem : ProblemsOf(environment, config)) …
//   const ConnectionTrial trial = co_await TryConnection(loop, loop, network, config, random);
//
// One thread: the executor's.

#ifndef THAW_CC_EXTENSION_CONFIG_CHECK_H_
#define THAW_CC_EXTENSION_CONFIG_CHECK_H_

#include <functional>
#include <string>
#include <vector>

#include "cc/base/executor.h"
#include "cc/base/task.h"
#include "cc/clock/clock.h"
#include "cc/config/config.h"
#include "cc/config/environment.h"
#include "cc/net/network.h"

namespace thaw {

// Returns the source of the API key: "DD_API_KEY", "Secrets Manager", …, with the sources after the first one
// in parentheses; empty if no source is configured.
std::string KeySourceOf(const Config& config);

// Returns a sentence for each problem: values and names (config.warnings), a missing API key, unusable rules,
// filters, styles and mappings, an unusable certificate file.
std::vector<std::string> ProblemsOf(const Environment& environment, const Config& config);

// Returns "thaw 1.0: site datadoghq.com, API key from DD_API_KEY, flush strategy default, traces go to
// https://…", logged at info when the extension starts.
std::string StartLine(const Config& config);

struct ConnectionTrial {
  bool succeeded = false;
  std::vector<std::string> lines;  // each step and its result; no line shows a key
};

// Gets the API key from its source and sends one request without traces to the intake, as a flush would: with
// the configured proxy, certificates and time limits. Takes at most 10 s. Executor, clock and network must
// outlive it.
Task<ConnectionTrial> TryConnection(Executor& executor, Clock& clock, Network& network, const Config& config,
                                    std::function<double()> random);

}  // namespace thaw

#endif  // THAW_CC_EXTENSION_CONFIG_CHECK_H_
