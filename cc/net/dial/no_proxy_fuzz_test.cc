// Tries NO_PROXY with any bytes: final dots, spaces and commas never change the result.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "cc/net/dial/no_proxy.h"

namespace {

using thaw::Destination;

void Check(bool holds) {
  if (!holds) std::abort();
}

void Try(const std::string& entry) {
  for (const char* host : {"intake.test", "trace.intake.test", "localhost", "10.1.2.3"}) {
    const Destination plain = {Destination::Scheme::kHttps, host, 443};
    const Destination dotted = {Destination::Scheme::kHttps, std::string(host) + ".", 443};
    const bool past = thaw::BypassesProxy(plain, {entry});
    Check(thaw::BypassesProxy(dotted, {entry}) == past);
    Check(thaw::BypassesProxy(plain, {" " + entry + ","}) == past);
    // A list matches whatever one of its entries matches.
    Check(!past || thaw::BypassesProxy(plain, {"elsewhere.test", entry}));
    Check(thaw::BypassesProxy(plain, {entry, host}));
    Check(thaw::BypassesProxy(plain, {entry + " *"}));
  }
  thaw::BypassesProxy({Destination::Scheme::kHttp, "fe80::1", 80}, {entry});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  Try(input);
  Try("intake.test" + input);
  Try("10.0.0.0/" + input);
  Try("[" + input + "]:443");
  constexpr std::string_view kWords[] = {"intake.test", "localhost", "10.0.0.0", "fe80::",   "*", ".",
                                         ":",           "443",       "/",        "8",        "[", "]",
                                         " ",           ",",         "%",        "LOCALHOST"};
  std::string text;
  for (const char byte : input.substr(0, 64)) text += kWords[static_cast<uint8_t>(byte) % std::size(kWords)];
  Try(text);
  return 0;
}
