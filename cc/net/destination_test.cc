#include "cc/net/destination.h"

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using std::string_view_literals::operator""sv;

using ::testing::HasSubstr;
using ::testing::Not;
using Scheme = Destination::Scheme;

Url Parsed(std::string_view text) {
  const absl::StatusOr<Url> url = ParseUrl(text);
  EXPECT_TRUE(url.ok()) << url.status();
  return url.value_or(Url());
}
void ExpectRefused(std::string_view text, std::string_view why) {
  const absl::StatusOr<Url> url = ParseUrl(text);
  EXPECT_EQ(url.status().code(), absl::StatusCode::kInvalidArgument) << text;
  EXPECT_THAT(url.status().message(), HasSubstr(why)) << text;
}

TEST(ParseUrlTest, Parts) {
  const Url url = Parsed("https://trace.agent.datadoghq.com/api/v0.2/traces?a=b&c=%20");
  EXPECT_EQ(url.destination, (Destination{Scheme::kHttps, "trace.agent.datadoghq.com", 443}));
  EXPECT_TRUE(url.destination.is_tls());
  EXPECT_EQ(url.target, "/api/v0.2/traces?a=b&c=%20");
  EXPECT_EQ(url.userinfo, "");
}

TEST(ParseUrlTest, SchemesHaveTheirPorts) {
  EXPECT_EQ(Parsed("https://a").destination.port, 443);
  EXPECT_EQ(Parsed("http://a").destination.port, 80);
  EXPECT_FALSE(Parsed("http://a").destination.is_tls());
  EXPECT_EQ(Parsed("HTTPS://a").destination.scheme, Scheme::kHttps);
  EXPECT_EQ(Parsed("Http://a").destination.scheme, Scheme::kHttp);
}

TEST(ParseUrlTest, Ports) {
  EXPECT_EQ(Parsed("https://a:8443/x").destination.port, 8443);
  EXPECT_EQ(Parsed("https://a:1").destination.port, 1);
  EXPECT_EQ(Parsed("https://a:65535").destination.port, 65535);
  EXPECT_EQ(Parsed("https://a:080").destination.port, 80);
  EXPECT_EQ(Parsed("https://a:/x").destination.port, 443);
  EXPECT_EQ(Parsed("http://[::1]:").destination.port, 80);
  for (const char* port : {"0", "65536", "4294967297", "-1", "+80", " 80", "80 ", "8o", "80:80", "0x50"}) {
    ExpectRefused(absl::StrCat("https://a:", port, "/"), "port");
  }
}

TEST(ParseUrlTest, TheTargetIsAtLeastASlash) {
  EXPECT_EQ(Parsed("https://a").target, "/");
  EXPECT_EQ(Parsed("https://a/").target, "/");
  EXPECT_EQ(Parsed("https://a?x=y").target, "/?x=y");
  EXPECT_EQ(Parsed("https://a//x").target, "//x");
}

TEST(ParseUrlTest, FragmentsStayHere) {
  EXPECT_EQ(Parsed("https://a/x#y").target, "/x");
  EXPECT_EQ(Parsed("https://a#y").target, "/");
  EXPECT_EQ(Parsed("https://a?q#y?z").target, "/?q");
}

TEST(ParseUrlTest, HostsAreLowerCase) {
  EXPECT_EQ(Parsed("https://Intake.TEST/Path").destination.host, "intake.test");
  EXPECT_EQ(Parsed("https://Intake.TEST/Path").target, "/Path");
}

TEST(ParseUrlTest, Ipv6Literals) {
  const Url url = Parsed("http://[::1]:8080/x");
  EXPECT_EQ(url.destination, (Destination{Scheme::kHttp, "::1", 8080}));
  EXPECT_EQ(Parsed("https://[2001:DB8::1]").destination.host, "2001:db8::1");
  EXPECT_EQ(Parsed("https://[::ffff:127.0.0.1]/").destination.host, "::ffff:127.0.0.1");
  for (const char* text : {"https://[::1", "https://[]", "https://[1.2.3.4]", "https://[host]",
                           "https://[:: 1]", "https://[::1/]", "https://[[::1]]"}) {
    ExpectRefused(text, "");
  }
  ExpectRefused("https://[::1]8080", "port");
  ExpectRefused("https://::1/", "");
}

