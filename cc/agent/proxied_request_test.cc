#include "cc/agent/proxied_request.h"

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cc/clock/linear_work.h"
#include "cc/net/http_message.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

constexpr std::string_view kTags = "_dd.origin:lambda;functionname:checkout";

const ProxyRoute& RouteOf(std::string_view path) {
  for (const ProxyRoute& route : ProxyRoutes())
    if (route.path == path) return route;
  ADD_FAILURE() << "no route " << path;
  return ProxyRoutes()[0];
}

class ProxiedRequestTest : public testing::Test {
 protected:
  ProxiedRequest Make(std::string_view path, std::string_view tags = kTags) {
    request_.path = path;
    request_.headers = &headers_;
    return *MakeProxiedRequest(RouteOf(path), request_, {.tags = tags});
  }
  // Makes a request of a general EVP proxy; `below` follows the path of its route.
  absl::StatusOr<ProxiedRequest> MakeGeneral(std::string_view below, std::string_view version = "v2") {
    path_ = absl::StrCat("/evp_proxy/", version, "/", below);
    request_.path = path_;
    request_.headers = &headers_;
    return MakeProxiedRequest(RouteOf(absl::StrCat("/evp_proxy/", version, "/")), request_,
                              {.tags = kTags, .env = "prod", .via = "1.1 thaw"});
  }
  static std::string TagsOf(const ProxiedRequest& proxied) {
    return std::string(FindHeader(proxied.request.headers, "x-datadog-additional-tags").value_or("none"));
  }
  std::string path_;
  HttpServerRequest request_;
  HttpHeaderViews headers_;
};

TEST_F(ProxiedRequestTest, EachRouteHasItsIntake) {
  std::set<std::string_view> paths;
  for (const ProxyRoute& route : ProxyRoutes()) {
    EXPECT_TRUE(paths.insert(route.path).second) << route.path;
    if (!route.is_general()) {
      const ProxiedRequest made = Make(route.path);
      EXPECT_EQ(made.request.target, route.intake_path);
      EXPECT_EQ(made.request.method, "POST");
      EXPECT_EQ(made.host_prefix, route.host_prefix);
    }
    EXPECT_FALSE(route.context.empty());
  }
  EXPECT_EQ(paths.size(), 12);
  EXPECT_EQ(RouteOf("/profiling/v1/input").host_prefix, "intake.profile");
  EXPECT_EQ(RouteOf("/profiling/v1/input").intake_path, "/api/v2/profile");
  EXPECT_EQ(RouteOf("/debugger/v1/input").host_prefix, "http-intake.logs");
  EXPECT_EQ(RouteOf("/debugger/v1/diagnostics").host_prefix, "debugger-intake");
  EXPECT_EQ(RouteOf("/telemetry/proxy/api/v2/apmtelemetry").host_prefix, "instrumentation-telemetry-intake");
  EXPECT_EQ(RouteOf("/v0.1/pipeline_stats").host_prefix, "trace.agent");
  EXPECT_EQ(RouteOf("/evp_proxy/v2/api/v2/llmobs").host_prefix, "llmobs-intake");
  EXPECT_EQ(RouteOf("/evp_proxy/v2/api/intake/llm-obs/v2/eval-metric").host_prefix, "api");
}

TEST_F(ProxiedRequestTest, TheQueryAndTheTagsInItAreKept) {
  request_.query = "ddtags=env:prod,version:1&x=%20";
  EXPECT_EQ(Make("/debugger/v2/input").request.target, "/api/v2/debugger?ddtags=env:prod,version:1&x=%20");
}

TEST_F(ProxiedRequestTest, ProfilesAreNotLimitedToTwoMebibytes) {
  EXPECT_GE(RouteOf("/profiling/v1/input").max_body_bytes, 50 << 20);
  for (const ProxyRoute& route : ProxyRoutes()) EXPECT_GT(route.max_body_bytes, 2 << 20) << route.path;
}

