#include "cc/extension/log_output.h"

#include <unistd.h>

#include <string>

#include "absl/log/log.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

// Standard error of this process, while it lives.
class Capture {
 public:
  Capture() { testing::internal::CaptureStderr(); }
  std::string Text() { return testing::internal::GetCapturedStderr(); }
};

// One test, since a process has one log.
TEST(LogOutput, IsOneLineForEachMessageOfItsLevel) {
  Capture capture;
  InstallLogOutput(LogLevel::kWarn);
  LOG(INFO) << "not this";
  VLOG(1) << "nor this";
  LOG(WARNING) << "a warning";
  LOG(ERROR) << "an error";
  EXPECT_EQ(capture.Text(), "THAW | WARN | a warning\nTHAW | ERROR | an error\n");
}

}  // namespace
}  // namespace thaw
