#include "cc/metrics/sandbox_figures.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cc/metrics/fake_proc_reader.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

using Values = std::map<std::string, double>;

Values ValuesOf(const Figures& figures) {
  Values values;
  for (const Figure& each : figures) {
    std::string name(RowOf(each.metric).name.substr(std::string_view("aws.lambda.enhanced.").size()));
    EXPECT_TRUE(values.emplace(std::move(name), each.value).second) << "told twice";
  }
  return values;
}

class SandboxFiguresTest : public ::testing::Test {
 protected:
  FakeProcReader proc_;
  SandboxFigures figures_{proc_};
};

TEST_F(SandboxFiguresTest, DifferencesBetweenTheTwoEnds) {
  proc_.SetCpu({.user = 100, .system = 50, .idle_of_cores = {1000, 2000}});
  proc_.SetUptime(10);
  proc_.SetNetwork(500, 700);
  figures_.Begin("a");
  proc_.SetCpu({.user = 130, .system = 60, .idle_of_cores = {1090, 2030}});
  proc_.SetUptime(11);
  proc_.SetNetwork(1500, 1000);
  const Values values = ValuesOf(figures_.End("a"));
  EXPECT_EQ(values.at("rx_bytes"), 1000);
  EXPECT_EQ(values.at("tx_bytes"), 300);
  EXPECT_EQ(values.at("total_network"), 1300);
  EXPECT_EQ(values.at("cpu_user_time"), 300);
  EXPECT_EQ(values.at("cpu_system_time"), 100);
  EXPECT_EQ(values.at("cpu_total_time"), 400);
  // The cores were idle for 900 and 300 of their 1000 ms each.
  EXPECT_DOUBLE_EQ(values.at("cpu_total_utilization_pct"), 40);
  EXPECT_DOUBLE_EQ(values.at("cpu_total_utilization"), 0.8);
  EXPECT_EQ(values.at("num_cores"), 2);
  EXPECT_DOUBLE_EQ(values.at("cpu_max_utilization"), 70);
  EXPECT_DOUBLE_EQ(values.at("cpu_min_utilization"), 10);
}

TEST_F(SandboxFiguresTest, UtilizationIsNeverNegative) {
  proc_.SetCpu({.user = 0, .system = 0, .idle_of_cores = {0}});
  proc_.SetUptime(1);
  figures_.Begin("a");
  proc_.SetCpu({.user = 0, .system = 0, .idle_of_cores = {101}});
  proc_.SetUptime(2);
  const Values values = ValuesOf(figures_.End("a"));
  EXPECT_EQ(values.at("cpu_total_utilization_pct"), 0);
  EXPECT_EQ(values.at("cpu_min_utilization"), 0);
}

TEST_F(SandboxFiguresTest, WithoutAdvanceOfTheUptimeThereIsNoUtilization) {
  proc_.SetCpu({.user = 5, .idle_of_cores = {0}});
  proc_.SetUptime(1);
  figures_.Begin("a");
  const Values values = ValuesOf(figures_.End("a"));
  EXPECT_EQ(values.at("cpu_user_time"), 0);
  EXPECT_EQ(values.count("cpu_total_utilization"), 0);
  EXPECT_EQ(values.count("num_cores"), 0);
}

TEST_F(SandboxFiguresTest, CountersThatWentBackwardsOrLostACoreGiveNothing) {
  proc_.SetCpu({.user = 5, .system = 5, .idle_of_cores = {10, 10}});
  proc_.SetUptime(1);
  proc_.SetNetwork(10, 10);
  figures_.Begin("a");
  proc_.SetCpu({.user = 4, .system = 5, .idle_of_cores = {20}});
  proc_.SetUptime(2);
  proc_.SetNetwork(9, 10);
  EXPECT_THAT(ValuesOf(figures_.End("a")), IsEmpty());
}

TEST_F(SandboxFiguresTest, WithoutTextsThereAreNoFiguresAndNoCrash) {
  figures_.Begin("a");
  EXPECT_THAT(figures_.End("a"), IsEmpty());
  proc_.texts["stat"] = "cpu x";
  proc_.texts["uptime"] = "";
  proc_.texts["net/dev"] = std::string(100, '\0');
  figures_.Begin("b");
  EXPECT_THAT(figures_.End("b"), IsEmpty());
}

