// Samples in, and what an intake reads from the requests out, over freezes and failures.

#include "cc/extension/metric_intake.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "cc/base/cancellation.h"
#include "cc/base/executor.h"
#include "cc/base/protobuf_reader.h"
#include "cc/base/task.h"
#include "cc/extension/pipelines_fixture.h"
#include "cc/flush/compress.h"
#include "cc/flush/flush_coordinator.h"
#include "cc/net/network.h"
#include "cc/net/testing/memory_transport.h"
#include "cc/net/transport.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsSupersetOf;
using ::testing::SizeIs;

// A series or sketch as the intake reads it.
struct Metric {
  std::string name;
  std::vector<std::string> tags;
  uint64_t type = 0;
  uint64_t interval = 0;
  uint64_t origin = 0;
  std::vector<std::pair<int64_t, double>> points;  // a sketch's value is its sum
  std::vector<int64_t> counts;                     // of a sketch
};

double AsDouble(const ProtobufReader& reader) { return std::bit_cast<double>(reader.value()); }

uint64_t OriginOf(std::string_view metadata) {
  ProtobufReader outer(metadata);
  if (!outer.Next() || outer.field() != 1) return 0;
  ProtobufReader origin(outer.bytes());
  uint64_t service = 0;
  while (origin.Next())
    if (origin.field() == 6) service = origin.value();
  return service;
}

Metric SeriesOf(std::string_view bytes) {
  Metric metric;
  ProtobufReader reader(bytes);
  while (reader.Next()) {
    if (reader.field() == 2) metric.name = reader.bytes();
    if (reader.field() == 3) metric.tags.emplace_back(reader.bytes());
    if (reader.field() == 5) metric.type = reader.value();
    if (reader.field() == 8) metric.interval = reader.value();
    if (reader.field() == 9) metric.origin = OriginOf(reader.bytes());
    if (reader.field() != 4) continue;
    ProtobufReader point(reader.bytes());
    metric.points.emplace_back();
    while (point.Next()) {
      if (point.field() == 1) metric.points.back().second = AsDouble(point);
      if (point.field() == 2) metric.points.back().first = static_cast<int64_t>(point.value());
    }
  }
  EXPECT_TRUE(reader.ok());
  return metric;
}

Metric SketchOf(std::string_view bytes) {
  Metric metric;
  ProtobufReader reader(bytes);
  while (reader.Next()) {
    if (reader.field() == 1) metric.name = reader.bytes();
    if (reader.field() == 4) metric.tags.emplace_back(reader.bytes());
    if (reader.field() == 8) metric.origin = OriginOf(reader.bytes());
    if (reader.field() != 7) continue;
    ProtobufReader point(reader.bytes());
    metric.points.emplace_back();
    metric.counts.emplace_back();
    while (point.Next()) {
      if (point.field() == 1) metric.points.back().first = static_cast<int64_t>(point.value());
      if (point.field() == 2) metric.counts.back() = static_cast<int64_t>(point.value());
      if (point.field() == 6) metric.points.back().second = AsDouble(point);
    }
  }
  EXPECT_TRUE(reader.ok());
  return metric;
}

// An intake that answers each request by the next status it was told, and else accepts it.
class Intake : public Network {
 public:
  explicit Intake(Executor& executor) : executor_(executor) {}

  Task<absl::StatusOr<ResolvedName>> Lookup(std::string, LookupPatience, Cancellation&) override {
    co_return ResolvedName{{{IpAddress::Family::kV4, "10.0.0.1"}}, absl::Minutes(1)};
  }
  Task<absl::StatusOr<std::unique_ptr<Transport>>> Connect(IpAddress, uint16_t, ConnectOptions,
                                                           Cancellation&) override {
    auto [near, far] = MemoryTransport::Pair(executor_);
    auto peer = std::make_unique<Peer>();
    peer->transport = std::move(far);
    Read(*peer);
    peers_.push_back(std::move(peer));
    co_return std::unique_ptr<Transport>(std::move(near));
  }

  std::deque<std::string> statuses;  // of the next answers: "503 Service Unavailable"
  std::vector<Metric> series;        // of the requests that were accepted
  std::vector<Metric> sketches;
  std::vector<std::string> targets;

