#include "cc/lambda/keys/aws_sigv4.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "cc/lambda/sha256.h"
#include "openssl/evp.h"
#include "openssl/hmac.h"

namespace thaw {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

std::string Sha256InHex(std::string_view text) {
  const std::array<uint8_t, 32> digest = Sha256(text);
  return absl::BytesToHexString({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

std::string HmacSha256(std::string_view key, std::string_view text) {
  uint8_t digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), key.size(), reinterpret_cast<const uint8_t*>(text.data()), text.size(),
       digest, &size);
  return std::string(reinterpret_cast<const char*>(digest), size);
}

// Returns headers by lower-case name, without white space around values and with single spaces within.
std::map<std::string, std::string> CanonicalHeaders(const HttpRequest& request) {
  std::map<std::string, std::string> headers = {{"host", HostHeader(request.destination)}};
  for (const auto& [name, value] : request.headers) {
    std::string canonical =
        absl::StrJoin(absl::StrSplit(value, absl::ByAnyChar(" \t"), absl::SkipEmpty()), " ");
    const auto [header, is_first] = headers.try_emplace(absl::AsciiStrToLower(name), canonical);
    if (!is_first) absl::StrAppend(&header->second, ",", canonical);
  }
  return headers;
}

// Sorts parameters by name, then value; a name without a value has an empty one.
std::string CanonicalQuery(std::string_view query) {
  std::vector<std::pair<std::string_view, std::string_view>> parameters;
  for (const std::string_view parameter : absl::StrSplit(query, '&', absl::SkipEmpty())) {
    parameters.push_back(absl::StrSplit(parameter, absl::MaxSplits('=', 1)));
  }
  std::sort(parameters.begin(), parameters.end());
  return absl::StrJoin(parameters, "&", absl::PairFormatter("="));
}

}  // namespace

void SignAwsRequest(const AwsScope& scope, const AwsCredentials& credentials, absl::Time now,
                    HttpRequest& request) {
  const std::string time = absl::FormatTime("%Y%m%dT%H%M%SZ", now, absl::UTCTimeZone());
  const std::string date = absl::FormatTime("%Y%m%d", now, absl::UTCTimeZone());
  request.headers.emplace_back("X-Amz-Date", time);
  if (!credentials.session_token.empty()) {
    request.headers.emplace_back("X-Amz-Security-Token", credentials.session_token);
  }

  std::string header_lines;
  std::vector<std::string_view> names;
  const std::map<std::string, std::string> headers = CanonicalHeaders(request);
  for (const auto& [name, value] : headers) {
    absl::StrAppend(&header_lines, name, ":", value, "\n");
    names.push_back(name);
  }
  const std::string signed_headers = absl::StrJoin(names, ";");
  const std::pair<std::string_view, std::string_view> target =
      absl::StrSplit(request.target, absl::MaxSplits('?', 1));
  const std::string_view body = request.body == nullptr ? std::string_view() : *request.body;
  const std::string canonical_request = absl::StrJoin(
      {std::string_view(request.method), target.first, std::string_view(CanonicalQuery(target.second)),
       std::string_view(header_lines), std::string_view(signed_headers), std::string_view(Sha256InHex(body))},
      "\n");

  const std::string scope_text = absl::StrCat(date, "/", scope.region, "/", scope.service, "/aws4_request");
  const std::string to_sign =
      absl::StrCat(kAlgorithm, "\n", time, "\n", scope_text, "\n", Sha256InHex(canonical_request));
  std::string key = absl::StrCat("AWS4", credentials.secret_access_key);
  for (const std::string_view part :
       {std::string_view(date), scope.region, scope.service, std::string_view("aws4_request")}) {
    key = HmacSha256(key, part);
  }
  request.headers.emplace_back(
      "Authorization", absl::StrCat(kAlgorithm, " Credential=", credentials.access_key_id, "/", scope_text,
                                    ", SignedHeaders=", signed_headers,
                                    ", Signature=", absl::BytesToHexString(HmacSha256(key, to_sign))));
}

}  // namespace thaw
