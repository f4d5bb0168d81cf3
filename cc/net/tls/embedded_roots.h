// Mozilla's public roots, compiled in: a table sorted by the hash of each subject's name. A root is parsed
// only when a chain names it (TrustedRoots).

#ifndef THAW_CC_NET_TLS_EMBEDDED_ROOTS_H_
#define THAW_CC_NET_TLS_EMBEDDED_ROOTS_H_

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"

namespace thaw {

struct EmbeddedRoot {
  uint32_t name_hash;  // X509_NAME_hash of the subject
  const unsigned char* der;
  size_t size;
};

// Sorted by name_hash in ascending order; a few roots share a name.
absl::Span<const EmbeddedRoot> EmbeddedRoots();

}  // namespace thaw

#endif  // THAW_CC_NET_TLS_EMBEDDED_ROOTS_H_
