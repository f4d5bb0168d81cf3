#include "cc/stats/concentrator.h"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cc/base/counted_allocations.h"
#include "cc/base/manual_executor.h"
#include "cc/base/msgpack_reader.h"
#include "cc/clock/fake_clock.h"
#include "cc/sketch/ddsketch_reading.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

// A payload's content, read back.
struct ReadGroup {
  int64_t start = 0;
  int64_t length = 0;
  std::map<std::string, uint64_t> numbers;
  std::map<std::string, std::string> texts;
};
struct ReadPayload {
  std::map<std::string, std::string> texts;
  std::vector<ReadGroup> groups;

  // Returns the sum for a resource over all intervals.
  uint64_t Sum(const std::string& number, std::string_view resource) const {
    uint64_t sum = 0;
    for (const ReadGroup& group : groups)
      if (group.texts.at("Resource") == resource) sum += group.numbers.at(number);
    return sum;
  }
  uint64_t Sum(const std::string& number) const {
    uint64_t sum = 0;
    for (const ReadGroup& group : groups) sum += group.numbers.at(number);
    return sum;
  }
};

class Reading {
 public:
  explicit Reading(std::string_view bytes) : reader_(bytes) {
    Map([&](std::string_view key) {
      if (key != "Stats") return Scalar(key, numbers_, payload.texts);
      Array([&] { Bucket(); });
    });
    EXPECT_TRUE(reader_.at_end());
  }
  ReadPayload payload;

 private:
  template <typename Entry>
  void Map(Entry&& entry) {
    uint32_t count;
    ASSERT_TRUE(reader_.ReadMap(count));
    for (; count > 0; --count) {
      std::string_view key;
      ASSERT_TRUE(reader_.ReadString(key));
      entry(key);
    }
  }
  template <typename Element>
  void Array(Element&& element) {
    uint32_t count;
    ASSERT_TRUE(reader_.ReadArray(count));
    for (; count > 0; --count) element();
  }
  void Scalar(std::string_view key, std::map<std::string, uint64_t>& numbers,
              std::map<std::string, std::string>& texts) {
    static const std::set<std::string_view> kNumbers = {
        "Sequence", "Start", "Duration", "Hits", "Errors", "TopLevelHits", "IsTraceRoot", "HTTPStatusCode"};
    std::string_view text;
    if (kNumbers.contains(key)) {
      EXPECT_TRUE(reader_.ReadInteger(numbers[std::string(key)]));
    } else {
      EXPECT_TRUE(reader_.ReadString(text)) << key;
      texts[std::string(key)] = text;
    }
  }
  void Bucket() {
    std::map<std::string, uint64_t> numbers;
    std::map<std::string, std::string> none;
    const size_t first = payload.groups.size();
    Map([&](std::string_view key) {
      if (key != "Stats") return Scalar(key, numbers, none);
      Array([&] { Group(); });
    });
    for (size_t i = first; i < payload.groups.size(); ++i) {
      payload.groups[i].start = static_cast<int64_t>(numbers["Start"]);
      payload.groups[i].length = static_cast<int64_t>(numbers["Duration"]);
    }
  }
  void Group() {
    ReadGroup group;
    Map([&](std::string_view key) {
      if (key != "Synthetics" && key != "PeerTags" && key != "AdditionalMetricTags")
        return Scalar(key, group.numbers, group.texts);
      reader_.Skip();
    });
    payload.groups.push_back(std::move(group));
  }

  MsgpackReader reader_;
  std::map<std::string, uint64_t> numbers_;
};

class ConcentratorTest : public testing::Test {
 protected:
  int64_t now() const { return absl::ToUnixNanos(clock_.Now().wall); }

  // Makes a span that ends now, or `age` earlier.
  SpanView Span(std::string_view resource, int64_t duration = 1000,
                absl::Duration age = absl::ZeroDuration()) const {
    SpanView span;
    span.service = "shop";
    span.name = "http.request";
    span.resource = resource;
    span.type = "web";
    span.start = now() - absl::ToInt64Nanoseconds(age) - duration;
    span.duration = duration;
    span.top_level = true;
    return span;
  }

