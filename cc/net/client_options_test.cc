#include "cc/net/client_options.h"

#include <functional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ClientOptionsTest, DefaultsAreThoseOfOnDemandLambda) {
  const ClientOptions options;
  EXPECT_TRUE(options.Validate().ok()) << options.Validate();
  EXPECT_EQ(options.max_idle_per_host, 0);
  EXPECT_TRUE(options.share_within_flush);
  EXPECT_EQ(options.max_connections_per_host, 6);
  EXPECT_EQ(options.on_resume, OnResume::kDrain);
  EXPECT_LT(options.idle_timeout, absl::Seconds(60)) << "the intake closes then";
  EXPECT_FALSE(options.skip_ssl_validation);
}

TEST(ClientOptionsTest, EachBadFieldIsNamed) {
  const struct {
    const char* field;
    std::function<void(ClientOptions&)> spoil;
  } kCases[] = {
      {"max_idle_per_host", [](ClientOptions& o) { o.max_idle_per_host = -1; }},
      {"max_connections_per_host", [](ClientOptions& o) { o.max_connections_per_host = 0; }},
      {"max_connections_per_host", [](ClientOptions& o) { o.max_connections_per_host = -1; }},
      {"max_attempts", [](ClientOptions& o) { o.max_attempts = 0; }},
      {"share_patience", [](ClientOptions& o) { o.share_patience = -absl::Nanoseconds(1); }},
      {"backoff_base", [](ClientOptions& o) { o.backoff_base = -absl::Seconds(1); }},
      {"backoff_cap", [](ClientOptions& o) { o.backoff_cap = -absl::Seconds(1); }},
      {"idle_timeout", [](ClientOptions& o) { o.idle_timeout = absl::ZeroDuration(); }},
      {"exchange_timeout", [](ClientOptions& o) { o.exchange_timeout = absl::ZeroDuration(); }},
      {"exchange_timeout", [](ClientOptions& o) { o.exchange_timeout = -absl::InfiniteDuration(); }},
      {"resume_grace", [](ClientOptions& o) { o.resume_grace = -absl::Seconds(1); }},
      {"max_response_head_bytes", [](ClientOptions& o) { o.max_response_head_bytes = 255; }},
      {"tls_min_version",
       [](ClientOptions& o) {
         o.tls_min_version = TlsVersion::kTls13;
         o.tls_max_version = TlsVersion::kTls12;
       }},
      {"http_protocols", [](ClientOptions& o) { o.http_protocols = {"http/1.1", "h9"}; }},
      {"use_public_roots", [](ClientOptions& o) { o.use_public_roots = false; }},
      {"no_proxy", [](ClientOptions& o) { o.no_proxy = {"a", "a\nb"}; }},
      {"proxy_url", [](ClientOptions& o) { o.proxy_url = "proxy:3128"; }},
      {"proxy_url", [](ClientOptions& o) { o.proxy_url = "socks5://proxy"; }},
      {"proxy_url", [](ClientOptions& o) { o.proxy_url = "http://"; }},
      {"proxy_url", [](ClientOptions& o) { o.proxy_url = "http://user:p\r\nw@proxy"; }},
      {"proxy_url", [](ClientOptions& o) { o.proxy_url = "http://user:p%0d%0aw@proxy"; }},
      {"user_agent", [](ClientOptions& o) { o.user_agent = "a\r\nX: y"; }},
      {"user_agent", [](ClientOptions& o) { o.user_agent = "a\ny"; }},
      {"user_agent", [](ClientOptions& o) { o.user_agent = std::string("a\0y", 3); }},
      {"tls_cert_file", [](ClientOptions& o) { o.tls_cert_file = std::string("a\0y", 3); }},
  };
  for (const auto& c : kCases) {
    ClientOptions options;
    c.spoil(options);
    const absl::Status status = options.Validate();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << c.field;
    EXPECT_THAT(status.message(), HasSubstr(std::string("ClientOptions.") + c.field));
  }
}

TEST(ClientOptionsTest, TheLeastAndTheMostAreGood) {
  ClientOptions options;
  options.max_idle_per_host = ClientOptions::kUnlimited;
  options.max_connections_per_host = ClientOptions::kUnlimited;
  options.share_patience = absl::ZeroDuration();
  options.backoff_base = options.backoff_cap = absl::ZeroDuration();
  options.exchange_timeout = absl::InfiniteDuration();
  options.idle_timeout = absl::Nanoseconds(1);
  options.max_attempts = 1;
  options.max_response_head_bytes = 256;
  options.max_response_body_kept_bytes = options.max_response_body_drained_bytes = 0;
  options.tls_min_version = options.tls_max_version = TlsVersion::kTls13;
  EXPECT_TRUE(options.Validate().ok()) << options.Validate();
}

TEST(ClientOptionsTest, OtherTrustMayReplaceThePublicRoots) {
  ClientOptions options;
  options.use_public_roots = false;
  ClientOptions with_file = options;
  with_file.tls_cert_file = "ca.pem";
  EXPECT_TRUE(with_file.Validate().ok());
  ClientOptions with_os = options;
  with_os.use_os_roots = true;
  EXPECT_TRUE(with_os.Validate().ok());
  ClientOptions with_nobody = options;
  with_nobody.skip_ssl_validation = true;
  EXPECT_TRUE(with_nobody.Validate().ok());
}

TEST(ClientOptionsTest, Proxies) {
  ClientOptions options;
  for (const char* url : {"http://proxy:3128", "https://user:pass@proxy", "http://[::1]:3128/"}) {
    options.proxy_url = url;
    EXPECT_TRUE(options.Validate().ok()) << options.Validate();
  }
  options.proxy_url = "http://user:secret@proxy:port";
  EXPECT_THAT(std::string(options.Validate().message()), Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace thaw