TEST(ParseUrlTest, Ipv4Literals) { EXPECT_EQ(Parsed("https://127.0.0.1:1").destination.host, "127.0.0.1"); }

TEST(ParseUrlTest, BadSchemes) {
  for (const char* text : {"", "a", "a.b/c", "//a", ":", "https:/a", "https:a", "localhost:8126"})
    ExpectRefused(text, "no scheme");
  for (const char* text : {"ftp://a", "unix:///x", "://a", " https://a", "socks5://a", "httpss://a"})
    ExpectRefused(text, "neither");
}

TEST(ParseUrlTest, BadHosts) {
  for (const char* text :
       {"https://", "https:///x", "https://:80", "https://?x", "https://user@", "https://#"})
    ExpectRefused(text, "no host");
  for (const char* text : {"https://a b", "https://a\tb", "https://a\r\nb", "https://a%20b", "https://a\\b",
                           "https://a,b", "https://a<", "https://\xc3\xa4"}) {
    ExpectRefused(text, "host");
  }
  ExpectRefused("https://a\0b"sv, "host");
}

TEST(ParseUrlTest, ABackslashBeforeThePathIsRefused) {
  for (const char* text : {"http://127.0.0.1:1\\@x/", "http://a\\b@x/", "http://x\\/", "http://user:p\\w@x"})
    ExpectRefused(text, "backslash");
  EXPECT_EQ(Parsed("http://a%5Cb:c@x").userinfo, "a\\b:c");
  EXPECT_EQ(Parsed("http://x/a\\b").target, "/a\\b");
}

TEST(ParseUrlTest, BadPaths) {
  for (const char* path : {" ", "a b", "\t", "\r\nX: y", "\x7f", "\xc3\xa4"})
    ExpectRefused(absl::StrCat("https://a/", path), "path");
  ExpectRefused("https://a/\0"sv, "path");
}

TEST(ParseUrlTest, UserinfoIsForProxies) {
  EXPECT_EQ(Parsed("http://user:pass@proxy:3128").userinfo, "user:pass");
  EXPECT_EQ(Parsed("http://user:pass@proxy:3128").destination.host, "proxy");
  EXPECT_EQ(Parsed("http://user@proxy").userinfo, "user");
  EXPECT_EQ(Parsed("http://us%3Aer:p%40ss@proxy").userinfo, "us:er:p@ss");
  EXPECT_EQ(Parsed("http://a:b@c@proxy").userinfo, "a:b@c") << "the last @ ends it";
  EXPECT_EQ(Parsed("http://proxy/x@y").userinfo, "");
  EXPECT_EQ(Parsed("http://proxy/x@y").target, "/x@y");
  for (const char* userinfo : {"%", "%4", "%zz", "a%2", "%-1", "%+1", "% 1"})
    ExpectRefused(absl::StrCat("http://", userinfo, "@proxy"), "percent");
  for (const char* userinfo : {"a%0d%0ab", "%00", "a\nb"})
    ExpectRefused(absl::StrCat("http://", userinfo, "@proxy"), "control");
}

TEST(ParseUrlTest, ErrorsHideThePassword) {
  for (const char* text : {"http://user:secret@proxy:x", "ftp://user:secret@proxy", "user:secret@proxy",
                           "http://user:secret%zz@proxy", "http://secret@", "http://user:pass/secret@proxy",
                           "http://user:pass#secret@proxy", "http://user:pass?secret@proxy"}) {
    const absl::StatusOr<Url> url = ParseUrl(text);
    ASSERT_FALSE(url.ok()) << text;
    EXPECT_THAT(std::string(url.status().message()), Not(HasSubstr("secret"))) << text;
  }
  EXPECT_THAT(ParseUrl("http://user:secret@proxy:x").status().message(), HasSubstr("http://****@proxy:x"));
}

TEST(MaskUrlTest, KeepsAllButTheCredentials) {
  EXPECT_EQ(MaskUrl("http://proxy:3128"), "http://proxy:3128");
  EXPECT_EQ(MaskUrl("http://user:password@proxy:3128"), "http://****@proxy:3128");
  EXPECT_EQ(MaskUrl("http://user:pass@word@proxy:3128"), "http://****@proxy:3128");
  EXPECT_EQ(MaskUrl("user:password@proxy:3128"), "****@proxy:3128");
  EXPECT_EQ(MaskUrl("http://user:p@ss/w#rd@proxy"), "http://****@proxy");
  EXPECT_EQ(MaskUrl("user:p@://x"), "****@://x");
}

