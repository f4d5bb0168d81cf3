#include "cc/metrics/enhanced_metrics.h"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

struct Sample {
  double value = 0;
  absl::Time time;
  std::string tags;
};

class RecordingSink : public MetricSink {
 public:
  void Add(const MetricSample& sample) override {
    EXPECT_EQ(sample.type, MetricType::kDistribution);
    std::string name(sample.name.substr(std::string_view("aws.lambda.enhanced.").size()));
    samples.emplace(std::move(name),
                    Sample{sample.values[0], sample.time.value(), absl::StrJoin(sample.tags, ",")});
  }
  std::multimap<std::string, Sample> samples;
};

class EnhancedMetricsTest : public ::testing::Test {
 protected:
  EnhancedMetricsTest() { Make({}); }
  void Make(EnhancedMetricsOptions options) {
    metrics_ = std::make_unique<EnhancedMetrics>(std::move(options), sink_);
  }
  // Lets parts of an invocation come.
  Invocation& Invoke(const std::string& id, InvocationStart start = InvocationStart::kWarm) {
    Invocation& invocation = invocations_[id];
    invocation = {.request_id = id};
    invocation.invoke = {began_, InvokeEvent{.request_id = id}};
    invocation.started_as = start;
    metrics_->Begin(id);
    metrics_->Take(invocation, false);
    return invocation;
  }
  void Done(Invocation& invocation, PlatformRuntimeDone record) {
    invocation.runtime_done = {began_ + absl::Seconds(1), std::move(record)};
    metrics_->Take(invocation, false);
  }
  void Report(Invocation& invocation, PlatformReport record) {
    invocation.report = {began_ + absl::Seconds(2), std::move(record)};
    metrics_->Take(invocation, false);
  }
  void InitStarts() { metrics_->OnEnvironment(false, "on-demand"); }
  static PlatformRuntimeDone Success() {
    return {.status = TelemetryStatus::kSuccess, .duration = absl::Milliseconds(20)};
  }
  int64_t Count(const std::string& name) { return static_cast<int64_t>(sink_.samples.count(name)); }
  const Sample& Only(const std::string& name) {
    EXPECT_EQ(Count(name), 1) << name;
    static const Sample kNothing;
    const auto found = sink_.samples.find(name);
    return found == sink_.samples.end() ? kNothing : found->second;
  }

  const absl::Time began_ = absl::FromUnixSeconds(1'800'000'000);
  RecordingSink sink_;
  std::unique_ptr<EnhancedMetrics> metrics_;
  std::map<std::string, Invocation> invocations_;
};

TEST_F(EnhancedMetricsTest, ThereAre36Names) {
  std::set<std::string_view> names;
  for (const EnhancedMetricRow& row : kEnhancedMetrics) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_EQ(&RowOf(row.metric), &row);
  }
  EXPECT_EQ(names.size(), 36);
}

TEST_F(EnhancedMetricsTest, EachRecordOfAnInvocationHasItsFigures) {
  InitStarts();
  Invocation& invocation = Invoke("a", InvocationStart::kCold);
  Done(invocation, {.status = TelemetryStatus::kSuccess,
                    .duration = absl::Milliseconds(120),
                    .produced_bytes = 42,
                    .spans = {{"responseLatency", began_, absl::Milliseconds(100)},
                              {"responseDuration", began_, absl::Milliseconds(3)},
                              {"runtimeOverhead", began_, absl::Milliseconds(17)}}});
  Report(invocation, {.duration = absl::Milliseconds(150),
                      .billed_duration = absl::Milliseconds(1000),
                      .memory_size_megabytes = 1024,
                      .max_memory_used_megabytes = 77,
                      .init_duration = absl::Milliseconds(300)});
  EXPECT_EQ(Only("invocations").value, 1);
  EXPECT_EQ(Only("invocations").time, began_);
  EXPECT_EQ(Only("runtime_duration").value, 120);
  EXPECT_EQ(Only("runtime_duration").time, began_ + absl::Seconds(1));
  EXPECT_EQ(Only("produced_bytes").value, 42);
  EXPECT_DOUBLE_EQ(Only("duration").value, 0.15);
  EXPECT_EQ(Only("duration").time, began_ + absl::Seconds(2)) << "however late the record comes";
  EXPECT_DOUBLE_EQ(Only("billed_duration").value, 1);
  EXPECT_DOUBLE_EQ(Only("post_runtime_duration").value, 30);
  EXPECT_EQ(Only("max_memory_used").value, 77);
  EXPECT_EQ(Only("memorysize").value, 1024);
  EXPECT_DOUBLE_EQ(Only("init_duration").value, 0.3);
  EXPECT_EQ(Only("estimated_cost").value, 1.68667e-05);
  EXPECT_EQ(Count("errors"), 0);
  EXPECT_EQ(Count("timeouts"), 0);
  EXPECT_EQ(Count("out_of_memory"), 0);
}

