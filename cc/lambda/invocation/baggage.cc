#include "cc/lambda/invocation/baggage.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cc/base/percent.h"

namespace thaw {
namespace {

constexpr size_t kMaxItems = 64;
constexpr size_t kMaxBytes = 8192;

}  // namespace

std::map<std::string, std::string, std::less<>> BaggageTags(std::string_view header,
                                                            const std::vector<std::string>& keys) {
  std::map<std::string, std::string, std::less<>> tags;
  if (keys.empty()) return tags;
  if (header.size() > kMaxBytes) {
    // The cut falls between items: the last partial one is dropped.
    const size_t comma = header.rfind(',', kMaxBytes);
    header = header.substr(0, comma == header.npos ? 0 : comma);
  }
  const bool all = std::find(keys.begin(), keys.end(), "*") != keys.end();
  size_t items = 0;
  for (const std::string_view part : absl::StrSplit(header, ',')) {
    if (++items > kMaxItems) break;
    const std::string_view item = part.substr(0, part.find(';'));
    const size_t equals = item.find('=');
    if (equals == item.npos) continue;
    std::optional<std::string> key = PercentDecode(absl::StripAsciiWhitespace(item.substr(0, equals)));
    std::optional<std::string> value = PercentDecode(absl::StripAsciiWhitespace(item.substr(equals + 1)));
    if (!key || key->empty() || !value) continue;
    if (!all && std::find(keys.begin(), keys.end(), *key) == keys.end()) continue;
    tags.emplace(absl::StrCat(kBaggageTagPrefix, *key), *std::move(value));
  }
  return tags;
}

}  // namespace thaw