 private:
  struct Peer {
    std::unique_ptr<Transport> transport;
    std::string request;
    char bytes[16 * 1024];
  };

  void Read(Peer& peer) {
    peer.transport->StartRead(absl::MakeSpan(peer.bytes), [this, &peer](IoResult read) {
      if (!read.status.ok()) return;
      peer.request.append(peer.bytes, read.bytes);
      if (IsWhole(peer.request)) return Answer(peer);
      Read(peer);
    });
  }
  static bool IsWhole(const std::string& request) {
    const size_t end = request.find("\r\n\r\n");
    const size_t length = request.find("ontent-Length: ");
    int64_t bytes = 0;
    if (end == std::string::npos || length == std::string::npos) return false;
    const size_t begin = length + sizeof("ontent-Length: ") - 1;
    EXPECT_TRUE(absl::SimpleAtoi(request.substr(begin, request.find("\r\n", begin) - begin), &bytes));
    return request.size() >= end + 4 + static_cast<size_t>(bytes);
  }
  void Answer(Peer& peer) {
    std::string status = "202 Accepted";
    if (!statuses.empty()) {
      status = statuses.front();
      statuses.pop_front();
    }
    if (status.starts_with("2")) Take(peer.request);
    static_cast<void>(peer.transport->TryWrite(
        absl::StrCat("HTTP/1.1 ", status, "\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")));
  }
  void Take(const std::string& request) {
    const std::string target = request.substr(5, request.find(' ', 5) - 5);
    targets.push_back(target);
    const absl::StatusOr<std::string> body =
        DecompressZstd(std::string_view(request).substr(request.find("\r\n\r\n") + 4), 100'000'000);
    ASSERT_TRUE(body.ok()) << body.status();
    ProtobufReader reader(*body);
    while (reader.Next()) {
      if (target == "/api/v2/series") series.push_back(SeriesOf(reader.bytes()));
      if (target == "/api/beta/sketches") sketches.push_back(SketchOf(reader.bytes()));
    }
    EXPECT_TRUE(reader.ok());
  }

  Executor& executor_;
  std::vector<std::unique_ptr<Peer>> peers_;
};

class MetricIntakeTest : public PipelinesFixture {
 protected:
  ~MetricIntakeTest() override {
    metrics_.reset();
    pipelines_.reset();  // before its network
  }

  void MakeIntake(MetricIntakeOptions options = {}, Environment::Variables variables = {}) {
    variables.emplace("DD_DD_URL", "http://mine.example");
    Make(std::move(variables));
    pipelines_ = *Pipelines::Make(executor_, clock_, intake_, config_, [] { return 0.5; }, warnings_);
    options.facts.name = "checkout";
    options.facts.env = "prod";
    metrics_ = std::make_unique<MetricIntake>(std::move(options), executor_, clock_, *pipelines_);
    pipelines_->coordinator().AddLongSource([this](bool last) { return metrics_->HandOver(last); });
  }
  void Add(MetricSink& sink, std::string_view name, MetricType type, double value,
           std::vector<std::string_view> tags = {}) {
    sink.Add({.name = name, .type = type, .values = {&value, 1}, .tags = tags});
  }
  void Add(std::string_view name, MetricType type, double value, std::vector<std::string_view> tags = {}) {
    Add(*metrics_, name, type, value, std::move(tags));
  }
  void Flush() {
    bool flushed = false;
    Spawn<FlushReport>(executor_, pipelines_->coordinator().Flush(FlushReason::kEnd),
                       [&flushed](FlushReport) { flushed = true; });
    while (!flushed)
      if (!executor_.Step()) clock_.Advance(clock_.UntilNextAlarm().value_or(absl::Milliseconds(10)));
  }
  void HandOver(bool last) {
    bool done = false;
    Spawn(executor_, metrics_->HandOver(last), [&done] { done = true; });
    while (!done) ASSERT_TRUE(executor_.Step());
  }
  int64_t Now() { return absl::ToUnixSeconds(clock_.Now().wall); }
  // Returns what the intake has of a metric, by time: points of one second replace each other.
  std::map<int64_t, double> Stored(const std::vector<Metric>& metrics, std::string_view name) {
    std::map<int64_t, double> stored;
    for (const Metric& metric : metrics)
      if (metric.name == name)
        for (const auto& [time, value] : metric.points) stored[time] = value;
    return stored;
  }

