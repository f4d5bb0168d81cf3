#include "cc/net/http_message.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace thaw {

std::optional<std::string_view> FindHeader(const HttpHeaders& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (absl::EqualsIgnoreCase(key, name)) return value;
  }
  return std::nullopt;
}

std::string HttpRequest::ToString() const {
  return absl::StrCat(method, " ", thaw::ToString(destination), target, ", ", headers.size(), " headers, ",
                      body == nullptr ? 0 : body->size(), " bytes");
}

std::string HttpResponse::ToString() const {
  constexpr size_t kShown = 64;
  return absl::StrCat(status, ", ", headers.size(), " headers, ", body.size(), " bytes",
                      body.empty() ? "" : ": ", std::string_view(body).substr(0, kShown),
                      body.size() > kShown ? "..." : "");
}

}  // namespace thaw
