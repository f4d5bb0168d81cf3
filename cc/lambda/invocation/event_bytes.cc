#include "cc/lambda/invocation/event_bytes.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "boost/json/array.hpp"
#include "boost/json/object.hpp"
#include "boost/json/value.hpp"

namespace thaw {
namespace {

namespace json = boost::json;

// Longest text that is read as a list of bytes: the longest header, at six characters a byte at most.
constexpr size_t kMaxListText = 64 << 10;

// Appends the byte with this value; returns false if there is none.
bool AddByte(double number, std::string& bytes) {
  if (!(number >= -128 && number <= 255) || number != std::floor(number)) return false;
  bytes.push_back(static_cast<char>(static_cast<int>(number)));
  return true;
}

bool AddByte(std::string_view text, std::string& bytes) {
  double number = 0;
  return absl::SimpleAtod(text, &number) && AddByte(number, bytes);
}

bool AddByte(const json::value& value, std::string& bytes) {
  if (value.is_number()) return AddByte(value.to_number<double>(), bytes);
  const json::string* text = value.if_string();
  return text != nullptr && AddByte(std::string_view(*text), bytes);
}

// Reads "[49, 55]", with or without the brackets, and "[49 55]", as Go prints bytes. A single number is text, not a
// list.
std::optional<std::string> BytesOfText(std::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  if (text.size() > kMaxListText) return std::nullopt;
  const bool bracketed = text.size() > 2 && text.front() == '[' && text.back() == ']';
  if (bracketed) text = text.substr(1, text.size() - 2);
  if (text.empty() || (!bracketed && !absl::StrContains(text, ','))) return std::nullopt;
  const bool has_commas = absl::StrContains(text, ',');
  std::string bytes;
  for (const std::string_view part : absl::StrSplit(text, has_commas ? ',' : ' ')) {
    if (!has_commas && part.empty()) continue;
    if (!AddByte(part, bytes)) return std::nullopt;
  }
  if (bytes.empty()) return std::nullopt;
  return bytes;
}

using NumberedItem = std::pair<uint64_t, const json::value*>;

// Returns the members whose names are numbers, in the order of these.
std::vector<NumberedItem> NumberedItems(const json::object& members) {
  constexpr size_t kMaxDigits = 18;  // fit into 64 bits
  std::vector<NumberedItem> items;
  for (const json::key_value_pair& member : members) {
    const std::string_view name = member.key();
    if (name.empty() || name.size() > kMaxDigits || (name[0] == '0' && name.size() > 1)) continue;
    if (!std::all_of(name.begin(), name.end(), absl::ascii_isdigit)) continue;
    uint64_t number = 0;
    if (absl::SimpleAtoi(name, &number)) items.emplace_back(number, &member.value());
  }
  std::sort(items.begin(), items.end());
  return items;
}

// Returns whether the numbers are 0, 1, 2 and so on.
bool IsWhole(const std::vector<NumberedItem>& items) {
  return items.empty() || items.back().first == items.size() - 1;
}

// Returns the content of a buffer: `data` of Node.js, `hb` of Java.
const json::value* ContentOf(const json::object& buffer) {
  for (const char* name : {"data", "hb"})
    if (const json::value* content = buffer.if_contains(name)) return content;
  return nullptr;
}

}  // namespace

void ForEachItem(const json::value& list, absl::FunctionRef<void(const json::value&)> visit) {
  if (const json::array* items = list.if_array()) {
    for (const json::value& item : *items) visit(item);
  } else if (const json::object* members = list.if_object()) {
    for (const NumberedItem& item : NumberedItems(*members)) visit(*item.second);
  }
}

const json::value* FirstItem(const json::value& list) {
  if (const json::array* items = list.if_array()) return items->empty() ? nullptr : &items->front();
  const json::object* members = list.if_object();
  return members == nullptr ? nullptr : members->if_contains("0");
}

const json::value& FirstValue(const json::value& values) {
  const json::value* const first = FirstItem(values);
  return first == nullptr ? values : *first;
}

std::optional<std::string> ListedBytes(const json::value& value) {
  if (const json::string* text = value.if_string()) return BytesOfText(*text);
  const json::object* object = value.if_object();
  if (object != nullptr && !object->empty() && !object->contains("0")) {
    const json::value* const content = ContentOf(*object);
    // A buffer's content is a list; another buffer within is not followed.
    if (content == nullptr || (content->is_object() && !content->get_object().contains("0")))
      return std::nullopt;
    return ListedBytes(*content);
  }
  if (object == nullptr && !value.is_array()) return std::nullopt;
  std::string bytes;
  bool whole = object == nullptr || IsWhole(NumberedItems(*object));
  ForEachItem(value, [&](const json::value& item) { whole = whole && AddByte(item, bytes); });
  if (!whole) return std::nullopt;
  return bytes;
}

std::optional<std::string> ListedOrBase64Bytes(const json::value& value) {
  if (std::optional<std::string> listed = ListedBytes(value)) return listed;
  const json::string* text = value.if_string();
  std::string bytes;
  if (text == nullptr ||
      (!absl::Base64Unescape(*text, &bytes) && !absl::WebSafeBase64Unescape(*text, &bytes)))
    return std::nullopt;
  return bytes;
}

}  // namespace thaw
