#include "cc/config/parse_values.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "boost/json/parse.hpp"
#include "boost/json/serialize.hpp"
#include "boost/json/value.hpp"
#include "cc/base/status_macros.h"
#include "cc/base/utf8.h"
#include "cc/net/destination.h"

namespace thaw {
namespace {

absl::Status Wrong(std::string_view why) { return absl::InvalidArgumentError(why); }

bool IsPrintable(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isprint(static_cast<unsigned char>(c)); });
}

// Calls ParseUrl and keeps of its errors only what is wrong, not the text.
absl::StatusOr<Url> ParseHiddenUrl(std::string_view text) {
  absl::StatusOr<Url> url = ParseUrl(text);
  if (url.ok()) return url;
  const std::string_view message = url.status().message();
  const size_t quote = message.rfind("': ");
  return Wrong(quote == std::string_view::npos ? "it is not a URL" : message.substr(quote + 3));
}

}  // namespace

absl::StatusOr<bool> ParseBool(std::string_view text) {
  for (const std::string_view word : {"true", "1", "t", "yes", "on"}) {
    if (absl::EqualsIgnoreCase(text, word)) return true;
  }
  for (const std::string_view word : {"false", "0", "f", "no", "off"}) {
    if (absl::EqualsIgnoreCase(text, word)) return false;
  }
  return Wrong("it is neither true (1, t, yes, on) nor false (0, f, no, off)");
}

absl::StatusOr<int> ParseInt(std::string_view text, int least, int most) {
  int64_t number = 0;
  if (!absl::SimpleAtoi(text, &number) || number < least || number > most) {
    return Wrong(absl::StrCat("it is not a whole number from ", least, " to ", most));
  }
  return static_cast<int>(number);
}

absl::StatusOr<absl::Duration> ParseSeconds(std::string_view text) {
  double seconds = 0;
  // SimpleAtod also accepts hexadecimal numbers.
  if (text.find_first_of("xX") != std::string_view::npos || !absl::SimpleAtod(text, &seconds) ||
      !std::isfinite(seconds) || seconds <= 0 || seconds > 86400 ||
      absl::Seconds(seconds) == absl::ZeroDuration()) {
    return Wrong("it is not a number of seconds above 0 and up to 86400");
  }
  return absl::Seconds(seconds);
}

absl::StatusOr<std::string> ParseHostName(std::string_view text) {
  if (text.empty() || text.size() > 253) return Wrong("a host name has 1 to 253 characters");
  for (const std::string_view label : absl::StrSplit(text, '.')) {
    if (label.empty() || label.size() > 63) {
      return Wrong("each part of a host name between dots has 1 to 63 characters");
    }
    if (label.front() == '-' || label.back() == '-' || !std::all_of(label.begin(), label.end(), [](char c) {
          return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-';
        })) {
      return Wrong("it is not a host name: letters, digits, dots, and hyphens within");
    }
  }
  return absl::AsciiStrToLower(text);
}

absl::StatusOr<std::string> ParseBaseUrl(std::string_view text) {
  while (absl::ConsumeSuffix(&text, "/")) {
  }
  THAW_ASSIGN_OR_RETURN(const Url url, ParseHiddenUrl(text));
  // ParseUrl removes credentials up to an '@', even empty ones, so '@' is looked for here.
  if (absl::StrContains(text.substr(0, text.find_first_of("/?#", text.find("://") + 3)), '@')) {
    return Wrong("it has a user or password, which would not be used");
  }
  if (absl::StrContains(text, '?') || absl::StrContains(text, '#')) {
    return Wrong("it has a query or fragment, after which no path can be appended");
  }
  return std::string(text);
}

absl::StatusOr<std::string> ParseProxyUrl(std::string_view text) {
  if (!IsPrintable(text)) return Wrong("it has a character that is not allowed in a URL");
  std::string url = absl::StrContains(text, "://") ? std::string(text) : absl::StrCat("http://", text);
  THAW_RETURN_IF_ERROR(ParseHiddenUrl(url).status());
  return url;
}

absl::StatusOr<std::vector<std::string>> ParseHostList(std::string_view text) {
  std::vector<std::string> hosts = absl::StrSplit(text, absl::ByAnyChar(" ,\t\r\n"), absl::SkipEmpty());
  if (!std::all_of(hosts.begin(), hosts.end(), IsPrintable)) {
    return Wrong("it has a character that is not allowed in a host name");
  }
  // Rejected so that a URL with a password in the list is shown nowhere.
  if (absl::StrContains(text, '@')) return Wrong("it has an @, and credentials don't belong here");
  return hosts;
}

std::string_view WithoutQuotes(std::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  if (text.size() < 2 || text.front() != text.back() || (text.front() != '"' && text.front() != '\''))
    return text;
  return absl::StripAsciiWhitespace(text.substr(1, text.size() - 2));
}

absl::StatusOr<std::string> ParseSite(std::string_view text) {
  std::string_view host = text;
  if (absl::StartsWithIgnoreCase(host, "https://") || absl::StartsWithIgnoreCase(host, "http://")) {
    host.remove_prefix(host.find("://") + 3);
    while (absl::ConsumeSuffix(&host, "/")) {
    }
  }
  return ParseHostName(host);
}

