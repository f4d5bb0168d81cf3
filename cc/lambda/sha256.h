// SHA-256 (FIPS 180-4).

#ifndef THAW_CC_LAMBDA_SHA256_H_
#define THAW_CC_LAMBDA_SHA256_H_

#include <array>
#include <cstdint>
#include <string_view>

namespace thaw {

std::array<uint8_t, 32> Sha256(std::string_view bytes);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_SHA256_H_
