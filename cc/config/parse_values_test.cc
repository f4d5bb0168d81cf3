#include "cc/config/parse_values.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

template <typename T>
std::string Reason(const absl::StatusOr<T>& value) {
  EXPECT_EQ(value.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(value.status().message());
}

TEST(ParseValuesTest, Bool) {
  for (const char* text : {"true", "1", "t", "yes", "on", "TRUE", "On"})
    EXPECT_TRUE(*ParseBool(text)) << text;
  for (const char* text : {"false", "0", "f", "no", "off", "False", "OFF"}) {
    EXPECT_FALSE(*ParseBool(text)) << text;
  }
  for (const char* text : {"", "y", "2", "tru", "true1", "-1"}) EXPECT_FALSE(ParseBool(text).ok()) << text;
}

TEST(ParseValuesTest, Int) {
  EXPECT_EQ(*ParseInt("0", 0, 9), 0);
  EXPECT_EQ(*ParseInt("9", 0, 9), 9);
  for (const char* text :
       {"", "-1", "10", "1.0", "1e1", "one", "0x1", "99999999999999999999", "2147483648"}) {
    EXPECT_EQ(Reason(ParseInt(text, 0, 9)), "it is not a whole number from 0 to 9") << text;
  }
}

TEST(ParseValuesTest, Seconds) {
  EXPECT_EQ(*ParseSeconds("30"), absl::Seconds(30));
  EXPECT_EQ(*ParseSeconds("0.25"), absl::Milliseconds(250));
  EXPECT_EQ(*ParseSeconds("86400"), absl::Hours(24));
  for (const char* text :
       {"", "0", "-1", "86401", "1e400", "inf", "nan", "1e-300", "30s", "thirty", "0x10", "1,5"}) {
    EXPECT_FALSE(ParseSeconds(text).ok()) << text;
  }
}

TEST(ParseValuesTest, HostName) {
  EXPECT_EQ(*ParseHostName("us3.DatadogHQ.com"), "us3.datadoghq.com");
  EXPECT_EQ(*ParseHostName("localhost"), "localhost");
  EXPECT_EQ(*ParseHostName(std::string(63, 'a')), std::string(63, 'a'));
  for (const std::string& text :
       {std::string(), std::string("https://datadoghq.eu"), std::string("datadoghq.eu/"), std::string("a..b"),
        std::string("a."), std::string(".a"), std::string("-a"), std::string("a-.b"), std::string("a b"),
        std::string("a:443"), std::string("a_b"), std::string("\xff"), std::string(64, 'a'),
        std::string("a\0b", 3)}) {
    EXPECT_FALSE(ParseHostName(text).ok()) << text;
  }
  std::string longest = std::string(63, 'a');
  for (int i = 0; i < 2; ++i) longest += "." + std::string(63, 'a');
  EXPECT_TRUE(ParseHostName(longest + "." + std::string(61, 'a')).ok());
  EXPECT_FALSE(ParseHostName(longest + "." + std::string(62, 'a')).ok());
}

TEST(ParseValuesTest, BaseUrl) {
  EXPECT_EQ(*ParseBaseUrl("https://Intake.example:8443/prefix//"), "https://Intake.example:8443/prefix");
  EXPECT_EQ(*ParseBaseUrl("http://[::1]/"), "http://[::1]");
  EXPECT_EQ(*ParseBaseUrl("http://host/a@b"), "http://host/a@b");
  for (const char* text : {"", "/", "intake.example", "ftp://intake.example", "https://", "https:///",
                           "https://a?b=c", "https://a/?", "https://a/#b", "https://a:0", "https://a:99999",
                           "https://user:password@a", "https://@a", "https://a b"}) {
    EXPECT_FALSE(ParseBaseUrl(text).ok()) << text;
  }
}

TEST(ParseValuesTest, ProxyUrl) {
  EXPECT_EQ(*ParseProxyUrl("http://proxy:3128"), "http://proxy:3128");
  EXPECT_EQ(*ParseProxyUrl("https://user:p%40ss@proxy"), "https://user:p%40ss@proxy");
  EXPECT_EQ(*ParseProxyUrl("proxy.corp:3128"), "http://proxy.corp:3128");
  for (const char* text : {"", "socks5://proxy", "http://", "http://proxy:port", "http://\xff@proxy"}) {
    EXPECT_FALSE(ParseProxyUrl(text).ok()) << text;
  }
}

TEST(ParseValuesTest, HostList) {
  EXPECT_THAT(*ParseHostList("a, .b *.c,,10.0.0.0/8\t*"), ElementsAre("a", ".b", "*.c", "10.0.0.0/8", "*"));
  EXPECT_THAT(*ParseHostList(" , "), IsEmpty());
  EXPECT_FALSE(ParseHostList("a,\xff").ok());
  EXPECT_FALSE(ParseHostList("a,http://user:password@b").ok());
}

TEST(ParseValuesTest, ApiKeyAndPath) {
  EXPECT_EQ(*ParseApiKey("0123abcd"), "0123abcd");
  EXPECT_EQ(*ParseApiKey("ab-cd_ef.0"), "ab-cd_ef.0");
  for (const char* text : {"", "a b", "a\nb", "a\r\nHost: x", "k\xc3\xa9y", "<key>", "\"a\"", "a,b"}) {
    EXPECT_FALSE(ParseApiKey(text).ok()) << text;
  }
  EXPECT_EQ(*ParsePath("/opt/a file/\xc3\xa9.pem"), "/opt/a file/\xc3\xa9.pem");
  for (const char* text : {"/a\nb", "/\xff"}) EXPECT_FALSE(ParsePath(text).ok()) << text;
}

TEST(ParseValuesTest, OnePairOfQuotesIsRemoved) {
  EXPECT_EQ(WithoutQuotes(" 'a b' "), "a b");
  EXPECT_EQ(WithoutQuotes("\" a\""), "a");
  EXPECT_EQ(WithoutQuotes("\"\"a\"\""), "\"a\"");
  for (const char* text : {"", "a", "\"", "\"a", "a'", "\"a'"}) EXPECT_EQ(WithoutQuotes(text), text);
  EXPECT_EQ(WithoutQuotes("''"), "");
}

TEST(ParseValuesTest, Endpoints) {
  EXPECT_THAT(*ParseEndpoints(R"({"https://b": ["k1", " k2\n"], " https://a ": []})"),
              ElementsAre(Pair("https://b", ElementsAre("k1", "k2")), Pair("https://a", IsEmpty())));
  EXPECT_THAT(*ParseEndpoints("{}"), IsEmpty());
  for (const char* text : {"", "{", "[]", "\"https://a\"", R"({"https://a": "k"})", R"({"https://a": [1]})",
                           R"({"https://a": ["k"]} x)", R"({"https://a": {"k": 1}})"}) {
    EXPECT_FALSE(ParseEndpoints(text).ok()) << text;
  }
  EXPECT_FALSE(ParseEndpoints(std::string(100'000, '[')).ok());
}

TEST(ParseValuesTest, ReasonsDontShowTheText) {
  EXPECT_THAT(Reason(ParseProxyUrl("http://user:sec/ret@proxy")), Not(HasSubstr("ret")));
  EXPECT_THAT(Reason(ParseProxyUrl("http://user:sec': ret@pro xy")), Not(HasSubstr("ret")));
  EXPECT_THAT(Reason(ParseBaseUrl("https://user:secret@a")), Not(HasSubstr("secret")));
  EXPECT_THAT(Reason(ParseEndpoints("{\"https://a\": [\"secret\"")), Not(HasSubstr("secret")));
  EXPECT_THAT(Reason(ParseApiKey("secret key")), Not(HasSubstr("secret")));
}

TEST(ParseValuesTest, Word) {
  EXPECT_EQ(ParseWord("arn:aws:ssm:eu-west-1:1:parameter/a").value(), "arn:aws:ssm:eu-west-1:1:parameter/a");
  for (const char* bad : {"", "a b", "a\nb", "a\xff"}) EXPECT_FALSE(ParseWord(bad).ok()) << bad;
}

TEST(ParseValuesTest, Region) {
  EXPECT_EQ(ParseRegion("eu-west-1").value(), "eu-west-1");
  for (const char* bad : {"", "eu west", "a.example", "a/", "-a", "a@b"}) {
    EXPECT_FALSE(ParseRegion(bad).ok()) << bad;
  }
}

TEST(ParseValuesTest, CredentialsAreAskedForInTheClearOnThisMachineOnly) {
  for (const char* good :
       {"http://127.0.0.1:9001/2021-04-23/credentials", "http://localhost/", "http://[::1]/",
        "http://169.254.170.2/v2?a=b", "https://elsewhere.example/credentials"}) {
    EXPECT_EQ(ParseCredentialsUrl(good).value(), good);
  }
  for (const char* bad :
       {"http://elsewhere.example/", "http://127.0.0.1.example/", "127.0.0.1:9001", "ftp://127.0.0.1", ""}) {
    EXPECT_FALSE(ParseCredentialsUrl(bad).ok()) << bad;
  }
}

TEST(ParseValuesTest, MetricNamespace) {
  EXPECT_EQ(ParseMetricNamespace("shop").value(), "shop");
  EXPECT_EQ(ParseMetricNamespace(" shop.eu_1. ").value(), "shop.eu_1");
  for (const char* bad : {"", ".", "1shop", "_shop", "shop-eu", "shop eu", "\xc3\xb6"}) {
    EXPECT_FALSE(ParseMetricNamespace(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace thaw