  Intake intake_{executor_};
  std::unique_ptr<MetricIntake> metrics_;
};

TEST_F(MetricIntakeTest, SeriesAndSketchesReachTheirIntakes) {
  MakeIntake();
  const int64_t bucket = Now() / 10 * 10;
  Add("orders", MetricType::kCount, 2, {"shop:b", "shop:a"});
  Add("orders", MetricType::kCount, 3, {"shop:a", "shop:b"});
  Add("queue", MetricType::kGauge, 7);
  Add("time", MetricType::kDistribution, 12.5);
  Add("time", MetricType::kDistribution, 0.5);
  Flush();
  EXPECT_THAT(intake_.targets, testing::UnorderedElementsAre("/api/v2/series", "/api/beta/sketches"));
  ASSERT_THAT(intake_.series, SizeIs(2));
  const bool first = intake_.series[0].name == "orders";
  const Metric& orders = intake_.series[first ? 0 : 1];
  const Metric& queue = intake_.series[first ? 1 : 0];
  EXPECT_EQ(orders.name, "orders");
  EXPECT_EQ(orders.type, 1u);
  EXPECT_EQ(orders.interval, 10u);
  EXPECT_EQ(orders.origin, 472u);
  EXPECT_THAT(orders.points, ElementsAre(std::pair(bucket, 5.0)));
  EXPECT_THAT(orders.tags, IsSupersetOf({"shop:a", "shop:b", "functionname:checkout", "env:prod"}));
  EXPECT_EQ(queue.name, "queue");
  EXPECT_EQ(queue.type, 3u);
  EXPECT_EQ(queue.interval, 0u);
  ASSERT_THAT(intake_.sketches, SizeIs(1));
  EXPECT_EQ(intake_.sketches[0].name, "time");
  EXPECT_THAT(intake_.sketches[0].tags, Contains("functionname:checkout"));
  EXPECT_THAT(intake_.sketches[0].points, ElementsAre(std::pair(bucket, 13.0)));
  EXPECT_THAT(intake_.sketches[0].counts, ElementsAre(2));
  EXPECT_EQ(metrics_->counts().points, 2);
  EXPECT_EQ(metrics_->counts().sketches, 1);
}

TEST_F(MetricIntakeTest, NothingIsSentWhereNothingCame) {
  MakeIntake();
  Flush();
  EXPECT_THAT(intake_.targets, SizeIs(0));
  EXPECT_EQ(pipelines_->bytes().used(), 0u);
}

TEST_F(MetricIntakeTest, ExcludedTagsStayOnMetricsOfTheExtension) {
  MakeIntake({.excluded_tags = "env, functionname"});
  Add("mine", MetricType::kDistribution, 1, {"env:other"});
  Add(metrics_->own(), "aws.lambda.enhanced.invocations", MetricType::kDistribution, 1);
  Flush();
  ASSERT_THAT(intake_.sketches, SizeIs(2));
  for (const Metric& metric : intake_.sketches) {
    const bool mine = metric.name == "mine";
    EXPECT_EQ(metric.origin, mine ? 472u : 473u);
    EXPECT_EQ(std::count(metric.tags.begin(), metric.tags.end(), "env:prod"), mine ? 0 : 1);
    EXPECT_EQ(std::count(metric.tags.begin(), metric.tags.end(), "functionname:checkout"), mine ? 0 : 1);
    EXPECT_THAT(metric.tags, Contains("resource:checkout"));
    EXPECT_EQ(std::count(metric.tags.begin(), metric.tags.end(), "env:other"), mine ? 1 : 0);
  }
}

TEST_F(MetricIntakeTest, TheRuntimeBecomesATagWhenItIsKnown) {
  MakeIntake();
  Add("n", MetricType::kGauge, 1);
  metrics_->Take(
      {.time = absl::UnixEpoch(), .record = PlatformInitStart{.runtime_version = "python:3.13.v22"}});
  Flush();
  ASSERT_THAT(intake_.series, SizeIs(1));
  EXPECT_THAT(intake_.series[0].tags, Contains("runtime:python3.13"));
}

