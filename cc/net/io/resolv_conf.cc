#include "cc/net/io/resolv_conf.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace thaw {
namespace {

constexpr int kMostDots = 15;  // as in glibc

void AddDomain(std::string_view domain, std::vector<std::string>& search) {
  while (absl::ConsumePrefix(&domain, ".")) continue;
  while (absl::ConsumeSuffix(&domain, ".")) continue;
  if (!domain.empty()) search.emplace_back(domain);
}

void ReadOption(std::string_view option, ResolvConf& conf) {
  if (option == "rotate") conf.rotate = true;
  int dots;
  if (absl::ConsumePrefix(&option, "ndots:") && absl::SimpleAtoi(option, &dots) && dots >= 0) {
    conf.ndots = std::min(dots, kMostDots);
  }
}

}  // namespace

ResolvConf ParseResolvConf(std::string_view text) {
  ResolvConf conf;
  for (std::string_view line : absl::StrSplit(text, '\n')) {
    line = line.substr(0, line.find_first_of("#;"));
    const std::vector<std::string_view> words =
        absl::StrSplit(line, absl::ByAnyChar(" \t\r"), absl::SkipEmpty());
    if (words.empty()) continue;
    // The last such line counts.
    if (words[0] == "search" || words[0] == "domain") {
      const size_t count = words[0] == "domain" ? std::min<size_t>(words.size(), 2) : words.size();
      conf.search.clear();
      for (size_t i = 1; i < count; ++i) AddDomain(words[i], conf.search);
    } else if (words[0] == "options") {
      for (size_t i = 1; i < words.size(); ++i) ReadOption(words[i], conf);
    }
  }
  return conf;
}

std::vector<std::string> NamesToAsk(std::string_view host, const ResolvConf& conf) {
  if (host.ends_with('.')) return {std::string(host)};
  std::vector<std::string> names;
  for (const std::string& domain : conf.search) names.push_back(absl::StrCat(host, ".", domain, "."));
  const bool first = std::count(host.begin(), host.end(), '.') >= conf.ndots;
  names.insert(first ? names.begin() : names.end(), absl::StrCat(host, "."));
  return names;
}

}  // namespace thaw