absl::StatusOr<std::string> ParseApiKey(std::string_view text) {
  if (text.empty()) return Wrong("a key is empty");
  if (!IsPrintable(text) || absl::StrContains(text, ' ')) {
    return Wrong("a key has a space or another character that no key has");
  }
  if (absl::StartsWith(text, "arn:"))
    return Wrong("it is an ARN and not a key; DD_API_KEY_SECRET_ARN and DD_API_KEY_SSM_ARN take one");
  if (absl::StrContains(text, "://")) return Wrong("it is a URL and not a key");
  struct Sign {
    std::string_view characters;
    std::string_view meaning;
  };
  constexpr Sign kSigns[] = {
      {"<>", "it has angle brackets, as an example's place for the key has"},
      {"{}[]()$", "it has brackets or a dollar sign, as a template's place for the key has"},
      {",;", "it has a comma or semicolon; there is room for one key"},
      {"\"'`", "it has a quote"},
  };
  for (const Sign& sign : kSigns)
    if (text.find_first_of(sign.characters) != std::string_view::npos) return Wrong(sign.meaning);
  if (!std::all_of(text.begin(), text.end(), [](char c) {
        return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.';
      })) {
    return Wrong("it has a character that is not a letter, a digit, a hyphen, an underscore or a dot");
  }
  return std::string(text);
}

absl::StatusOr<std::string> ParseWord(std::string_view text) {
  if (text.empty() || !IsPrintable(text) || absl::StrContains(text, ' ')) {
    return Wrong("it is empty or has a space or another character than printable ASCII");
  }
  return std::string(text);
}

absl::StatusOr<std::string> ParseRegion(std::string_view text) {
  absl::StatusOr<std::string> label = ParseHostName(text);
  if (!label.ok() || absl::StrContains(*label, '.')) {
    return Wrong("it is not the name of a region: letters, digits, and hyphens within");
  }
  return label;
}

absl::StatusOr<std::string> ParseCredentialsUrl(std::string_view text) {
  THAW_ASSIGN_OR_RETURN(const Url url, ParseHiddenUrl(text));
  const Destination& to = url.destination;
  constexpr std::string_view kOfThisMachine[] = {"localhost",     "127.0.0.1",      "::1",
                                                 "169.254.170.2", "169.254.170.23", "fd00:ec2::23"};
  if (!to.is_tls() &&
      std::find(std::begin(kOfThisMachine), std::end(kOfThisMachine), to.host) == std::end(kOfThisMachine)) {
    return Wrong("it is http to another machine");
  }
  return std::string(text);
}

absl::StatusOr<std::string> ParsePath(std::string_view text) {
  if (!IsValidUtf8(text) || std::any_of(text.begin(), text.end(), [](char c) {
        return absl::ascii_iscntrl(static_cast<unsigned char>(c));
      })) {
    return Wrong("it has control characters or is not UTF-8");
  }
  return std::string(text);
}

absl::StatusOr<std::vector<std::pair<std::string, std::vector<std::string>>>> ParseEndpoints(
    std::string_view json) {
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(json, error);
  if (error) return Wrong("it is not JSON");
  const boost::json::object* object = value.if_object();
  if (object == nullptr) return Wrong("it is not a JSON object of URLs and lists of keys");
  std::vector<std::pair<std::string, std::vector<std::string>>> endpoints;
  for (const boost::json::key_value_pair& member : *object) {
    auto& [url, keys] =
        endpoints.emplace_back(absl::StripAsciiWhitespace(member.key()), std::vector<std::string>());
    const boost::json::array* list = member.value().if_array();
    if (list == nullptr) return Wrong("what belongs to a URL is not a list of keys");
    for (const boost::json::value& item : *list) {
      const boost::json::string* key = item.if_string();
      if (key == nullptr) return Wrong("a key is not a text");
      keys.emplace_back(absl::StripAsciiWhitespace(*key));
    }
  }
  return endpoints;
}

absl::StatusOr<std::vector<std::pair<std::string, std::vector<std::string>>>> ParseHostsWithKeys(
    std::string_view json) {
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(json, error);
  if (error) return Wrong("it is not JSON");
  const boost::json::array* list = value.if_array();
  if (list == nullptr) return Wrong("it is not a JSON list of endpoints");
  std::vector<std::pair<std::string, std::vector<std::string>>> endpoints;
  for (const boost::json::value& item : *list) {
    const boost::json::object* object = item.if_object();
    if (object == nullptr) return Wrong("an endpoint is not a JSON object");
    const auto text = [object](std::string_view name) -> const boost::json::string* {
      const boost::json::value* member = object->if_contains(name);
      return member == nullptr ? nullptr : member->if_string();
    };
    const boost::json::string* const key = text("api_key");
    const boost::json::string* const host = text("Host");
    const boost::json::value* const port = object->if_contains("Port");
    if (key == nullptr || host == nullptr || port == nullptr || !(port->is_number() || port->is_string()))
      return Wrong("an endpoint lacks one of \"api_key\", \"Host\" and \"Port\"");
    const std::string number =
        port->is_string() ? std::string(port->get_string()) : boost::json::serialize(*port);
    endpoints.push_back({absl::StrCat("https://", std::string_view(*host), ":", number),
                         {std::string(absl::StripAsciiWhitespace(*key))}});
  }
  return endpoints;
}

absl::StatusOr<std::string> ParseMetricNamespace(std::string_view text) {
  text = absl::StripSuffix(absl::StripAsciiWhitespace(text), ".");
  if (text.empty() || !absl::ascii_isalpha(static_cast<unsigned char>(text.front())))
    return Wrong("it does not begin with a letter");
  const bool usable = std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.';
  });
  if (!usable) return Wrong("it has a character that is no letter, digit, '_' or '.'");
  return std::string(text);
}

}  // namespace thaw