TEST_F(EnhancedMetricsTest, ResponseLatencyAndDurationAreTold) {
  Done(Invoke("a"), {.status = TelemetryStatus::kSuccess,
                     .spans = {{"responseLatency", began_, absl::Milliseconds(100)},
                               {"responseDuration", began_, absl::Milliseconds(3)},
                               {"responseLatency", began_, absl::Milliseconds(7)}}});
  EXPECT_EQ(Only("response_latency").value, 100);
  EXPECT_EQ(Only("response_duration").value, 3);
}

TEST_F(EnhancedMetricsTest, CostsAreThoseOfTheVectors) {
  EXPECT_EQ(EstimatedCost(absl::Milliseconds(100), 128, false, false), 4.08334e-07);
  EXPECT_EQ(EstimatedCost(absl::Milliseconds(1000), 1024, false, false), 1.68667e-05);
  EXPECT_EQ(EstimatedCost(absl::Milliseconds(100), 1024, true, false), 1.53334e-06);
}

TEST_F(EnhancedMetricsTest, ProvisionedConcurrencyHasItsOwnPrice) {
  EXPECT_EQ(EstimatedCost(absl::Milliseconds(1000), 1024, false, true), 9.9222e-06);
  EXPECT_EQ(EstimatedCost(absl::Milliseconds(1000), 1024, true, true), 7.9778e-06);
  Make({.initialization_type = "provisioned-concurrency"});
  Report(Invoke("a"), {.billed_duration = absl::Milliseconds(1000), .memory_size_megabytes = 1024});
  EXPECT_EQ(Only("estimated_cost").value, 9.9222e-06);
}

TEST_F(EnhancedMetricsTest, PartsThatComeTwiceOrInAnotherOrderAreToldOnce) {
  InitStarts();
  Invocation invocation{.request_id = "a"};
  metrics_->Begin("a");
  invocation.runtime_done = {began_, Success()};
  metrics_->Take(invocation, false);
  EXPECT_EQ(metrics_->counts().samples, 0) << "INVOKE tells how the environment started";
  invocation.invoke = {began_, InvokeEvent{.request_id = "a"}};
  invocation.started_as = InvocationStart::kCold;
  for (int i = 0; i < 3; ++i) metrics_->Take(invocation, false);
  invocation.report = {began_, {.duration = absl::Milliseconds(25)}};
  for (int i = 0; i < 3; ++i) metrics_->Take(invocation, false);
  EXPECT_EQ(Only("runtime_duration").tags, "cold_start:true,init_type:on-demand");
  EXPECT_EQ(Only("invocations").value, 1);
  EXPECT_DOUBLE_EQ(Only("post_runtime_duration").value, 5);
}

TEST_F(EnhancedMetricsTest, AnInvocationWhoseInvokeWasLostCountsWithItsReport) {
  InitStarts();
  Invocation invocation{.request_id = "a"};
  invocation.report = {began_, {.duration = absl::Milliseconds(25)}};
  metrics_->Begin("a");
  metrics_->Take(invocation, false);
  EXPECT_EQ(Only("invocations").value, 1);
}

TEST_F(EnhancedMetricsTest, ARuntimeDoneWithoutMetricsCountsAsAnError) {
  Done(Invoke("a"), {.status = TelemetryStatus::kError});
  EXPECT_EQ(Only("errors").value, 1);
  EXPECT_EQ(Count("runtime_duration"), 0);
}

TEST_F(EnhancedMetricsTest, ATimeoutIsAnErrorToo) {
  Done(Invoke("a"), {.status = TelemetryStatus::kTimeout});
  EXPECT_EQ(Count("errors"), 1);
  EXPECT_EQ(Count("timeouts"), 1);
}

TEST_F(EnhancedMetricsTest, ATimeoutThatOnlyTheShutdownTellsOfCountsOnce) {
  Invocation& invocation = Invoke("a");
  invocation.concluded = {began_, InvocationOutcome::kTimeout};
  metrics_->Take(invocation, false);
  invocation.concluded.reset();
  Done(invocation, {.status = TelemetryStatus::kTimeout});
  EXPECT_EQ(Count("errors"), 1);
  EXPECT_EQ(Count("timeouts"), 1);
}

