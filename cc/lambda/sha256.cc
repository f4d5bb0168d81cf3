#include "cc/lambda/sha256.h"

#include "openssl/sha.h"

namespace thaw {

std::array<uint8_t, 32> Sha256(std::string_view bytes) {
  std::array<uint8_t, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), digest.data());
  return digest;
}

}  // namespace thaw
