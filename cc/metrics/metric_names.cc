#include "cc/metrics/metric_names.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/str_replace.h"
#include "cc/base/normalize_tag.h"
#include "cc/base/utf8.h"

namespace thaw {
namespace {

constexpr std::array<bool, 256> kStaysInName = [] {
  std::array<bool, 256> stays{};
  for (int c = 'a'; c <= 'z'; ++c) stays[c] = true;
  for (int c = 'A'; c <= 'Z'; ++c) stays[c] = true;
  for (int c = '0'; c <= '9'; ++c) stays[c] = true;
  stays['_'] = stays['.'] = true;
  return stays;
}();

bool StaysInName(char byte) { return kStaysInName[static_cast<uint8_t>(byte)]; }

bool IsNormalName(std::string_view name) {
  if (name.empty() || !absl::ascii_isalpha(static_cast<uint8_t>(name.front()))) return false;
  // Names are short and mostly normal, so that a loop without a branch for each byte is fastest.
  bool normal = true;
  for (const char byte : name) normal &= StaysInName(byte);
  return normal;
}

// Returns whether a byte of `text` is not ASCII.
bool HasHighBytes(std::string_view text) {
  unsigned char all = 0;
  for (const char byte : text) all |= static_cast<unsigned char>(byte);
  return all >= 0x80;
}

std::string_view Append(std::string_view text, std::string& scratch) {
  const size_t at = scratch.size();
  scratch.append(text);
  return std::string_view(scratch).substr(at);
}

}  // namespace

std::string_view NormalMetricName(std::string_view prefix, std::string_view name, std::string& scratch) {
  const size_t room = kMaxMetricNameBytes - std::min(prefix.size(), kMaxMetricNameBytes);
  const bool normal = IsNormalName(name);
  if (normal && prefix.empty()) return name.substr(0, room);
  while (!name.empty() && !absl::ascii_isalpha(static_cast<uint8_t>(name.front()))) name.remove_prefix(1);
  if (name.empty()) return {};
  name = name.substr(0, room);
  const size_t at = scratch.size();
  scratch.append(prefix.substr(0, kMaxMetricNameBytes));
  for (const char byte : name) scratch.push_back(StaysInName(byte) ? byte : '_');
  return std::string_view(scratch).substr(at);
}

std::string_view NormalMetricTag(std::string_view tag, std::string& scratch) {
  std::string buffer;  // allocates only if the tag has to change
  if (HasHighBytes(tag) && !IsValidUtf8(tag)) {
    const std::string repaired = absl::StrReplaceAll(RepairUtf8(tag), {{"\uFFFD", "_"}});
    return Append(NormalizeTag(repaired, buffer), scratch);
  }
  const std::string_view normal = NormalizeTag(tag, buffer);
  return normal.data() == tag.data() ? normal : Append(normal, scratch);
}

}  // namespace thaw