TEST_F(EnhancedMetricsTest, AnErrorThatTracerAndPlatformTellOfCountsOnce) {
  Invocation& invocation = Invoke("a");
  invocation.runtime_done = {began_, {.status = TelemetryStatus::kError}};
  metrics_->Take(invocation, true);
  metrics_->Take(invocation, true);
  EXPECT_EQ(Count("errors"), 1);
}

TEST_F(EnhancedMetricsTest, AnErrorThatOnlyTheTracerTellsOfCounts) {
  Invocation& invocation = Invoke("a");
  invocation.runtime_done = {began_, Success()};
  metrics_->Take(invocation, true);
  EXPECT_EQ(Count("errors"), 1);
}

TEST_F(EnhancedMetricsTest, OutOfMemoryCountsOncePerRequestWhateverTellsOfIt) {
  Invocation& invocation = Invoke("a");
  metrics_->OnOutOfMemory("a", began_);
  metrics_->OnOutOfMemory("a", began_);
  Done(invocation, {.status = TelemetryStatus::kError, .error_type = "Runtime.OutOfMemory"});
  Report(invocation, {.memory_size_megabytes = 128, .max_memory_used_megabytes = 128});
  EXPECT_EQ(Count("out_of_memory"), 1);
  // Lambda retries it under the same id.
  Done(Invoke("a"), {.status = TelemetryStatus::kError, .error_type = "Runtime.OutOfMemory"});
  EXPECT_EQ(Count("out_of_memory"), 1);
  EXPECT_EQ(Count("invocations"), 2);
  EXPECT_EQ(Count("errors"), 2);
}

TEST_F(EnhancedMetricsTest, ALineThatOvertakesInvokeCountsOnce) {
  metrics_->OnOutOfMemory("a", began_);
  Done(Invoke("a"), {.status = TelemetryStatus::kError, .error_type = "Runtime.OutOfMemory"});
  EXPECT_EQ(Count("out_of_memory"), 1);
}

TEST_F(EnhancedMetricsTest, FiguresTellOfLackOfMemoryWhereTheInvocationFailed) {
  Invocation& failed = Invoke("a");
  Done(failed, {.status = TelemetryStatus::kFailure});
  Report(failed, {.memory_size_megabytes = 128, .max_memory_used_megabytes = 128});
  EXPECT_EQ(Count("out_of_memory"), 1);
  Invocation& fine = Invoke("b");
  Done(fine, Success());
  Report(fine, {.memory_size_megabytes = 128, .max_memory_used_megabytes = 128});
  EXPECT_EQ(Count("out_of_memory"), 1);
}

TEST_F(EnhancedMetricsTest, TheFirstInvocationIsHeldUntilTheStartIsKnown) {
  Invoke("a", InvocationStart::kCold);
  EXPECT_EQ(Count("invocations"), 0);
  metrics_->OnEnvironment(true, "on-demand");
  EXPECT_EQ(Only("invocations").tags, "cold_start:true,init_type:on-demand,durable_function:true");
  EXPECT_EQ(Only("invocations").time, began_);
  Invoke("b");
  EXPECT_EQ(Count("invocations"), 2) << "later ones are not held";
}

TEST_F(EnhancedMetricsTest, WhereTheStartIsNeverToldTheFirstInvocationIsNotLost) {
  Done(Invoke("a", InvocationStart::kCold), Success());
  EXPECT_EQ(Only("invocations").tags, "cold_start:true");

  Make({});
  Invoke("b", InvocationStart::kCold);
  Invoke("c");
  EXPECT_EQ(Count("invocations"), 3);

  Make({});
  Invoke("d", InvocationStart::kCold);
  metrics_->OnShutdown(began_);
  EXPECT_EQ(Count("invocations"), 4);

  Make({.telemetry = false});
  Invoke("e", InvocationStart::kCold);
  EXPECT_EQ(Count("invocations"), 5);
}

TEST_F(EnhancedMetricsTest, TheStartsDurationsHaveTheTagsOfTheFirstInvocation) {
  metrics_->OnEnvironment(false, "SnapStart");
  metrics_->OnInitDuration(began_, absl::Milliseconds(500));
  metrics_->OnRestoreDuration(began_, absl::Milliseconds(40));
  metrics_->OnRestoreDuration(began_, absl::Milliseconds(50));
  EXPECT_EQ(metrics_->counts().samples, 0);
  Invoke("a", InvocationStart::kProactive);
  EXPECT_DOUBLE_EQ(Only("init_duration").value, 0.5);
  EXPECT_DOUBLE_EQ(Only("snapstart_restore_duration").value, 0.05);
  EXPECT_EQ(Only("init_duration").tags,
            "cold_start:false,proactive_initialization:true,init_type:snap-start");
}

