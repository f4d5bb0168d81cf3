#include "cc/net/io/system_random.h"

#include <fcntl.h>
#include <linux/random.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "cc/base/seeded_random.h"
#include "cc/clock/system_clock.h"
#include "openssl/rand.h"

namespace thaw {
namespace {

// A filter of calls may answer EINTR without end.
constexpr int kMostInterruptions = 1000;

// Returns 0 or the error number.
int ReadKernel(void* into, size_t size) {
  long got;
  int tries = 0;
  do {
    // glibc has a function for it since 2.25; wheels are for older ones, too.
    got = syscall(SYS_getrandom, into, size, GRND_NONBLOCK);
  } while (got < 0 && errno == EINTR && ++tries < kMostInterruptions);
  return got == static_cast<long>(size) ? 0 : errno;
}

int ReadDevice(void* into, size_t size) {
  const int device = open("/dev/urandom", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (device < 0) return errno;
  ssize_t got;
  do {
    got = read(device, into, size);
  } while (got < 0 && errno == EINTR);
  const int error = got == static_cast<ssize_t>(size) ? 0 : got < 0 ? errno : EIO;
  close(device);
  return error;
}

uint64_t SeedOfProcess() {
  const ClockReading now = ReadSystemClocks();
  uint64_t of_kernel = 0;
  // The kernel gives 16 random bytes to each program that it starts.
  if (const auto* given = reinterpret_cast<const void*>(getauxval(AT_RANDOM)))
    std::memcpy(&of_kernel, given, sizeof(of_kernel));
  uint64_t seed = of_kernel;
  // Clones of a snapshot share all of these but the time.
  for (const uint64_t part :
       {static_cast<uint64_t>(absl::ToUnixNanos(now.wall)),
        static_cast<uint64_t>(absl::ToInt64Nanoseconds(now.monotonic)), static_cast<uint64_t>(getpid())}) {
    seed = SeededRandom(seed ^ part).Next();
  }
  return seed;
}

}  // namespace

uint64_t DrawSeed() {
  // Draws 16 bytes: glibc draws 8 of its own, so a trace of system calls can tell the two apart.
  uint64_t parts[2] = {};
  if (ReadKernel(parts, sizeof(parts)) == 0 || ReadDevice(parts, sizeof(parts)) == 0)
    return parts[0] ^ parts[1];
  return SeedOfProcess();
}

absl::Status CheckSystemRandom() {
  char byte;
  const int by_kernel = ReadKernel(&byte, sizeof(byte));
  if (by_kernel == 0) return absl::OkStatus();
  // With EAGAIN the pool may not be ready yet; then the TLS library waits for it. A filter's EAGAIN looks the
  // same, and then the library reads the device.
  const int by_device = ReadDevice(&byte, sizeof(byte));
  if (by_device == 0) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("no random numbers: getrandom: ", std::strerror(by_kernel),
                                             "; /dev/urandom: ", std::strerror(by_device)));
}

absl::Status SeedKeysAnew() {
  if (absl::Status status = CheckSystemRandom(); !status.ok()) return status;
  uint8_t unused;
  // BoringSSL seeds a generator when it is used after this setting has changed. The setting is left as it was,
  // so that a fork is still noticed.
  RAND_enable_fork_unsafe_buffering(-1);
  RAND_bytes(&unused, sizeof(unused));
  RAND_disable_fork_unsafe_buffering();
  RAND_bytes(&unused, sizeof(unused));
  return absl::OkStatus();
}

}  // namespace thaw
