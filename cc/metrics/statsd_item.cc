#include "cc/metrics/statsd_item.h"

#include <map>

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

std::string Text(std::string_view text) { return IsValidUtf8(text) ? std::string(text) : RepairUtf8(text); }

boost::json::array Tags(absl::Span<const std::string_view> own, absl::Span<const std::string> of_function) {
  boost::json::array tags;
  for (const std::string_view tag : own) tags.emplace_back(tag);
  for (const std::string& tag : of_function) tags.emplace_back(tag);
  return tags;
}

int64_t Seconds(std::optional<absl::Time> time, absl::Time now) {
  return absl::ToUnixSeconds(time.value_or(now));
}

StatsdItem ItemOf(std::string_view source, const boost::json::value& value) {
  return {.source = std::string(source), .json = boost::json::serialize(value)};
}

}  // namespace

StatsdItem EventItem(const StatsdEvent& event, absl::Span<const std::string> function_tags, absl::Time now) {
  boost::json::object object;
  object["msg_title"] = Text(event.title);
  object["msg_text"] = Text(event.text);
  object["timestamp"] = Seconds(event.time, now);
  object["priority"] = event.priority;
  object["host"] = Text(event.host);
  object["tags"] = Tags(event.tags, function_tags);
  object["alert_type"] = event.alert_type;
  if (!event.aggregation_key.empty()) object["aggregation_key"] = Text(event.aggregation_key);
  std::string source = Text(event.source_type);
  if (source.empty()) return ItemOf(kSourceOfNone, object);
  object["source_type_name"] = source;
  return ItemOf(source, object);
}

StatsdItem ServiceCheckItem(const ServiceCheck& check, absl::Span<const std::string> function_tags,
                            absl::Time now) {
  boost::json::object object;
  object["check"] = Text(check.name);
  object["host_name"] = Text(check.host);
  object["timestamp"] = Seconds(check.time, now);
  object["status"] = static_cast<int>(check.status);
  object["message"] = Text(check.message);
  object["tags"] = Tags(check.tags, function_tags);
  return ItemOf("", object);
}

std::string EventsBody(absl::Span<const StatsdItem> items) {
  std::map<std::string_view, std::string> by_source;
  for (const StatsdItem& item : items) {
    std::string& events = by_source[item.source];
    absl::StrAppend(&events, events.empty() ? "" : ",", item.json);
  }
  // The key stands in a header; the member has been empty since then.
  std::string body = R"({"apiKey":"","events":{)";
  std::string_view between = "";
  for (const auto& [source, events] : by_source) {
    absl::StrAppend(&body, between, boost::json::serialize(boost::json::value(source)), ":[", events, "]");
    between = ",";
  }
  absl::StrAppend(&body, R"(},"internalHostname":""})");
  return body;
}

std::string ServiceChecksBody(absl::Span<const StatsdItem> items) {
  std::string body = "[";
  for (const StatsdItem& item : items) absl::StrAppend(&body, body.size() == 1 ? "" : ",", item.json);
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