TEST_F(ProxiedRequestTest, HeadersAreKeptButForThoseOfTheConnection) {
  headers_ = {{"host", "localhost:8126"},
              {"content-length", "4"},
              {"Content-Type", "application/json"},
              {"Content-Encoding", "gzip"},
              {"Connection", "keep-alive, X-Hop"},
              {"x-hop", "1"},
              {"Keep-Alive", "timeout=5"},
              {"TE", "trailers"},
              {"Transfer-Encoding", "chunked"},
              {"Upgrade", "h2c"},
              {"Expect", "100-continue"},
              {"Proxy-Authorization", "secret"},
              {"dd-api-key", "theirs"},
              {"DD-Telemetry-Request-Type", "app-started"},
              {"DD-Telemetry-Request-Type", "again"}};
  const HttpHeaders expected = {{"Content-Type", "application/json"},
                                {"Content-Encoding", "gzip"},
                                {"DD-Telemetry-Request-Type", "app-started"},
                                {"DD-Telemetry-Request-Type", "again"}};
  EXPECT_EQ(Make("/telemetry/proxy/api/v2/apmtelemetry", "").request.headers, expected);
}

TEST_F(ProxiedRequestTest, AdditionalTagsOfTheCallerAreNotOverwritten) {
  EXPECT_EQ(TagsOf(Make("/debugger/v1/input")), kTags);
  headers_ = {{"X-Datadog-Additional-Tags", "a:b;functionname:mine"}};
  EXPECT_EQ(TagsOf(Make("/debugger/v1/input")), "a:b;functionname:mine;_dd.origin:lambda");
  headers_ = {{"x-datadog-additional-tags", "a:b,c:d"}, {"X-Datadog-Additional-Tags", "e:f"}};
  EXPECT_EQ(TagsOf(Make("/debugger/v1/input")), "a:b,c:d,e:f,_dd.origin:lambda,functionname:checkout");
  headers_ = {{"X-Datadog-Additional-Tags", ""}};
  EXPECT_EQ(TagsOf(Make("/debugger/v1/input")), kTags);
}

TEST_F(ProxiedRequestTest, AnyPathOfTheEvpProxyGoesToTheSubdomainThatItNames) {
  headers_ = {{"X-Datadog-EVP-Subdomain", "event-platform-intake"}, {"Content-Type", "application/json"}};
  for (const std::string_view version : {"v2", "v4"}) {
    request_.query = "a=b";
    const absl::StatusOr<ProxiedRequest> made = MakeGeneral("api/v2/exposures", version);
    ASSERT_TRUE(made.ok()) << made.status();
    EXPECT_EQ(made->host_prefix, "event-platform-intake");
    EXPECT_EQ(made->request.target, "/api/v2/exposures?a=b");
  }
  for (const std::string_view subdomain : {"API", "http-intake.logs", "a_b", "x"}) {
    headers_ = {{"x-datadog-evp-subdomain", subdomain}};
    const absl::StatusOr<ProxiedRequest> made = MakeGeneral("api/v2/a-b_c.d+e");
    ASSERT_TRUE(made.ok()) << made.status();
    EXPECT_EQ(made->host_prefix, absl::AsciiStrToLower(subdomain));
  }
}

TEST_F(ProxiedRequestTest, AHostOutsideTheSiteCanNotBeNamed) {
  const std::string long_name(300, 'a');
  for (const std::string_view subdomain : std::initializer_list<std::string_view>{
           "", "evil.example/", "user@evil", "evil:80", "a b", "a\\b", "%2e", "x#", "x?y", "\xc3\xa4", ".a",
           "a.", "a..b", ".", std::string_view("a\0b", 3), std::string_view(long_name)}) {
    headers_ = {{"X-Datadog-EVP-Subdomain", subdomain}};
    EXPECT_TRUE(absl::IsInvalidArgument(MakeGeneral("api/v2/x").status())) << subdomain;
  }
  headers_ = {};
  EXPECT_TRUE(absl::IsInvalidArgument(MakeGeneral("api/v2/x").status()));
  headers_ = {{"X-Datadog-EVP-Subdomain", "a"}, {"X-Datadog-EVP-Subdomain", "b"}};
  EXPECT_TRUE(absl::IsInvalidArgument(MakeGeneral("api/v2/x").status()));
  headers_ = {{"X-Datadog-EVP-Subdomain", "a"}};
  for (const std::string_view path : {"a%2fb", "a b", "a@b", "a:b", "a;b", "\xff"})
    EXPECT_TRUE(absl::IsInvalidArgument(MakeGeneral(path).status())) << path;
}

