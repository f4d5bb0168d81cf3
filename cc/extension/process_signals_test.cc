#include "cc/extension/process_signals.h"

#include <csignal>
#include <string>
#include <vector>

#include "absl/log/log_entry.h"
#include "absl/log/log_sink.h"
#include "absl/log/log_sink_registry.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cc/clock/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Lines : public absl::LogSink {
 public:
  Lines() { absl::AddLogSink(this); }
  ~Lines() override { absl::RemoveLogSink(this); }
  void Send(const absl::LogEntry& entry) override { lines.emplace_back(entry.text_message()); }
  std::vector<std::string> lines;
};

// Serves the loop until what has come so far is handled.
void Serve(EventLoop& loop) {
  const Alarm soon(loop, absl::Milliseconds(20), [&loop] { loop.Stop(); });
  loop.Run();
}

TEST(ProcessSignalsTest, SignalsThatMeanTheEndRequestIt) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT}) {
    EventLoop loop;
    Cancellation stop;
    const ProcessSignals signals(loop, stop);
    Serve(loop);
    EXPECT_FALSE(stop.requested());
    std::raise(signal);
    Serve(loop);
    EXPECT_TRUE(absl::IsCancelled(stop.reason())) << signal;
  }
}

TEST(ProcessSignalsTest, OthersAreLoggedOnceAndEndNothing) {
  for (const int signal : {SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGXCPU, SIGXFSZ, SIGIO, SIGPWR,
                           SIGSTKFLT, SIGRTMIN, SIGRTMAX}) {
    EventLoop loop;
    Cancellation stop;
    const ProcessSignals signals(loop, stop);
    const Lines log;
    for (int time = 0; time < 3; ++time) {
      std::raise(signal);
      Serve(loop);
    }
    EXPECT_FALSE(stop.requested()) << signal;
    EXPECT_THAT(log.lines, ElementsAre(HasSubstr("is not used by the extension")));
  }
}

}  // namespace
}  // namespace thaw
