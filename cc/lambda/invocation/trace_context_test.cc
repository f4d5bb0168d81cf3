#include "cc/lambda/invocation/trace_context.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;
using Style = PropagationStyle;

constexpr char kTraceParent[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
constexpr uint64_t kHigh = 0x0af7651916cd43dd, kLow = 0x8448eb211c80319c, kSpan = 0xb7ad6b7169203331;

std::optional<TraceContext> Extract(const HttpHeaders& carrier,
                                    std::vector<Style> styles = {Style::kDatadog, Style::kTraceContext},
                                    bool extract_first = false) {
  return ExtractTraceContext(carrier, {.styles = std::move(styles), .extract_first = extract_first});
}

std::optional<TraceContext> W3c(std::string parent, std::string state = "") {
  return Extract({{"traceparent", std::move(parent)}, {"tracestate", std::move(state)}},
                 {Style::kTraceContext});
}

TEST(TraceContextTest, Datadog) {
  const std::optional<TraceContext> context =
      Extract({{"X-Datadog-Trace-Id", "18446744073709551615"},
               {"x-datadog-parent-id", " 42 "},
               {"x-datadog-sampling-priority", "-1"},
               {"x-datadog-origin", "synthetics"},
               {"x-datadog-tags", "_dd.p.dm=-4,_dd.p.tid=640cfd8d00000000,other=1"}});
  ASSERT_TRUE(context);
  EXPECT_EQ(context->trace_id, UINT64_MAX);
  EXPECT_EQ(context->trace_id_high, 0x640cfd8d00000000u);
  EXPECT_EQ(context->parent_id, 42u);
  EXPECT_EQ(context->sampling_priority, -1);
  EXPECT_EQ(context->origin, "synthetics");
  EXPECT_THAT(context->tags,
              UnorderedElementsAre(Pair("_dd.p.dm", "-4"), Pair("_dd.p.tid", "640cfd8d00000000")));
}

TEST(TraceContextTest, BadIdsMakeNoContext) {
  for (const char* id : {"", "0", "-1", "+1", " ", "0x12", "12a", "1.0", "18446744073709551616", "abc"})
    EXPECT_FALSE(Extract({{"x-datadog-trace-id", id}, {"x-datadog-parent-id", "1"}})) << id;
}

TEST(TraceContextTest, BadPartsOfDatadogHeadersLoseOnlyThemselves) {
  const std::optional<TraceContext> context = Extract({{"x-datadog-trace-id", "7"},
                                                       {"x-datadog-parent-id", "x"},
                                                       {"x-datadog-sampling-priority", "high"},
                                                       {"x-datadog-tags", "_dd.p.tid=640CFD8D,_dd.p.dm=-1"}});
  ASSERT_TRUE(context);
  EXPECT_EQ(context->parent_id, 0u);
  EXPECT_EQ(context->sampling_priority, std::nullopt);
  EXPECT_EQ(context->trace_id_high, 0u);
  EXPECT_THAT(context->tags, UnorderedElementsAre(Pair("_dd.p.dm", "-1"),
                                                  Pair("_dd.propagation_error", "malformed_tid 640CFD8D")));
}

TEST(TraceContextTest, PropagationTags) {
  EXPECT_THAT(ParsePropagationTags(""), IsEmpty());
  EXPECT_THAT(ParsePropagationTags("_dd.p.a=b=c,x=y"), ElementsAre(Pair("_dd.p.a", "b=c")));
  EXPECT_THAT(ParsePropagationTags("_dd.p.a=b,_dd.p.c"),
              ElementsAre(Pair("_dd.propagation_error", "decoding_error")));
  EXPECT_THAT(ParsePropagationTags("_dd.p.a="), ElementsAre(Pair("_dd.propagation_error", "decoding_error")));
  EXPECT_THAT(ParsePropagationTags("_dd.p.a=" + std::string(512, 'x')),
              ElementsAre(Pair("_dd.propagation_error", "extract_max_size")));
}

TEST(TraceContextTest, TraceParent) {
  const std::optional<TraceContext> context = W3c(kTraceParent);
  ASSERT_TRUE(context);
  EXPECT_EQ(context->trace_id, kLow);
  EXPECT_EQ(context->trace_id_high, kHigh);
  EXPECT_EQ(context->parent_id, kSpan);
  EXPECT_EQ(context->sampling_priority, 1);
  EXPECT_THAT(context->tags, ElementsAre(Pair("_dd.p.tid", "0af7651916cd43dd")));
}

TEST(TraceContextTest, TraceParentWithoutAHighHalf) {
  const std::optional<TraceContext> context = W3c("00-00000000000000008448eb211c80319c-b7ad6b7169203331-00");
  ASSERT_TRUE(context);
  EXPECT_EQ(context->trace_id_high, 0u);
  EXPECT_EQ(context->sampling_priority, 0);
  EXPECT_THAT(context->tags, IsEmpty());
}

TEST(TraceContextTest, ShortOrMalformedTraceParentsAreNoContext) {
  const std::string whole = kTraceParent;
  for (size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(W3c(whole.substr(0, size))) << size;
  for (const char* bad : {"ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                          "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
                          "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                          "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                          "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g",
                          "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
                          "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                          "0g-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"})
    EXPECT_FALSE(W3c(bad)) << bad;
  // A later version may append fields.
  EXPECT_TRUE(W3c("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more"));
  EXPECT_FALSE(W3c("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01more"));
}

TEST(TraceContextTest, TraceState) {
  const std::optional<TraceContext> context =
      W3c(kTraceParent, "other=1, dd=s:2;o:rum~1;p:00f067aa0ba902b7;t.dm:-4;t.usr.id:a~b;x:y;;t.:z,more=2");
  ASSERT_TRUE(context);
  EXPECT_EQ(context->sampling_priority, 2);
  EXPECT_EQ(context->origin, "rum=1");
  EXPECT_THAT(context->tags,
              UnorderedElementsAre(Pair("_dd.parent_id", "00f067aa0ba902b7"), Pair("_dd.p.dm", "-4"),
                                   Pair("_dd.p.usr.id", "a=b"), Pair("_dd.p.tid", "0af7651916cd43dd")));
}

TEST(TraceContextTest, WhereFlagAndPriorityDisagreeTheFlagIsRight) {
  const std::string dropped = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
  EXPECT_EQ(W3c(kTraceParent, "dd=s:2")->sampling_priority, 2);
  EXPECT_EQ(W3c(dropped, "dd=s:-1")->sampling_priority, -1);
  const TraceContext kept = *W3c(kTraceParent, "dd=s:0;t.dm:-4");
  EXPECT_EQ(kept.sampling_priority, 1);
  EXPECT_EQ(kept.tags.at("_dd.p.dm"), "-0");
  const TraceContext lost = *W3c(dropped, "dd=s:2;t.dm:-4");
  EXPECT_EQ(lost.sampling_priority, 0);
  EXPECT_FALSE(lost.tags.contains("_dd.p.dm"));
}

TEST(TraceContextTest, TraceStateOfManyMembersIsNotReadForever) {
  std::string state;
  for (int i = 0; i < 100'000; ++i) absl::StrAppend(&state, "a", i, "=b,");
  EXPECT_EQ(W3c(kTraceParent, state + "dd=s:2")->sampling_priority, 1);
}

TEST(TraceContextTest, B3) {
  const auto b3 = [](std::string value) { return Extract({{"b3", std::move(value)}}, {Style::kB3}); };
  const std::optional<TraceContext> context =
      b3("0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-d-05e3ac9a4f6e3b90");
  ASSERT_TRUE(context);
  EXPECT_EQ(context->trace_id, kLow);
  EXPECT_EQ(context->trace_id_high, kHigh);
  EXPECT_EQ(context->parent_id, kSpan);
  EXPECT_EQ(context->sampling_priority, 2);
  EXPECT_THAT(context->tags, ElementsAre(Pair("_dd.p.tid", "0af7651916cd43dd")));
  EXPECT_EQ(b3("8448EB211C80319C-b7ad6b7169203331")->trace_id, kLow);
  EXPECT_EQ(b3("8448eb211c80319c-b7ad6b7169203331")->sampling_priority, std::nullopt);
  for (const char* bad : {"", "0", "1", "-", "--", "8448eb211c80319c", "8448eb211c80319-b7ad6b7169203331",
                          "8448eb211c80319c-0000000000000000", "0000000000000000-b7ad6b7169203331"})
    EXPECT_FALSE(b3(bad)) << bad;
}

TEST(TraceContextTest, B3Multi) {
  const HttpHeaders carrier = {
      {"X-B3-TraceId", "8448eb211c80319c"}, {"X-B3-SpanId", "b7ad6b7169203331"}, {"X-B3-Sampled", "0"}};
  EXPECT_EQ(Extract(carrier, {Style::kB3Multi})->sampling_priority, 0);
  HttpHeaders debug = carrier;
  debug.emplace_back("x-b3-flags", "1");
  EXPECT_EQ(Extract(debug, {Style::kB3Multi})->sampling_priority, 2);
}

TEST(TraceContextTest, StylesAreTriedInTheirOrder) {
  const HttpHeaders carrier = {
      {"traceparent", kTraceParent}, {"x-datadog-trace-id", "7"}, {"x-datadog-parent-id", "8"}};
  EXPECT_EQ(Extract(carrier)->trace_id, 7u);
  EXPECT_EQ(Extract(carrier, {Style::kTraceContext, Style::kDatadog})->trace_id, kLow);
  EXPECT_EQ(Extract(carrier, {Style::kB3, Style::kTraceContext})->trace_id, kLow);
  EXPECT_FALSE(Extract(carrier, {}));
}

TEST(TraceContextTest, TraceParentOfTheSameTraceHasTheNearerParent) {
  const HttpHeaders carrier = {{"x-datadog-trace-id", absl::StrCat(kLow)},
                               {"x-datadog-parent-id", "16"},
                               {"x-datadog-sampling-priority", "2"},
                               {"traceparent", kTraceParent}};
  const TraceContext context = *Extract(carrier);
  EXPECT_EQ(context.parent_id, kSpan);
  EXPECT_EQ(context.trace_id_high, kHigh);
  EXPECT_EQ(context.sampling_priority, 2);
  EXPECT_EQ(context.tags.at("_dd.parent_id"), "0000000000000010");
  // The state's last Datadog span takes precedence.
  HttpHeaders with_state = carrier;
  with_state.emplace_back("tracestate", "dd=p:00f067aa0ba902b7");
  EXPECT_EQ(Extract(with_state)->tags.at("_dd.parent_id"), "00f067aa0ba902b7");
  // With extract_first, only the first style counts.
  EXPECT_EQ(Extract(carrier, {Style::kDatadog, Style::kTraceContext}, /*extract_first=*/true)->parent_id,
            16u);
}

TEST(TraceContextTest, ParsesStyles) {
  std::vector<std::string> unknown;
  EXPECT_THAT(ParsePropagationStyles("B3multi, tracecontext,,b3 single header,datadog,tracecontext", unknown),
              ElementsAre(Style::kB3Multi, Style::kTraceContext, Style::kB3, Style::kDatadog));
  EXPECT_THAT(unknown, IsEmpty());
  EXPECT_THAT(ParsePropagationStyles("none", unknown), IsEmpty());
  EXPECT_THAT(ParsePropagationStyles("tracecontext,baggage", unknown),
              ElementsAre(Style::kTraceContext, Style::kBaggage));
  EXPECT_THAT(ParsePropagationStyles("jaeger,datadog", unknown), ElementsAre(Style::kDatadog));
  EXPECT_THAT(unknown, ElementsAre("jaeger"));
}

TEST(TraceContextTest, BaggageIfAskedFor) {
  HttpHeaders carrier = {{"x-datadog-trace-id", "7"},
                         {"OT-Baggage-User", "a"},
                         {"ot-baggage-", "nothing"},
                         {"ot-baggage-big", std::string(5000, 'x')}};
  EXPECT_THAT(Extract(carrier)->baggage, IsEmpty());
  EXPECT_THAT(ExtractTraceContext(carrier, {.http_baggage = true})->baggage, ElementsAre(Pair("user", "a")));
  for (int i = 0; i < 1000; ++i) carrier.emplace_back(absl::StrCat("ot-baggage-", i), "x");
  EXPECT_EQ(ExtractTraceContext(carrier, {.http_baggage = true})->baggage.size(), 64u);
}

TEST(TraceContextTest, W3cBaggageWhereItIsAStyle) {
  const HttpHeaders carrier = {
      {"x-datadog-trace-id", "7"}, {"Baggage", "user.id=a,other=b"}, {"ot-baggage-user", "c"}};
  EXPECT_THAT(Extract(carrier)->baggage, IsEmpty());
  PropagationOptions options{.styles = {Style::kDatadog, Style::kBaggage}};
  EXPECT_THAT(ExtractTraceContext(carrier, options)->baggage, ElementsAre(Pair("baggage.user.id", "a")));
  options.http_baggage = true;
  options.baggage_tag_keys = {"other"};
  EXPECT_THAT(ExtractTraceContext(carrier, options)->baggage,
              ElementsAre(Pair("baggage.other", "b"), Pair("user", "c")));
  // Baggage is no context by itself.
  EXPECT_FALSE(ExtractTraceContext({{"baggage", "user.id=a"}}, options));
}

TEST(TraceContextTest, XrayHeader) {
  const std::optional<TraceContext> context = ContextOfXrayHeader(
      "Sampled=1; Root=1-65f2d3a1-0123456789abcdef01234567;Parent=b7ad6b7169203331;Lineage=a:0");
  ASSERT_TRUE(context);
  EXPECT_EQ(context->trace_id, 0x89abcdef01234567u);
  EXPECT_EQ(context->trace_id_high, 0u);
  EXPECT_EQ(context->parent_id, kSpan);
  EXPECT_EQ(context->sampling_priority, 1);
  EXPECT_EQ(
      ContextOfXrayHeader("root=1-65F2D3A1-0123456789ABCDEF01234567; parent=B7AD6B7169203331")->trace_id,
      0x89abcdef01234567u);
}

// X-Ray decides for itself alone: a trace that it drops may be kept here. A padded id marks a tracer's
// header.
TEST(TraceContextTest, XrayHeaderDropsATraceOnlyWhereATracerWroteIt) {
  const auto priority = [](std::string_view root, std::string_view rest) {
    const std::optional<TraceContext> context =
        ContextOfXrayHeader(absl::StrCat("Root=", root, ";Parent=b7ad6b7169203331", rest));
    EXPECT_TRUE(context) << root;
    return context ? context->sampling_priority : -99;
  };
  for (const char* of_aws : {"1-65f2d3a1-0123456789abcdef01234567", "1-00000000-0000000189abcdef01234567"}) {
    EXPECT_EQ(priority(of_aws, ";Sampled=1"), 1);
    for (const char* rest : {";Sampled=0", ";Sampled=?", ";Sampled=", ";Sampled", "", ";Sampled=2"})
      EXPECT_EQ(priority(of_aws, rest), std::nullopt) << rest;
  }
  for (const char* of_a_tracer :
       {"1-00000000-0000000089abcdef01234567", "1-65f2d3a1-0000000089abcdef01234567"}) {
    EXPECT_EQ(priority(of_a_tracer, ";Sampled=1"), 1);
    EXPECT_EQ(priority(of_a_tracer, ";Sampled=0"), 0);
    for (const char* rest : {";Sampled=?", ";Sampled=", ";Sampled", "", ";Sampled=00", ";Sampled=true"})
      EXPECT_EQ(priority(of_a_tracer, rest), std::nullopt) << rest;
  }
}

TEST(TraceContextTest, ShortXrayRootDoesNotEndTheProcess) {
  const std::string root = "1-65f2d3a1-0123456789abcdef01234567";
  for (size_t size = 0; size < root.size(); ++size)
    EXPECT_FALSE(ContextOfXrayHeader(absl::StrCat("Root=", root.substr(0, size), ";Parent=b7ad6b7169203331")))
        << size;
  for (const char* bad :
       {"", ";", "=", "Root", "Root=", "Parent=b7ad6b7169203331", "Root=1-65f2d3a1-0123456789abcdef01234567",
        "Root=1-65f2d3a1-0123456789abcdef01234567;Parent=",
        "Root=1-65f2d3a1-012345670000000000000000;Parent=b7ad6b7169203331",
        "Root=1-65f2d3a1-0123456789abcdef01234567;Parent=0000000000000000",
        "Root=1-65f2d3a1-0123456789abcdef01234567;Parent=b7ad6b71",
        "Root=2-65f2d3a1-0123456789abcdef01234567;Parent=b7ad6b7169203331",
        "Root=1-65f2d3a1-zz23456789abcdef01234567;Parent=b7ad6b7169203331"})
    EXPECT_FALSE(ContextOfXrayHeader(bad)) << bad;
}

TEST(TraceContextTest, Reply) {
  EXPECT_THAT(TraceContextReplyHeaders({.trace_id = 7}), ElementsAre(Pair("x-datadog-trace-id", "7")));
  EXPECT_THAT(
      TraceContextReplyHeaders({.trace_id = kLow, .trace_id_high = kHigh, .sampling_priority = -1}),
      ElementsAre(Pair("x-datadog-trace-id", absl::StrCat(kLow)), Pair("x-datadog-sampling-priority", "-1"),
                  Pair("x-datadog-tags", "_dd.p.tid=0af7651916cd43dd")));
}

}  // namespace
}  // namespace thaw
