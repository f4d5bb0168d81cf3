#include "cc/metrics/system_proc_reader.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cc/base/read_file.h"
#include "cc/metrics/proc_texts.h"

namespace thaw {
namespace {

// A process with more files is counted as having so many: counting takes time for each.
constexpr int64_t kMostEntries = 65'536;

// Calls `visit` with the name of each entry but "." and "..", until it returns false. Returns false if the folder
// can't be read.
bool VisitFolder(const std::string& path, absl::FunctionRef<bool(std::string_view name)> visit) {
  DIR* const folder = opendir(path.c_str());
  if (folder == nullptr) return false;
  while (const dirent* const entry = readdir(folder)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != ".." && !visit(name)) break;
  }
  closedir(folder);
  return true;
}

std::optional<int64_t> CountEntries(const std::string& path) {
  int64_t entries = 0;
  const bool read = VisitFolder(path, [&entries](std::string_view) { return ++entries < kMostEntries; });
  if (!read) return std::nullopt;
  return entries;
}

std::optional<int64_t> SoftLimit(const rlimit& limit) {
  if (limit.rlim_cur == RLIM_INFINITY) return std::nullopt;
  return static_cast<int64_t>(limit.rlim_cur);
}

std::string PathOf(int process, std::string_view name) { return absl::StrCat("/proc/", process, "/", name); }

}  // namespace

bool SystemProcReader::Read(std::string_view path, std::string& text) {
  absl::StatusOr<std::string> content = ReadWholeFile(absl::StrCat("/proc/", path), kMostText);
  if (!content.ok()) return false;
  text = *std::move(content);
  return true;
}

void SystemProcReader::ForEachProcess(absl::FunctionRef<void(int process)> visit) {
  processes_.clear();
  VisitFolder("/proc", [this](std::string_view name) {
    int process = 0;
    if (name.front() >= '1' && name.front() <= '9' && absl::SimpleAtoi(name, &process))
      processes_.push_back(process);
    return processes_.size() < kMostProcesses;
  });
  // The folder is closed by now, so that it is not counted among this process's open files.
  for (const int process : processes_) visit(process);
}

std::optional<int64_t> SystemProcReader::OpenFiles(int process) {
  const std::string path = PathOf(process, "fd");
  struct stat folder = {};
  if (stat(path.c_str(), &folder) != 0) return std::nullopt;
  // Counting files makes the kernel look each one up.
  if (!sizes_count_.has_value()) {
    struct stat own = {};
    // This process has at least one open file, the event loop's.
    sizes_count_ = stat("/proc/self/fd", &own) == 0 && own.st_size > 0;
  }
  if (*sizes_count_ || folder.st_size > 0) return folder.st_size;
  std::optional<int64_t> files = CountEntries(path);
  // The folder is one of this process's own files while it is read.
  if (files.has_value() && process == getpid()) --*files;
  return files;
}

std::optional<int64_t> SystemProcReader::Threads(int process) {
  const std::string path = PathOf(process, "task");
  struct stat folder = {};
  if (stat(path.c_str(), &folder) != 0) return std::nullopt;
  // A folder has two links of its own and one for each folder within, here one for each thread. Other kernels
  // may not count these.
  if (folder.st_nlink > 2) return static_cast<int64_t>(folder.st_nlink) - 2;
  return CountEntries(path);
}

ProcessLimits SystemProcReader::Limits(int process) {
  rlimit files = {};
  rlimit threads = {};
  // Allowed for processes of the same user, as those of a function are. The text takes ten times as long.
  if (prlimit(process, RLIMIT_NOFILE, nullptr, &files) == 0 &&
      prlimit(process, RLIMIT_NPROC, nullptr, &threads) == 0)
    return {.files = SoftLimit(files), .threads = SoftLimit(threads)};
  if (!Read(absl::StrCat(process, "/limits"), text_)) return {};
  return {.files = ParseSoftLimit(text_, "Max open files"),
          .threads = ParseSoftLimit(text_, "Max processes")};
}

std::optional<DiskSpace> SystemProcReader::TemporarySpace() {
  struct statfs space = {};
  if (statfs("/tmp/", &space) != 0) return std::nullopt;
  const auto block = static_cast<uint64_t>(space.f_bsize);
  return DiskSpace{.total_bytes = block * space.f_blocks,
                   .used_bytes = block * (space.f_blocks - std::min(space.f_blocks, space.f_bavail))};
}

double SystemProcReader::ticks_per_second() const { return static_cast<double>(sysconf(_SC_CLK_TCK)); }

}  // namespace thaw
