#include "cc/trace/process/trace_processor.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "cc/base/counted_allocations.h"
#include "cc/base/fake_byte_account.h"
#include "cc/base/manual_executor.h"
#include "cc/base/msgpack_writer.h"
#include "cc/clock/fake_clock.h"
#include "cc/clock/linear_work.h"
#include "cc/trace/trace_fields.h"
#include "cc/trace/trace_test_bodies.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using namespace trace_test;
using Tags = std::map<std::string, std::string>;

Fields Meta(Fields meta) { return {{"meta", Map(std::move(meta))}}; }
Fields Metric(const std::string& key, double value) { return {{"metrics", Map({{key, Float(value)}})}}; }
Fields Priority(double priority) { return Metric(kSamplingPriorityMetric, priority); }
Fields Named(const std::string& name, Fields more = {}) {
  more.push_back({"name", Text(name)});
  return more;
}
Fields Service(const std::string& service, Fields more = {}) {
  more.push_back({"service", Text(service)});
  return more;
}
Fields Resource(const std::string& resource, Fields more = {}) {
  more.push_back({"resource", Text(resource)});
  return more;
}

class Observer : public SpanObserver {
 public:
  struct Seen {
    uint64_t span_id;
    bool top_level, measured;
    Tags meta;
    std::string service, language, runtime_id;
  };
  void OnSpan(const TracerView& tracer, const SpanView& span) override {
    Tags meta;
    for (const SpanMeta& entry : span.meta)
      EXPECT_TRUE(meta.emplace(entry.key, entry.value).second) << entry.key;
    seen.push_back({span.span_id, span.top_level, span.measured, meta, std::string(span.service),
                    std::string(tracer.language), std::string(tracer.runtime_id)});
  }
  std::vector<Seen> seen;
};

class TraceProcessorTest : public testing::Test {
 protected:
  TraceProcessor Make(TraceProcessorOptions options = {}, InvocationLinks* links = nullptr) {
    return TraceProcessor(std::move(options), clock_, links);
  }
  // Processes the body with a new processor.
  TracePayload Process(const std::string& body, TraceProcessorOptions options = {},
                       TracerHeaders headers = {}, SpanObserver* observer = nullptr) {
    TraceProcessor processor = Make(std::move(options));
    return By(processor, body, headers, observer);
  }
  TracePayload By(TraceProcessor& processor, const std::string& body, TracerHeaders headers = {},
                  SpanObserver* observer = nullptr) {
    absl::StatusOr<TracePayload> payload =
        processor.Process(body, TraceFormat::kV04, std::move(headers), observer);
    EXPECT_TRUE(payload.ok()) << payload.status();
    counts_ = processor.counts();
    return *std::move(payload);
  }
  static std::vector<uint64_t> Ids(const TracePayload& payload, size_t chunk = 0) {
    std::vector<uint64_t> ids;
    for (const std::string_view span : Spans(payload, chunk)) ids.push_back(Num(span, SpanField::kSpanId));
    return ids;
  }
  static std::set<uint64_t> TopLevel(const TracePayload& payload) {
    std::set<uint64_t> ids;
    for (const std::string_view span : Spans(payload))
      if (Metrics(span).contains("_top_level")) ids.insert(Num(span, SpanField::kSpanId));
    return ids;
  }

  ManualExecutor executor_;
  FakeClock clock_{executor_};
  TraceProcessorCounts counts_;  // counts of the processor that was used last
};

TracerHeaders ComputedTopLevel() {
  TracerHeaders headers;
  headers.client_computed_top_level = true;
  return headers;
}
TracerHeaders ComputedStats() {
  TracerHeaders headers;
  headers.client_computed_stats = true;
  return headers;
}
TraceProcessorOptions StatsHere() {
  TraceProcessorOptions options;
  options.compute_stats_on_extension = true;
  return options;
}

// --- Bad input ---

TEST_F(TraceProcessorTest, OneBadSpanDoesNotRefuseTheRequest) {
  const TracePayload payload = Process(
      Body({{Span(1, 0), Text("no map"), Span(2, 1)}, {Span(3, 0, {{"service", Array({})}}), Span(4, 0)}}));
  EXPECT_EQ(payload.counts().spans, 3);
  EXPECT_EQ(payload.counts().spans_left_out, 2);
  EXPECT_EQ(Ids(payload, 0), (std::vector<uint64_t>{1, 2}));
  EXPECT_EQ(Ids(payload, 1), (std::vector<uint64_t>{4}));
  EXPECT_EQ(payload.first_problem(), "at byte 33: expected a map, found a string");
}

// The peer sends them on unchanged.
TEST_F(TraceProcessorTest, SpansWithoutIdsAreLeftOut) {
  const TracePayload payload = Process(
      Body({{Span(0, 0), Map({{"span_id", Int(5)}}), Span(1, 0)}, {Map({}), Map({{"trace_id", Int(1)}})}}));
  EXPECT_EQ(payload.counts().spans_without_ids, 4);
  EXPECT_EQ(payload.counts().spans, 1);
  EXPECT_EQ(payload.counts().chunks, 1);
  EXPECT_EQ(payload.counts().empty_chunks, 1);
}

TEST_F(TraceProcessorTest, ARequestThatIsCutOffLeavesNothingBehind) {
  TraceProcessor processor = Make();
  const std::string body = Body({{Span(1, 0)}, {Span(2, 0)}});
  EXPECT_EQ(processor.Process(body.substr(0, body.size() - 1), TraceFormat::kV04, {}).status().code(),
            absl::StatusCode::kInvalidArgument);
  // Its first span is not mistaken for one that came before.
  EXPECT_EQ(By(processor, body).counts().spans, 2);
}

TEST_F(TraceProcessorTest, AnEmptyRequestIsEmpty) {
  for (const std::string& body : {Body({}), Body({{}, {}})}) {
    const TracePayload payload = Process(body);
    EXPECT_TRUE(payload.empty());
    EXPECT_EQ(payload.chunk_fields(), "");
  }
}

