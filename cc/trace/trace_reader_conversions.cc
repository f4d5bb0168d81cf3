// Converts values of another type where no meaning is lost. This is apart from the rest of the reader, since few
// requests need it.

#include <cmath>
#include <limits>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cc/base/msgpack_scalars.h"
#include "cc/trace/trace_reader.h"

namespace thaw {

bool TraceReader::ConvertToText(SpanRecord& span, std::string_view& text) {
  if (span.converted.taken() == kMaxConverted)
    return Bad(absl::StrCat("a span with more than ", kMaxConverted, " numbers in place of text"));
  std::string& converted = span.converted.Take();
  if (!ReadScalarText(reader_, converted)) return false;
  text = converted;
  return true;
}

bool TraceReader::ConvertToId(uint64_t& id) {
  // Beyond 53 bits a float does not say which integer was meant.
  constexpr double kExact = 9'007'199'254'740'992.0;
  const size_t position = reader_.position();
  double number;
  std::string_view text;
  if (reader_.ReadNumber(number)) {
    if (number >= 0 && number <= kExact && std::trunc(number) == number) {
      id = static_cast<uint64_t>(number);
      return true;
    }
  } else if (reader_.ReadString(text) && absl::SimpleAtoi(text, &id)) {
    return true;
  }
  reader_.MoveTo(position);
  return false;
}

bool TraceReader::ConvertToInteger(int64_t& value, bool may_be_bool) {
  const size_t position = reader_.position();
  double number;
  std::string_view text;
  if (reader_.ReadString(text) && absl::SimpleAtoi(text, &value)) return true;
  reader_.MoveTo(position);
  constexpr double kBeyond = 9'223'372'036'854'775'808.0;
  if (ConvertToNumber(number, may_be_bool) && number >= -kBeyond && number < kBeyond) {
    value = static_cast<int64_t>(std::round(number));
    // A value that is not zero must not become zero.
    if (may_be_bool && value == 0 && number != 0) value = 1;
    return true;
  }
  reader_.MoveTo(position);
  return false;
}

bool TraceReader::ConvertToNumber(double& value, bool may_be_bool) {
  const size_t position = reader_.position();
  bool flag;
  std::string_view text;
  if (reader_.ReadNumber(value)) return true;
  if (may_be_bool && reader_.ReadBool(flag)) {
    value = flag ? 1 : 0;
    return true;
  }
  if (reader_.ReadString(text)) {
    if (absl::SimpleAtod(text, &value)) return true;
    if (may_be_bool && (absl::EqualsIgnoreCase(text, "true") || absl::EqualsIgnoreCase(text, "false"))) {
      value = text.size() == std::string_view("true").size() ? 1 : 0;
      return true;
    }
  }
  reader_.MoveTo(position);
  return false;
}

bool TraceReader::ConvertToMoment(int64_t& nanos) {
  const size_t position = reader_.position();
  int64_t seconds;
  uint32_t rest;
  if (reader_.ReadTimestamp(seconds, rest) && !__builtin_mul_overflow(seconds, 1'000'000'000, &nanos) &&
      !__builtin_add_overflow(nanos, int64_t{rest}, &nanos)) {
    return true;
  }
  reader_.MoveTo(position);
  return false;
}

}  // namespace thaw
