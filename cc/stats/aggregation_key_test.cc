#include "cc/stats/aggregation_key.h"

#include <string>
#include <vector>

#include "cc/base/msgpack_writer.h"
#include "cc/stats/peer_tags.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

struct Span {
  std::vector<SpanMeta> meta = {};
  std::vector<SpanMetric> metrics = {};
  uint64_t parent_id = 0;
  std::string_view resource = "GET /";

  SpanView view() const {
    SpanView view;
    view.service = "shop";
    view.name = "http.request";
    view.resource = resource;
    view.type = "web";
    view.parent_id = parent_id;
    view.meta = meta;
    view.metrics = metrics;
    return view;
  }
};

std::string Key(const Span& span) {
  AggregationKeyEncoder encoder;
  const SpanView view = span.view();
  return std::string(encoder.Encode(view, StatsTags::Of(view)));
}

std::string Expected(const std::vector<std::string>& peer_tags, std::string_view kind) {
  MsgpackWriter out;
  const auto text = [&out](std::string_view name, std::string_view value) {
    out.String(name);
    out.String(value);
  };
  text("Service", "shop");
  text("Name", "http.request");
  text("Resource", "GET /");
  text("Type", "web");
  text("SpanKind", kind);
  text("HTTPMethod", "GET");
  text("HTTPEndpoint", "/orders");
  text("srv_src", "m");
  text("GRPCStatusCode", "5");
  out.String("HTTPStatusCode");
  out.Unsigned(404);
  out.String("IsTraceRoot");
  out.Unsigned(2);
  out.String("Synthetics");
  out.Bool(true);
  out.String("PeerTags");
  out.Array(static_cast<uint32_t>(peer_tags.size()));
  for (const std::string& tag : peer_tags) out.String(tag);
  return out.Take();
}

std::vector<SpanMeta> Meta(std::string_view kind, const std::vector<SpanMeta>& more) {
  std::vector<SpanMeta> meta = {
      {"span.kind", kind}, {"http.method", "GET"},      {"http.route", "/orders"},   {"_dd.svc_src", "m"},
      {"grpc.code", "5"},  {"http.status_code", "404"}, {"_dd.origin", "synthetics"}};
  meta.insert(meta.end(), more.begin(), more.end());
  return meta;
}

TEST(AggregationKey, ContainsTheRequestsFields) {
  EXPECT_EQ(Key({.meta = Meta("server", {}), .parent_id = 7}), Expected({}, "server"));
}

TEST(AggregationKey, CallsAreToldApartByTheirPeers) {
  // Peers are sorted, empty ones left out, addresses replaced by one word; the last of a repeated tag counts.
  const std::vector<SpanMeta> peers = {
      {"peer.service", "orders"}, {"db.name", "old"}, {"out.host", "10.0.0.7"}, {"_dd.base_service", "shop"},
      {"db.instance", ""},        {"db.name", "new"}, {"hostname", "x"},        {"hostname", ""}};
  for (const std::string_view kind : {"client", "Producer", "consumer"})
    EXPECT_EQ(Key({.meta = Meta(kind, peers), .parent_id = 7}),
              Expected({"_dd.base_service:shop", "db.name:new", "out.host:blocked-ip-address",
                        "peer.service:orders"},
                       kind));
  EXPECT_EQ(Key({.meta = Meta("server", peers), .parent_id = 7}),
            Expected({"_dd.base_service:shop"}, "server"));
}

TEST(AggregationKey, EveryPeerTagMayBeThereAtOnce) {
  std::vector<SpanMeta> peers;
  std::vector<std::string> expected;
  for (const std::string_view tag : kPeerTags) {
    peers.insert(peers.begin(), {tag, "x"});
    expected.push_back(std::string(tag) + ":x");
  }
  EXPECT_EQ(Key({.meta = Meta("client", peers), .parent_id = 7}), Expected(expected, "client"));
}

TEST(AggregationKey, TheRootAndTheResourceTellSpansApart) {
  EXPECT_EQ(Key({}), Key({}));
  EXPECT_NE(Key({}), Key({.parent_id = 1}));
  EXPECT_NE(Key({}), Key({.resource = "GET"}));
  EXPECT_NE(Key({.meta = {{"grpc.code", "0"}}}), Key({}));
  EXPECT_EQ(Key({.meta = {{"http.status_code", "0"}}}), Key({}));
}

TEST(AggregationKey, AdditionalTagsAreAnEntryMoreInTheirOrder) {
  AggregationKeyEncoder encoder({"region", "tenant"});
  EXPECT_EQ(encoder.entries(), kAggregationKeyEntries + 1);
  const Span span{.meta = {{"tenant", "a"}, {"other", "x"}, {"region", "eu"}}};
  const SpanView view = span.view();
  const std::string key(encoder.Encode(view, StatsTags::Of(view)));
  MsgpackWriter expected;
  expected.String("AdditionalMetricTags");
  expected.Array(2);
  expected.String("region:eu");
  expected.String("tenant:a");
  EXPECT_EQ(encoder.additional(), expected.bytes());
  EXPECT_TRUE(key.ends_with(expected.bytes()));
  EXPECT_EQ(encoder.peers(), "");
  const Span without;
  const SpanView bare = without.view();
  encoder.Encode(bare, StatsTags::Of(bare));
  EXPECT_EQ(encoder.additional(), "");
}

TEST(AggregationKey, BlockedValuesAreReplacedAndTheRestStays) {
  AggregationKeyEncoder encoder({"tenant"});
  const Span span{
      .meta = {{"span.kind", "client"}, {"peer.service", "p"}, {"http.route", "/r"}, {"tenant", "a"}}};
  const Span other{.meta = {{"span.kind", "client"},
                            {"peer.service", kBlockedValue},
                            {"http.route", "/other"},
                            {"tenant", "b"}},
                   .resource = "another"};
  const auto key = [&encoder](const Span& of, unsigned blocked) {
    const SpanView view = of.view();
    return std::string(encoder.Encode(view, StatsTags::Of(view), blocked));
  };
  const unsigned all = kResourceValue | kEndpointValue | kPeersValue | kAdditionalValue;
  EXPECT_EQ(key(span, all), key(other, all));
  EXPECT_NE(key(span, all & ~kResourceValue), key(other, all & ~kResourceValue));
  EXPECT_NE(key(span, all & ~kAdditionalValue), key(other, all & ~kAdditionalValue));
}

TEST(AggregationKey, AnEncoderForgetsTheSpanBefore) {
  AggregationKeyEncoder encoder;
  const std::string long_text(100'000, 'x');
  const Span large{.meta = {{"span.kind", "client"}, {"db.name", long_text}}, .resource = long_text};
  const SpanView large_view = large.view();
  encoder.Encode(large_view, StatsTags::Of(large_view));
  const Span small;
  const SpanView view = small.view();
  EXPECT_EQ(encoder.Encode(view, StatsTags::Of(view)), Key({}));
}

}  // namespace
}  // namespace thaw
