#include "cc/metrics/statsd_item.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "boost/json/array.hpp"
#include "boost/json/object.hpp"
#include "boost/json/parse.hpp"
#include "boost/json/serialize.hpp"
#include "boost/json/value.hpp"
#include "cc/base/utf8.h"

namespace thaw {
namespace {

constexpr std::string_view kSourceOfNone = "api";
// Names of members, numbers and what is between them.
constexpr size_t kFrameBytes = 256;
// A short source takes the room that its string has anyway.
constexpr size_t kSourceBytes = 32;

std::string Repaired(std::string_view text) {
  return IsValidUtf8(text) ? std::string(text) : RepairUtf8(text);
}

// Appends a JSON string.
void AppendText(std::string_view text, std::string& out) {
  const bool is_plain = std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
  });
  if (is_plain) {
    absl::StrAppend(&out, "\"", text, "\"");
  } else {
    out += boost::json::serialize(boost::json::value(Repaired(text)));
  }
}

// Appends a member after the ones before it.
void AppendMember(std::string_view name, std::string_view text, std::string& out) {
  absl::StrAppend(&out, ",\"", name, "\":");
  AppendText(text, out);
}

void AppendTime(std::optional<absl::Time> time, absl::Time now, std::string& out) {
  absl::StrAppend(&out, ",\"timestamp\":", absl::ToUnixSeconds(time.value_or(now)));
}

void AppendTags(absl::Span<const std::string_view> own, std::string_view of_function, std::string& out) {
  out += ",\"tags\":[";
  for (const std::string_view tag : own) {
    AppendText(tag, out);
    out.push_back(',');
  }
  out += of_function;
  if (out.back() == ',') out.pop_back();
  out.push_back(']');
}

size_t BytesOf(absl::Span<const std::string_view> tags) {
  size_t bytes = 0;
  for (const std::string_view tag : tags) bytes += tag.size() + 3;
  return bytes;
}

size_t JsonBytes(const StatsdEvent& event, std::string_view function_tags) {
  return kFrameBytes + event.title.size() + event.text.size() + event.priority.size() + event.host.size() +
         event.alert_type.size() + event.aggregation_key.size() + event.source_type.size() +
         BytesOf(event.tags) + function_tags.size();
}

size_t JsonBytes(const ServiceCheck& check, std::string_view function_tags) {
  return kFrameBytes + check.name.size() + check.host.size() + check.message.size() + BytesOf(check.tags) +
         function_tags.size();
}

StatsdItem ItemOf(std::string_view source, const boost::json::value& value) {
  return {.source = std::string(source), .json = boost::json::serialize(value)};
}

}  // namespace

std::string EncodeStatsdTags(absl::Span<const std::string> tags) {
  std::string encoded;
  for (const std::string& tag : tags) {
    if (!encoded.empty()) encoded.push_back(',');
    AppendText(tag, encoded);
  }
  return encoded;
}

size_t ItemBytes(const StatsdEvent& event, std::string_view function_tags) {
  return sizeof(StatsdItem) + kSourceBytes + event.source_type.size() + JsonBytes(event, function_tags);
}

size_t ItemBytes(const ServiceCheck& check, std::string_view function_tags) {
  return sizeof(StatsdItem) + kSourceBytes + JsonBytes(check, function_tags);
}

// A datagram may have thousands of items, so they are written without a tree of values.
StatsdItem EventItem(const StatsdEvent& event, std::string_view function_tags, absl::Time now) {
  StatsdItem item{.source = Repaired(event.source_type)};
  item.json.reserve(JsonBytes(event, function_tags));
  item.json = R"({"msg_title":)";
  AppendText(event.title, item.json);
  AppendMember("msg_text", event.text, item.json);
  AppendTime(event.time, now, item.json);
  AppendMember("priority", event.priority, item.json);
  AppendMember("host", event.host, item.json);
  AppendTags(event.tags, function_tags, item.json);
  AppendMember("alert_type", event.alert_type, item.json);
  if (!event.aggregation_key.empty()) AppendMember("aggregation_key", event.aggregation_key, item.json);
  if (item.source.empty()) {
    item.source = kSourceOfNone;
  } else {
    AppendMember("source_type_name", item.source, item.json);
  }
  item.json.push_back('}');
  return item;
}

StatsdItem ServiceCheckItem(const ServiceCheck& check, std::string_view function_tags, absl::Time now) {
  StatsdItem item;
  item.json.reserve(JsonBytes(check, function_tags));
  item.json = R"({"check":)";
  AppendText(check.name, item.json);
  AppendMember("host_name", check.host, item.json);
  AppendTime(check.time, now, item.json);
  absl::StrAppend(&item.json, ",\"status\":", static_cast<int>(check.status));
  AppendMember("message", check.message, item.json);
  AppendTags(check.tags, function_tags, item.json);
  item.json.push_back('}');
  return item;
}

size_t StatsdBodyBytes(absl::Span<const StatsdItem* const> items) {
  // A character of a source takes six bytes if it is escaped.
  constexpr size_t kEscaped = 6, kBetween = 6;
  size_t bytes = kFrameBytes;
  for (const StatsdItem* item : items) bytes += item->json.size() + kEscaped * item->source.size() + kBetween;
  return bytes;
}

std::string EventsBody(absl::Span<const StatsdItem* const> items) {
  std::map<std::string_view, std::vector<const StatsdItem*>> by_source;
  for (const StatsdItem* item : items) by_source[item->source].push_back(item);
  std::string body;
  body.reserve(StatsdBodyBytes(items));
  // The key stands in a header; the member has been empty since then.
  body.append(R"({"apiKey":"","events":{)");
  std::string_view between = "";
  for (const auto& [source, events] : by_source) {
    absl::StrAppend(&body, between, boost::json::serialize(boost::json::value(source)), ":");
    char before = '[';
    for (const StatsdItem* event : events) {
      body.push_back(std::exchange(before, ','));
      body.append(event->json);
    }
    body.push_back(']');
    between = ",";
  }
  absl::StrAppend(&body, R"(},"internalHostname":""})");
  return body;
}

std::string ServiceChecksBody(absl::Span<const StatsdItem* const> items) {
  std::string body;
  body.reserve(StatsdBodyBytes(items));
  body.push_back('[');
  for (const StatsdItem* item : items) absl::StrAppend(&body, body.size() == 1 ? "" : ",", item->json);
  body.push_back(']');
  return body;
}

std::vector<StatsdItem> ItemsOfBody(std::string_view body) {
  std::vector<StatsdItem> items;
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(body, error);
  if (error) return items;
  if (const boost::json::array* const checks = value.if_array()) {
    for (const boost::json::value& check : *checks) items.push_back(ItemOf("", check));
    return items;
  }
  const boost::json::object* const object = value.if_object();
  const boost::json::value* const events = object == nullptr ? nullptr : object->if_contains("events");
  if (events == nullptr || !events->is_object()) return items;
  for (const auto& [source, list] : events->get_object()) {
    if (!list.is_array()) continue;
    for (const boost::json::value& event : list.get_array()) items.push_back(ItemOf(source, event));
  }
  return items;
}

}  // namespace thaw
