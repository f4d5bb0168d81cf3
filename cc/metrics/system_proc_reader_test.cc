#include "cc/metrics/system_proc_reader.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <set>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "cc/metrics/proc_texts.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

TEST(SystemProcReaderTest, TextsOfTheKernelAreOfTheExpectedForm) {
  SystemProcReader reader;
  std::string text;
  ASSERT_TRUE(reader.Read("stat", text));
  EXPECT_TRUE(ParseCpuTimes(text).has_value()) << text;
  ASSERT_TRUE(reader.Read("uptime", text));
  EXPECT_TRUE(ParseUptime(text).has_value()) << text;
  EXPECT_TRUE(reader.Read("net/dev", text));
  EXPECT_TRUE(reader.Read("self/limits", text));
  EXPECT_NE(text.find("Max open files"), std::string::npos);
  EXPECT_FALSE(reader.Read("no such file", text));
  EXPECT_FALSE(reader.Read("self", text)) << "a folder";
  EXPECT_GT(reader.ticks_per_second(), 0);
}

TEST(SystemProcReaderTest, FilesAndThreadsOfThisProcess) {
  SystemProcReader reader;
  std::set<int> processes;
  reader.ForEachProcess([&processes](int process) { processes.insert(process); });
  EXPECT_EQ(processes.count(getpid()), 1);
  const int64_t files = reader.OpenFiles(getpid()).value_or(-1);
  const int64_t threads = reader.Threads(getpid()).value_or(-1);
  EXPECT_GT(files, 0);
  EXPECT_GE(threads, 1);

  const int file = open("/dev/null", O_RDONLY);
  EXPECT_EQ(reader.OpenFiles(getpid()), files + 1);
  close(file);
  std::atomic<bool> stop = false;
  std::thread thread([&stop] {
    while (!stop) std::this_thread::yield();
  });
  EXPECT_EQ(reader.Threads(getpid()), threads + 1);
  stop = true;
  thread.join();
}

TEST(SystemProcReaderTest, AProcessThatIsGoneHasNoFigures) {
  SystemProcReader reader;
  EXPECT_FALSE(reader.OpenFiles(2'000'000'000).has_value());
  EXPECT_FALSE(reader.Threads(2'000'000'000).has_value());
  EXPECT_FALSE(reader.Limits(2'000'000'000).files.has_value());
}

TEST(SystemProcReaderTest, LimitsAreThoseOfTheText) {
  SystemProcReader reader;
  std::string text;
  for (const int process : {getpid(), 1}) {
    if (!reader.Read(absl::StrCat(process, "/limits"), text)) continue;
    const ProcessLimits limits = reader.Limits(process);
    EXPECT_EQ(limits.files, ParseSoftLimit(text, "Max open files")) << process;
    EXPECT_EQ(limits.threads, ParseSoftLimit(text, "Max processes")) << process;
  }
  const ProcessLimits own = reader.Limits(getpid());
  rlimit files = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
  ASSERT_GT(files.rlim_cur, 17u);
  const rlimit lower = {.rlim_cur = 17, .rlim_max = files.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &lower), 0);
  EXPECT_EQ(reader.Limits(getpid()).files, 17);
  EXPECT_EQ(reader.Limits(getpid()).threads, own.threads);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
}

TEST(SystemProcReaderTest, SpaceOfTmp) {
  SystemProcReader reader;
  const std::optional<DiskSpace> space = reader.TemporarySpace();
  ASSERT_TRUE(space.has_value());
  EXPECT_GT(space->total_bytes, 0);
  EXPECT_LE(space->used_bytes, space->total_bytes);
}

}  // namespace
}  // namespace thaw
