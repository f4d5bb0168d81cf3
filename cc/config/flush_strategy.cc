#include "cc/config/flush_strategy.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace thaw {
namespace {

using Kind = FlushStrategy::Kind;

std::optional<Kind> KindWithInterval(std::string_view word) {
  if (word == "end") return Kind::kEndPeriodically;
  if (word == "periodically") return Kind::kPeriodically;
  if (word == "continuously") return Kind::kContinuously;
  return std::nullopt;
}

std::string_view Word(Kind kind) {
  switch (kind) {
    case Kind::kDefault:
      return "default";
    case Kind::kEnd:
    case Kind::kEndPeriodically:
      return "end";
    case Kind::kPeriodically:
      return "periodically";
    case Kind::kContinuously:
      return "continuously";
  }
  return "unknown";
}

}  // namespace

absl::StatusOr<FlushStrategy> ParseFlushStrategy(std::string_view text) {
  std::vector<std::string_view> parts = absl::StrSplit(text, ',');
  for (std::string_view& part : parts) part = absl::StripAsciiWhitespace(part);
  if (parts.size() == 1 && parts[0] == "default") return FlushStrategy{};
  if (parts.size() == 1 && parts[0] == "end") return FlushStrategy{.kind = Kind::kEnd};
  const std::optional<Kind> kind = KindWithInterval(parts[0]);
  if (!kind.has_value()) {
    return absl::InvalidArgumentError(
        "it is not one of default, end, \"end,<ms>\", \"periodically,<ms>\" and \"continuously,<ms>\"");
  }
  if (parts.size() != 2) {
    return absl::InvalidArgumentError(absl::StrCat("one number of milliseconds belongs to ", Word(*kind),
                                                   ", as in \"", Word(*kind), ",20000\""));
  }
  int64_t milliseconds = 0;
  const bool digits = std::all_of(parts[1].begin(), parts[1].end(),
                                  [](char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); });
  if (!digits || !absl::SimpleAtoi(parts[1], &milliseconds)) {
    return absl::InvalidArgumentError("the text after the comma is not a whole number of milliseconds");
  }
  if (milliseconds == 0) {
    return absl::InvalidArgumentError("0 milliseconds are no interval; it must be at least 1");
  }
  return FlushStrategy{.kind = *kind, .interval = absl::Milliseconds(milliseconds)};
}

std::string ToString(const FlushStrategy& strategy) {
  if (strategy.interval == absl::ZeroDuration()) return std::string(Word(strategy.kind));
  return absl::StrCat(Word(strategy.kind), ",", absl::ToInt64Milliseconds(strategy.interval));
}

}  // namespace thaw
