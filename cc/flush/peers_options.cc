#include "cc/flush/peers_options.h"

namespace thaw {

absl::Status PeersOptions::Validate() const {
  if (return_all_on_failure && !sequential) {
    return absl::InvalidArgumentError("return_all_on_failure is 1; it must be used with `sequential`");
  }
  return absl::OkStatus();
}

}  // namespace thaw
