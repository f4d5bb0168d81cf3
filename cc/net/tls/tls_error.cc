#include "cc/net/tls/tls_error.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "openssl/err.h"
#include "openssl/ssl.h"

namespace thaw {

TlsError TakeTlsError() {
  const uint32_t error = ERR_peek_error();
  ERR_clear_error();
  if (error == 0) return {.text = "TLS failed without a reason"};
  const int reason = ERR_GET_REASON(error);
  if (ERR_GET_LIB(error) == ERR_LIB_SSL && reason >= SSL_AD_REASON_OFFSET) {
    const int alert = reason - SSL_AD_REASON_OFFSET;
    return {.text = absl::StrCat("the peer sent TLS alert \"", SSL_alert_desc_string_long(alert), "\" (",
                                 alert, ")"),
            .alert = true};
  }
  const char* name = ERR_reason_error_string(error);
  return {.text = absl::StrCat("TLS: ", name != nullptr ? name : "unknown error")};
}

absl::Status TlsStepFailed(std::string_view step) {
  const uint32_t error = ERR_peek_error();
  ERR_clear_error();
  const char* reason = error != 0 ? ERR_reason_error_string(error) : nullptr;
  return absl::InternalError(
      absl::StrCat("TLS: ", step, reason != nullptr ? ": " : "", reason != nullptr ? reason : ""));
}

}  // namespace thaw
