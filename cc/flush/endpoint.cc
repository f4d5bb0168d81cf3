#include "cc/flush/endpoint.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cc/base/status_macros.h"
#include "cc/net/http_message.h"

namespace thaw {

std::string Endpoint::ToString() const { return absl::StrCat(thaw::ToString(destination), target); }

absl::StatusOr<Endpoint> MakeEndpoint(std::string_view base_url, std::string_view path,
                                      std::shared_ptr<ApiKeySource> api_key) {
  std::string_view base = absl::StripAsciiWhitespace(base_url);
  while (absl::ConsumeSuffix(&base, "/")) {
  }
  THAW_ASSIGN_OR_RETURN(Url url, ParseUrl(base));
  if (!url.userinfo.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the URL of an endpoint can't have a user or password, the intake takes a key: ", MaskUrl(base)));
  }
  if (url.target.find('?') != std::string::npos) {
    return absl::InvalidArgumentError(
        absl::StrCat("the URL of an endpoint can't have a query: ", MaskUrl(base)));
  }
  if (api_key != nullptr) {
    THAW_RETURN_IF_ERROR(CheckHeaderValue(absl::StrCat("the API key for ", base), api_key->Current()));
  }
  Endpoint endpoint;
  endpoint.destination = std::move(url.destination);
  endpoint.target = absl::StrCat(url.target == "/" ? "" : url.target, path);
  endpoint.api_key = std::move(api_key);
  return endpoint;
}

}  // namespace thaw
