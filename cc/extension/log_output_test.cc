#include "cc/extension/log_output.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

#include "absl/log/log.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::StartsWith;

// Captures this process's standard error while it lives.
class Capture {
 public:
  Capture() { testing::internal::CaptureStderr(); }
  std::string Text() { return testing::internal::GetCapturedStderr(); }
};

// All cases are one test, since a process has one log.
TEST(LogOutput, IsOneLineForEachMessageOfItsLevel) {
  Capture capture;
  InstallLogOutput(LogLevel::kWarn);
  LOG(INFO) << "not this";
  VLOG(1) << "nor this";
  LOG(WARNING) << "a warning";
  LOG(ERROR) << "502 \x1b[31mBad\r\nTHAW | ERROR | forged";
  EXPECT_EQ(capture.Text(),
            "THAW | WARN | a warning\n"
            "THAW | ERROR | 502 \\x1b[31mBad\\r\\nTHAW | ERROR | forged\n");
  EXPECT_EQ(LogOutputCounts().written, 2);
}

enum class Kind { kPipe, kPipeOfAnotherUser, kSocket };

class LineOutputTest : public testing::TestWithParam<Kind> {
 protected:
  LineOutputTest() {
    std::signal(SIGPIPE, SIG_IGN);
    if (GetParam() == Kind::kSocket) {
      EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends_), 0);
    } else {
      EXPECT_EQ(pipe(ends_), 0);
    }
    EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &files_), 0);
    // The limit lets nothing be opened, and poll(2) takes no more descriptors than the limit.
    rlimit one = files_;
    one.rlim_cur = 1;
    if (GetParam() == Kind::kPipeOfAnotherUser) {
      EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &one), 0);
    }
  }
  ~LineOutputTest() override {
    setrlimit(RLIMIT_NOFILE, &files_);
    for (const int end : ends_) {
      if (end >= 0) close(end);
    }
  }
  int reader() const { return ends_[0]; }
  int writer() const { return ends_[1]; }
  void CloseReader() {
    close(ends_[0]);
    ends_[0] = -1;
  }
  // Returns what has been written so far.
  std::string Drain() {
    fcntl(reader(), F_SETFL, O_NONBLOCK);
    std::string all;
    char buffer[65536];
    ssize_t got;
    while ((got = read(reader(), buffer, sizeof(buffer))) > 0) all.append(buffer, got);
    return all;
  }

 private:
  int ends_[2] = {-1, -1};
  rlimit files_ = {};
};

TEST_P(LineOutputTest, WithoutAReaderLinesAreCountedAndNoThreadWaits) {
  LineOutput output(writer());
  constexpr int kLines = 5000;
  const std::string text(1000, 'x');
  for (int line = 0; line < kLines; ++line) output.Write("DEBUG", absl::StrCat(line, " ", text));
  const LogCounts stopped = output.counts();
  EXPECT_GT(stopped.dropped, 0);
  EXPECT_GT(stopped.written, 0);
  EXPECT_EQ(stopped.written + stopped.dropped, kLines);
  EXPECT_EQ(fcntl(writer(), F_GETFL) & O_NONBLOCK, 0) << "others share it";

  const std::string before = Drain();
  output.Write("INFO", "the reader is back");
  std::vector<std::string> lines = absl::StrSplit(absl::StrCat(before, Drain()), '\n');
  ASSERT_EQ(lines.back(), "");
  lines.pop_back();
  ASSERT_EQ(static_cast<int64_t>(lines.size()), stopped.written + 2);
  for (int64_t line = 0; line < stopped.written; ++line) {
    ASSERT_EQ(lines[line], absl::StrCat("THAW | DEBUG | ", line, " ", text));
  }
  EXPECT_EQ(lines[stopped.written], absl::StrCat("THAW | WARN | ", stopped.dropped,
                                                 " lines were left out: nobody read standard error"));
  EXPECT_EQ(lines.back(), "THAW | INFO | the reader is back");
  output.Write("INFO", "again");
  EXPECT_EQ(Drain(), "THAW | INFO | again\n") << "it is said once";
}

TEST_P(LineOutputTest, ALineLargerThanTheRoomIsContinued) {
  LineOutput output(writer());
  const std::string large(1 << 20, 'y');
  output.Write("DEBUG", large);
  output.Write("DEBUG", "left out");
  EXPECT_EQ(output.counts().written, 1);
  EXPECT_EQ(output.counts().dropped, 1);
  std::string all;
  for (int turn = 0; turn < 1000 && !absl::StrContains(all, "done"); ++turn) {
    all += Drain();
    output.Write("INFO", "done");
  }
  EXPECT_THAT(all, StartsWith(absl::StrCat("THAW | DEBUG | ", large, "\nTHAW | WARN | ")));
}

TEST_P(LineOutputTest, AReaderThatIsGoneIsHarmless) {
  LineOutput output(writer());
  CloseReader();
  for (int line = 0; line < 3; ++line) output.Write("ERROR", "nobody hears");
  EXPECT_EQ(output.counts().failed, 3);
  EXPECT_EQ(output.counts().written, 0);
}

INSTANTIATE_TEST_SUITE_P(Kinds, LineOutputTest,
                         testing::Values(Kind::kPipe, Kind::kPipeOfAnotherUser, Kind::kSocket));

TEST(LineOutput, AClosedDescriptorIsHarmless) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  close(ends[1]);
  LineOutput output(ends[1]);
  output.Write("ERROR", "nowhere to go");
  EXPECT_EQ(output.counts().failed, 1);
}

TEST(LineOutput, AFileIsContinuedWhereItEnds) {
  const std::string path = testing::TempDir() + "/log";
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
  ASSERT_GE(file, 0);
  ASSERT_EQ(write(file, "before\n", 7), 7);
  LineOutput output(file);
  output.Write("WARN", "after");
  char content[64] = {};
  ASSERT_GT(pread(file, content, sizeof(content), 0), 0);
  EXPECT_STREQ(content, "before\nTHAW | WARN | after\n");
  close(file);
}

}  // namespace
}  // namespace thaw
