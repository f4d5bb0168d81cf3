#include "cc/net/http_message.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cc/net/http_token.h"

namespace thaw {

namespace {

// Headers that the client writes itself, or whose meaning it relies on.
constexpr std::string_view kClientHeaders[] = {"Host",    "Content-Length", "Transfer-Encoding", "Connection",
                                               "TE",      "Keep-Alive",     "Proxy-Connection",  "Upgrade",
                                               "Trailer", "Expect"};

bool IsToken(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), IsTokenCharacter);
}
bool IsValueCharacter(char c) { return c == '\t' || !absl::ascii_iscntrl(static_cast<unsigned char>(c)); }
bool IsValue(std::string_view text) { return std::all_of(text.begin(), text.end(), IsValueCharacter); }
bool IsTargetCharacter(char c) { return c > 0x20 && c < 0x7f && c != '#'; }

std::string Quoted(std::string_view text) {
  constexpr size_t kShown = 64;
  return absl::StrCat("\"", absl::CHexEscape(text.substr(0, kShown)), text.size() > kShown ? "..." : "",
                      "\"");
}

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

absl::Status CheckHeaderValue(std::string_view what, std::string_view value) {
  const auto bad = std::find_if_not(value.begin(), value.end(), IsValueCharacter);
  if (bad == value.end()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      what, " has the control character 0x", absl::Hex(static_cast<unsigned char>(*bad), absl::kZeroPad2),
      " at ", bad - value.begin(), ", which is not allowed in a header"));
}

absl::Status CheckHeader(std::string_view name, std::string_view value) {
  if (!IsToken(name)) return absl::InvalidArgumentError(absl::StrCat(Quoted(name), " is not a header name"));
  const auto same = [name](std::string_view other) { return absl::EqualsIgnoreCase(name, other); };
  if (std::any_of(std::begin(kClientHeaders), std::end(kClientHeaders), same)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the header ", name,
                     " can't be set: the client frames its requests and keeps its connections itself"));
  }
  // Valid values, nearly all of them, cost no allocation.
  if (IsValue(value)) return absl::OkStatus();
  return CheckHeaderValue(absl::StrCat("the value of the header ", name), value);
}

absl::Status HttpRequest::Validate() const {
  if (!IsToken(method)) return absl::InvalidArgumentError(absl::StrCat(Quoted(method), " is not a method"));
  if (target.empty() || !std::all_of(target.begin(), target.end(), IsTargetCharacter)) {
    return absl::InvalidArgumentError(
        "the path of a request is empty, or has a character that is not allowed in a request line");
  }
  for (const auto& [name, value] : headers) {
    if (absl::Status status = CheckHeader(name, value); !status.ok()) return status;
  }
  return absl::OkStatus();
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
