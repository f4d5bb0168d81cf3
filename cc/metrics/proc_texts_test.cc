#include "cc/metrics/proc_texts.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;

constexpr std::string_view kStat =
    "cpu  23370 7 9880 4092760 22 3 41 5 0 0\n"
    "cpu0 11700 3 4900 2046000 20 1 20 2 0 0\n"
    "cpu1 11670 4 4980 2046760 2 2 21 3 0 0\n"
    "intr 1234 5 6\n"
    "ctxt 987\n";

constexpr std::string_view kNetDev =
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls "
    "carrier compressed\n"
    "    lo:  999     9    0    0    0     0          0         0      999     9    0    0    0     0       0   0\n"
    "vinternal_1:  180     3    0    0    0     0          0         0      254     4    0    0    0     0       0 0\n";

TEST(ProcTextsTest, TimesOfAllCoresAndOfEach) {
  const std::optional<CpuTimes> times = ParseCpuTimes(kStat);
  ASSERT_TRUE(times.has_value());
  EXPECT_EQ(times->user, 23370);
  EXPECT_EQ(times->system, 9880 + 3 + 41);
  EXPECT_EQ(times->idle, 4092760 + 22);
  EXPECT_THAT(times->idle_of_core, ElementsAre(2046020, 2046762));
}

TEST(ProcTextsTest, TimeInInterruptsIsTimeInTheKernelAndAWaitForADiskIsIdle) {
  const std::optional<CpuTimes> times = ParseCpuTimes("cpu 0 0 1 10 100 1000 10000 7\ncpu0 0 0 1 10 100\n");
  ASSERT_TRUE(times.has_value());
  EXPECT_EQ(times->system, 11001);
  EXPECT_EQ(times->idle, 110);
  EXPECT_THAT(times->idle_of_core, ElementsAre(110));
}

TEST(ProcTextsTest, StatOfAnotherForm) {
  for (const std::string_view text :
       {"", "\n", "cpu", "cpu 1 2 3\ncpu0 1 2 3 4\n", "cpu 1 2 3 4\n", "cpu0 1 2 3 4\n", "intr 1\n",
        "cpu 1 2 x 4\ncpu0 1 2 3 4\n", "cpu 1 2 -3 4\ncpu0 1 2 3 4\n",
        "cpu 1 2 3 99999999999999999999999\ncpu0 1 2 3 4\n"}) {
    EXPECT_FALSE(ParseCpuTimes(text).has_value()) << text;
  }
}

TEST(ProcTextsTest, SumsDoNotOverflowAndCoresAreBounded) {
  std::string text = "cpu 0 0 18446744073709551615 18446744073709551615 5 1 1\n";
  for (int core = 0; core < 2000; ++core) absl::StrAppend(&text, "cpu", core, " 0 0 0 1\n");
  const std::optional<CpuTimes> times = ParseCpuTimes(text);
  ASSERT_TRUE(times.has_value());
  EXPECT_EQ(times->system, std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(times->idle, std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(times->idle_of_core.size(), kMostCores);
}

TEST(ProcTextsTest, Uptime) {
  EXPECT_EQ(ParseUptime("3213103123.92 1\n"), std::nullopt);
  EXPECT_EQ(ParseUptime("323.75 640.12\n"), absl::Milliseconds(323750));
  EXPECT_EQ(ParseUptime("7"), absl::Seconds(7));
  for (const std::string_view text : {"", "\n", "x", "-1 2", "nan", "inf", ".5"})
    EXPECT_EQ(ParseUptime(text), std::nullopt) << text;
}

TEST(ProcTextsTest, BytesOfTheFunctionsInterface) {
  const std::optional<NetworkBytes> bytes = ParseNetworkBytes(kNetDev);
  ASSERT_TRUE(bytes.has_value());
  EXPECT_EQ(bytes->received, 180);
  EXPECT_EQ(bytes->sent, 254);
}

TEST(ProcTextsTest, EachNameOfTheInterface) {
  for (const std::string_view name : {"vinternal_1", "vint_runtime", "Ceth1", "  Ceth1"}) {
    const std::optional<NetworkBytes> bytes =
        ParseNetworkBytes(absl::StrCat(name, ":1 2 3 4 5 6 7 8 9 10 11 12\n"));
    ASSERT_TRUE(bytes.has_value()) << name;
    EXPECT_EQ(bytes->received, 1);
    EXPECT_EQ(bytes->sent, 9);
  }
}

TEST(ProcTextsTest, NetworkWithoutTheInterfaceOrCut) {
  for (const std::string_view text : {"", "lo: 1 2 3 4 5 6 7 8 9\n", "vinternal_1",
                                      "vinternal_1: 1 2 3 4 5 6 7 8\n", "vinternal_1: a b c d e f g h i\n"}) {
    EXPECT_FALSE(ParseNetworkBytes(text).has_value()) << text;
  }
}

TEST(ProcTextsTest, SoftLimits) {
  constexpr std::string_view kLimits =
      "Limit                     Soft Limit           Hard Limit           Units     \n"
      "Max cpu time              unlimited            unlimited            seconds   \n"
      "Max processes             1024                 2048                 processes \n"
      "Max open files            4096                 8192                 files     \n";
  EXPECT_EQ(ParseSoftLimit(kLimits, "Max open files"), 4096);
  EXPECT_EQ(ParseSoftLimit(kLimits, "Max processes"), 1024);
  EXPECT_EQ(ParseSoftLimit(kLimits, "Max cpu time"), std::nullopt);
  EXPECT_EQ(ParseSoftLimit(kLimits, "Max open"), std::nullopt);
  EXPECT_EQ(ParseSoftLimit("Max open files", "Max open files"), std::nullopt);
  EXPECT_EQ(ParseSoftLimit("Max open files -1", "Max open files"), std::nullopt);
}

}  // namespace
}  // namespace thaw
