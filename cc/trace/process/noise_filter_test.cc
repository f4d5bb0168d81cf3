#include "cc/trace/process/noise_filter.h"

#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace thaw {
namespace {

bool IsNoise(const NoiseFilter& filter, std::vector<std::pair<MetaTag, std::string_view>> meta,
             std::string_view name = "op", std::string_view resource = "GET /") {
  SpanRecord span;
  span.name = name;
  span.resource = resource;
  KnownMeta known;
  for (const auto& [tag, value] : meta) known[static_cast<int>(tag)] = value;
  return filter.IsNoise(span, known);
}

TEST(NoiseFilter, CallsOfThePlumbingAreNoise) {
  const NoiseFilter filter("");
  for (const char* url : {"http://127.0.0.1:9001/2018-06-01/runtime/invocation/next",
                          "http://127.0.0.1:8124/lambda/hello", "http://127.0.0.1:8125"})
    EXPECT_TRUE(IsNoise(filter, {{MetaTag::kHttpUrl, url}})) << url;
  for (const char* port : {"9001", "8124", "8125"})
    EXPECT_TRUE(IsNoise(filter, {{MetaTag::kTcpRemoteHost, "127.0.0.1"}, {MetaTag::kTcpRemotePort, port}}));
  for (const char* address : {"0.0.0.0", "127.0.0.1", "169.254.79.129", "169.254.79.129:2000"})
    EXPECT_TRUE(IsNoise(filter, {{MetaTag::kDnsAddress, address}})) << address;
}

TEST(NoiseFilter, LookupsAndPlaceholdersAreNoise) {
  const NoiseFilter filter("");
  EXPECT_TRUE(IsNoise(filter, {}, "dns.lookup"));
  EXPECT_TRUE(IsNoise(filter, {}, "op", "dd-tracer-serverless-span"));
  EXPECT_TRUE(IsNoise(filter, {}, "op", "127.0.0.1"));
  EXPECT_TRUE(IsNoise(filter, {}, "op", "0.0.0.0"));
}

TEST(NoiseFilter, TheFunctionsOwnCallsAreNotNoise) {
  const NoiseFilter filter("");
  EXPECT_FALSE(IsNoise(filter, {}));
  EXPECT_FALSE(IsNoise(filter, {{MetaTag::kHttpUrl, "https://api.example.com/?u=http://127.0.0.1:9001"}}));
  EXPECT_FALSE(IsNoise(filter, {{MetaTag::kTcpRemoteHost, "127.0.0.1"}, {MetaTag::kTcpRemotePort, "5432"}}));
  EXPECT_FALSE(IsNoise(filter, {{MetaTag::kTcpRemotePort, "9001"}}));
  EXPECT_FALSE(IsNoise(filter, {{MetaTag::kDnsAddress, "8.8.8.8"}}));
}

// The peer compares only beginnings, and mistakes other ports and addresses for its own.
TEST(NoiseFilter, ALongerPortIsAnother) {
  const NoiseFilter filter("");
  EXPECT_FALSE(IsNoise(filter, {{MetaTag::kHttpUrl, "http://127.0.0.1:90010/"}}));
  EXPECT_FALSE(IsNoise(filter, {{MetaTag::kTcpRemoteHost, "127.0.0.1"}, {MetaTag::kTcpRemotePort, "81245"}}));
  EXPECT_FALSE(IsNoise(filter, {{MetaTag::kDnsAddress, "127.0.0.10"}}));
}

// The peer knows only the Runtime API's usual address.
TEST(NoiseFilter, TheRuntimeApiIsWhereTheEnvironmentSaysIt) {
  const NoiseFilter filter("169.254.100.1:9001");
  EXPECT_TRUE(IsNoise(filter, {{MetaTag::kHttpUrl, "http://169.254.100.1:9001/2018-06-01/runtime"}}));
  EXPECT_TRUE(
      IsNoise(filter, {{MetaTag::kTcpRemoteHost, "169.254.100.1"}, {MetaTag::kTcpRemotePort, "9001"}}));
  EXPECT_FALSE(IsNoise(NoiseFilter(""), {{MetaTag::kHttpUrl, "http://169.254.100.1:9001/"}}));
}

}  // namespace
}  // namespace thaw
