// For any text, normal fields are within their bounds, UTF-8 stays UTF-8, and normalising twice changes
// nothing.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "cc/base/utf8.h"
#include "cc/trace/process/normalize_span.h"

namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

template <typename Normalize>
void CheckText(std::string_view input, size_t most_bytes, Normalize normalize) {
  std::string buffer, again;
  const std::string_view normal = normalize(input, buffer);
  Check(normal.size() <= most_bytes);
  Check(!thaw::IsValidUtf8(input) || thaw::IsValidUtf8(normal));
  Check(normalize(normal, again) == normal);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string utf8 = thaw::RepairUtf8(input);
  for (const std::string_view text : {input, std::string_view(utf8)}) {
    CheckText(text, 100, thaw::NormalizeService);
    CheckText(text, 100, thaw::NormalizeOperationName);
    CheckText(text, 403, thaw::NormalizeEnv);
    CheckText(text, 100, [](std::string_view type, std::string&) { return thaw::NormalizeSpanType(type); });
    thaw::IsHttpStatusCode(text);
  }
  thaw::SpanTimes times;
  if (size < sizeof(times)) return 0;
  std::memcpy(&times, data, sizeof(times));
  const thaw::SpanTimes normal = thaw::NormalizeTimes(times, absl::FromUnixSeconds(1'700'000'000));
  Check(normal.start_unix_nanos >= 0 && normal.duration_nanos >= 0);
  Check(times.duration_nanos < 0 || normal.duration_nanos == times.duration_nanos ||
        normal.duration_nanos == 0);
  return 0;
}
