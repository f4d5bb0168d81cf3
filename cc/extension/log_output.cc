#include "cc/extension/log_output.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>
#include <string>

#include "absl/base/log_severity.h"
#include "absl/log/globals.h"
#include "absl/log/initialize.h"
#include "absl/log/log_entry.h"
#include "absl/log/log_sink.h"
#include "absl/log/log_sink_registry.h"
#include "absl/strings/str_cat.h"
#include "cc/base/printable.h"

namespace thaw {
namespace {

constexpr std::string_view kProgram = "THAW | ";

std::string_view LevelOf(const absl::LogEntry& entry) {
  if (entry.verbosity() != absl::LogEntry::kNoVerbosityLevel) return "DEBUG";
  switch (entry.log_severity()) {
    case absl::LogSeverity::kInfo:
      return "INFO";
    case absl::LogSeverity::kWarning:
      return "WARN";
    default:
      return "ERROR";
  }
}

// Writes to a descriptor without blocking, although its flags are shared with other processes.
class UnwaitingWrites {
 public:
  explicit UnwaitingWrites(int shared) : shared_(shared) {}
  ~UnwaitingWrites() {
    if (own_ >= 0) close(own_);
  }
  UnwaitingWrites(const UnwaitingWrites&) = delete;
  UnwaitingWrites& operator=(const UnwaitingWrites&) = delete;

  // Works like write(2): EAGAIN if nothing can be taken now.
  ssize_t Write(std::string_view bytes) {
    if (way_ == Way::kUnknown) Choose();
    switch (way_) {
      case Way::kPlain:
        return write(shared_, bytes.data(), bytes.size());
      case Way::kSocket:
        return send(shared_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      case Way::kOwn:
        return write(own_, bytes.data(), bytes.size());
      case Way::kUnknown:
      case Way::kPolled:
        break;
    }
    return WritePolled(bytes);
  }

 private:
  enum class Way { kUnknown, kPlain, kSocket, kOwn, kPolled };

  // Runs at the first line, so that a start without lines costs nothing.
  void Choose() {
    struct stat facts;
    way_ = Way::kPlain;  // a file; or closed, which the write reports
    if (fstat(shared_, &facts) != 0 || S_ISREG(facts.st_mode)) return;
    if (S_ISSOCK(facts.st_mode)) {
      way_ = Way::kSocket;
      return;
    }
    // A pipe or a terminal that is opened anew has flags of its own. Another user's can't be opened.
    const std::string path = absl::StrCat("/proc/self/fd/", shared_);
    own_ = open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    way_ = own_ >= 0 ? Way::kOwn : Way::kPolled;
  }

  // A ready pipe takes PIPE_BUF bytes at once, unless another process is faster.
  ssize_t WritePolled(std::string_view bytes) {
    ssize_t taken = 0;
    while (taken < static_cast<ssize_t>(bytes.size())) {
      pollfd ready{.fd = shared_, .events = POLLOUT, .revents = 0};
      if (poll(&ready, 1, 0) != 1) break;
      const std::string_view rest = bytes.substr(taken, PIPE_BUF);
      const ssize_t written = write(shared_, rest.data(), rest.size());
      if (written < 0) return taken > 0 ? taken : written;
      taken += written;
    }
    if (taken > 0) return taken;
    errno = EAGAIN;
    return -1;
  }

  const int shared_;
  int own_ = -1;
  Way way_ = Way::kUnknown;
};

}  // namespace

struct LineOutput::Impl {
  explicit Impl(int descriptor) : writes(descriptor) {}

  enum class Outcome { kTaken, kFull, kBroken };

  // Writes `bytes` and removes the part that was taken.
  Outcome Give(std::string& bytes) {
    while (!bytes.empty()) {
      const ssize_t taken = writes.Write(bytes);
      if (taken < 0 && errno == EINTR) continue;
      if (taken < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? Outcome::kFull : Outcome::kBroken;
      bytes.erase(0, static_cast<size_t>(taken));
    }
    return Outcome::kTaken;
  }

  std::mutex mutex;
  UnwaitingWrites writes;
  std::string rest;      // remainder of a line that was partly taken
  int64_t reported = 0;  // the part of counts.dropped that was reported
  LogCounts counts;
};

LineOutput::LineOutput(int descriptor) : impl_(std::make_unique<Impl>(descriptor)) {}
LineOutput::~LineOutput() = default;

void LineOutput::Write(std::string_view level, std::string_view text) {
  const std::lock_guard<std::mutex> lock(impl_->mutex);
  LogCounts& counts = impl_->counts;
  if (!impl_->rest.empty()) {
    const Impl::Outcome outcome = impl_->Give(impl_->rest);
    if (outcome == Impl::Outcome::kFull) {
      ++counts.dropped;
      return;
    }
    impl_->rest.clear();
  }
  // One write takes the whole line, so that lines of several processes don't mix.
  std::string line;
  const int64_t unreported = counts.dropped - impl_->reported;
  if (unreported > 0) {
    absl::StrAppend(&line, kProgram, "WARN | ", unreported, unreported == 1 ? " line was" : " lines were",
                    " left out: nobody read standard error\n");
  }
  absl::StrAppend(&line, kProgram, level, " | ");
  AppendPrintable(line, text);
  line += '\n';
  const size_t size = line.size();
  const Impl::Outcome outcome = impl_->Give(line);
  if (outcome == Impl::Outcome::kBroken) {
    ++counts.failed;
  } else if (outcome == Impl::Outcome::kFull && line.size() == size) {
    ++counts.dropped;
  } else {
    ++counts.written;
    impl_->reported += unreported;
    impl_->rest = std::move(line);
  }
}

LogCounts LineOutput::counts() const {
  const std::lock_guard<std::mutex> lock(impl_->mutex);
  return impl_->counts;
}

namespace {

class StandardError : public absl::LogSink {
 public:
  void Send(const absl::LogEntry& entry) override { lines_.Write(LevelOf(entry), entry.text_message()); }
  LogCounts counts() const { return lines_.counts(); }

 private:
  LineOutput lines_{STDERR_FILENO};
};

// The output outlives everything that logs.
StandardError& Output() {
  static StandardError* const output = new StandardError;
  return *output;
}

}  // namespace

void InstallLogOutput(LogLevel level) {
  absl::AddLogSink(&Output());
  // The library must not write lines elsewhere.
  absl::SetStderrThreshold(absl::LogSeverityAtLeast::kInfinity);
  absl::SetMinLogLevel(level == LogLevel::kError  ? absl::LogSeverityAtLeast::kError
                       : level == LogLevel::kWarn ? absl::LogSeverityAtLeast::kWarning
                                                  : absl::LogSeverityAtLeast::kInfo);
  if (level >= LogLevel::kDebug) absl::SetGlobalVLogLevel(level == LogLevel::kTrace ? 2 : 1);
  absl::InitializeLog();
}

LogCounts LogOutputCounts() { return Output().counts(); }

}  // namespace thaw
