// Finds the address where Lambda delivers telemetry: that of sandbox.localdomain, the host which
// subscriptions name, in the environment's own hosts file. A listener on this address only is closed to
// everybody else.
//
//   const std::string address = AddressInHosts(ReadHosts(), kSandboxHost).value_or("127.0.0.1");
//
// Name servers are never asked: that takes time, and a private zone may know another host of that name.
//
// Source: AWS Lambda's Telemetry API reference, "Destination"; hosts(5).

#ifndef THAW_CC_LAMBDA_API_SANDBOX_ADDRESS_H_
#define THAW_CC_LAMBDA_API_SANDBOX_ADDRESS_H_

#include <optional>
#include <string>
#include <string_view>

namespace thaw {

inline constexpr std::string_view kSandboxHost = "sandbox.localdomain";

// Returns /etc/hosts; empty if it can't be read, or is larger than a megabyte.
std::string ReadHosts();

// Returns the first IPv4 address that `hosts` gives for a name, in any case. Ignores malformed lines.
std::optional<std::string> AddressInHosts(std::string_view hosts, std::string_view name);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_API_SANDBOX_ADDRESS_H_
