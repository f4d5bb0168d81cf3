#include "cc/config/yaml_file.h"

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
    file.warning =
        ConfigWarning{"datadog.yaml", absl::StrCat(file.path, ": ", why, "; nothing of it counts")};
  };

  const std::unique_ptr<FILE, int (*)(FILE*)> opened(std::fopen(file.path.c_str(), "re"), &std::fclose);
  if (opened == nullptr) {
    if (errno != ENOENT && errno != ENOTDIR) warn(std::strerror(errno));
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