TEST_F(EnhancedMetricsTest, TheInitDurationIsToldOnce) {
  InitStarts();
  metrics_->OnInitDuration(began_, absl::Milliseconds(500));
  Report(Invoke("a"), {.init_duration = absl::Milliseconds(501)});
  metrics_->OnInitDuration(began_, absl::Milliseconds(502));
  EXPECT_DOUBLE_EQ(Only("init_duration").value, 0.5);
}

TEST_F(EnhancedMetricsTest, InitTypeIsSpelledInOneWay) {
  metrics_->OnEnvironment(false, "SnapStart");
  Invoke("a");
  EXPECT_EQ(Only("invocations").tags, "cold_start:false,init_type:snap-start");
  // The function's tags have it.
  Make({.initialization_type = "snap-start"});
  metrics_->OnEnvironment(false, "SnapStart");
  Done(Invoke("b"), Success());
  EXPECT_EQ(Only("runtime_duration").tags, "cold_start:false");
}

TEST_F(EnhancedMetricsTest, ProactiveIsATagOfTheFirstInvocationAlone) {
  InitStarts();
  Invoke("a", InvocationStart::kProactive);
  EXPECT_EQ(Only("invocations").tags, "cold_start:false,proactive_initialization:true,init_type:on-demand");
  Done(Invoke("b"), Success());
  EXPECT_EQ(Only("runtime_duration").tags, "cold_start:false,init_type:on-demand");
}

TEST_F(EnhancedMetricsTest, AnEnvironmentThatServedNothingIsUnused) {
  metrics_->OnInitDuration(began_, absl::Milliseconds(500));
  metrics_->OnShutdown(began_);
  EXPECT_EQ(Only("shutdowns").value, 1);
  EXPECT_EQ(Only("unused_init").value, 1);
  EXPECT_EQ(Only("init_duration").tags, "cold_start:false");
}

TEST_F(EnhancedMetricsTest, AnEnvironmentThatServedOneIsNot) {
  Invoke("a");
  metrics_->OnShutdown(began_);
  EXPECT_EQ(Count("shutdowns"), 1);
  EXPECT_EQ(Count("unused_init"), 0);
}

TEST_F(EnhancedMetricsTest, ManagedInstancesLackInvokeAndTheBill) {
  Make({.managed = true, .initialization_type = "lambda-managed-instances"});
  Invocation invocation{.request_id = "a"};
  metrics_->Begin("a");
  invocation.start = {began_, PlatformStart{.request_id = "a"}};
  metrics_->Take(invocation, false);
  EXPECT_EQ(Only("invocations").tags, "cold_start:false,proactive_initialization:true");
  invocation.report = {began_,
                       {.status = TelemetryStatus::kError,
                        .duration = absl::Milliseconds(25),
                        .billed_duration = absl::Milliseconds(25),
                        .memory_size_megabytes = 128,
                        .max_memory_used_megabytes = 100,
                        .spans = {{"responseLatency", began_, absl::Milliseconds(20)}}}};
  metrics_->Take(invocation, false);
  EXPECT_EQ(Only("errors").value, 1);
  EXPECT_EQ(Only("runtime_duration").value, 20);
  EXPECT_EQ(Only("response_latency").value, 20);
  EXPECT_DOUBLE_EQ(Only("duration").value, 0.025);
  for (const char* name : {"billed_duration", "memorysize", "max_memory_used", "estimated_cost"})
    EXPECT_EQ(Count(name), 0) << name;
}

TEST_F(EnhancedMetricsTest, ManyInvocationsAtOnceKeepTheirOwnFigures) {
  Make({.managed = true});
  for (int i = 0; i < 2000; ++i) {
    Invocation invocation{.request_id = absl::StrCat("r", i)};
    invocation.start = {began_, PlatformStart()};
    metrics_->Begin(invocation.request_id);
    metrics_->Take(invocation, false);
  }
  EXPECT_EQ(Count("invocations"), 2000);
  EXPECT_EQ(metrics_->counts().forgotten, 1500);
}

TEST_F(EnhancedMetricsTest, FiguresHaveTheTagsOfTheirInvocation) {
  InitStarts();
  Invoke("a", InvocationStart::kCold);
  Invoke("b");
  const Figure figures[] = {{EnhancedMetric::kFdUse, 7}};
  metrics_->TakeFigures("a", began_, figures);
  EXPECT_EQ(Only("fd_use").value, 7);
  EXPECT_EQ(Only("fd_use").tags, "cold_start:true,init_type:on-demand");
}

}  // namespace
}  // namespace thaw
