#include "cc/flush/endpoint.h"

#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

TEST(EndpointTest, AppendsThePathWhateverTheSlashes) {
  const auto key = std::make_shared<LiteralApiKey>("k");
  for (const char* base :
       {"https://intake.example", "https://intake.example/", " https://intake.example// "}) {
    const auto endpoint = MakeEndpoint(base, "/api/v0.2/traces", key);
    ASSERT_TRUE(endpoint.ok()) << endpoint.status();
    EXPECT_EQ(endpoint->ToString(), "https://intake.example/api/v0.2/traces") << base;
  }
  const auto deeper = MakeEndpoint("http://localhost:8080/prefix/", "/api/v0.2/stats", key);
  ASSERT_TRUE(deeper.ok()) << deeper.status();
  EXPECT_EQ(deeper->target, "/prefix/api/v0.2/stats");
  EXPECT_EQ(deeper->destination.port, 8080);
}

TEST(EndpointTest, RefusesTextThatIsNoBaseUrl) {
  for (const char* base : {"", "intake.example", "ftp://intake.example", "https://", "https://host/?a=b",
                           "https://user:password@host"}) {
    const auto endpoint = MakeEndpoint(base, "/api/v0.2/traces", nullptr);
    EXPECT_EQ(endpoint.status().code(), absl::StatusCode::kInvalidArgument) << base;
    EXPECT_FALSE(absl::StrContains(endpoint.status().message(), "password@")) << endpoint.status();
    EXPECT_FALSE(absl::StrContains(endpoint.status().message(), "a=b")) << endpoint.status();
  }
}

TEST(EndpointTest, AKeyThatNoHeaderMayCarryIsRefusedAndNotShown) {
  for (const std::string& key :
       {std::string("secret\r\nX: y"), std::string("secret\n"), std::string("secret\0", 7)}) {
    const auto endpoint =
        MakeEndpoint("https://intake.example", "/api/v0.2/traces", std::make_shared<LiteralApiKey>(key));
    EXPECT_EQ(endpoint.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_TRUE(absl::StrContains(endpoint.status().message(), "the API key for https://intake.example"));
    EXPECT_FALSE(absl::StrContains(endpoint.status().message(), "secret")) << endpoint.status();
  }
}

}  // namespace
}  // namespace thaw
