// No text grows, and none shows the password, query or segment with a digit that was put into it.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cc/trace/obfuscate/obfuscate_http.h"

namespace {

constexpr std::string_view kSecret = "secret7";

bool Shows(const std::string& url, const thaw::HttpObfuscation& options) {
  std::string buffer;
  return absl::StrContains(thaw::ObfuscateUrl(url, options, buffer), kSecret);
}

void Check(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  for (const bool query : {false, true}) {
    for (const bool digits : {false, true}) {
      const thaw::HttpObfuscation options = {.remove_query_string = query,
                                             .remove_paths_with_digits = digits};
      std::string buffer;
      Check(thaw::ObfuscateUrl(input, options, buffer).size() <= std::max<size_t>(size, 1));
      if (absl::StrContains(input, kSecret)) continue;
      Check(!Shows(absl::StrCat("https://user:secret7@host/", input), options));
      if (digits) Check(!Shows(absl::StrCat("https://host/secret7/", input), options));
      if (query && !absl::StrContains(input, '#'))
        Check(!Shows(absl::StrCat("https://host/", input, "?secret7"), options));
    }
  }
  return 0;
}