TEST_F(MetricIntakeTest, AFreezeInTheMiddleOfABucketLosesAndRepeatsNothing) {
  MakeIntake();
  double sum = 0;
  for (int invocation = 0; invocation < 200; ++invocation) {
    for (int i = 0; i < 3; ++i) {
      Add("count", MetricType::kCount, 1);
      Add("gauge", MetricType::kGauge, invocation);
      Add("dist", MetricType::kDistribution, 1);
      ++sum;
    }
    Flush();
    EXPECT_EQ(metrics_->aggregator_counts().dropped, 0);
    EXPECT_EQ(pipelines_->bytes().used(), 0u) << "everything was delivered";
    // From the middle of a bucket into it, into the next one, and far.
    clock_.Freeze(absl::Milliseconds(invocation % 3 == 0 ? 1200 : invocation % 3 == 1 ? 8000 : 600'000));
  }
  double stored = 0;
  for (const auto& [time, value] : Stored(intake_.series, "count")) stored += value;
  EXPECT_EQ(stored, sum) << "no count replaced another one";
  double sketched = 0;
  for (const Metric& metric : intake_.sketches)
    for (const auto& [time, value] : metric.points) sketched += value;
  EXPECT_EQ(sketched, sum);
  EXPECT_EQ(Stored(intake_.series, "gauge").rbegin()->second, 199);
}

TEST_F(MetricIntakeTest, RefusedRequestsComeOnceWithALaterFlush) {
  MakeIntake();
  double sum = 0;
  for (int invocation = 0; invocation < 60; ++invocation) {
    Add("count", MetricType::kCount, 1);
    Add("dist", MetricType::kDistribution, 1);
    ++sum;
    if (invocation % 4 == 1) intake_.statuses.assign(2, "503 Service Unavailable");
    if (invocation % 7 == 3) intake_.statuses.assign(1, "429 Too Many Requests");
    Flush();
    clock_.Freeze(absl::Seconds(40));
  }
  intake_.statuses.clear();
  for (int flush = 0; flush < 5; ++flush) {
    Flush();
    clock_.Freeze(absl::Minutes(5));
  }
  double counted = 0;
  for (const Metric& metric : intake_.series)
    for (const auto& [time, value] : metric.points) counted += value;
  EXPECT_EQ(counted, sum);
  double sketched = 0;
  for (const Metric& metric : intake_.sketches)
    for (const auto& [time, value] : metric.points) sketched += value;
  EXPECT_EQ(sketched, sum);
  EXPECT_EQ(pipelines_->bytes().used(), 0u);
}

TEST_F(MetricIntakeTest, AnOpenBucketWaitsWhereNoFreezeFollows) {
  MakeIntake({.freezes = false});
  Add("count", MetricType::kCount, 1);
  Flush();
  EXPECT_THAT(intake_.series, SizeIs(0));
  Add("count", MetricType::kCount, 1);
  clock_.Advance(absl::Seconds(10));
  Flush();
  ASSERT_THAT(intake_.series, SizeIs(1));
  EXPECT_EQ(intake_.series[0].points[0].second, 2);
  Add("count", MetricType::kCount, 4);
  HandOver(/*last=*/true);
  Flush();
  ASSERT_THAT(intake_.series, SizeIs(2));
  EXPECT_EQ(intake_.series[1].points[0].second, 4);
}

TEST_F(MetricIntakeTest, OtherWorkRunsBetweenPortionsOfManyMetricsAndEachArrivesOnce) {
  MakeIntake();
  constexpr int kMetrics = 4000;
  for (int i = 0; i < kMetrics; ++i) Add(absl::StrCat("n", i), MetricType::kCount, 1);
  bool flushed = false;
  Spawn<FlushReport>(executor_, pipelines_->coordinator().Flush(FlushReason::kEnd),
                     [&flushed](FlushReport) { flushed = true; });
  int turns = 0;
  while (metrics_->counts().points == 0) {
    ++turns;
    // A sample that comes meanwhile is sent by the next flush, which may begin now.
    if (turns == 3) Add("late", MetricType::kCount, 1);
    if (turns == 5) Spawn<FlushReport>(executor_, pipelines_->coordinator().Flush(FlushReason::kBackground));
    ASSERT_TRUE(executor_.Step());
  }
  EXPECT_GE(turns, kMetrics / 500);
  while (!flushed)
    if (!executor_.Step()) clock_.Advance(clock_.UntilNextAlarm().value_or(absl::Milliseconds(10)));
  Flush();
  EXPECT_THAT(intake_.series, SizeIs(kMetrics + 1));
  for (const Metric& metric : intake_.series) EXPECT_EQ(metric.points[0].second, 1);
  EXPECT_EQ(pipelines_->bytes().used(), 0u);
}

// A snapshot is made of an environment that has samples; time passes until it is restored.
TEST_F(MetricIntakeTest, SamplesHeldBeforeASnapshotAreHandedOverAfterTheRestore) {
  MakeIntake();
  const int64_t bucket = Now() / 10 * 10;
  Add("count", MetricType::kCount, 1);
  clock_.Freeze({.wall = absl::Minutes(30)});
  Add("count", MetricType::kCount, 2);
  Flush();
  ASSERT_THAT(intake_.series, SizeIs(1));
  EXPECT_THAT(intake_.series[0].points, ElementsAre(std::pair(bucket, 1.0), std::pair(bucket + 1800, 2.0)));
}

TEST_F(MetricIntakeTest, AFloodOfTagsStaysWithinTheBudgetAndItsSumArrives) {
  MakeIntake({}, {{"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"}});
  constexpr int kSamples = 100'000;
  for (int i = 0; i < kSamples; ++i) {
    const std::string tag = absl::StrCat("user:", i);
    Add("flood", MetricType::kCount, 1, {tag});
    ASSERT_LE(pipelines_->bytes().used(), pipelines_->bytes().limit() / 4);
  }
  Flush();
  double sum = 0;
  for (const Metric& metric : intake_.series) sum += metric.points[0].second;
  EXPECT_EQ(sum, kSamples);
  EXPECT_EQ(metrics_->counts().turned_away, 0);
  EXPECT_EQ(pipelines_->bytes().used(), 0u);
}

TEST_F(MetricIntakeTest, WithoutRoomPointsAreDroppedAndCounted) {
  MakeIntake();
  Add("count", MetricType::kCount, 1);
  pipelines_->bytes().Add(pipelines_->bytes().limit());
  HandOver(/*last=*/false);
  EXPECT_EQ(metrics_->counts().turned_away, 1);
  EXPECT_EQ(metrics_->counts().points, 0);
  pipelines_->bytes().Remove(pipelines_->bytes().limit());
  EXPECT_EQ(pipelines_->bytes().used(), 0u);
}

TEST_F(MetricIntakeTest, EndpointsFollowTheConfiguration) {
  const auto urls = [this](Environment::Variables variables) {
    Make(std::move(variables));
    std::vector<std::string> all;
    for (const Endpoint& endpoint : pipelines_->Find<SeriesFlusher>()->pipeline().endpoints())
      all.push_back(endpoint.ToString());
    return all;
  };
  EXPECT_THAT(urls({}), ElementsAre("https://api.datadoghq.com/api/v2/series"));
  EXPECT_THAT(urls({{"DD_SITE", "datadoghq.eu"}}), ElementsAre("https://api.datadoghq.eu/api/v2/series"));
  EXPECT_THAT(urls({{"DD_URL", "https://one.example/"}}), ElementsAre("https://one.example/api/v2/series"));
  EXPECT_THAT(urls({{"DD_URL", "https://one.example"}, {"DD_DD_URL", "https://two.example/base"}}),
              ElementsAre("https://two.example/base/api/v2/series"));
  EXPECT_THAT(urls({{"DD_ADDITIONAL_ENDPOINTS", R"({"https://app.datadoghq.eu": ["one", "two"]})"}}),
              ElementsAre("https://api.datadoghq.com/api/v2/series", "https://app.datadoghq.eu/api/v2/series",
                          "https://app.datadoghq.eu/api/v2/series"));
}

}  // namespace
}  // namespace thaw
