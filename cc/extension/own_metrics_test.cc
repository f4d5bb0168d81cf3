#include "cc/extension/own_metrics.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "cc/base/cancellation.h"
#include "cc/base/task.h"
#include "cc/extension/pipelines_fixture.h"
#include "cc/flush/flush_report.h"
#include "cc/flush/flushable.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

class RecordingSink : public MetricSink {
 public:
  void Add(const MetricSample& sample) override {
    EXPECT_EQ(sample.type, MetricType::kDistribution);
    EXPECT_FALSE(sample.time.has_value());
    sums[std::string(sample.name) + " " + absl::StrJoin(sample.tags, ",")] +=
        sample.values[0] * sample.weight;
  }
  std::map<std::string, double> sums;
};

class OwnMetricsTest : public PipelinesFixture {
 protected:
  void SetUp() override { Make(); }
  OwnCounts counts() const {
    return {.coordinator = pipelines_->coordinator(),
            .client = client_,
            .traces = traces_,
            .logs = logs_,
            .log_lines = lines_,
            .metrics = metrics_,
            .aggregated = aggregated_,
            .datagrams = datagrams_,
            .lines = statsd_lines_,
            .events = events_,
            .receiver = receiver_,
            .telemetry = telemetry_,
            .pathways = pathways_};
  }

  ClientCounts client_;
  TraceIntakeCounts traces_;
  LogIntakeCounts logs_;
  LogProcessorCounts lines_;
  MetricIntakeCounts metrics_;
  AggregatorCounts aggregated_;
  DogStatsdReceiverCounts datagrams_;
  DogStatsdCounts statsd_lines_;
  EventIntakeCounts events_;
  TraceReceiverCounts receiver_;
  TelemetryCounts telemetry_;
  PathwayCounts pathways_;
  RecordingSink sink_;
  OwnMetrics own_{sink_};
};

TEST_F(OwnMetricsTest, ACountThatDidNotChangeIsNotSent) {
  own_.Add(counts(), {});
  EXPECT_TRUE(sink_.sums.empty());
}

TEST_F(OwnMetricsTest, DifferencesAddUpToTheCount) {
  client_.connection.tls_full = 2;
  logs_.flooded = 5;
  own_.Add(counts(), {});
  client_.connection.tls_full = 3;
  own_.Add(counts(), {});
  own_.Add(counts(), {});
  EXPECT_EQ(sink_.sums.at("thaw.handshakes kind:full"), 3);
  EXPECT_EQ(sink_.sums.at("thaw.logs.dropped reason:flooded"), 5);
  EXPECT_EQ(own_.counts().samples, 3);
}

TEST_F(OwnMetricsTest, EachTimeIsInTheDistribution) {
  client_.connection.handshake_time.Record(absl::Milliseconds(12));
  own_.Add(counts(), {});
  EXPECT_EQ(sink_.sums.at("thaw.handshake_time "), 12);
  sink_.sums.clear();
  for (int i = 0; i < 10; ++i) client_.connection.handshake_time.Record(absl::Milliseconds(100));
  own_.Add(counts(), {});
  EXPECT_NEAR(sink_.sums.at("thaw.handshake_time "), 1000, 1000.0 / 16);
}

TEST_F(OwnMetricsTest, TagsOfTheFunctionComeFirst) {
  telemetry_.platform_dropped_records = 1;
  const std::string_view tags[] = {"cold_start:false"};
  own_.Add(counts(), tags);
  EXPECT_EQ(sink_.sums.at("thaw.telemetry.dropped cold_start:false,reason:platform"), 1);
}

TEST_F(OwnMetricsTest, EachRowOfTheTableIsSent) {
  // A count of 1 in each: every row has a sample.
  const auto one = [](std::string_view, int64_t& value, std::string_view) { value = 1; };
  client_.connection.Visit(one);
  client_.exchange.Visit(one);
  traces_.Visit(one);
  logs_.Visit(one);
  lines_.Visit(one);
  metrics_.Visit(one);
  aggregated_.Visit(one);
  datagrams_.Visit(one);
  statsd_lines_.Visit(one);
  events_.Visit(one);
  receiver_.Visit(one);
  telemetry_.Visit(one);
  pathways_.Visit(one);
  own_.Add(counts(), {});
  for (const OwnMetricRow& row : kOwnMetrics) {
    if (row.count.substr(0, 11) == "coordinator") continue;
    EXPECT_EQ(sink_.sums.count(std::string(row.name) + " " + std::string(row.tag)), 1) << row.name;
  }
}

// A pipeline that has counts and nothing else.
class FakePipeline : public Flushable {
 public:
  std::string_view name() const override { return "fake"; }
  Task<FlushReport> Flush(absl::Duration, Cancellation&) override { co_return FlushReport(); }
  Task<FlushReport> Shutdown(absl::Duration, Cancellation&) override { co_return FlushReport(); }
  int64_t kept_payloads() const override { return 0; }
  size_t bytes() const override { return 0; }
  bool has_untried() const override { return false; }
  int64_t kept_for_additional() const override { return 0; }
  int64_t turned_away() const override { return 2; }
  const FlushReport& total() const override { return sum; }

  FlushReport sum;
};

TEST_F(OwnMetricsTest, EachPipelineHasItsTagAndEachFlushItsTime) {
  FakePipeline pipeline;
  pipeline.sum.dropped.evicted = 3;
  pipelines_->coordinator().AddPipeline(pipeline);
  Spawn<FlushReport>(executor_, pipelines_->coordinator().Flush(FlushReason::kEnd), [](FlushReport) {});
  executor_.RunAll();
  own_.Add(counts(), {});
  EXPECT_EQ(sink_.sums.count("thaw.flush_time "), 1);
  EXPECT_EQ(sink_.sums.at("thaw.payloads.dropped pipeline:fake,reason:evicted"), 3);
  EXPECT_EQ(sink_.sums.at("thaw.payloads.turned_away pipeline:fake"), 2);
}

}  // namespace
}  // namespace thaw