  static DDSketch Sketch(double value) {
    DDSketch sketch;
    sketch.Insert(value);
    return sketch;
  }

  static std::vector<ReadPayload> Flush(Concentrator& concentrator, FlushScope scope = FlushScope::kAll) {
    std::vector<ReadPayload> payloads;
    const absl::Status status = concentrator.Flush(scope, [&](StatsPayload payload) {
      payloads.push_back(Reading(payload.bytes()).payload);
      // The payload equals what FromMsgpack would make of it.
      const absl::StatusOr<StatsPayload> taken = StatsPayload::FromMsgpack(payload.bytes());
      EXPECT_TRUE(taken.ok()) << taken.status();
      EXPECT_EQ(taken->first_problem(), "");
      EXPECT_EQ(taken->counts().buckets, payload.counts().buckets);
      EXPECT_EQ(taken->counts().groups, payload.counts().groups);
      EXPECT_EQ(taken->counts().strings_repaired, 0);
      EXPECT_EQ(taken->size(), payload.size());
      return absl::OkStatus();
    });
    EXPECT_TRUE(status.ok()) << status;
    return payloads;
  }
  static ReadPayload FlushOne(Concentrator& concentrator, FlushScope scope = FlushScope::kAll) {
    std::vector<ReadPayload> payloads = Flush(concentrator, scope);
    EXPECT_EQ(payloads.size(), 1);
    return payloads.empty() ? ReadPayload() : payloads[0];
  }

  ManualExecutor executor_;
  FakeClock clock_{executor_};
  const TracerView python_{"python", "2.1", "runtime-1", "container-1"};
};

TEST_F(ConcentratorTest, SpansOfOneKeyAreOneGroup) {
  Concentrator concentrator({.env = "prod", .version = "7", .service = "Shop"}, clock_);
  SpanView span = Span("GET /", 1000);
  concentrator.OnSpan(python_, span);
  span.duration = 3000;
  span.error = 1;
  span.top_level = false;
  span.measured = true;
  concentrator.OnSpan(python_, span);
  concentrator.OnSpan(python_, Span("GET /other"));
  span.measured = false;
  concentrator.OnSpan(python_, span);

  const ReadPayload payload = FlushOne(concentrator);
  EXPECT_EQ(payload.texts, (std::map<std::string, std::string>{{"Hostname", ""},
                                                               {"Env", "prod"},
                                                               {"Version", "7"},
                                                               {"Lang", "python"},
                                                               {"TracerVersion", "2.1"},
                                                               {"RuntimeID", "runtime-1"},
                                                               {"AgentAggregation", ""},
                                                               {"Service", "shop"},
                                                               {"ContainerID", "container-1"}}));
  ASSERT_EQ(payload.groups.size(), 2);
  EXPECT_EQ(payload.Sum("Hits", "GET /"), 2);
  EXPECT_EQ(payload.Sum("TopLevelHits", "GET /"), 1);
  EXPECT_EQ(payload.Sum("Errors", "GET /"), 1);
  EXPECT_EQ(payload.Sum("Duration", "GET /"), 4000);
  EXPECT_EQ(payload.Sum("Hits", "GET /other"), 1);
  for (const ReadGroup& group : payload.groups) {
    if (group.texts.at("Resource") != "GET /") continue;
    EXPECT_EQ(DDSketchReading(group.texts.at("OkSummary")).At(0), DDSketchReading(Sketch(1000)).At(0));
    EXPECT_EQ(DDSketchReading(group.texts.at("ErrorSummary")).At(0), DDSketchReading(Sketch(3000)).At(0));
    EXPECT_EQ(DDSketchReading(group.texts.at("ErrorSummary")).count(), 1);
  }
  EXPECT_EQ(concentrator.counts().spans_counted, 3);
  EXPECT_EQ(concentrator.counts().spans_without_stats, 1);
  EXPECT_TRUE(concentrator.empty());
  EXPECT_EQ(concentrator.memory(), 0);
  EXPECT_TRUE(Flush(concentrator).empty());
}

