// Texts of BoringSSL's error queue.

#ifndef THAW_CC_NET_TLS_TLS_ERROR_H_
#define THAW_CC_NET_TLS_TLS_ERROR_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace thaw {

struct TlsError {
  std::string text;
  bool alert = false;  // the peer sent it
};

// Returns the oldest error of this thread's queue, and empties the queue.
TlsError TakeTlsError();

// Returns Internal for a step of this side that failed, with the oldest error of the queue, and empties the
// queue.
absl::Status TlsStepFailed(std::string_view step);

}  // namespace thaw

#endif  // THAW_CC_NET_TLS_TLS_ERROR_H_
