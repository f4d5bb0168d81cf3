#include "cc/stats/grpc_status.h"

#include <cstddef>
#include <iterator>
#include <limits>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"

namespace thaw {
namespace {

// Names by number. Source: gRPC's documentation, "Status codes and their use in gRPC".
constexpr std::string_view kNames[] = {
    "OK",        "CANCELLED",       "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS",  "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",    "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED",
};
constexpr uint8_t kCancelled = 1;
// The spelling of Go's library.
constexpr std::string_view kCanceled = "CANCELED";

}  // namespace

std::optional<uint8_t> ParseGrpcStatus(std::string_view text) {
  uint32_t number;
  if (absl::SimpleAtoi(text, &number)) {
    if (number > std::numeric_limits<uint8_t>::max()) return std::nullopt;
    return static_cast<uint8_t>(number);
  }
  text = absl::StripPrefix(text, "StatusCode.");
  for (size_t i = 0; i < std::size(kNames); ++i)
    if (absl::EqualsIgnoreCase(text, kNames[i])) return static_cast<uint8_t>(i);
  if (absl::EqualsIgnoreCase(text, kCanceled)) return kCancelled;
  return std::nullopt;
}

}  // namespace thaw
