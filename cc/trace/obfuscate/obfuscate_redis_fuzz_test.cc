// For any text, command names are names, at most six words and "..."; values of known commands are not shown.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cc/trace/obfuscate/obfuscate_redis.h"

namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  std::string out;
  thaw::QuantizeRedisCommands(input, out);
  Check(std::count(out.begin(), out.end(), ' ') <= 6);
  Check(std::all_of(out.begin(), out.end(), [](char c) {
    return absl::ascii_isupper(c) || absl::ascii_isdigit(c) || absl::StrContains(" .?_-", c);
  }));
  thaw::ObfuscateRedisCommands(input, out);
  Check(out.size() <= 2 * size);

  if (absl::StrContains(input, "secret")) return 0;
  // The value lies outside the input's quotes.
  const bool quoted = absl::StrContains(input, '"');
  for (const std::string_view command :
       {"SET k secret", "MSET a b k secret", "AUTH a secret", "ZADD k NX 1 secret", "HSET k f v f secret",
        "CONFIG SET p secret", "SADD k a secret"}) {
    thaw::ObfuscateRedisCommands(absl::StrCat(command, " ", input), out);
    Check(!absl::StrContains(out, "secret"));
    if (quoted) continue;
    thaw::ObfuscateRedisCommands(absl::StrCat(input, "\n", command), out);
    Check(!absl::StrContains(out, "secret"));
  }
  return 0;
}
