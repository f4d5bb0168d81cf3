#include "cc/lambda/keys/api_key_secrets.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "cc/base/json_members.h"
#include "cc/base/status_macros.h"
#include "cc/config/parse_values.h"
#include "cc/lambda/keys/aws_sigv4.h"
#include "cc/lambda/keys/json_exchange.h"

namespace thaw {
namespace {

namespace json = boost::json;

// Returns the text at `name`; empty if there is none.
std::string TextAt(const json::value& answer, std::string_view name) {
  int64_t ignored = 0;
  std::string text;
  JsonMembers(answer.if_object(), ignored).Read(name, text);
  return text;
}

absl::StatusOr<std::string> FromBase64(std::string_view what, std::string_view encoded) {
  std::string decoded;
  if (encoded.empty()) return absl::InternalError(absl::StrCat("the answer has no ", what));
  if (!absl::Base64Unescape(encoded, &decoded)) {
    return absl::InternalError(absl::StrCat(what, " of the answer is not base64"));
  }
  return decoded;
}

// Returns the member of a JSON secret that is the key; empty if none is.
std::string KeyMember(const json::value& secret) {
  for (const char* name : {"dd_api_key", "apiKey"})
    if (std::string key = TextAt(secret, name); !key.empty()) return key;
  for (const json::key_value_pair& member : secret.get_object()) {
    std::string name = absl::AsciiStrToLower(std::string_view(member.key()));
    std::erase_if(name, [](char c) { return c == '_' || c == '-'; });
    if (name != "ddapikey" && name != "apikey" && name != "datadogapikey") continue;
    if (std::string key = TextAt(secret, member.key()); !key.empty()) return key;
  }
  return "";
}

// Returns the text with white space, and a byte order mark before it, taken off.
std::string_view Stripped(std::string_view text) {
  absl::ConsumePrefix(&text, "\xEF\xBB\xBF");
  return absl::StripAsciiWhitespace(text);
}

// Returns the one item of a list with commas, which may be in it several times; nullopt if there are others.
std::optional<std::string_view> OnlyItem(std::string_view list) {
  std::optional<std::string_view> only;
  for (std::string_view item : absl::StrSplit(list, ',')) {
    item = absl::StripAsciiWhitespace(item);
    if (item.empty()) continue;
    if (only.has_value() && *only != item) return std::nullopt;
    only = item;
  }
  return only;
}

// Returns the key in a text that is no JSON. Keys have letters and digits; quotation marks, brackets or a
// comma mean that the text is something else, and the intake would only refuse it.
absl::StatusOr<std::string> PlainKeyIn(std::string_view text) {
  if (absl::StrContains(text, ',')) {
    const std::optional<std::string_view> only = OnlyItem(text);
    if (!only.has_value())
      return absl::InternalError("the secret is a list that does not have exactly one key");
    text = *only;
  }
  if (text.size() > 2 && text.front() == '\'' && text.back() == '\'')
    text = Stripped(text.substr(1, text.size() - 2));
  if (text.find_first_of("\"'`[]{}(),;:=<>\\") != std::string_view::npos) {
    return absl::InternalError("the secret is neither a key nor JSON: it has brackets or punctuation marks");
  }
  return std::string(text);
}

// Extracts the key from a stored text.
absl::StatusOr<std::string> KeyIn(std::string text) {
  // Scripts wrap a secret that is JSON already in a JSON string again.
  constexpr int kMaxWrappings = 4;
  for (int wrappings = 0; wrappings < kMaxWrappings; ++wrappings) {
    text = std::string(Stripped(text));
    if (text.empty() || std::string_view("\"{[").find(text[0]) == std::string_view::npos) break;
    boost::system::error_code error;
    const json::value value = json::parse(text, error);
    if (error) break;
    if (const json::string* inner = value.if_string()) {
      text = std::string(*inner);
      continue;
    }
    if (const json::array* items = value.if_array()) {
      const json::string* only = items->empty() ? nullptr : items->front().if_string();
      for (const json::value& item : *items)
        if (item != items->front()) only = nullptr;
      if (only == nullptr)
        return absl::InternalError("the secret is a JSON list that does not have exactly one string");
      text = std::string(*only);
      continue;
    }
    text = KeyMember(value);
    if (text.empty())
      return absl::InternalError("the secret is a JSON object without a string dd_api_key or apiKey");
  }
  return PlainKeyIn(text);
}

}  // namespace

absl::StatusOr<std::string> ApiKeySecrets::OwnRegion() const {
  if (!aws_.region.empty()) return aws_.region;
  return absl::InvalidArgumentError("AWS_REGION is not set, so the region to ask is unknown");
}

absl::StatusOr<std::string> ApiKeySecrets::RegionOf(std::string_view arn) const {
  if (!absl::StartsWith(arn, "arn:")) return OwnRegion();
  // arn:partition:service:region:account:resource
  const std::vector<std::string_view> parts = absl::StrSplit(arn, absl::MaxSplits(':', 5));
  if (parts.size() < 6) {
    return absl::InvalidArgumentError(
        "the ARN does not have the form arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE");
  }
  if (parts[3].empty()) return OwnRegion();
  const absl::StatusOr<std::string> region = ParseRegion(parts[3]);
  if (!region.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("the region of the ARN: ", region.status().message()));
  }
  return *region;
}

