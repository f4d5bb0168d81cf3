#include "cc/base/read_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace thaw {
namespace {

constexpr size_t kFirstRead = 4096;

std::string_view KindOf(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

absl::Status CheckRegular(const struct stat& facts) {
  if (S_ISREG(facts.st_mode)) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("it is ", KindOf(facts.st_mode), ", not a file"));
}

absl::Status LastError() {
  const int error = errno;
  const absl::StatusCode code =
      error == ENOTDIR ? absl::StatusCode::kNotFound : absl::ErrnoToStatusCode(error);
  return absl::Status(code, std::strerror(error));
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  int number() const { return number_; }

 private:
  const int number_;
};

absl::Status TooLarge(size_t max_bytes) {
  return absl::ResourceExhaustedError(absl::StrCat("larger than ", max_bytes, " bytes"));
}

}  // namespace

absl::StatusOr<std::string> ReadWholeFile(const std::string& path, size_t max_bytes) {
  // The kind is checked before opening, since opening a device may have side effects.
  struct stat facts;
  if (stat(path.c_str(), &facts) != 0) return LastError();
  if (absl::Status status = CheckRegular(facts); !status.ok()) return status;
  // Another file may be there by now, so it is checked again. O_NONBLOCK: opening a pipe does not wait.
  const Descriptor file(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (file.number() < 0) return LastError();
  if (fstat(file.number(), &facts) != 0) return LastError();
  if (absl::Status status = CheckRegular(facts); !status.ok()) return status;
  const size_t size = static_cast<size_t>(std::max<off_t>(facts.st_size, 0));
  if (size > max_bytes) return TooLarge(max_bytes);

  // Files in /proc report no size, and any file may grow. One byte more shows that a file is too large.
  std::string text;
  size_t taken = 0;
  text.resize(std::min(std::max(size + 1, kFirstRead), max_bytes + 1));
  while (true) {
    const ssize_t read = ::read(file.number(), text.data() + taken, text.size() - taken);
    if (read < 0 && errno == EINTR) continue;
    if (read < 0) return LastError();
    if (read == 0) break;
    taken += static_cast<size_t>(read);
    if (taken > max_bytes) return TooLarge(max_bytes);
    if (taken == text.size()) text.resize(std::min(2 * taken, max_bytes + 1));
  }
  text.resize(taken);
  return text;
}

}  // namespace thaw
