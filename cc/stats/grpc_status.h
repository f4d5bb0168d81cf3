// The status of a gRPC call, as a number, however it is written in a span's tags.

#ifndef THAW_CC_STATS_GRPC_STATUS_H_
#define THAW_CC_STATS_GRPC_STATUS_H_

#include <cstdint>
#include <optional>
#include <string_view>

namespace thaw {

// "5", "not_found" and "StatusCode.NOT_FOUND" are 5. Nothing: it is none of these.
std::optional<uint8_t> ParseGrpcStatus(std::string_view text);

}  // namespace thaw

#endif  // THAW_CC_STATS_GRPC_STATUS_H_
