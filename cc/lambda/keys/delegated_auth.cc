#include "cc/lambda/keys/delegated_auth.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <map>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cc/base/json_members.h"
#include "cc/base/status_macros.h"
#include "cc/lambda/keys/json_exchange.h"

namespace thaw {

namespace json = boost::json;

std::string DelegatedProof(const AwsCredentials& credentials, std::string_view region,
                           std::string_view org_uuid, absl::Time now) {
  HttpRequest request;
  request.destination.scheme = Destination::Scheme::kHttps;
  request.destination.host = absl::StrCat("sts.", region, ".amazonaws.com");
  request.destination.port = 443;
  // The names are written as in the proof.
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"},
                     {"X-Ddog-Org-Id", std::string(org_uuid)}};
  request.body = std::make_shared<const std::string>("Action=GetCallerIdentity&Version=2011-06-15");
  SignAwsRequest({.service = "sts", .region = region}, credentials, now, request);
  request.headers.emplace_back("Host", HostHeader(request.destination));
  const std::map<std::string, std::string> sorted(request.headers.begin(), request.headers.end());
  json::object headers;
  for (const auto& [name, value] : sorted) headers[name] = json::array({json::string(value)});
  return absl::StrJoin({absl::Base64Escape(*request.body), absl::Base64Escape(json::serialize(headers)),
                        request.method, absl::Base64Escape(ToString(request.destination))},
                       "|");
}

Task<absl::StatusOr<std::string>> DelegatedAuth::IntakeKey(Cancellation& cancellation) {
  if (options_.region.empty()) {
    co_return absl::InvalidArgumentError("AWS_REGION is not set, so the region to ask is unknown");
  }
  THAW_CO_ASSIGN_OR_RETURN(const AwsCredentials credentials, co_await credentials_.Get(cancellation));
  HttpRequest request;
  request.destination.scheme = Destination::Scheme::kHttps;
  request.destination.host = absl::StrCat("api.", options_.site);
  request.destination.port = 443;
  request.target = "/api/v2/intake-key";
  request.headers = {
      {"Content-Type", "application/json"},
      {"Authorization", absl::StrCat("Delegated ", DelegatedProof(credentials, options_.region,
                                                                  options_.org_uuid, clock_.Now().wall))}};
  Task<absl::StatusOr<json::value>> sending = SendForJson(client_, std::move(request), cancellation);
  const absl::StatusOr<json::value> answer = co_await std::move(sending);
  if (absl::IsFailedPrecondition(answer.status())) credentials_.Forget();
  if (!answer.ok()) co_return answer.status();
  int64_t ignored = 0;
  std::string key;
  JsonMembers(answer->if_object(), ignored).Of("data").Of("attributes").Read("api_key", key);
  if (key.empty()) co_return absl::InternalError("the answer has no data.attributes.api_key");
  co_return key;
}

}  // namespace thaw
