#include "cc/base/mask.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace thaw {
namespace {

constexpr std::string_view kMask = "****";
constexpr size_t kLeastToShowAnyOf = 8;
constexpr size_t kShown = 4;
constexpr size_t kLongestQuoted = 100;

}  // namespace

std::string MaskSecret(std::string_view secret) {
  if (secret.empty()) return "";
  if (secret.size() < kLeastToShowAnyOf) return std::string(kMask);
  return absl::StrCat(kMask, secret.substr(secret.size() - kShown));
}

std::string Quoted(std::string_view text) {
  const bool cut = text.size() > kLongestQuoted;
  return absl::StrCat("\"", absl::CHexEscape(text.substr(0, kLongestQuoted)), cut ? "…" : "", "\"");
}

}  // namespace thaw
