#include "cc/trace/process/normalize_span.h"

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

std::string Service(std::string_view text) {
  std::string buffer = "before";
  return std::string(NormalizeService(text, buffer));
}

std::string Name(std::string_view text) {
  std::string buffer = "before";
  return std::string(NormalizeOperationName(text, buffer));
}

std::string Repeated(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) absl::StrAppend(&all, text);
  return all;
}

TEST(NormalizeService, IsATagOfAtMostHundredBytes) {
  EXPECT_EQ(Service("checkout"), "checkout");
  EXPECT_EQ(Service("My Shop"), "my_shop");
  EXPECT_EQ(Service(std::string(300, 'a')), std::string(100, 'a'));
  EXPECT_EQ(Service(Repeated("Too$Long$.", 20)), Repeated("too_long_.", 10));
  // The cut would split a character.
  EXPECT_EQ(Service("x" + Repeated("\xC3\xA9", 60)), "x" + Repeated("\xC3\xA9", 49));
  EXPECT_EQ(Service(""), "unnamed-service");
  EXPECT_EQ(Service("123"), "unnamed-service");
}

TEST(NormalizeOperationName, IsAMetricsName) {
  EXPECT_EQ(Name("http.request"), "http.request");
  EXPECT_EQ(Name("Http.Request_2"), "Http.Request_2");
  EXPECT_EQ(Name("&&&_test-name-"), "test_name");
  EXPECT_EQ(Name("1.a"), "a");
  EXPECT_EQ(Name("a__b..c_.d._e"), "a_b.c.d.e");
  EXPECT_EQ(Name("a."), "a.");
  EXPECT_EQ(Name("caf\xC3\xA9 au lait"), "caf_au_lait");
  EXPECT_EQ(Name(Repeated("Too-Long-.", 20)), Repeated("Too_Long.", 10));
  EXPECT_EQ(Name(""), "unnamed_operation");
  EXPECT_EQ(Name("&***"), "unnamed_operation");
}

TEST(NormalizeSpan, ANormalTextIsNotCopied) {
  std::string buffer;
  for (const std::string_view text : {"checkout", "a.b/c-d:e_f9", "caf\xC3\xA9"})
    EXPECT_EQ(NormalizeService(text, buffer).data(), text.data());
  for (const std::string_view text : {"http.request", "A_b.c9."})
    EXPECT_EQ(NormalizeOperationName(text, buffer).data(), text.data());
  constexpr std::string_view kEnv = "prod";
  EXPECT_EQ(NormalizeEnv(kEnv, buffer).data(), kEnv.data());
  EXPECT_EQ(buffer.capacity(), std::string().capacity());
}

TEST(NormalizeSpan, ResourceTypeAndEnv) {
  EXPECT_EQ(NormalizeResource("GET /", "http.request"), "GET /");
  EXPECT_EQ(NormalizeResource("", "http.request"), "http.request");
  EXPECT_EQ(NormalizeSpanType("web"), "web");
  EXPECT_EQ(NormalizeSpanType(std::string(99, 'a') + "\xC3\xA9"), std::string(99, 'a'));
  std::string buffer;
  EXPECT_EQ(NormalizeEnv("My Env!", buffer), "my_env");
}

TEST(NormalizeSpan, HttpStatusCodes) {
  for (const char* code : {"100", "200", "404", "599"}) EXPECT_TRUE(IsHttpStatusCode(code)) << code;
  for (const char* code : {"", "99", "600", "20x", "-20", "2000", " 200", "999", "000"})
    EXPECT_FALSE(IsHttpStatusCode(code)) << code;
}

TEST(NormalizeTimes, AsTheAgent) {
  constexpr int64_t kStart = 1'700'000'000'000'000'000;
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
  const absl::Time now = absl::FromUnixNanos(kStart + 50);
  EXPECT_EQ(NormalizeTimes({kStart, 7}, now), (SpanTimes{kStart, 7}));
  EXPECT_EQ(NormalizeTimes({kStart, -7}, now), (SpanTimes{kStart, 0}));
  EXPECT_EQ(NormalizeTimes({kStart, kLeast}, now), (SpanTimes{kStart, 0}));
  EXPECT_EQ(NormalizeTimes({kStart, kMost}, now), (SpanTimes{kStart, 0}));
  EXPECT_EQ(NormalizeTimes({kMost, 1}, now), (SpanTimes{kMost, 0}));
  EXPECT_EQ(NormalizeTimes({1'700'000'000, 7}, now), (SpanTimes{kStart + 43, 7}));
  EXPECT_EQ(NormalizeTimes({kLeast, kMost}, now), (SpanTimes{kStart + 50, kMost}));
  EXPECT_EQ(NormalizeTimes({0, 7}, absl::InfinitePast()), (SpanTimes{0, 7}));
}

TEST(NormalizeParentId, ARootIsNotItsOwnParent) {
  EXPECT_EQ(NormalizeParentId(5, 5, 5), 0);
  EXPECT_EQ(NormalizeParentId(5, 6, 5), 5);
  EXPECT_EQ(NormalizeParentId(5, 6, 6), 6);
}

}  // namespace
}  // namespace thaw
