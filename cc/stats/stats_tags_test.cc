#include "cc/stats/stats_tags.h"

#include <limits>
#include <vector>

#include "gtest/gtest.h"

namespace thaw {
namespace {

StatsTags Tags(std::vector<SpanMeta> meta, std::vector<SpanMetric> metrics = {}) {
  SpanView span;
  span.meta = meta;
  span.metrics = metrics;
  return StatsTags::Of(span);
}

TEST(StatsTags, TheyAreFoundAmongOthers) {
  const StatsTags tags = Tags({{"env", "prod"},
                               {"span.kind", "server"},
                               {"http.method", "GET"},
                               {"http.endpoint", "/a"},
                               {"http.route", "/b"},
                               {"_dd.svc_src", "m"},
                               {"_dd.base_service", "shop"},
                               {"_dd.origin", "synthetics-browser"},
                               {"http.status_code", "404"},
                               {"grpc.status.code", "NOT_FOUND"}});
  EXPECT_EQ(tags.span_kind, "server");
  EXPECT_EQ(tags.http_method, "GET");
  EXPECT_EQ(tags.http_endpoint, "/a");
  EXPECT_EQ(tags.service_source, "m");
  EXPECT_EQ(tags.base_service, "shop");
  EXPECT_TRUE(tags.is_synthetic());
  EXPECT_EQ(tags.http_status, 404);
  EXPECT_EQ(tags.grpc_status, 5);
  EXPECT_FALSE(tags.is_snapshot);
  EXPECT_FALSE(tags.is_call());
}

TEST(StatsTags, TheRouteStandsInForTheEndpoint) {
  EXPECT_EQ(Tags({{"http.route", "/b"}}).http_endpoint, "/b");
  EXPECT_EQ(Tags({{"http.endpoint", ""}, {"http.route", "/b"}}).http_endpoint, "/b");
}

TEST(StatsTags, TheStatusOfHttpIsANumberOrElseAText) {
  EXPECT_EQ(Tags({{"http.status_code", "404"}}, {{"http.status_code", 200}}).http_status, 200);
  EXPECT_EQ(Tags({{"http.status_code", "404"}}, {{"http.status_code", 1.5}}).http_status, 404);
  EXPECT_EQ(Tags({{"http.status_code", "not a number"}}).http_status, 0);
  EXPECT_EQ(Tags({{"http.status_code", "-1"}}).http_status, 0);
  EXPECT_EQ(Tags({{"http.status_code", "99999999999"}}).http_status, 0);
  for (const double none : {-1.0, 1e300, std::numeric_limits<double>::quiet_NaN()})
    EXPECT_EQ(Tags({}, {{"http.status_code", none}}).http_status, 0);
}

TEST(StatsTags, TheFirstUsableStatusOfGrpcCounts) {
  EXPECT_EQ(Tags({{"grpc.code", "3"}, {"rpc.grpc.status_code", "OK"}}).grpc_status, 0);
  EXPECT_EQ(Tags({{"grpc.code", "3"}, {"rpc.grpc.status_code", "?"}}).grpc_status, 3);
  EXPECT_EQ(Tags({{"rpc.grpc.status.code", "3"}}, {{"rpc.grpc.status_code", 4}}).grpc_status, 3);
  EXPECT_EQ(Tags({{"grpc.code", ""}}, {{"grpc.status.code", 4}}).grpc_status, 4);
  EXPECT_EQ(Tags({}, {{"grpc.code", 256}}).grpc_status, std::nullopt);
  EXPECT_EQ(Tags({}, {{"grpc.code", 1.5}}).grpc_status, std::nullopt);
  EXPECT_EQ(Tags({}).grpc_status, std::nullopt);
}

TEST(StatsTags, SpansAtTheEdgeOfAServiceHaveStats) {
  SpanView span;
  EXPECT_FALSE(HasStats(span, {}));
  EXPECT_FALSE(HasStats(span, {.span_kind = "internal"}));
  for (const std::string_view kind : {"client", "SERVER", "Producer", "consumer"})
    EXPECT_TRUE(HasStats(span, {.span_kind = kind})) << kind;
  span.top_level = true;
  EXPECT_TRUE(HasStats(span, {}));
  span.top_level = false;
  span.measured = true;
  EXPECT_TRUE(HasStats(span, {}));
}

TEST(StatsTags, APartialSpanHasNoStats) {
  SpanView span;
  span.top_level = true;
  EXPECT_FALSE(HasStats(span, Tags({}, {{"_dd.partial_version", 0}})));
  EXPECT_TRUE(HasStats(span, Tags({}, {{"_dd.partial_version", -1}})));
  // This is the last of a span that was shown before it was complete.
  EXPECT_TRUE(HasStats(span, Tags({}, {{"_dd.was_long_running", 1}})));
}

TEST(StatsTags, CallsHavePeers) {
  for (const std::string_view kind : {"client", "CLIENT", "producer", "consumer"})
    EXPECT_TRUE(StatsTags{.span_kind = kind}.is_call()) << kind;
  EXPECT_FALSE(StatsTags{.span_kind = "server"}.is_call());
  EXPECT_FALSE(StatsTags{}.is_call());
}

}  // namespace
}  // namespace thaw
