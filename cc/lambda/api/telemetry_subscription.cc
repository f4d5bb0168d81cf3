#include "cc/lambda/api/telemetry_subscription.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cc/base/status_macros.h"
#include "cc/net/http_message.h"

namespace thaw {
namespace {

namespace json = boost::json;

constexpr int kAccepted = 202;

absl::Status Bad(std::string_view field, int64_t value, int64_t least, int64_t most) {
  return absl::InvalidArgumentError(
      absl::StrCat("TelemetrySubscription.", field, " is ", value, "; Lambda allows ", least, " to ", most));
}

}  // namespace

absl::Status TelemetrySubscription::Validate() const {
  if (schema_version.empty()) {
    return absl::InvalidArgumentError("TelemetrySubscription.schema_version is empty");
  }
  if (port == 0) return Bad("port", port, 1, 65535);
  const int64_t timeout = absl::ToInt64Milliseconds(buffering_timeout);
  if (timeout < 25 || timeout > 30'000) return Bad("buffering_timeout in milliseconds", timeout, 25, 30'000);
  if (max_items < 1000 || max_items > 10'000) return Bad("max_items", max_items, 1000, 10'000);
  if (max_bytes < 262'144 || max_bytes > 1'048'576) {
    return Bad("max_bytes", static_cast<int64_t>(max_bytes), 262'144, 1'048'576);
  }
  return absl::OkStatus();
}

Task<absl::StatusOr<TelemetrySupport>> SubscribeToTelemetry(RuntimeApi& api, std::string identifier,
                                                            TelemetrySubscription subscription,
                                                            Cancellation& cancellation) {
  THAW_CO_RETURN_IF_ERROR(subscription.Validate());
  json::array types = {"platform"};
  if (subscription.function_logs) types.emplace_back("function");
  if (subscription.extension_logs) types.emplace_back("extension");
  RuntimeApi::Call call;
  call.method = "PUT";
  call.target = "/2022-07-01/telemetry";
  call.headers = {{"Lambda-Extension-Identifier", std::move(identifier)}};
  call.body = json::serialize(json::object(
      {{"schemaVersion", subscription.schema_version},
       {"types", std::move(types)},
       {"destination",
        json::object({{"protocol", "HTTP"},
                      {"URI", absl::StrCat("http://sandbox.localdomain:", subscription.port, "/")}})},
       {"buffering",
        json::object({{"maxItems", subscription.max_items},
                      {"maxBytes", subscription.max_bytes},
                      {"timeoutMs", absl::ToInt64Milliseconds(subscription.buffering_timeout)}})}}));
  call.body_timeout = kUnwantedBodyTimeout;  // the status is the answer
  THAW_CO_ASSIGN_OR_RETURN(const HttpResponse response, co_await api.Send(std::move(call), cancellation));
  co_return response.status == kAccepted ? TelemetrySupport::kNotSupported : TelemetrySupport::kSubscribed;
}

}  // namespace thaw
