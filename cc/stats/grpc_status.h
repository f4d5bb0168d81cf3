// Parses the status of a gRPC call from its spellings in span tags.

#ifndef THAW_CC_STATS_GRPC_STATUS_H_
#define THAW_CC_STATS_GRPC_STATUS_H_

#include <cstdint>
#include <optional>
#include <string_view>

namespace thaw {

// Returns 5 for "5", "not_found" and "StatusCode.NOT_FOUND"; nullopt for a text that is no status.
std::optional<uint8_t> ParseGrpcStatus(std::string_view text);

}  // namespace thaw

#endif  // THAW_CC_STATS_GRPC_STATUS_H_
