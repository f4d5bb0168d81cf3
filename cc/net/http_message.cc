#include "cc/net/http_message.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace thaw {

namespace {

template <typename Headers>
std::optional<std::string_view> Find(const Headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (absl::EqualsIgnoreCase(key, name)) return value;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string_view> FindHeader(const HttpHeaders& headers, std::string_view name) {
  return Find(headers, name);
}

std::optional<std::string_view> FindHeader(const HttpHeaderViews& headers, std::string_view name) {
  return Find(headers, name);
}

std::string_view PathOf(std::string_view target) { return target.substr(0, target.find('?')); }

std::string HttpRequest::ToString() const {
  return absl::StrCat(method, " ", thaw::ToString(destination), PathOf(target), ", ", headers.size(),
                      " headers, ", body == nullptr ? 0 : body->size(), " bytes");
}

std::string HttpResponse::ToString() const {
  constexpr size_t kShown = 64;
  return absl::StrCat(status, ", ", headers.size(), " headers, ", body.size(), " bytes",
                      body.empty() ? "" : ": ", std::string_view(body).substr(0, kShown),
                      body.size() > kShown ? "..." : "");
}

}  // namespace thaw