TEST_F(ConcentratorTest, AnEnvironmentWithoutANameIsUnknown) {
  Concentrator concentrator({}, clock_);
  concentrator.OnSpan({}, Span("a"));
  EXPECT_EQ(FlushOne(concentrator).texts.at("Env"), "unknown-env");
}

TEST_F(ConcentratorTest, InvalidUtf8IsRepaired) {
  Concentrator concentrator({.env = "e\xFF", .version = "\xFF", .service = "\xFF"}, clock_);
  concentrator.OnSpan({"\xFF", "\xFF", "\xFF", "\xFF"}, Span("a"));
  EXPECT_EQ(FlushOne(concentrator).texts.at("Env"), "e\xEF\xBF\xBD");
}

TEST_F(ConcentratorTest, ASpanBelongsToTheIntervalItEndsIn) {
  clock_.Advance(absl::Seconds(25));
  Concentrator concentrator({}, clock_);
  const int64_t base = now() - 25 * kSecond;  // a multiple of 10 s
  ASSERT_EQ(base % (10 * kSecond), 0);
  for (const int64_t end : {19'999'999'999, 20'000'000'000}) {
    SpanView span = Span("a");
    span.start = base + 3 * kSecond;
    span.duration = end - 3 * kSecond;
    concentrator.OnSpan(python_, span);
  }
  const ReadPayload payload = FlushOne(concentrator);
  ASSERT_EQ(payload.groups.size(), 2);
  EXPECT_EQ(payload.groups[0].start, base + 10 * kSecond);
  EXPECT_EQ(payload.groups[1].start, base + 20 * kSecond);
  EXPECT_EQ(payload.groups[0].length, 10 * kSecond);
}

TEST_F(ConcentratorTest, AFlushOfSettledIntervalsLeavesTheLastTwo) {
  Concentrator concentrator({}, clock_);
  for (int i = 0; i < 4; ++i) {
    concentrator.OnSpan(python_, Span("a"));
    if (i < 3) clock_.Advance(absl::Seconds(10));
  }
  // 30 s have passed since the first interval.
  EXPECT_EQ(FlushOne(concentrator, FlushScope::kSettled).Sum("Hits"), 2);
  EXPECT_TRUE(Flush(concentrator, FlushScope::kSettled).empty());
  clock_.Advance(absl::Seconds(10));
  EXPECT_EQ(FlushOne(concentrator, FlushScope::kSettled).Sum("Hits"), 1);
  EXPECT_EQ(FlushOne(concentrator).Sum("Hits"), 1);
}

// The peer leaves counts younger than 20 s behind at each flush except the last, and there may be no last
// one.
TEST_F(ConcentratorTest, NothingStaysBehindBeforeAFreeze) {
  Concentrator concentrator({}, clock_);
  uint64_t sent = 0;
  for (int invocation = 0; invocation < 5; ++invocation) {
    concentrator.OnSpan(python_, Span("a"));
    concentrator.OnSpan(python_, Span("b"));
    sent += FlushOne(concentrator, FlushScope::kAll).Sum("Hits");
    EXPECT_TRUE(concentrator.empty());
    EXPECT_EQ(sent, 2 * (invocation + 1));
    clock_.Freeze({.wall = absl::Hours(1)});
  }
}