TEST_F(ProxiedRequestTest, TheEvpProxyForwardsNoHeaderButThePublishedOnes) {
  request_.method = "GET";
  headers_ = {{"X-Datadog-EVP-Subdomain", "api"},
              {"DD-API-KEY", "theirs"},
              {"dd-application-key", "theirs"},
              {"Authorization", "secret"},
              {"Cookie", "a=b"},
              {"content-type", "application/json"},
              {"Content-Encoding", "gzip"},
              {"Accept-Encoding", "identity"},
              {"User-Agent", "tracer"},
              {"DD-CI-PROVIDER-NAME", "github"}};
  const absl::StatusOr<ProxiedRequest> made = MakeGeneral("api/v2/x");
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->request.method, "GET");
  EXPECT_EQ(made->request.headers, (HttpHeaders{{"content-type", "application/json"},
                                                {"Content-Encoding", "gzip"},
                                                {"Accept-Encoding", "identity"},
                                                {"User-Agent", "tracer"},
                                                {"DD-CI-PROVIDER-NAME", "github"},
                                                {"X-Datadog-Additional-Tags", std::string(kTags)},
                                                {"X-Datadog-AgentDefaultEnv", "prod"},
                                                {"Via", "1.1 thaw"}}));
}

TEST_F(ProxiedRequestTest, EveryPathOfTheTelemetryProxyIsPassedOn) {
  request_.path = "/telemetry/proxy/api/v3/other";
  request_.headers = &headers_;
  const absl::StatusOr<ProxiedRequest> made = MakeProxiedRequest(RouteOf("/telemetry/proxy/"), request_, {});
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->host_prefix, "instrumentation-telemetry-intake");
  EXPECT_EQ(made->request.target, "/api/v3/other");
}

TEST_F(ProxiedRequestTest, WorkIsLinearInTheBytesReceived) {
  EXPECT_TRUE(IsLinear(2000, [](size_t number) {
    std::vector<std::string> texts = {"keep-alive"};
    for (size_t i = 0; i < number; ++i) absl::StrAppend(&texts[0], ",x", i);
    for (size_t i = 0; i < number; ++i) texts.push_back(absl::StrCat("y", i));
    return [texts] {
      HttpHeaderViews headers = {{"Connection", texts[0]}};
      for (const std::string& text : texts) headers.emplace_back(text, "1");
      HttpServerRequest request{.headers = &headers};
      EXPECT_EQ(MakeProxiedRequest(ProxyRoutes()[0], request, {})->request.headers.size(), texts.size());
    };
  }));
  EXPECT_TRUE(IsLinear(2000, [](size_t number) {
    std::string theirs;
    std::string ours;
    for (size_t i = 0; i < number; ++i) absl::StrAppend(&theirs, "a", i, ":1;");
    for (size_t i = 0; i < number; ++i) absl::StrAppend(&ours, "b", i, ":1;");
    return [theirs, ours] {
      const HttpHeaderViews headers = {{"X-Datadog-Additional-Tags", theirs}};
      HttpServerRequest request{.headers = &headers};
      EXPECT_EQ(MakeProxiedRequest(ProxyRoutes()[0], request, {.tags = ours})->request.headers.size(), 1);
    };
  }));
}

TEST_F(ProxiedRequestTest, TheBodyIsTheSameBytes) {
  const std::string bytes("\x1f\x8b\x00\xff", 4);
  request_.body = bytes;
  EXPECT_EQ(*Make("/debugger/v1/input").request.body, bytes);
  std::string buffer(1 << 20, 'x');
  const char* const at = buffer.data();
  request_.body = buffer;
  request_.body_buffer = &buffer;
  EXPECT_EQ(Make("/profiling/v1/input").request.body->data(), at) << "copied";
}

}  // namespace
}  // namespace thaw