Task<absl::StatusOr<json::value>> ApiKeySecrets::Ask(Call call, Cancellation& cancellation) {
  THAW_CO_ASSIGN_OR_RETURN(const AwsCredentials credentials, co_await credentials_.Get(cancellation));
  HttpRequest request;
  request.destination.scheme = Destination::Scheme::kHttps;
  request.destination.host =
      absl::StrCat(call.service, aws_.fips ? "-fips." : ".", call.region, ".amazonaws.com",
                   absl::StartsWith(call.region, "cn-") ? ".cn" : "");
  request.destination.port = 443;
  request.headers = {{"Content-Type", "application/x-amz-json-1.1"},
                     {"X-Amz-Target", std::string(call.operation)}};
  request.body = std::make_shared<const std::string>(json::serialize(call.arguments));
  SignAwsRequest({call.service, call.region}, credentials, clock_.Now().wall, request);
  Task<absl::StatusOr<json::value>> sending = SendForJson(client_, std::move(request), cancellation);
  absl::StatusOr<json::value> answer = co_await std::move(sending);
  // The credentials may be the reason for the refusal.
  if (absl::IsFailedPrecondition(answer.status())) credentials_.Forget();
  co_return answer;
}

Task<absl::StatusOr<std::string>> ApiKeySecrets::Decrypt(std::string ciphertext, Cancellation& cancellation) {
  THAW_CO_ASSIGN_OR_RETURN(const std::string region, OwnRegion());
  Call call{.service = "kms", .operation = "TrentService.Decrypt", .region = region};
  call.arguments["CiphertextBlob"] = ciphertext;
  Task<absl::StatusOr<json::value>> plainly = Ask(call, cancellation);
  absl::StatusOr<json::value> answer = co_await std::move(plainly);
  if (absl::IsFailedPrecondition(answer.status()) && !aws_.function_name.empty()) {
    call.arguments["EncryptionContext"] = {{"LambdaFunctionName", aws_.function_name}};
    Task<absl::StatusOr<json::value>> in_context = Ask(call, cancellation);
    absl::StatusOr<json::value> second = co_await std::move(in_context);
    if (!second.ok()) {
      co_return absl::Status(
          second.status().code(),
          absl::StrCat(answer.status().message(),
                       "; in the encryption context of this function: ", second.status().message()));
    }
    answer = *std::move(second);
  }
  if (!answer.ok()) co_return answer.status();
  THAW_CO_ASSIGN_OR_RETURN(std::string text, FromBase64("Plaintext", TextAt(*answer, "Plaintext")));
  co_return KeyIn(std::move(text));
}

Task<absl::StatusOr<std::string>> ApiKeySecrets::SecretValue(std::string arn, Cancellation& cancellation) {
  THAW_CO_ASSIGN_OR_RETURN(std::string region, RegionOf(arn));
  Call call{
      .service = "secretsmanager", .operation = "secretsmanager.GetSecretValue", .region = std::move(region)};
  call.arguments["SecretId"] = arn;
  THAW_CO_ASSIGN_OR_RETURN(const json::value answer, co_await Ask(std::move(call), cancellation));
  std::string text = TextAt(answer, "SecretString");
  if (text.empty()) {
    THAW_CO_ASSIGN_OR_RETURN(text,
                             FromBase64("SecretString or SecretBinary", TextAt(answer, "SecretBinary")));
  }
  co_return KeyIn(std::move(text));
}

Task<absl::StatusOr<std::string>> ApiKeySecrets::Parameter(std::string arn, Cancellation& cancellation) {
  THAW_CO_ASSIGN_OR_RETURN(std::string region, RegionOf(arn));
  Call call{.service = "ssm", .operation = "AmazonSSM.GetParameter", .region = std::move(region)};
  call.arguments["Name"] = arn;
  call.arguments["WithDecryption"] = true;
  THAW_CO_ASSIGN_OR_RETURN(const json::value answer, co_await Ask(std::move(call), cancellation));
  int64_t ignored = 0;
  std::string text;
  JsonMembers(answer.if_object(), ignored).Of("Parameter").Read("Value", text);
  if (text.empty()) co_return absl::InternalError("the answer has no Parameter.Value");
  co_return KeyIn(std::move(text));
}

}  // namespace thaw
