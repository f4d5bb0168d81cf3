#include "cc/trace/tracer_headers.h"

#include <string>

#include "gtest/gtest.h"

namespace thaw {
namespace {

TEST(TracerHeaders, ReadWithoutCaseAndToldToTheIntake) {
  const TracerHeaders headers = TracerHeaders::FromRequest({{"datadog-meta-lang", "python"},
                                                            {"DATADOG-META-LANG-VERSION", "3.11"},
                                                            {"Datadog-Meta-Lang-Interpreter", "CPython"},
                                                            {"Datadog-Meta-Lang-Interpreter-Vendor", "psf"},
                                                            {"Datadog-Meta-Tracer-Version", "3.0"},
                                                            {"Datadog-Container-ID", "abc"},
                                                            {"Datadog-Client-Computed-Stats", "yes"},
                                                            {"Datadog-Client-Dropped-P0-Spans", "7"},
                                                            {"X-Datadog-Trace-Count", "9"}});
  const HttpHeaderViews views = {{"datadog-meta-lang", "python"}, {"Datadog-Client-Computed-Stats", "yes"}};
  EXPECT_EQ(TracerHeaders::FromViews(views),
            TracerHeaders::FromRequest(
                {{"datadog-meta-lang", "python"}, {"Datadog-Client-Computed-Stats", "yes"}}));
  const HttpHeaders expected = {{"Datadog-Send-Real-Http-Status", "1"},
                                {"Datadog-Meta-Lang", "python"},
                                {"Datadog-Meta-Lang-Version", "3.11"},
                                {"Datadog-Meta-Lang-Interpreter", "CPython"},
                                {"Datadog-Meta-Lang-Interpreter-Vendor", "psf"},
                                {"Datadog-Meta-Tracer-Version", "3.0"},
                                {"Datadog-Container-ID", "abc"},
                                {"Datadog-Client-Computed-Stats", "true"},
                                {"Datadog-Client-Dropped-P0-Spans", "7"}};
  EXPECT_EQ(headers.ForIntake(), expected);
  EXPECT_EQ(TracerHeaders().ForIntake().size(), 1);
}

TEST(TracerHeaders, TruthRule) {
  const auto headers = [](std::string_view name, const std::string& value) {
    return TracerHeaders::FromRequest({{std::string(name), value}});
  };
  const auto top_level = [&](const std::string& value) {
    return headers("Datadog-Client-Computed-Top-Level", value).client_computed_top_level;
  };
  const auto stats = [&](const std::string& value) {
    return headers("Datadog-Client-Computed-Stats", value).client_computed_stats;
  };
  for (const char* no : {"", "0", "f", "F", "false", "False", "FALSE"}) {
    EXPECT_FALSE(top_level(no)) << no;
    EXPECT_FALSE(stats(no)) << no;
  }
  for (const char* yes : {"true", "1", "t", "yes", "no", "fAlse", " "}) {
    EXPECT_TRUE(top_level(yes)) << yes;
    EXPECT_TRUE(stats(yes)) << yes;
  }
}

TEST(TracerHeaders, LongTextsAreCutBetweenCharacters) {
  const auto lang = [](const std::string& text) {
    return TracerHeaders::FromRequest({{"Datadog-Meta-Lang", text}}).lang;
  };
  EXPECT_EQ(lang(std::string(256, 'l')), std::string(256, 'l'));
  EXPECT_EQ(lang(std::string(60'000, 'l')), std::string(256, 'l'));
  EXPECT_EQ(lang(std::string(255, 'l') + "\xC3\xBC"), std::string(255, 'l'));
  EXPECT_LE(lang(std::string(60'000, '\x80')).size(), 3 * 256);
}

TEST(TracerHeaders, BadNumbersAreZeroAndBadUtf8IsRepaired) {
  for (const char* bad : {"-1", "x", "", "99999999999999999999", "1.5"}) {
    EXPECT_EQ(TracerHeaders::FromRequest({{"Datadog-Client-Dropped-P0-Traces", bad}}).dropped_p0_traces, 0);
  }
  EXPECT_EQ(TracerHeaders::FromRequest({{"Datadog-Meta-Lang", "a\xFF"}}).lang, "a\xEF\xBF\xBD");
}

TEST(TracerHeaders, MergingAddsTheDroppedCounts) {
  TracerHeaders one = TracerHeaders::FromRequest({{"Datadog-Client-Dropped-P0-Traces", "2"}});
  const TracerHeaders two = TracerHeaders::FromRequest({{"Datadog-Client-Dropped-P0-Traces", "3"}});
  EXPECT_TRUE(one.MergesWith(two));
  EXPECT_EQ(one.MergeHash(), two.MergeHash());
  one.Merge(two);
  EXPECT_EQ(one.dropped_p0_traces, 5);
  EXPECT_FALSE(one.MergesWith(TracerHeaders::FromRequest({{"Datadog-Meta-Lang", "ruby"}})));
  EXPECT_FALSE(one.MergesWith(TracerHeaders::FromRequest({{"Datadog-Client-Computed-Stats", "1"}})));
}

}  // namespace
}  // namespace thaw
