#include "cc/lambda/invocation/trace_carriers.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/match.h"
#include "boost/json/object.hpp"
#include "boost/json/value.hpp"
#include "cc/lambda/invocation/event_bytes.h"
#include "cc/lambda/invocation/event_json.h"
#include "cc/lambda/invocation/nested_json.h"
#include "cc/lambda/invocation/trace_context.h"

namespace thaw {
namespace {

namespace json = boost::json;

}  // namespace

HttpHeaders CarrierOf(const json::value* value) {
  HttpHeaders carrier;
  const json::object* object = value == nullptr ? nullptr : value->if_object();
  if (object == nullptr) return carrier;
  for (const json::key_value_pair& member : *object) {
    if (!IsTraceContextHeader(member.key())) continue;
    if (std::optional<std::string> text = ScalarText(FirstValue(member.value())))
      carrier.emplace_back(member.key(), *std::move(text));
  }
  return carrier;
}

bool NamesTrace(const HttpHeaders& carrier) {
  if (ParseDecimalId(FindHeader(carrier, "x-datadog-trace-id").value_or(std::string_view()))) return true;
  for (const char* name : {"traceparent", "b3", "x-b3-traceid"})
    if (!FindHeader(carrier, name).value_or(std::string_view()).empty()) return true;
  return false;
}

json::value DatadogAttribute(const json::value& message) {
  const json::value* attributes = AnyOf(message, {"messageAttributes", "MessageAttributes"});
  const json::value* attribute = attributes == nullptr ? nullptr : FindAt(*attributes, {"_datadog"});
  if (attribute == nullptr || !attribute->is_object()) return NestedJson(attribute);
  const json::value* type = AnyOf(*attribute, {"dataType", "DataType", "Type", "type"});
  const json::value* text = AnyOf(*attribute, {"stringValue", "StringValue", "Value", "value"});
  const json::value* binary = AnyOf(*attribute, {"binaryValue", "BinaryValue", "Value", "value"});
  const bool is_binary = type != nullptr && type->is_string() &&
                         absl::StartsWith(std::string_view(type->get_string()), "Binary");
  if (!is_binary)
    if (json::value parsed = NestedJson(text); !parsed.is_null()) return parsed;
  return NestedBytesJson(binary);
}

std::vector<HttpHeaders> KafkaCarriers(const json::value& record,
                                       absl::FunctionRef<bool(std::string_view)> wanted) {
  std::vector<HttpHeaders> carriers;
  const json::value* headers = FindAt(record, {"headers"});
  if (headers == nullptr) return carriers;
  // Some runtimes write bytes as base64, which a text alone doesn't show.
  HttpHeaders carrier, decoded;
  const auto add = [&carrier, &decoded, wanted](std::string_view name, const json::value& value) {
    if (!wanted(name)) return;
    std::optional<std::string> bytes = ListedBytes(value);
    if (!bytes) {
      const json::string* text = value.if_string();
      if (text == nullptr) return;
      if (std::optional<std::string> of_base64 = ListedOrBase64Bytes(value))
        decoded.emplace_back(name, *std::move(of_base64));
      carrier.emplace_back(name, std::string_view(*text));
      return;
    }
    decoded.emplace_back(name, *bytes);
    carrier.emplace_back(name, *std::move(bytes));
  };
  const auto add_all = [&add](const json::value& header) {
    const json::object* object = header.if_object();
    if (object == nullptr) return;
    if (const json::value* value = AnyOf(header, {"value", "Value"}))
      if (const json::value* key = AnyOf(header, {"key", "Key"}); key != nullptr && key->is_string())
        add(key->get_string(), *value);
    for (const json::key_value_pair& member : *object) add(member.key(), member.value());
  };
  if (FirstItem(*headers) != nullptr) {
    ForEachItem(*headers, add_all);
  } else {
    add_all(*headers);
  }
  if (decoded == carrier) decoded.clear();
  if (!carrier.empty()) carriers.push_back(std::move(carrier));
  if (!decoded.empty()) carriers.push_back(std::move(decoded));
  return carriers;
}

}  // namespace thaw