// The peer names the first tracer it ever saw in all stats.
TEST_F(ConcentratorTest, EachTracerHasAPayloadOfItsOwn) {
  Concentrator concentrator({}, clock_);
  const TracerView java{"java", "1.4", "runtime-2", "container-1"};
  const TracerView other_python{"python", "2.1", "runtime-3", "container-1"};
  concentrator.OnSpan(python_, Span("a"));
  concentrator.OnSpan(java, Span("a"));
  concentrator.OnSpan(java, Span("a"));
  concentrator.OnSpan(other_python, Span("a"));
  concentrator.OnSpan(python_, Span("a"));
  concentrator.OnSpan(python_, Span("a"));
  std::map<std::string, uint64_t> hits;
  std::map<std::string, std::string> languages;
  for (const ReadPayload& payload : Flush(concentrator)) {
    hits[payload.texts.at("RuntimeID")] = payload.Sum("Hits");
    languages[payload.texts.at("RuntimeID")] = payload.texts.at("Lang");
  }
  EXPECT_EQ(hits, (std::map<std::string, uint64_t>{{"runtime-1", 3}, {"runtime-2", 2}, {"runtime-3", 1}}));
  EXPECT_EQ(languages["runtime-2"], "java");
  // Tracers without counts are forgotten.
  concentrator.OnSpan(java, Span("a"));
  EXPECT_EQ(FlushOne(concentrator).texts.at("Lang"), "java");
}

TEST_F(ConcentratorTest, ARefusedPayloadStays) {
  Concentrator concentrator({}, clock_);
  concentrator.OnSpan(python_, Span("a"));
  concentrator.OnSpan({"java"}, Span("b"));
  const absl::Status status = concentrator.Flush(
      FlushScope::kAll, [](StatsPayload) { return absl::ResourceExhaustedError("no room"); });
  EXPECT_TRUE(absl::IsResourceExhausted(status));
  EXPECT_EQ(concentrator.counts().payloads_refused, 1);
  concentrator.OnSpan(python_, Span("a"));
  const std::vector<ReadPayload> payloads = Flush(concentrator);
  ASSERT_EQ(payloads.size(), 2);
  EXPECT_EQ(payloads[0].Sum("Hits") + payloads[1].Sum("Hits"), 3);
}

TEST_F(ConcentratorTest, ALateSpanIsCountedInTheOldestIntervalThatIsNotSent) {
  clock_.Advance(absl::Seconds(100));
  Concentrator concentrator({}, clock_);
  Flush(concentrator, FlushScope::kSettled);
  concentrator.OnSpan(python_, Span("a", 1000, absl::Seconds(60)));
  concentrator.OnSpan(python_, Span("a", 1000, absl::Hours(24 * 365 * 80)));
  EXPECT_EQ(concentrator.counts().late_spans, 2);
  const ReadPayload payload = FlushOne(concentrator);
  EXPECT_EQ(payload.Sum("Hits"), 2);
  ASSERT_EQ(payload.groups.size(), 1);
  EXPECT_EQ(payload.groups[0].start, now() / (10 * kSecond) * (10 * kSecond) - 10 * kSecond);
}

TEST_F(ConcentratorTest, ASpanFromTheFutureIsCountedNow) {
  Concentrator concentrator({}, clock_);
  SpanView span = Span("a");
  span.start = INT64_MAX;
  span.duration = INT64_MAX;
  concentrator.OnSpan(python_, span);
  span.start = INT64_MIN;
  concentrator.OnSpan(python_, span);
  span.duration = INT64_MAX;
  concentrator.OnSpan(python_, span);
  EXPECT_EQ(concentrator.counts().early_spans, 3);
  const ReadPayload payload = FlushOne(concentrator);
  EXPECT_EQ(payload.Sum("Hits"), 3);
  EXPECT_EQ(payload.Sum("Duration"), UINT64_MAX);
  ASSERT_EQ(payload.groups.size(), 1);
  EXPECT_EQ(payload.groups[0].start, now());
}

TEST_F(ConcentratorTest, NegativeDurationsAreNone) {
  Concentrator concentrator({}, clock_);
  SpanView span = Span("a");
  span.duration = -5;
  concentrator.OnSpan(python_, span);
  EXPECT_EQ(FlushOne(concentrator).Sum("Duration"), 0);
}

