// Tries resolv.conf with any bytes: search domains are never empty, and every name to ask is absolute.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "cc/net/io/resolv_conf.h"

namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

void Try(std::string_view text) {
  const thaw::ResolvConf conf = thaw::ParseResolvConf(text);
  Check(conf.ndots >= 0 && conf.ndots <= 15);
  for (const std::string& domain : conf.search) {
    Check(!domain.empty() && domain.front() != '.' && domain.back() != '.');
    Check(domain.find_first_of(" \t\r\n#;") == std::string::npos);
  }
  for (const char* host : {"a", "a.b.c", "a."}) {
    const std::vector<std::string> names = thaw::NamesToAsk(host, conf);
    Check(names.size() == (host[1] == '.' && host[2] == '\0' ? 1 : conf.search.size() + 1));
    for (const std::string& name : names) Check(name.front() == 'a' && name.back() == '.');
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  Try(input);
  Try("search " + std::string(input));
  Try("options ndots:" + std::string(input));
  constexpr std::string_view kWords[] = {"search ", "domain ", "options ", "ndots:", "rotate", "\n", " ",
                                         ".",       "a.test",  "#",        ";",      "3",      "\t", "\r"};
  std::string text;
  for (const char byte : input.substr(0, 256)) text += kWords[static_cast<uint8_t>(byte) % std::size(kWords)];
  Try(text);
  return 0;
}