TEST_F(TraceProcessorTest, TextIsRepaired) {
  TraceProcessorOptions options;
  options.function_tags = {{"functionname", "f\xFF"}};
  Observer observer;
  options.compute_stats_on_extension = true;
  const TracePayload payload =
      Process(Body({{Span(1, 0, Meta({{"k\xC0", Text("\xED\xA0\x80")}, {"_dd.origin", Text("o\xFF")}}))}}),
              std::move(options), {}, &observer);
  EXPECT_EQ(Entries(Spans(payload)[0], SpanField::kMeta)["k\xEF\xBF\xBD"],
            "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(Str(Chunk(payload, 0), TraceChunkField::kOrigin), "o\xEF\xBF\xBD");
  ASSERT_EQ(observer.seen.size(), 1);
  EXPECT_EQ(observer.seen[0].meta["functionname"], "f\xEF\xBF\xBD");
  EXPECT_TRUE(observer.seen[0].meta.contains("k\xEF\xBF\xBD"));
}

// --- Roots, priorities, top-level spans ---

TEST_F(TraceProcessorTest, WithoutTheTracersWordTopLevelIsByParentAndService) {
  const TracePayload payload = Process(Body({{
      Span(1, 0, Service("a")),
      Span(2, 1, Service("a")),
      Span(3, 1, Service("b")),
      Span(4, 99, Service("a")),
      Span(5, 3, Service("b")),
  }}));
  EXPECT_EQ(TopLevel(payload), (std::set<uint64_t>{1, 3, 4}));
}

TEST_F(TraceProcessorTest, ATracerThatComputedTopLevelMarksTheSpans) {
  const TracePayload payload =
      Process(Body({{Span(1, 0), Span(2, 1, Metric("_dd.top_level", 0)), Span(3, 1, Metric("other", 1))}}),
              {}, ComputedTopLevel());
  EXPECT_EQ(TopLevel(payload), (std::set<uint64_t>{2}));
}

TEST_F(TraceProcessorTest, ATopLevelMetricThatIsThereIsNotSentTwice) {
  const TracePayload payload = Process(Body({{Span(1, 0, Metric("_top_level", 0))}}));
  const std::string_view span = Spans(payload)[0];
  EXPECT_EQ(All(span, SpanField::kMetrics).size(), 1);
  EXPECT_EQ(Metrics(span)["_top_level"], 1);
}

TEST_F(TraceProcessorTest, ChildrenOfSpansThatAreLeftOutAreNotPromoted) {
  const TracePayload payload = Process(Body(
      {{Span(1, 0, Service("a")), Span(2, 1, Named("dns.lookup", Service("a"))), Span(3, 2, Service("a"))}}));
  EXPECT_EQ(Ids(payload), (std::vector<uint64_t>{1, 3}));
  EXPECT_EQ(TopLevel(payload), (std::set<uint64_t>{1}));
}

TEST_F(TraceProcessorTest, TopLevelOfAManySpanTraceIsTheSame) {
  // There are more spans than are searched one by one: a chain whose service changes every tenth span.
  std::vector<Write> spans;
  for (int i = 0; i < 100; ++i)
    spans.push_back(Span(100 - i, 99 - i, Service("s" + std::to_string((99 - i) / 10))));
  const TracePayload payload = Process(Body({spans}));
  EXPECT_EQ(TopLevel(payload), (std::set<uint64_t>{1, 11, 21, 31, 41, 51, 61, 71, 81, 91}));
}

TEST_F(TraceProcessorTest, APriorityIsTheRootsElseTheFirstElseNone) {
  const TracePayload payload = Process(Body({
      {Span(1, 5, Priority(1)), Span(5, 0, Priority(2))},
      {Span(11, 15, Priority(1)), Span(15, 0)},
      {Span(21, 0)},
      {Span(31, 0, Priority(0))},
  }));
  const int64_t expected[] = {2, 1, kNoPriority, 0};
  for (size_t i = 0; i < std::size(expected); ++i)
    EXPECT_EQ(Num(Chunk(payload, i), TraceChunkField::kPriority), expected[i]) << i;
}

TEST_F(TraceProcessorTest, ASpanThatIsItsOwnParentIsARoot) {
  const TracePayload payload = Process(Body({{Span(7, 7), Span(8, 7)}}));
  EXPECT_EQ(Num(Spans(payload)[0], SpanField::kParentId), 0);
}

// The peer leaves the chunk's origin empty, though each span has one.
TEST_F(TraceProcessorTest, TheChunksOriginIsTheRootsElseLambda) {
  const TracePayload payload = Process(Body({
      {Span(1, 5, Meta({{"_dd.origin", Text("child")}})), Span(5, 0, Meta({{"_dd.origin", Text("rum")}}))},
      {Span(11, 0)},
  }));
  EXPECT_EQ(Str(Chunk(payload, 0), TraceChunkField::kOrigin), "rum");
  EXPECT_EQ(Str(Chunk(payload, 1), TraceChunkField::kOrigin), "lambda");
}

// The function's own origin would hide which requests a synthetic test has made.
TEST_F(TraceProcessorTest, StatsSeeTheOriginThatTheTracerNamed) {
  Observer observer;
  Process(Body({{Span(1, 5), Span(5, 0, Meta({{"_dd.origin", Text("synthetics-browser")}}))}, {Span(11, 0)}}),
          StatsHere(), {}, &observer);
  ASSERT_EQ(observer.seen.size(), 3);
  EXPECT_EQ(observer.seen[0].meta["_dd.origin"], "synthetics-browser");
  EXPECT_EQ(observer.seen[1].meta["_dd.origin"], "synthetics-browser");
  EXPECT_EQ(observer.seen[2].meta["_dd.origin"], "lambda");
}

TEST_F(TraceProcessorTest, ATagOfTheFunctionMayBecomeKnownLater) {
  TraceProcessorOptions options;
  options.function_tags = {{"region", "eu-west-1"}};
  TraceProcessor processor = Make(std::move(options));
  EXPECT_FALSE(Entries(Spans(By(processor, Body({{Span(1, 0)}})))[0], SpanField::kMeta).contains("runtime"));
  processor.SetFunctionTag("runtime", "python3.13");
  const TracePayload payload = By(processor, Body({{Span(2, 0)}}));
  EXPECT_EQ(Entries(Spans(payload)[0], SpanField::kMeta)["runtime"], "python3.13");
  EXPECT_EQ(Entries(Spans(payload)[0], SpanField::kMeta)["region"], "eu-west-1");
}

// --- Spans that are left out ---

// Go and Java send traces that are only a placeholder; the peer ships empty chunks for them.
TEST_F(TraceProcessorTest, ATraceOfWhichNothingIsLeftMakesNoChunk) {
  const TracePayload payload =
      Process(Body({{Span(1, 0, Resource("dd-tracer-serverless-span"))}, {Span(2, 0)}}));
  EXPECT_EQ(counts_.noise_spans, 1);
  EXPECT_EQ(payload.counts().empty_chunks, 1);
  EXPECT_EQ(payload.counts().chunks, 1);
  EXPECT_EQ(All(payload.chunk_fields(), TracerPayloadField::kChunks).size(), 1);
}

TEST_F(TraceProcessorTest, NoiseIsLeftOut) {
  TraceProcessorOptions options;
  options.runtime_api = "169.254.100.1:9001";
  const TracePayload payload = Process(
      Body({{Span(1, 0), Span(2, 1, Meta({{"http.url", Text("http://169.254.100.1:9001/next")}})),
             Span(3, 1, Meta({{"tcp.remote.host", Text("127.0.0.1")}, {"tcp.remote.port", Text("8124")}})),
             Span(4, 1, Meta({{"http.url", Text("http://example.com")}}))}}),
      std::move(options));
  EXPECT_EQ(Ids(payload), (std::vector<uint64_t>{1, 4}));
  EXPECT_EQ(counts_.noise_spans, 2);
}

// A tracer whose connection was frozen resends spans that were accepted.
TEST_F(TraceProcessorTest, SpansThatComeAgainAreLeftOut) {
  TraceProcessor processor = Make();
  const std::string body = Body({{Span(1, 0), Span(2, 1)}});
  EXPECT_EQ(By(processor, body).counts().spans, 2);
  const TracePayload again = By(processor, Body({{Span(1, 0), Span(2, 1), Span(3, 1)}}));
  EXPECT_EQ(counts_.duplicate_spans, 2);
  EXPECT_EQ(Ids(again), (std::vector<uint64_t>{3}));
  const TracePayload third = By(processor, body);
  EXPECT_TRUE(third.empty());
  EXPECT_EQ(third.counts().empty_chunks, 1);
}

TEST_F(TraceProcessorTest, AResentTraceOfTenThousandSpansIsRecognisedWhole) {
  TraceProcessor processor = Make();
  std::vector<Write> spans;
  for (int i = 1; i <= 10'000; ++i) spans.push_back(Span(i, i - 1));
  const std::string body = Body({spans});
  EXPECT_EQ(By(processor, body).counts().spans, 10'000);
  EXPECT_TRUE(By(processor, body).empty());
  EXPECT_EQ(counts_.duplicate_spans, 10'000);
}

TEST_F(TraceProcessorTest, ARequestThatWasNotTakenInMayComeAgain) {
  TraceProcessor processor = Make();
  const std::string body = Body({{Span(1, 0), Span(2, 1)}});
  By(processor, body);
  processor.ForgetLast();
  EXPECT_EQ(By(processor, body).counts().spans, 2);
}

TEST_F(TraceProcessorTest, SnapshotsOfALongSpanAreNoDuplicates) {
  TraceProcessor processor = Make();
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(By(processor, Body({{Span(1, 0, Metric("_dd.partial_version", i))}})).counts().spans, 1);
  EXPECT_EQ(By(processor, Body({{Span(1, 0, Metric("_dd.was_long_running", 1))}})).counts().spans, 1);
  EXPECT_EQ(By(processor, Body({{Span(1, 0)}})).counts().spans, 1);
  EXPECT_TRUE(By(processor, Body({{Span(1, 0)}})).empty());
  EXPECT_EQ(counts_.duplicate_spans, 1);
}

TEST_F(TraceProcessorTest, UnsampledTracesAreDroppedOnlyWhereStatsAreComputedHere) {
  const std::string body = Body({
      {Span(1, 0, Priority(0))},
      {Span(2, 0, Priority(-1))},
      {Span(3, 0, Priority(1))},
      {Span(4, 0)},
  });
  EXPECT_EQ(Process(body).counts().chunks, 4);
  const TracePayload payload = Process(body, StatsHere());
  EXPECT_EQ(counts_.unsampled_chunks, 2);
  EXPECT_EQ(payload.counts().chunks, 2);
  EXPECT_EQ(payload.counts().spans, 2);
  EXPECT_EQ(payload.counts().empty_chunks, 0);
  EXPECT_EQ(Ids(payload, 0), (std::vector<uint64_t>{3}));
  EXPECT_EQ(Ids(payload, 1), (std::vector<uint64_t>{4}));
  // The same holds if the tracer computes stats itself.
  EXPECT_EQ(Process(body, StatsHere(), ComputedStats()).counts().chunks, 2);
  EXPECT_EQ(counts_.unsampled_chunks, 2);
}

TEST_F(TraceProcessorTest, TheErrorSamplerKeepsTracesThatASamplerDroppedIfTheyHaveAnError) {
  const auto failing = [](uint64_t id, uint64_t parent, Fields more = {}) {
    more.push_back({"error", Int(1)});
    return Span(id, parent, std::move(more));
  };
  const std::string body = Body({
      {Span(1, 0, Priority(0)), failing(2, 1)},
      {failing(3, 0, Priority(-1))},
      {Span(4, 0, Priority(0))},
      {failing(5, 0, Priority(1))},
  });
  EXPECT_EQ(Process(body, StatsHere()).counts().chunks, 1);
  TraceProcessorOptions options = StatsHere();
  options.error_sampler = true;
  const TracePayload payload = Process(body, std::move(options));
  EXPECT_EQ(payload.counts().chunks, 2);
  EXPECT_EQ(counts_.error_chunks, 1);
  EXPECT_EQ(counts_.unsampled_chunks, 2);
  EXPECT_EQ(Ids(payload, 0), (std::vector<uint64_t>{1, 2}));
  EXPECT_EQ(Metrics(Spans(payload, 0)[0])["_dd.errors_sr"], 1);
  EXPECT_FALSE(Metrics(Spans(payload, 0)[1]).contains("_dd.errors_sr"));
  EXPECT_EQ(Ids(payload, 1), (std::vector<uint64_t>{5}));
  EXPECT_FALSE(Metrics(Spans(payload, 1)[0]).contains("_dd.errors_sr"));
  // Without stats computed here nothing is dropped, and nothing to keep.
  TraceProcessorOptions without;
  without.error_sampler = true;
  EXPECT_EQ(Process(body, std::move(without)).counts().chunks, 4);
  EXPECT_EQ(counts_.error_chunks, 0);
}

// --- The party that computes stats ---

TEST_F(TraceProcessorTest, TracerExtensionOrBackendComputesStats) {
  const std::string body = Body({{Span(1, 0)}});
  struct Case {
    bool tracer, extension;
    bool stamped;
    size_t observed;
  };
  for (const Case& c : {Case{true, true, false, 0},
                        {true, false, false, 0},
                        {false, true, false, 1},
                        {false, false, true, 0}}) {
    TracerHeaders headers;
    headers.client_computed_stats = c.tracer;
    TraceProcessorOptions options;
    options.compute_stats_on_extension = c.extension;
    Observer observer;
    const TracePayload payload = Process(body, std::move(options), headers, &observer);
    Tags meta = Entries(Spans(payload)[0], SpanField::kMeta);
    EXPECT_EQ(meta.contains("_dd.compute_stats"), c.stamped) << c.tracer << c.extension;
    if (c.stamped) {
      EXPECT_EQ(meta["_dd.compute_stats"], "1");
    }
    EXPECT_EQ(observer.seen.size(), c.observed) << c.tracer << c.extension;
  }
}

TEST_F(TraceProcessorTest, TheObserverSeesSentSpansAndSpansDroppedForTheirPriority) {
  TraceProcessorOptions options = StatsHere();
  options.function_tags = {{"env", "prod"}, {"service", "shop"}};
  TracerHeaders headers;
  headers.lang = "python";
  Observer observer;
  Process(
      Body({{Span(1, 0, Service("aws.lambda", Meta({{"env", Text("dev")}, {"k", Text("v")}}))),
             Span(2, 1, Service("aws.lambda", Metric("_dd.measured", 1))), Span(3, 1, Named("dns.lookup"))},
            {Span(4, 0, Priority(0))},
            {Span(5, 0, Meta({{"runtime-id", Text("r1")}}))}}),
      std::move(options), headers, &observer);
  ASSERT_EQ(observer.seen.size(), 4);
  EXPECT_EQ(observer.seen[0].span_id, 1);
  EXPECT_EQ(observer.seen[0].service, "shop");
  EXPECT_EQ(
      observer.seen[0].meta,
      (Tags{
          {"env", "prod"}, {"k", "v"}, {"service", "shop"}, {"origin", "lambda"}, {"_dd.origin", "lambda"}}));
  EXPECT_TRUE(observer.seen[0].top_level);
  EXPECT_FALSE(observer.seen[0].measured);
  EXPECT_FALSE(observer.seen[1].top_level);
  EXPECT_TRUE(observer.seen[1].measured);
  EXPECT_EQ(observer.seen[2].span_id, 4);
  EXPECT_EQ(observer.seen[3].span_id, 5);
  for (const Observer::Seen& seen : observer.seen) {
    EXPECT_EQ(seen.language, "python");
    EXPECT_EQ(seen.runtime_id, "r1");
  }
}

// --- Tags ---

TEST_F(TraceProcessorTest, FunctionTagsOverwriteAndComeOnce) {
  TraceProcessorOptions options;
  options.function_tags = {{"env", "prod"}, {"functionname", "checkout"}, {"version", "7"}};
  const TracePayload payload = Process(Body({{Span(1, 0,
                                                   Meta({{"env", Text("dev")},
                                                         {"version", Text("1")},
                                                         {"k", Text("v")},
                                                         {"origin", Text("x")},
                                                         {"_dd.compute_stats", Text("0")}}))}}),
                                       std::move(options));
  const std::string_view span = Spans(payload)[0];
  EXPECT_EQ(Entries(span, SpanField::kMeta), (Tags{{"k", "v"},
                                                   {"env", "prod"},
                                                   {"functionname", "checkout"},
                                                   {"version", "7"},
                                                   {"origin", "lambda"},
                                                   {"_dd.origin", "lambda"},
                                                   {"_dd.compute_stats", "1"}}));
  EXPECT_EQ(All(span, SpanField::kMeta).size(), 7);
}

TEST_F(TraceProcessorTest, ThePayloadNamesTheFunctionsTagsSorted) {
  TraceProcessorOptions options;
  options.function_tags = {{"region", "eu-west-1"}, {"account_id", "123"}, {"env", "prod"}};
  const TracePayload payload = Process(Body({{Span(1, 0)}}), std::move(options));
  EXPECT_EQ(Entries(payload.process_fields(), TracerPayloadField::kTags),
            (Tags{{"_dd.tags.function", "account_id:123,env:prod,region:eu-west-1"}}));
  EXPECT_TRUE(All(Process(Body({{Span(1, 0)}})).process_fields(), TracerPayloadField::kTags).empty());
}

TEST_F(TraceProcessorTest, TheProcessIsDescribedByTracersElseByTheEnvironment) {
  TraceProcessorOptions options;
  options.env = "Prod";
  options.function_tags = {{"env", "prod"}, {"version", "9"}};
  TraceProcessor processor = Make(std::move(options));
  TracerHeaders headers;
  headers.lang = "python";
  const TracePayload tagged =
      By(processor,
         Body({{Span(1, 5, Meta({{"env", Text("child")}})),
                Span(5, 0,
                     Meta({{"env", Text("Dev Env")}, {"runtime-id", Text("r1")}, {"version", Text("1")}}))}}),
         headers);
  EXPECT_EQ(Str(tagged.process_fields(), TracerPayloadField::kEnv), "dev_env");
  EXPECT_EQ(Str(tagged.process_fields(), TracerPayloadField::kRuntimeId), "r1");
  EXPECT_EQ(Str(tagged.process_fields(), TracerPayloadField::kAppVersion), "1");
  EXPECT_EQ(Str(tagged.process_fields(), TracerPayloadField::kLanguageName), "python");
  const TracePayload bare = By(processor, Body({{Span(2, 0)}}));
  EXPECT_EQ(Str(bare.process_fields(), TracerPayloadField::kEnv), "prod");
}

TEST_F(TraceProcessorTest, TheServiceOfAFunctionWithoutANameIsItsServiceTag) {
  TraceProcessorOptions options;
  const std::string body = Body({{Span(1, 0, Service("aws.lambda")), Span(2, 1, Service("aws.lambda.x"))}});
  EXPECT_EQ(Str(Spans(Process(body))[0], SpanField::kService), "aws.lambda");
  options.function_tags = {{"service", "shop"}};
  const TracePayload payload = Process(body, std::move(options));
  EXPECT_EQ(Str(Spans(payload)[0], SpanField::kService), "shop");
  EXPECT_EQ(Str(Spans(payload)[1], SpanField::kService), "aws.lambda.x");
}

TEST_F(TraceProcessorTest, SpansMadeOfATriggerHaveABaseService) {
  const std::string body = Body(
      {{Span(1, 0, Meta({{"_inferred_span.tag_source", Text("self")}})),
        Span(2, 1, Meta({{"_inferred_span.tag_source", Text("self")}, {"_dd.base_service", Text("given")}})),
        Span(3, 1)}});
  const auto base = [&](std::string service, std::string function_name, bool representation, size_t span) {
    TraceProcessorOptions options;
    options.service = service;
    options.function_name = function_name;
    options.service_representation = representation;
    const TracePayload payload = Process(body, std::move(options));
    return Entries(Spans(payload)[span], SpanField::kMeta)["_dd.base_service"];
  };
  EXPECT_EQ(base("shop", "checkout", true, 0), "shop");
  EXPECT_EQ(base("shop", "checkout", true, 1), "given");
  EXPECT_EQ(base("shop", "checkout", true, 2), "");
  EXPECT_EQ(base("", "checkout", true, 0), "checkout");
  EXPECT_EQ(base("", "", true, 0), "aws.lambda");
  EXPECT_EQ(base("shop", "checkout", false, 0), "aws.lambda");
}

TEST_F(TraceProcessorTest, SpanFieldsOtherThanTagsAreKept) {
  const std::string appsec("\x81\xA1x\x00\xFF", 5);
  const TracePayload payload = Process(
      Body({{Span(1, 0,
                  {{"meta_struct", Map({{"appsec", [&](MsgpackWriter& out) { out.Binary(appsec); }}})},
                   {"span_links", Array({Map({{"trace_id", Int(11)}, {"span_id", Int(13)}})})},
                   {"span_events", Array({Map({{"time_unix_nano", Int(99)}, {"name", Text("event")}})})},
                   {"error", Int(1)}})}}));
  const std::string_view span = Spans(payload)[0];
  EXPECT_EQ(Entries(span, SpanField::kMetaStruct)["appsec"], appsec);
  EXPECT_EQ(Num(Str(span, SpanField::kSpanLinks), SpanLinkField::kSpanId), 13);
  EXPECT_EQ(Str(Str(span, SpanField::kSpanEvents), SpanEventField::kName), "event");
  EXPECT_EQ(Num(span, SpanField::kError), 1);
}

// --- Normalisation, filters, obfuscation, replacement ---

// The peer stops normalising at the first span that is wrong.
TEST_F(TraceProcessorTest, EverySpanIsNormalised) {
  const int64_t now = absl::ToUnixNanos(clock_.Now().wall);
  const TracePayload payload = Process(Body({{
      Span(1, 0,
           {{"service", Text("My Service")},
            {"name", Text("1 op!")},
            {"start", Int(5)},
            {"duration", Int(7)}}),
      Map({{"trace_id", Int(8)},  // a span of another trace
           {"span_id", Int(2)},
           {"resource", Text("r")},
           {"meta", Map({{"env", Text("Prod Env")}, {"http.status_code", Text("abc")}, {"k", Text("V")}})}}),
      Span(3, 1, Meta({{"http.status_code", Text("404")}})),
  }}));
  const auto spans = Spans(payload);
  ASSERT_EQ(spans.size(), 3);
  EXPECT_EQ(Str(spans[0], SpanField::kService), "my_service");
  EXPECT_EQ(Str(spans[0], SpanField::kName), "op");
  EXPECT_EQ(Str(spans[0], SpanField::kResource), "op");
  EXPECT_EQ(Num(spans[0], SpanField::kStart), now - 7);
  EXPECT_EQ(Str(spans[1], SpanField::kService), "unnamed-service");
  EXPECT_EQ(Str(spans[1], SpanField::kName), "unnamed_operation");
  EXPECT_EQ(Str(spans[1], SpanField::kResource), "r");
  Tags meta = Entries(spans[1], SpanField::kMeta);
  EXPECT_EQ(meta["env"], "prod_env");
  EXPECT_EQ(meta["k"], "V");
  EXPECT_FALSE(meta.contains("http.status_code"));
  EXPECT_EQ(Entries(spans[2], SpanField::kMeta)["http.status_code"], "404");
}

TEST_F(TraceProcessorTest, AServiceIsTheSameHoweverItIsWritten) {
  EXPECT_EQ(TopLevel(Process(Body({{Span(1, 0, Service("Shop A")), Span(2, 1, Service("shop_a"))}}))),
            (std::set<uint64_t>{1}));
}

// The peer ships an empty chunk.
TEST_F(TraceProcessorTest, ARejectedTraceMakesNoChunk) {
  std::vector<std::string> warnings;
  TraceProcessorOptions options;
  options.tag_filter = TagFilter({.require = "env:prod_env", .reject = "resource:health"}, warnings);
  const Fields prod = Meta({{"env", Text("Prod Env")}});
  const TracePayload payload = Process(Body({
                                           {Span(1, 0, prod), Span(2, 1, Resource("health"))},
                                           {Span(11, 0, Resource("health", prod)), Span(12, 11)},
                                           {Span(22, 21, prod), Span(21, 0)},
                                       }),
                                       std::move(options));
  EXPECT_EQ(warnings, std::vector<std::string>{});
  EXPECT_EQ(counts_.filtered_chunks, 2);
  EXPECT_EQ(All(payload.chunk_fields(), TracerPayloadField::kChunks).size(), 1);
  EXPECT_EQ(Ids(payload), (std::vector<uint64_t>{1, 2}));
}

TEST_F(TraceProcessorTest, SpansAreObfuscatedByTheirType) {
  TraceProcessorOptions options;
  options.http_obfuscation.remove_query_string = true;
  const auto span = [](uint64_t id, const char* type, Fields more) {
    more.push_back({"type", Text(type)});
    return Span(id, 0, more);
  };
  const std::string query = "SELECT * FROM users WHERE id = 42";
  const TracePayload payload = Process(
      Body({{span(1, "web", Meta({{"http.url", Text("https://me:secret@host/a?token=1")}})),
             span(2, "sql", Resource(query, Meta({{"sql.query", Text(query)}, {"db.type", Text("mysql")}}))),
             span(3, "cassandra", Resource(query)), span(4, "redis", Resource("SET key secret")),
             span(5, "worker",
                  Resource(query, Meta({{"http.url", Text("https://me:secret@host/a?token=1")}})))}}),
      std::move(options));
  const auto spans = Spans(payload);
  EXPECT_EQ(Entries(spans[0], SpanField::kMeta)["http.url"], "https://host/a?");
  for (const size_t i : {1, 2}) {
    EXPECT_EQ(Str(spans[i], SpanField::kResource), "SELECT * FROM users WHERE id = ?");
    EXPECT_EQ(Entries(spans[i], SpanField::kMeta)["sql.query"], "SELECT * FROM users WHERE id = ?");
  }
  EXPECT_EQ(Str(spans[3], SpanField::kResource), "SET");
  EXPECT_EQ(Str(spans[4], SpanField::kResource), query);
  EXPECT_EQ(Entries(spans[4], SpanField::kMeta)["http.url"], "https://me:secret@host/a?token=1");
}

// OpenTelemetry has tags for the query and for the database whose dialect it is in.
TEST_F(TraceProcessorTest, QueriesInTagsOfOpenTelemetryAreObfuscatedLikeTheResource) {
  const auto sql = [](uint64_t id, const std::string& resource, Fields meta, const char* type = "sql") {
    return Span(id, 0, Resource(resource, {{"meta", Map(std::move(meta))}, {"type", Text(type)}}));
  };
  const std::string query = "SELECT a FROM t WHERE b = 'secret'";
  const TracePayload payload = Process(Body({{
      sql(1, query, {{"db.statement", Text(query)}, {"db.query.text", Text("SELECT 1")}}),
      sql(2, "SELECT t", {{"db.query.text", Text(query)}, {"db.statement", Text("")}}),
      sql(3, query, {{"db.statement", Text("'")}}, "cassandra"),
      sql(4, "SELECT t", {{"db.statement", Text("SELECT \"secret\"")}, {"db.system.name", Text("mysql")}}),
      sql(5, "GET", {{"db.statement", Text("GET secret")}}, "redis"),
  }}));
  const auto spans = Spans(payload);
  const auto meta = [&spans](size_t i) { return Entries(spans[i], SpanField::kMeta); };
  EXPECT_EQ(meta(0)["db.statement"], "SELECT a FROM t WHERE b = ?");
  EXPECT_EQ(meta(0)["db.query.text"], "SELECT ?");
  EXPECT_EQ(meta(0)["sql.query"], "SELECT a FROM t WHERE b = ?");
  EXPECT_EQ(meta(1)["db.query.text"], "SELECT a FROM t WHERE b = ?");
  EXPECT_EQ(meta(1)["db.statement"], "");
  EXPECT_EQ(meta(1)["sql.query"], "SELECT t");
  EXPECT_EQ(meta(2)["db.statement"], "?");
  EXPECT_EQ(meta(3)["db.statement"], "SELECT ?") << "a literal in its dialect";
  EXPECT_EQ(meta(4)["db.statement"], "GET secret") << "no SQL";
}

// OpenTelemetry's API gives its spans another type than Datadog's instrumentation, or none.
TEST_F(TraceProcessorTest, QueriesInTagsAreObfuscatedWhateverTheSpansType) {
  const auto sql = [](uint64_t id, const std::string& resource, Fields meta, const char* type) {
    return Span(id, 0, Resource(resource, {{"meta", Map(std::move(meta))}, {"type", Text(type)}}));
  };
  const std::string query = "SELECT a FROM t WHERE b = 'secret'", hidden = "SELECT a FROM t WHERE b = ?";
  const TracePayload payload = Process(Body({{
      sql(1, query, {{"db.statement", Text(query)}, {"db.system", Text("postgresql")}}, ""),
      sql(2, "SELECT t", {{"db.query.text", Text(query)}, {"db.system.name", Text("microsoft.sql_server")}},
          "db"),
      sql(3, query,
          {{"db.statement", Text(query)}, {"db.query.text", Text(query)}, {"db.system", Text("MySQL")}},
          "custom"),
      sql(4, "find", {{"db.statement", Text("{a: 'kept'}")}, {"db.system", Text("mongodb")}}, "db"),
      sql(5, "x", {{"db.statement", Text(query)}}, "custom"),
      sql(6, query, {{"db.statement", Text(query + ";")}, {"db.system", Text("clickhouse")}}, ""),
      sql(7, query.substr(0, query.size() - 4),
          {{"db.query.text", Text(query)}, {"db.system.name", Text("unheard of")}}, "db"),
      sql(8, " " + query + "; ",
          {{"db.statement", Text(query)}, {"sql.query", Text(query)}, {"db.type", Text("postgres")}}, ""),
      sql(9, "x", {{"sql.query", Text(query)}, {"db.system", Text("snowflake")}}, ""),
  }}));
  const auto spans = Spans(payload);
  const auto meta = [&spans](size_t i) { return Entries(spans[i], SpanField::kMeta); };
  for (size_t i = 5; i < spans.size(); ++i) {
    EXPECT_EQ(spans[i].find("'sec"), std::string_view::npos) << i;
  }
  EXPECT_EQ(meta(5)["db.statement"], hidden);
  EXPECT_EQ(meta(7)["sql.query"], hidden);
  EXPECT_EQ(Str(spans[7], SpanField::kResource), hidden);
  EXPECT_EQ(Str(spans[8], SpanField::kResource), "x");
  EXPECT_EQ(meta(0)["db.statement"], hidden);
  EXPECT_EQ(Str(spans[0], SpanField::kResource), hidden);
  EXPECT_FALSE(meta(0).contains("sql.query"));
  EXPECT_EQ(meta(1)["db.query.text"], hidden);
  EXPECT_EQ(Str(spans[1], SpanField::kResource), "SELECT t");
  EXPECT_EQ(meta(2)["db.statement"], hidden);
  EXPECT_EQ(meta(2)["db.query.text"], hidden);
  EXPECT_EQ(Str(spans[2], SpanField::kResource), hidden);
  EXPECT_EQ(meta(3)["db.statement"], "{a: 'kept'}") << "no SQL";
  EXPECT_EQ(meta(4)["db.statement"], query) << "nothing says what database it is";
}

TEST_F(TraceProcessorTest, ReplaceRulesComeLastAndSeeTheFunctionsTags) {
  std::vector<std::string> warnings;
  TraceProcessorOptions options = StatsHere();
  options.replace_rules = ReplaceRules(
      R"([{"name": "*", "pattern": "secret", "repl": "?"},
          {"name": "k", "pattern": "^(.)..", "repl": "$1"},
          {"name": "resource.name", "pattern": "\\d+", "repl": "N"}])",
      warnings);
  options.function_tags = {{"team", "secret-team"}};
  Observer observer;
  const TracePayload payload = Process(
      Body({{Span(1, 0, Resource("GET /17", Meta({{"k", Text("a-secret")}, {"other", Text("secrets")}})))}}),
      std::move(options), {}, &observer);
  EXPECT_EQ(warnings, std::vector<std::string>{});
  const std::string_view span = Spans(payload)[0];
  EXPECT_EQ(Str(span, SpanField::kResource), "GET /N");
  Tags meta = Entries(span, SpanField::kMeta);
  EXPECT_EQ(meta["k"], "a");
  EXPECT_EQ(meta["other"], "?s");
  EXPECT_EQ(meta["team"], "?-team");
  ASSERT_EQ(observer.seen.size(), 1);
  EXPECT_EQ(observer.seen[0].meta["k"], "a");
  EXPECT_EQ(observer.seen[0].meta["team"], "?-team");
}

// --- Invocations ---

class Links : public InvocationLinks {
 public:
  uint64_t OnLoadSpan(uint64_t trace_id, uint64_t span_id) override {
    calls.push_back("load " + std::to_string(trace_id) + " " + std::to_string(span_id));
    return cold_start;
  }
  void OnPlaceholder(const SpanView& span, std::string_view meta_struct,
                     bool client_computed_stats) override {
    std::string call = "placeholder";
    for (const SpanMeta& entry : span.meta)
      call.append(" ").append(entry.key).append("=").append(entry.value);
    for (const SpanMetric& metric : span.metrics) call.append(" ").append(metric.key);
    for (const auto& [key, value] : Entries(meta_struct, SpanField::kMetaStruct))
      call += " " + key + "=" + value;
    calls.push_back(call + (client_computed_stats ? " stats" : ""));
  }
  uint64_t ParentOf(uint64_t trace_id, uint64_t parent_id) override {
    return trace_id == 7 && parent_id == 50 ? 60 : parent_id;
  }
  uint64_t cold_start = 0;
  std::vector<std::string> calls;
};

TEST_F(TraceProcessorTest, SpansAreTiedToInvocations) {
  Links links;
  links.cold_start = 77;
  TraceProcessor processor = Make({}, &links);
  const TracePayload payload =
      By(processor,
         Body({{Span(1, 50), Span(2, 1, Named("aws.lambda.load")), Span(3, 50, Named("aws.lambda")),
                Span(4, 50,
                     Named("aws.lambda",
                           Resource("dd-tracer-serverless-span", {{"meta", Map({{"request_id", Text("r")}})},
                                                                  {"metrics", Map({{"m", Float(1)}})},
                                                                  {"meta_struct", Map({{"s", Text("b")}})},
                                                                  {"span_links", Array({Map({})})}})))}}),
         ComputedStats());
  EXPECT_EQ(links.calls, (std::vector<std::string>{"load 7 2", "placeholder request_id=r m s=b stats"}));
  EXPECT_EQ(Ids(payload), (std::vector<uint64_t>{1, 2, 3}));
  EXPECT_EQ(Num(Spans(payload)[0], SpanField::kParentId), 60);
  EXPECT_EQ(Num(Spans(payload)[1], SpanField::kParentId), 77);
  EXPECT_EQ(Num(Spans(payload)[2], SpanField::kParentId), 60);
  // Links are not told of spans that came before.
  links.calls.clear();
  By(processor, Body({{Span(2, 1, Named("aws.lambda.load"))}}));
  EXPECT_TRUE(links.calls.empty());
}

// The root, which the extension takes out, holds the facts of the whole trace.
TEST_F(TraceProcessorTest, APlaceholdersTagsMoveToTheRestOfItsTrace) {
  const Fields placeholder = {{"resource", Text("dd-tracer-serverless-span")},
                              {"meta", Map({{"_dd.p.tid", Text("640cfd8d00000000")},
                                            {"_dd.p.dm", Text("-4")},
                                            {"_dd.origin", Text("rum")},
                                            {"language", Text("go")}})},
                              {"metrics", Map({{kSamplingPriorityMetric, Float(2)}, {"x", Float(1)}})}};
  const Fields own = Meta({{"_dd.p.dm", Text("-1")}});
  Links links;
  for (const bool first : {true, false}) {
    TraceProcessor processor = Make({}, &links);
    std::vector<Write> spans = {Span(2, 1, own), Span(3, 1)};
    spans.insert(first ? spans.begin() : spans.end(), Span(1, 0, placeholder));
    const TracePayload payload = By(processor, Body({spans, {Span(12, 11)}}));
    EXPECT_EQ(Ids(payload), (std::vector<uint64_t>{2, 3}));
    EXPECT_EQ(Num(Chunk(payload, 0), TraceChunkField::kPriority), 2);
    EXPECT_EQ(Str(Chunk(payload, 0), TraceChunkField::kOrigin), "rum");
    Tags meta = Entries(Spans(payload)[0], SpanField::kMeta);
    EXPECT_EQ(meta["_dd.p.tid"], "640cfd8d00000000");
    EXPECT_EQ(meta["_dd.p.dm"], "-1") << "what the span says itself";
    EXPECT_FALSE(meta.contains("language"));
    EXPECT_EQ(Metrics(Spans(payload)[0])[kSamplingPriorityMetric], 2);
    EXPECT_FALSE(Metrics(Spans(payload)[0]).contains("x"));
    EXPECT_FALSE(Entries(Spans(payload)[1], SpanField::kMeta).contains("_dd.p.tid")) << "once";
    EXPECT_FALSE(Entries(Spans(payload, 1)[0], SpanField::kMeta).contains("_dd.p.tid")) << "another trace";
  }
}

TEST_F(TraceProcessorTest, ANoisyRootsTraceTagsMoveToTheRestOfItsTrace) {
  const TracePayload payload =
      Process(Body({{Span(1, 0, Named("dns.lookup", Meta({{"_dd.p.dm", Text("-4")}}))), Span(2, 1)}}));
  EXPECT_EQ(Ids(payload), (std::vector<uint64_t>{2}));
  EXPECT_EQ(Entries(Spans(payload)[0], SpanField::kMeta)["_dd.p.dm"], "-4");
}

TEST_F(TraceProcessorTest, PlaceholdersNeedNoIds) {
  Links links;
  TraceProcessor processor = Make({}, &links);
  const std::string body = Body({{Map({{"resource", Text("dd-tracer-serverless-span")}})}});
  for (int i = 0; i < 2; ++i) {
    const TracePayload payload = By(processor, body);
    EXPECT_TRUE(payload.empty());
    EXPECT_EQ(payload.counts().spans_without_ids, 0);
  }
  EXPECT_EQ(links.calls, (std::vector<std::string>{"placeholder", "placeholder"}));
}

TEST_F(TraceProcessorTest, WithoutAColdStartALoadSpanKeepsItsParent) {
  Links links;
  TraceProcessor processor = Make({}, &links);
  const TracePayload payload = By(processor, Body({{Span(2, 1, Named("aws.lambda.load"))}}));
  EXPECT_EQ(Num(Spans(payload)[0], SpanField::kParentId), 1);
}

// --- v0.5 ---

TEST_F(TraceProcessorTest, BothFormatsGiveTheSame) {
  const std::string v04 = Body({{Span(1, 0,
                                      {{"service", Text("svc")},
                                       {"name", Text("op")},
                                       {"resource", Text("GET /")},
                                       {"type", Text("web")},
                                       {"start", Int(1'700'000'000'000'000'000)},
                                       {"duration", Int(5)},
                                       {"error", Int(1)},
                                       {"meta", Map({{"env", Text("prod")}})},
                                       {"metrics", Map({{kSamplingPriorityMetric, Float(1)}})}})}});
  std::vector<Write> table;
  for (const char* text : {"", "svc", "op", "GET /", "web", "env", "prod", kSamplingPriorityMetric})
    table.push_back(Text(text));
  const Write span = Array({Int(1), Int(2), Int(3), Int(7), Int(1), Int(0), Int(1'700'000'000'000'000'000),
                            Int(5), Int(1), [](MsgpackWriter& out) { out.Raw("\x81\x05\x06"); },
                            [](MsgpackWriter& out) {
                              out.Map(1);
                              out.Signed(7);
                              Float(1)(out);
                            },
                            Int(4)});
  const std::string v05 = Bytes(Array({Array(table), Array({Array({span})})}));
  TraceProcessor one = Make(), other = Make();
  const auto first = one.Process(v04, TraceFormat::kV04, {});
  const auto second = other.Process(v05, TraceFormat::kV05, {});
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(first->counts().spans, 1);
  EXPECT_EQ(first->chunk_fields(), second->chunk_fields());
  EXPECT_EQ(first->process_fields(), second->process_fields());
}

// --- Cost ---

std::string ManySpans(int traces, int spans, uint64_t first_id) {
  std::vector<std::vector<Write>> body(traces);
  for (int t = 0; t < traces; ++t)
    for (int s = 0; s < spans; ++s)
      body[t].push_back(Span(first_id + t * spans + s, s == 0 ? 0 : first_id + t * spans + s - 1,
                             {{"service", Text("svc")},
                              {"meta", Map({{"env", Text("prod")},
                                            {"_dd.origin", Text("rum-of-some-length")},
                                            {"key", Text(std::string(40, 'v'))}})},
                              {"metrics", Map({{"_sampling_priority_v1", Float(1)}})}}));
  return Body(body);
}

// Makes a v0.5 request whose spans, 100 bytes each, name strings of a table: each span's tag "error.stack" is
// `text`.
std::string SpansThatShare(const std::string& text, int spans) {
  MsgpackWriter out;
  out.Array(2);
  out.Array(6);
  for (const std::string& entry : {std::string("svc"), std::string("op"), std::string("error.stack"), text,
                                   std::string("_dd.p.tid"), std::string("640cfd8d00000000")})
    out.String(entry);
  out.Array(1);
  out.Array(spans);
  for (int i = 0; i < spans; ++i) {
    out.Array(12);
    for (const int index : {0, 1, 1}) out.Unsigned(index);
    out.Unsigned(7);
    out.Unsigned(1 + i);
    out.Unsigned(i == 0 ? 0 : 1);
    out.Unsigned(1'700'000'000'000'000'000);
    out.Unsigned(5);
    out.Unsigned(1);
    out.Map(i == 0 ? 2 : 1);
    out.Unsigned(2);
    out.Unsigned(3);
    if (i == 0) {
      out.Unsigned(4);
      out.Unsigned(5);
    }
    out.Map(0);
    out.Unsigned(0);
  }
  return out.Take();
}

// The result of work that was run to its end.
struct Worked {
  absl::Status status;
  std::vector<TracePayload> parts;
  int steps = 0;
};
Worked Work(TraceWork& work, int64_t step = 1 << 20) {
  Worked worked;
  while (true) {
    ++worked.steps;
    const absl::StatusOr<TraceWork::State> state = work.Step(step);
    worked.status = state.status();
    if (!state.ok()) return worked;
    if (*state != TraceWork::State::kMore) worked.parts.push_back(work.TakePart());
    if (*state == TraceWork::State::kDone) return worked;
  }
}

TEST_F(TraceProcessorTest, ALargeRequestsResultComesInParts) {
  const std::string body = SpansThatShare(std::string(10'000, 's'), 2'000);
  FakeByteAccount account(16 << 20);
  TraceProcessor processor = Make(StatsHere());
  Observer observer;
  Worked worked;
  {
    const auto work = processor.Begin(body, TraceFormat::kV05, {},
                                      {.account = &account, .max_part_bytes = 1 << 20}, &observer);
    worked = Work(*work);
    EXPECT_EQ(work->counts().spans, 2'000);
    EXPECT_EQ(work->counts().chunks, 1);
  }
  ASSERT_TRUE(worked.status.ok()) << worked.status;
  EXPECT_GE(worked.parts.size(), 20);
  EXPECT_GE(worked.steps, 20);
  EXPECT_LT(account.most(), 4 << 20);
  EXPECT_EQ(account.taken(), 0);
  std::vector<uint64_t> ids;
  for (const TracePayload& part : worked.parts) {
    EXPECT_LE(part.size(), 1 << 20);
    EXPECT_EQ(part.process_fields(), worked.parts[0].process_fields());
    const std::string chunk = Chunk(part, 0);
    EXPECT_EQ(Num(chunk, TraceChunkField::kPriority), kNoPriority);
    EXPECT_EQ(Str(chunk, TraceChunkField::kOrigin), "lambda");
    EXPECT_EQ(Entries(Spans(part)[0], SpanField::kMeta).at("_dd.p.tid"), "640cfd8d00000000");
    for (const uint64_t id : Ids(part)) ids.push_back(id);
  }
  ASSERT_EQ(ids.size(), 2'000);
  for (size_t i = 0; i < ids.size(); ++i) ASSERT_EQ(ids[i], i + 1);
  EXPECT_EQ(observer.seen.size(), 2'000) << "each once";
}

TEST_F(TraceProcessorTest, ARequestsResultIsLimitedBeforeAnyOfItIsMade) {
  const std::string body = SpansThatShare(std::string(1'000'000, 's'), 100'000);
  FakeByteAccount account(64 << 20);
  TraceProcessor processor = Make();
  const TraceLimits limits = {.account = &account, .max_result_bytes = 256 << 20, .max_part_bytes = 1 << 20};
  {
    const auto work = processor.Begin(body, TraceFormat::kV05, {}, limits);
    const Worked worked = Work(*work);
    EXPECT_TRUE(absl::IsOutOfRange(worked.status)) << worked.status;
    EXPECT_TRUE(worked.parts.empty());
  }
  EXPECT_LT(account.most(), 4 << 20) << "not even the notes of all its spans";
  // Spans of a refused request don't count as having come before.
  const std::string few = SpansThatShare("short", 100);
  EXPECT_EQ((*processor.ProcessAtOnce(few, TraceFormat::kV05, {}, limits))->counts().spans, 100);
}

TEST_F(TraceProcessorTest, MoreWorkThanOneTurnIsDoneInSteps) {
  TraceProcessor processor = Make();
  const auto at_once = [&processor](const std::string& body) {
    return *processor.ProcessAtOnce(body, TraceFormat::kV05, {}, {});
  };
  EXPECT_FALSE(at_once(SpansThatShare(std::string(100'000, 's'), 10)).has_value()) << "it becomes a lot";
  EXPECT_FALSE(at_once(SpansThatShare(std::string(300'000, 's'), 1)).has_value()) << "it is large";
  EXPECT_TRUE(at_once(SpansThatShare(std::string(1'000, 's'), 10)).has_value());
}

TEST_F(TraceProcessorTest, RepairedTextIsChargedBeforeItIsMade) {
  // Each invalid byte becomes three.
  const std::string body = SpansThatShare(std::string(500'000, '\xFF'), 4);
  for (const size_t room : {size_t{2} << 20, size_t{16} << 20}) {
    FakeByteAccount account(room);
    TraceProcessor processor = Make();
    const auto work =
        processor.Begin(body, TraceFormat::kV05, {}, {.account = &account, .max_part_bytes = 1 << 20});
    const Worked worked = Work(*work);
    EXPECT_EQ(worked.status.ok(), room > 2 << 20) << worked.status;
    if (worked.status.ok()) {
      EXPECT_EQ(worked.parts.size(), 4) << "a span that is larger than a part is one";
    }
  }
}

// Makes a v0.5 request whose spans name strings of a table: span i has the type `type`, the resource
// `texts[i % texts.size()]`, and, if `key` is not empty, `tags` tags `key` with the texts in turn. Each span is
// a trace if `priority` is set.
std::string SpansOfTexts(const std::string& type, const std::vector<std::string>& texts, int spans,
                         const std::string& key = "", int tags = 0, std::optional<int> priority = {}) {
  MsgpackWriter out;
  out.Array(2);
  out.Array(5 + texts.size());
  for (const std::string& entry :
       {std::string("svc"), std::string("op"), type, key, std::string(kSamplingPriorityMetric)})
    out.String(entry);
  for (const std::string& text : texts) out.String(text);
  const auto text_of = [&texts](int i) { return 5 + i % texts.size(); };
  out.Array(priority.has_value() ? spans : 1);
  if (!priority.has_value()) out.Array(spans);
  for (int i = 0; i < spans; ++i) {
    if (priority.has_value()) out.Array(1);
    out.Array(12);
    out.Unsigned(0);
    out.Unsigned(1);
    out.Unsigned(text_of(i));
    out.Unsigned(7);
    out.Unsigned(1 + i);
    out.Unsigned(i == 0 || priority.has_value() ? 0 : 1);
    out.Unsigned(1'700'000'000'000'000'000);
    out.Unsigned(5);
    out.Unsigned(0);
    out.Map(tags);
    for (int tag = 0; tag < tags; ++tag) {
      out.Unsigned(3);
      out.Unsigned(text_of(tag));
    }
    out.Map(priority.has_value() ? 1 : 0);
    if (priority.has_value()) {
      out.Unsigned(4);
      out.Signed(*priority);
    }
    out.Unsigned(2);
  }
  return out.Take();
}
std::string Repeated(std::string_view text, size_t bytes) {
  std::string all;
  while (all.size() < bytes) all += text;
  return all;
}

class TextBombTest : public TraceProcessorTest {
 protected:
  Worked WorkOn(const std::string& body, TraceProcessorOptions options = {},
                SpanObserver* observer = nullptr) {
    TraceProcessor processor = Make(std::move(options));
    Worked worked;
    {
      const auto work = processor.Begin(body, TraceFormat::kV05, {}, {.max_part_bytes = 1 << 20}, observer);
      worked = Work(*work);
    }
    EXPECT_TRUE(worked.status.ok()) << worked.status;
    counts_ = processor.counts();
    return worked;
  }
};

// A few hundred bytes, compressed, that name 200 MB of SQL.
TEST_F(TextBombTest, AQueryThatManySpansShareIsObfuscatedOnceAndReadInSteps) {
  for (const std::string& query :
       {"select " + Repeated("1,", 100'000), Repeated("--\n", 100'000), std::string(100'000, '\''),
        "select x in (" + Repeated("?,", 100'000) + "?)", Repeated("$a$", 99'999)}) {
    for (const char* type : {"sql", "cassandra"}) {
      const int64_t before = ThreadCpuMicroseconds();
      const Worked worked = WorkOn(SpansOfTexts(type, {query}, 2'000, "db.statement", 1));
      EXPECT_LT(ThreadCpuMicroseconds() - before, 4'000'000);
      EXPECT_GE(worked.steps, 200) << query.substr(0, 20);
      EXPECT_EQ(counts_.texts_hidden, 0);
      ASSERT_FALSE(worked.parts.empty());
      const auto spans = Spans(worked.parts[0]);
      ASSERT_GE(spans.size(), 2);
      EXPECT_LT(Str(spans[0], SpanField::kResource).size(), 100);
      EXPECT_EQ(Str(spans[0], SpanField::kResource), Str(spans[1], SpanField::kResource));
      EXPECT_EQ(Entries(spans[1], SpanField::kMeta)["db.statement"], Str(spans[1], SpanField::kResource));
    }
  }
}

TEST_F(TextBombTest, ReadingCountsAsWorkThoughLittleIsWritten) {
  const std::string text = Repeated("GET k\n", 100'000);
  EXPECT_GE(WorkOn(SpansOfTexts("redis", {text}, 1'000)).steps, 200);
  TraceProcessorOptions fixed;
  fixed.function_tags = {{"team", "blue"}};
  EXPECT_GE(WorkOn(SpansOfTexts("", {text}, 1'000, "team", 1), std::move(fixed)).steps, 100)
      << "a tag that the function's own replaces";
}

TEST_F(TextBombTest, SpansOfDroppedTracesCountAsWork) {
  Observer observer;
  const Worked worked = WorkOn(SpansOfTexts("web", {std::string(100'000, 'r')}, 1'000, "", 0, /*priority=*/0),
                               StatsHere(), &observer);
  EXPECT_EQ(counts_.unsampled_chunks, 1'000);
  EXPECT_EQ(observer.seen.size(), 1'000);
  EXPECT_GE(worked.steps, 50);
}

TEST_F(TextBombTest, ManyDifferentQueriesAreHiddenBeyondABound) {
  // More than are remembered.
  std::vector<std::string> queries;
  for (int i = 0; i < 20; ++i)
    queries.push_back("select '" + std::to_string(i) + Repeated("secret", 100'000) + "'");
  const Worked worked = WorkOn(SpansOfTexts("sql", queries, 1'000));
  EXPECT_GT(counts_.texts_hidden, 400) << "those that are remembered are not hidden";
  EXPECT_LT(counts_.texts_hidden, 900);
  int64_t spans = 0;
  for (const TracePayload& part : worked.parts) {
    spans += part.counts().spans;
    EXPECT_EQ(part.chunk_fields().find("secret"), std::string_view::npos);
  }
  EXPECT_EQ(spans, 1'000);
  EXPECT_EQ(Str(Spans(worked.parts[0])[0], SpanField::kResource), "select ?");
  EXPECT_NE(worked.parts.back().chunk_fields().find("Non-parsable SQL query"), std::string_view::npos);
}

TEST_F(TextBombTest, TheQueriesOfOneSpanAreBounded) {
  std::vector<std::string> queries;
  for (int i = 0; i < 1'000; ++i)
    queries.push_back("select '" + std::to_string(i) + Repeated("secret", 4'000) + "'");
  const Worked worked = WorkOn(SpansOfTexts("sql", queries, 1, "db.query.text", 1'000));
  EXPECT_GT(counts_.texts_hidden, 900);
  for (const TracePayload& part : worked.parts)
    EXPECT_EQ(part.chunk_fields().find("secret"), std::string_view::npos);
}

TEST_F(TextBombTest, ReplacementAndFiltersCountAsWork) {
  std::vector<std::string> warnings;
  TraceProcessorOptions replacing;
  replacing.replace_rules = ReplaceRules(R"([{"name": "k", "pattern": "(a|b)*$", "repl": "?"}])", warnings);
  const std::string text(100'000, 'a');
  EXPECT_GE(WorkOn(SpansOfTexts("", {text}, 40, "k", 1), std::move(replacing)).steps, 35)
      << "about one for each span";
  TraceProcessorOptions hiding;
  hiding.replace_rules = ReplaceRules(R"([{"name": "k", "pattern": "secret", "repl": "?"}])", warnings);
  const Worked worked =
      WorkOn(SpansOfTexts("", {Repeated("secret", 100'000)}, 1'000, "k", 1), std::move(hiding));
  EXPECT_GT(counts_.texts_hidden, 500) << "they are too much in all";
  EXPECT_EQ(Entries(Spans(worked.parts.back()).back(), SpanField::kMeta)["k"], "?");
  TraceProcessorOptions filtering;
  filtering.tag_filter = TagFilter({.regex_reject = "resource:x$"}, warnings);
  EXPECT_GE(WorkOn(SpansOfTexts("", {text}, 500, "", 0, /*priority=*/1), std::move(filtering)).steps, 200);
  EXPECT_EQ(warnings, std::vector<std::string>{});
}

TEST_F(TextBombTest, RepairedTextCountsAsWork) {
  const Worked worked = WorkOn(SpansOfTexts("", {std::string(100'000, '\xFF')}, 20));
  EXPECT_GE(worked.steps, 20) << "one for each span: an invalid byte takes as long as copying 32";
}

TEST_F(TextBombTest, LongServicesOfATraceAreNotComparedAsAWhole) {
  // Every second span has another service, which is repaired where it is compared.
  MsgpackWriter out;
  out.Array(2);
  out.Array(3);
  out.String(std::string(50'000, '\xFF') + "a");
  out.String(std::string(50'000, '\xFF') + "b");
  out.String("op");
  out.Array(1);
  out.Array(500);
  for (int i = 0; i < 500; ++i) {
    out.Array(12);
    out.Unsigned(i % 2);
    for (const int index : {2, 2}) out.Unsigned(index);
    out.Unsigned(7);
    out.Unsigned(1 + i);
    out.Unsigned(i);
    for (int left = 6; left > 0; --left) out.Raw("\xC0");
  }
  const std::string body = out.Take();
  TraceProcessor processor = Make();
  const auto work = processor.Begin(body, TraceFormat::kV05, {}, {});
  // The first steps read the request and look at the trace as a whole.
  for (int i = 0; i < 4; ++i) {
    const int64_t before = ThreadCpuMicroseconds();
    ASSERT_TRUE(work->Step(200'000).ok());
    EXPECT_LT(ThreadCpuMicroseconds() - before, 100'000) << "repairing 50 MB takes far longer";
  }
}

TEST_F(TraceProcessorTest, TextThatIsLookedIntoIsCutFirst) {
  std::string sql = "SELECT '";
  while (sql.size() < 4'000'000) sql += "secret";
  sql += "'";
  const TracePayload payload =
      Process(Body({{Span(1, 0, {{"type", Text("sql")}, {"resource", Text(sql)}, {"name", Text("q")}})}}));
  ASSERT_EQ(Spans(payload).size(), 1);
  EXPECT_LE(Str(Spans(payload)[0], SpanField::kResource).size(), 256 << 10);
  EXPECT_EQ(payload.chunk_fields().find("secret"), std::string_view::npos);
}

TEST_F(TraceProcessorTest, OtherRequestsAndTagsMayComeBetweenTheSteps) {
  TraceProcessor processor = Make({.function_tags = {{"a", "1"}}});
  const std::string body = SpansThatShare(std::string(10'000, 's'), 300);
  Worked worked;
  const auto work = processor.Begin(body, TraceFormat::kV05, {}, {.max_part_bytes = 1 << 20});
  int step = 0;
  while (true) {
    const absl::StatusOr<TraceWork::State> state = work->Step(100'000);
    ASSERT_TRUE(state.ok()) << state.status();
    if (*state != TraceWork::State::kMore) worked.parts.push_back(work->TakePart());
    if (*state == TraceWork::State::kDone) break;
    processor.SetFunctionTag("b", std::to_string(++step));
    EXPECT_EQ(By(processor, Body({{Span(10'000 + step, 0)}})).counts().spans, 1);
  }
  int64_t spans = 0;
  for (const TracePayload& part : worked.parts) spans += part.counts().spans;
  EXPECT_EQ(spans, 300);
}

TEST_F(TraceProcessorTest, TagsThatWereNumbersDescribeTheProcess) {
  const TracePayload payload = Process(Body({{Span(1, 0, Meta({{"version", Float(1.5)}, {"env", Int(7)}}))},
                                             {Span(2, 0, Meta({{"version", Int(99)}}))}}));
  EXPECT_EQ(Str(payload.process_fields(), TracerPayloadField::kAppVersion), "1.5");
  EXPECT_EQ(Entries(Spans(payload)[0], SpanField::kMeta).at("version"), "1.5");
  EXPECT_EQ(Entries(Spans(payload, 1)[0], SpanField::kMeta).at("version"), "99");
}

// The note of a span outlives its text.
TEST_F(TraceProcessorTest, ServicesThatWereNoTextTellTopLevelSpans) {
  const Write yes = [](MsgpackWriter& out) { out.Bool(true); };
  const Write no = [](MsgpackWriter& out) { out.Bool(false); };
  const TracePayload payload =
      Process(Body({{Span(1, 0, {{"service", yes}}), Span(2, 1, {{"service", yes}}),
                     Span(3, 1, {{"service", no}}), Span(4, 3, {{"service", no}})}}));
  EXPECT_EQ(TopLevel(payload), (std::set<uint64_t>{1, 3}));
}

TEST_F(TraceProcessorTest, AllocationsDoNotDependOnTheNumberOfSpans) {
  if (!kAllocationsAreCounted) GTEST_SKIP() << "a sanitizer's allocator is in use";
  TraceProcessorOptions options = StatsHere();
  options.function_tags = {{"env", "prod"}, {"functionname", "checkout"}};
  class : public SpanObserver {
   public:
    void OnSpan(const TracerView&, const SpanView& span) override { tags += span.meta.size(); }
    size_t tags = 0;
  } observer;
  TraceProcessor processor = Make(std::move(options));
  // The first request allocates the memory that all later ones use.
  By(processor, ManySpans(1, 1, 1), {}, &observer);
  constexpr int64_t kMost = 16;
  uint64_t first_id = 1000;
  for (const auto& [traces, spans] :
       {std::pair{1, 1}, {1, 10}, {1, 10'000}, {1000, 1}, {1000, 10}, {10, 1000}}) {
    const std::string body = ManySpans(traces, spans, first_id);
    first_id += traces * spans;
    const int64_t before = CountedAllocations();
    const absl::StatusOr<TracePayload> payload = processor.Process(body, TraceFormat::kV04, {}, &observer);
    const int64_t used = CountedAllocations() - before;
    ASSERT_TRUE(payload.ok());
    EXPECT_EQ(payload->counts().spans, traces * spans);
    EXPECT_LE(used, kMost) << traces << " traces of " << spans << " spans";
  }
  EXPECT_GT(observer.tags, 0);
}

// Makes a v0.5 request of one trace of tiny spans with scattered ids, each of which names another as its parent.
std::string TinySpans(uint64_t spans) {
  constexpr uint64_t kStride = 1'000'003;  // coprime to any power of two
  const uint64_t ids = std::bit_ceil(spans);
  const auto id_of = [ids](uint64_t i) { return 1 + i * kStride % ids; };
  MsgpackWriter out;
  out.Array(2);
  out.Array(1);
  out.String("");
  out.Array(1);
  out.Array(spans);
  for (uint64_t i = 0; i < spans; ++i) {
    out.Array(12);
    for (int text = 0; text < 3; ++text) out.Unsigned(0);
    out.Unsigned(7);
    out.Unsigned(id_of(i));
    out.Unsigned(id_of((i + 1) % spans));
    for (int left = 6; left > 0; --left) out.Raw("\xC0");
  }
  return out.Take();
}

// The least work that a step may take is the most that one takes beyond it: a span is done at once.
TEST_F(TraceProcessorTest, ATraceOfManyTinySpansIsLinkedAndWrittenInSteps) {
  constexpr uint64_t kSpans = 100'000;
  constexpr int64_t kStep = 64 << 10;
  const std::string body = TinySpans(kSpans);
  // Counts the calls between two steps, each of which is about one span.
  class : public InvocationLinks {
   public:
    uint64_t OnLoadSpan(uint64_t, uint64_t) override { return 0; }
    void OnPlaceholder(const SpanView&, std::string_view, bool) override {}
    uint64_t ParentOf(uint64_t, uint64_t parent_id) override {
      ++calls;
      return parent_id;
    }
    int calls = 0;
  } links;
  TraceProcessor linking({.deduplicator_bytes = 0}, clock_, &links);
  const auto work = linking.Begin(body, TraceFormat::kV05, {}, {.max_part_bytes = 1 << 20});
  int64_t spans = 0;
  int steps = 0, quiet_steps = 0;
  while (true) {
    links.calls = 0;
    const absl::StatusOr<TraceWork::State> state = work->Step(kStep);
    ASSERT_TRUE(state.ok()) << state.status();
    ++steps;
    EXPECT_LE(links.calls, 1'000);
    if (*state != TraceWork::State::kMore) spans += work->TakePart().counts().spans;
    // Steps in which the whole trace is sorted, its root is found and its top-level spans are marked.
    quiet_steps += links.calls == 0 && spans == 0;
    if (*state == TraceWork::State::kDone) break;
  }
  EXPECT_EQ(spans, kSpans);
  EXPECT_GT(steps, 2'000);
  EXPECT_GT(quiet_steps, 1'500) << "reading takes some 700 of them";
}

TEST_F(TraceProcessorTest, TextOfASpanThatIsNotUtf8IsRepairedUpToABound) {
  // Each repaired byte takes as long as copying 32.
  const std::string broken(400'000, '\xFF'), longer(20'000'000, '\xFF');
  const TracePayload payload = Process(Body({{Span(
      1, 0, Meta({{"a", Text(broken)}, {"b", Text(broken)}, {"c", Text(longer)}, {"d", Text("e")}}))}}));
  auto meta = Entries(Spans(payload)[0], SpanField::kMeta);
  EXPECT_EQ(meta["a"].size(), 3 * broken.size());
  EXPECT_EQ(meta["b"], "?");
  EXPECT_EQ(meta["c"], "?");
  EXPECT_EQ(meta["d"], "e");
}

TEST_F(TraceProcessorTest, ManySpansTakeNoQuadraticTime) {
  // Each span's parent is another span of the trace, so that each is looked up, twice.
  constexpr int kSpans = 200'000;
  MsgpackWriter out;
  out.Array(1);
  out.Array(kSpans);
  for (int i = 1; i <= kSpans; ++i) {
    out.Map(3);
    out.String("trace_id");
    out.Unsigned(1);
    out.String("span_id");
    out.Unsigned(i);
    out.String("parent_id");
    out.Unsigned(i % kSpans + 1);
  }
  EXPECT_EQ(Process(out.bytes()).counts().spans, kSpans);
}

}  // namespace
}  // namespace thaw
