#include "cc/agent/http_server_options.h"

#include <string_view>

#include "absl/strings/str_cat.h"

namespace thaw {

absl::Status HttpServerOptions::Validate() const {
  if (max_connections < 1)
    return absl::InvalidArgumentError(absl::StrCat("max_connections is ", max_connections, ", not above 0"));
  // Room for a request line and one header.
  constexpr size_t kSmallestHead = 256;
  if (max_head_bytes < kSmallestHead)
    return absl::InvalidArgumentError(
        absl::StrCat("max_head_bytes is ", max_head_bytes, ", below ", kSmallestHead));
  struct Timeout {
    std::string_view name;
    absl::Duration value;
  };
  for (const Timeout& timeout :
       {Timeout{"idle_timeout", idle_timeout}, Timeout{"head_timeout", head_timeout},
        Timeout{"body_timeout", body_timeout}, Timeout{"write_timeout", write_timeout},
        Timeout{"handler_timeout", handler_timeout}, Timeout{"linger_timeout", linger_timeout}}) {
    if (timeout.value <= absl::ZeroDuration())
      return absl::InvalidArgumentError(
          absl::StrCat(timeout.name, " is ", absl::FormatDuration(timeout.value), ", not above 0"));
  }
  if (resume_grace < absl::ZeroDuration())
    return absl::InvalidArgumentError(
        absl::StrCat("resume_grace is ", absl::FormatDuration(resume_grace), ", below 0"));
  return absl::OkStatus();
}

}  // namespace thaw
