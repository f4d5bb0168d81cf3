#include "cc/config/yaml_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "cc/base/read_file.h"

namespace thaw {

YamlFile ReadYamlFile(const Environment& environment) {
  std::string folder = environment.Get("LAMBDA_TASK_ROOT").value_or("");
  if (folder.empty()) folder = "/var/task";
  YamlFile file;
  file.path = absl::StrCat(folder, "/datadog.yaml");
  const auto warn = [&file](std::string_view why) {
    file.text.clear();
    file.warning = ConfigWarning{.source = "datadog.yaml",
                                 .text = absl::StrCat(file.path, ": ", why, "; nothing of it is used"),
                                 .is_error = true};
  };

  // A datadog.yml is likely meant as datadog.yaml, and would be ignored silently.
  const auto warn_of_other_ending = [&file, &folder] {
    const std::string other = absl::StrCat(folder, "/datadog.yml");
    if (access(other.c_str(), F_OK) != 0) return;
    file.warning = ConfigWarning{.source = "datadog.yml",
                                 .text = absl::StrCat(other, " is not read; rename it to datadog.yaml")};
  };

  absl::StatusOr<std::string> text = ReadWholeFile(file.path, YamlFile::kMaxBytes);
  if (text.ok()) {
    file.text = *std::move(text);
  } else if (struct stat facts; absl::IsNotFound(text.status()) && lstat(file.path.c_str(), &facts) == 0) {
    warn("it is a link to a file that does not exist");
  } else if (absl::IsNotFound(text.status())) {
    warn_of_other_ending();
  } else {
    warn(text.status().message());
  }
  return file;
}

}  // namespace thaw
