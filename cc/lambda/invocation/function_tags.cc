#include "cc/lambda/invocation/function_tags.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cc/config/tag_list.h"
#include "cc/telemetry/telemetry_record.h"

namespace thaw {
namespace {

constexpr std::string_view kLatestVersion = "$LATEST";

std::string AccountOf(const FunctionFacts& facts) {
  return facts.account_id.empty() ? "none" : facts.account_id;
}

}  // namespace

std::string_view AwsPartition(std::string_view region) {
  if (absl::StartsWith(region, "us-gov-")) return "aws-us-gov";
  if (absl::StartsWith(region, "cn-")) return "aws-cn";
  return "aws";
}

std::string FunctionArn(const FunctionFacts& facts) {
  return absl::AsciiStrToLower(absl::StrCat("arn:", AwsPartition(facts.region), ":lambda:", facts.region, ":",
                                            AccountOf(facts), ":function:", facts.name));
}

std::string RuntimeName(std::string_view text) {
  if (const size_t underscore = text.rfind('_'); underscore != text.npos)
    return std::string(text.substr(underscore + 1));
  const size_t colon = text.find(':');
  if (colon == text.npos || colon == 0) return "";
  const std::string_view language = text.substr(0, colon);
  // "3.13.v22" ends with AWS's own build number.
  std::string_view version = text.substr(colon + 1);
  version = version.substr(0, version.rfind(".v"));
  version = version.substr(0, version.find(kDurableRuntime));
  if (version.empty()) return "";
  if (language == "nodejs") return absl::StrCat(language, version, ".x");
  if (language == "provided") return absl::StrCat(language, ".", version);
  return absl::StrCat(language, version);
}

std::string_view Architecture() {
#if defined(__aarch64__)
  return "arm64";
#elif defined(__x86_64__)
  return "x86_64";
#else
#error "Lambda runs on x86_64 and arm64"
#endif
}

FunctionTags::FunctionTags(const FunctionFacts& facts) {
  const auto add = [this](std::string_view name, std::string_view value) {
    if (!value.empty()) map_.emplace(name, value);
  };
  const bool has_version = !facts.version.empty() && facts.version != kLatestVersion;
  add("region", facts.region);
  add("account_id", AccountOf(facts));
  add("aws_account", AccountOf(facts));
  add("functionname", facts.name);
  add("resource", has_version ? absl::StrCat(facts.name, ":", facts.version) : facts.name);
  if (has_version) add("executedversion", facts.version);
  if (!facts.name.empty()) add("function_arn", FunctionArn(facts));
  add("env", facts.env);
  add("version", facts.service_version);
  add("service", absl::AsciiStrToLower(facts.service));
  add("memorysize", facts.memory_size);
  add("init_type", facts.initialization_type);
  add("runtime", facts.runtime);
  add("architecture", Architecture());
  add("dd_extension_version", facts.extension_version);
  for (auto& [name, value] : ParseTagList(facts.tags).tags) map_.insert_or_assign(name, std::move(value));
}

std::string FunctionTags::Text() const { return absl::StrJoin(map_, ",", absl::PairFormatter(":")); }

}  // namespace thaw
