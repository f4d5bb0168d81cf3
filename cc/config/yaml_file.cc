#include "cc/config/yaml_file.h"

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
    file.warning =
        ConfigWarning{"datadog.yaml", absl::StrCat(file.path, ": ", why, "; nothing of it counts")};
  };

  absl::StatusOr<std::string> text = ReadWholeFile(file.path, YamlFile::kMaxBytes);
  if (text.ok()) {
    file.text = *std::move(text);
  } else if (!absl::IsNotFound(text.status())) {
    warn(text.status().message());
  }
  return file;
}

}  // namespace thaw