TEST_F(ConcentratorTest, IntervalsAheadOfAClockThatWasSetBackAreSent) {
  Concentrator concentrator({}, clock_);
  clock_.Advance({.wall = absl::Hours(1)});
  concentrator.OnSpan(python_, Span("a"));
  clock_.Advance({.wall = -absl::Hours(1)});
  EXPECT_EQ(FlushOne(concentrator, FlushScope::kSettled).Sum("Hits"), 1);
  concentrator.OnSpan(python_, Span("a"));
  EXPECT_EQ(FlushOne(concentrator).groups[0].start, now());
}

TEST_F(ConcentratorTest, SpansWithoutRoomAreCountedTogether) {
  constexpr int kSpans = 10'000;
  constexpr size_t kLimit = 256 << 10;
  Concentrator concentrator({.max_interval_bytes = kLimit}, clock_);
  std::vector<std::string> names;
  for (int i = 0; i < kSpans; ++i) names.push_back("GET /" + std::to_string(i));
  for (int i = 0; i < kSpans; ++i) concentrator.OnSpan(python_, Span(names[i], 1000 + i));
  EXPECT_LE(concentrator.memory(), kLimit + 16'000);
  // A known key is still counted by itself.
  concentrator.OnSpan(python_, Span("GET /0"));
  const ConcentratorCounts& counts = concentrator.counts();
  EXPECT_GT(counts.spans_counted, 100);
  EXPECT_GT(counts.spans_blocked, 100);
  EXPECT_EQ(counts.spans_counted + counts.spans_blocked, kSpans + 1);
  EXPECT_EQ(counts.spans_left_out, 0);
  // Another interval has room of its own.
  const int64_t counted = counts.spans_counted;
  clock_.Advance(absl::Seconds(10));
  concentrator.OnSpan(python_, Span("new"));
  EXPECT_EQ(counts.spans_counted, counted + 1);

  const ReadPayload payload = FlushOne(concentrator);
  EXPECT_EQ(payload.Sum("Hits"), kSpans + 2);
  EXPECT_EQ(payload.Sum("Hits", "GET /0"), 2);
  EXPECT_EQ(payload.Sum("Hits", kBlockedValue), counts.spans_blocked);
  EXPECT_EQ(payload.Sum("TopLevelHits"), kSpans + 2);
  EXPECT_EQ(concentrator.memory(), 0);
}

TEST_F(ConcentratorTest, AResourceBeyondTheLimitIsReplacedAndTheRestOfTheKeyStays) {
  constexpr int kSpans = 3000;
  Concentrator concentrator({.additional_tags = {"tenant"}}, clock_);
  for (int i = 0; i < kSpans; ++i) {
    const std::string name = "GET /" + std::to_string(i);
    SpanView span = Span(name);
    span.service = i % 2 == 0 ? "even" : "odd";
    concentrator.OnSpan(python_, span);
  }
  const int beyond = kSpans - static_cast<int>(CardinalityLimits::kMaxResources);
  EXPECT_EQ(concentrator.counts().spans_counted, kSpans);
  EXPECT_EQ(concentrator.counts().values_blocked, beyond);
  EXPECT_EQ(concentrator.counts().spans_blocked, 0);
  const ReadPayload payload = FlushOne(concentrator);
  EXPECT_EQ(payload.groups.size(), CardinalityLimits::kMaxResources + 2);
  EXPECT_EQ(payload.Sum("Hits"), kSpans);
  EXPECT_EQ(payload.Sum("Hits", kBlockedValue), beyond);
  for (const ReadGroup& group : payload.groups) EXPECT_NE(group.texts.at("Service"), kBlockedValue);
  EXPECT_EQ(concentrator.memory(), 0);
}

TEST_F(ConcentratorTest, KeysBeyondTheLimitAreCountedTogether) {
  Concentrator concentrator({.max_interval_bytes = 64 << 20, .max_bytes = 64 << 20}, clock_);
  const int spans = CardinalityLimits::kMaxKeys + 500;
  for (int i = 0; i < spans; ++i) {
    const std::string name = std::to_string(i);
    SpanView span = Span("r");
    span.name = name;
    concentrator.OnSpan(python_, span);
  }
  EXPECT_EQ(concentrator.counts().spans_blocked, 500);
  EXPECT_EQ(FlushOne(concentrator).Sum("Hits"), static_cast<uint64_t>(spans));
}

TEST_F(ConcentratorTest, DurationsThatSpreadTakeNoMoreRoomThanThereIs) {
  constexpr size_t kLimit = 64 << 10;
  Concentrator concentrator({.max_interval_bytes = kLimit}, clock_);
  for (const int64_t duration : {int64_t{1}, int64_t{1'000'000'000'000}})
    for (int i = 0; i < 90; ++i) {
      const std::string name = std::to_string(i);
      concentrator.OnSpan(python_, Span(name, duration));
    }
  EXPECT_LE(concentrator.memory(), kLimit + 16'000);
  EXPECT_GT(concentrator.counts().spans_blocked, 0);
  const ReadPayload payload = FlushOne(concentrator);
  EXPECT_EQ(payload.Sum("Hits"), 180);
  EXPECT_EQ(payload.Sum("Duration"), 90 * 1'000'000'000'001);
}

TEST_F(ConcentratorTest, MemoryIsBoundedWhateverComes) {
  constexpr size_t kLimit = 256 << 10;
  Concentrator concentrator({.max_interval_bytes = kLimit, .max_bytes = kLimit}, clock_);
  constexpr int kSpans = 20'000;
  for (int i = 0; i < kSpans; ++i) {
    const std::string name = std::to_string(i);
    SpanView span = Span(name, 1 + (i % 2) * 1'000'000'000);
    concentrator.OnSpan({.language = "python", .runtime_id = name}, span);
    if (i % 100 == 0) clock_.Advance(absl::Seconds(10));
  }
  EXPECT_LE(concentrator.memory(), kLimit + kLimit / 8 + 1000);
  const ConcentratorCounts& counts = concentrator.counts();
  EXPECT_GT(counts.spans_left_out, 0);
  EXPECT_EQ(counts.spans_counted + counts.spans_blocked + counts.spans_left_out, kSpans);
  uint64_t hits = 0;
  for (const ReadPayload& payload : Flush(concentrator)) hits += payload.Sum("Hits");
  EXPECT_EQ(hits, counts.spans_counted + counts.spans_blocked);
  EXPECT_EQ(concentrator.memory(), 0);
  EXPECT_TRUE(concentrator.empty());
}

TEST_F(ConcentratorTest, AKnownKeyCostsNoAllocation) {
  if (!kAllocationsAreCounted) GTEST_SKIP() << "a sanitizer's allocator is in use";
  Concentrator concentrator({}, clock_);
  const std::vector<SpanMeta> meta = {{"span.kind", "client"},
                                      {"http.method", "GET"},
                                      {"http.route", "/api/v2/orders/{order}/items"},
                                      {"rpc.grpc.status_code", "NOT_FOUND"},
                                      {"peer.service", "a-service-with-a-name-of-some-length"},
                                      {"out.host", "10.11.12.13"}};
  const std::vector<SpanMetric> metrics = {{"http.status_code", 200}};
  const auto pass = [&] {
    for (int64_t i = 0; i < 1000; ++i) {
      SpanView span = Span(i % 2 == 0 ? "GET /api/v2/orders/{order}/items" : "GET /", 1'000'000 + 1000 * i);
      span.meta = meta;
      span.metrics = metrics;
      span.error = i % 3 == 0 ? 1 : 0;
      concentrator.OnSpan(python_, span);
    }
  };
  pass();
  const int64_t before = CountedAllocations();
  pass();
  EXPECT_EQ(CountedAllocations() - before, 0);
  EXPECT_EQ(FlushOne(concentrator).Sum("Hits"), 2000);
}

}  // namespace
}  // namespace thaw