TEST(MaskUrlTest, ShowsNoQueryAndNoFragment) {
  EXPECT_EQ(MaskUrl("https://intake.test/path?api_key=0123456789abcdef"), "https://intake.test/path?****");
  EXPECT_EQ(MaskUrl("https://user:pw@intake.test?token=a@b#c"), "https://****@b#****");
  EXPECT_EQ(MaskUrl("https://intake.test#token"), "https://intake.test#****");
  EXPECT_EQ(MaskUrl("http://user:pass?word@proxy"), "http://****@proxy");
  EXPECT_EQ(MaskUrl("?api_key=0123"), "?****");
  for (const char* url : {"ftp://intake.test/?api_key=0123", "https://intake.test:0/?api_key=0123",
                          "https:///?api_key=0123", "https://intake.test/\x01?api_key=0123"}) {
    const absl::Status status = ParseUrl(url).status();
    EXPECT_FALSE(status.ok()) << url;
    EXPECT_EQ(status.message().find("0123"), std::string_view::npos) << status;
  }
}

TEST(MaskUrlTest, ShowsNothingOfTextThatIsNoUrl) {
  EXPECT_EQ(MaskUrl(R"({"https://intake.test": ["0123456789abcdef"]})"), "****");
  EXPECT_EQ(MaskUrl("https://intake.test, 0123456789abcdef"), "****");
  EXPECT_EQ(MaskUrl("http://user:pass word@proxy:3128"), "****");
}

TEST(DestinationTest, Text) {
  const Destination standard{Scheme::kHttps, "intake.test", 443};
  EXPECT_EQ(ToString(standard), "https://intake.test");
  EXPECT_EQ(HostHeader(standard), "intake.test");
  EXPECT_EQ(Authority(standard), "intake.test:443");

  const Destination other{Scheme::kHttps, "intake.test", 80};
  EXPECT_EQ(ToString(other), "https://intake.test:80");
  EXPECT_EQ(HostHeader(other), "intake.test:80");

  const Destination plain{Scheme::kHttp, "::1", 80};
  EXPECT_EQ(ToString(plain), "http://[::1]");
  EXPECT_EQ(HostHeader(plain), "[::1]");
  EXPECT_EQ(Authority(plain), "[::1]:80");
  EXPECT_EQ(ToString(Destination{Scheme::kHttp, "::1", 443}), "http://[::1]:443");
}

TEST(DestinationTest, ItsTextIsItsUrl) {
  for (const Destination& destination :
       {Destination{Scheme::kHttps, "a", 443}, Destination{Scheme::kHttp, "a", 443},
        Destination{Scheme::kHttps, "2001:db8::1", 8443}, Destination{Scheme::kHttp, "127.0.0.1", 80}}) {
    EXPECT_EQ(Parsed(ToString(destination)).destination, destination);
  }
}

TEST(DestinationTest, SchemeHostAndPortTellThemApart) {
  const std::vector<Destination> all = {{Scheme::kHttps, "a", 443},
                                        {Scheme::kHttp, "a", 443},
                                        {Scheme::kHttps, "b", 443},
                                        {Scheme::kHttps, "a", 444}};
  EXPECT_EQ(std::set<Destination>(all.begin(), all.end()).size(), all.size());
  std::set<size_t> hashes;
  for (const Destination& destination : all) {
    hashes.insert(absl::HashOf(destination));
    EXPECT_EQ(absl::HashOf(destination), absl::HashOf(Destination(destination)));
  }
  EXPECT_EQ(hashes.size(), all.size());
}

TEST(BasicCredentialsTest, AUserWithoutAPasswordHasAnEmptyOne) {
  EXPECT_EQ(BasicCredentials("user:pass"), "Basic dXNlcjpwYXNz");
  EXPECT_EQ(BasicCredentials("user:"), "Basic dXNlcjo=");
  EXPECT_EQ(BasicCredentials("user"), "Basic dXNlcjo=");
}

}  // namespace
}  // namespace thaw
