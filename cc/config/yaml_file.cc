#include "cc/config/yaml_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "absl/strings/str_cat.h"

namespace thaw {

YamlFile ReadYamlFile(const Environment& environment) {
  std::string folder = environment.Get("LAMBDA_TASK_ROOT").value_or("");
  if (folder.empty()) folder = "/var/task";
  YamlFile file;
  file.path = absl::StrCat(folder, "/datadog.yaml");
  const auto warn = [&file](std::string_view why) {
    file.text.clear();
    file.warning = ConfigWarning{.source = "datadog.yaml",
                                 .text = absl::StrCat(file.path, ": ", why, "; nothing of it counts"),
                                 .is_error = true};
  };

  // A file of the other common ending is likely meant for this, and would be passed over in silence.
  const auto warn_of_other_ending = [&file, &folder] {
    const std::string other = absl::StrCat(folder, "/datadog.yml");
    if (access(other.c_str(), F_OK) != 0) return;
    file.warning = ConfigWarning{.source = "datadog.yml",
                                 .text = absl::StrCat(other, " is not read; rename it to datadog.yaml")};
  };

  const std::unique_ptr<FILE, int (*)(FILE*)> opened(std::fopen(file.path.c_str(), "re"), &std::fclose);
  if (opened == nullptr) {
    if (errno != ENOENT && errno != ENOTDIR) {
      warn(std::strerror(errno));
    } else {
      warn_of_other_ending();
    }
    return file;
  }
  char buffer[4096];
  size_t read;
  while ((read = std::fread(buffer, 1, sizeof(buffer), opened.get())) > 0) {
    file.text.append(buffer, read);
    if (file.text.size() > YamlFile::kMaxBytes) {
      warn(absl::StrCat("larger than ", YamlFile::kMaxBytes, " bytes"));
      return file;
    }
  }
  if (std::ferror(opened.get()) != 0) warn(std::strerror(errno));
  return file;
}

}  // namespace thaw