TEST_F(SandboxFiguresTest, PeaksOfFilesThreadsAndTmp) {
  proc_.processes = {{1, {.files = 3, .threads = 1}}, {7, {.files = 10, .threads = 4}}};
  proc_.space = DiskSpace{.total_bytes = 1000, .used_bytes = 10};
  figures_.Begin("a");
  proc_.processes[7] = {.files = 90, .threads = 20};
  proc_.space->used_bytes = 400;
  figures_.Sample();
  proc_.processes.erase(7);
  proc_.space->used_bytes = 20;
  EXPECT_THAT(ValuesOf(figures_.End("a")),
              UnorderedElementsAre(Pair("fd_use", 93), Pair("threads_use", 21), Pair("tmp_max", 1000),
                                   Pair("tmp_used", 400), Pair("tmp_free", 600)));
  figures_.Begin("b");
  EXPECT_EQ(ValuesOf(figures_.End("b")).at("fd_use"), 3) << "peaks belong to one invocation";
}

TEST_F(SandboxFiguresTest, AnUnusedTmpIsNotTold) {
  proc_.space = DiskSpace{.total_bytes = 1000, .used_bytes = 0};
  figures_.Begin("a");
  EXPECT_THAT(figures_.End("a"), IsEmpty());
}

TEST_F(SandboxFiguresTest, LimitsAreTheLeastOfAllProcessesAlsoAbove1024) {
  proc_.processes = {
      {1, {.files = 1, .threads = 1, .limits = {.files = 65536, .threads = 5000}}},
      {7, {.files = 1, .threads = 1, .limits = {.files = 4096, .threads = std::nullopt}}},
  };
  figures_.Begin("a");
  const Values values = ValuesOf(figures_.End("a"));
  EXPECT_EQ(values.at("fd_max"), 4096);
  EXPECT_EQ(values.at("threads_max"), 5000);
}

TEST_F(SandboxFiguresTest, AProcessThatCanNotBeReadCostsItsOwnThreadsOnly) {
  proc_.processes = {{1, {.files = 3, .threads = 2}}, {7, {}}};
  figures_.Begin("a");
  const Values values = ValuesOf(figures_.End("a"));
  EXPECT_EQ(values.at("threads_use"), 2);
  EXPECT_EQ(values.at("fd_use"), 3);
}

TEST_F(SandboxFiguresTest, AnEndThatIsOverIsNotRead) {
  proc_.SetNetwork(0, 0);
  proc_.processes = {{1, {.files = 3, .threads = 2}}};
  figures_.Begin("a");
  proc_.SetNetwork(99, 99);
  proc_.processes[1] = {.files = 500, .threads = 500};
  const int reads = proc_.reads;
  EXPECT_THAT(ValuesOf(figures_.EndUnread("a")),
              UnorderedElementsAre(Pair("fd_use", 3), Pair("threads_use", 2)));
  EXPECT_EQ(proc_.reads, reads);
  EXPECT_THAT(figures_.End("a"), IsEmpty());
  EXPECT_EQ(figures_.counts().ends_without_beginning, 1);
}

TEST_F(SandboxFiguresTest, WhereManyRunAtOnceEachHasItsOwnBeginningAndThePeaksAreToldOnce) {
  SandboxFigures figures(proc_, /*concurrent=*/true);
  proc_.processes = {{1, {.files = 3, .threads = 2}}};
  proc_.SetNetwork(0, 0);
  figures.Begin("a");
  proc_.SetNetwork(10, 0);
  figures.Begin("b");
  proc_.SetNetwork(30, 0);
  EXPECT_EQ(ValuesOf(figures.End("b")).at("rx_bytes"), 20);
  EXPECT_TRUE(figures.open());
  const Values first = ValuesOf(figures.End("a"));
  EXPECT_EQ(first.at("rx_bytes"), 30);
  EXPECT_EQ(first.count("fd_use"), 0);
  EXPECT_FALSE(figures.open());
  EXPECT_EQ(ValuesOf(figures.TakePeaks()).at("fd_use"), 3);
  EXPECT_THAT(figures.TakePeaks(), IsEmpty());
}

TEST_F(SandboxFiguresTest, BeginningsWithoutAnEndAreBounded) {
  SandboxFigures figures(proc_, /*concurrent=*/true);
  for (int i = 0; i < 600; ++i) figures.Begin(absl::StrCat("r", i));
  figures.End("r0");
  EXPECT_EQ(figures.counts().ends_without_beginning, 1);
  figures.End("r599");
  EXPECT_EQ(figures.counts().ends_without_beginning, 1);
}

}  // namespace
}  // namespace thaw
