// Reads the datadog.yaml that a function ships.
//
//   const YamlFile file = ReadYamlFile(environment);
//   Config config = LoadConfig(environment, file.text);

#ifndef THAW_CC_CONFIG_YAML_FILE_H_
#define THAW_CC_CONFIG_YAML_FILE_H_

#include <cstddef>
#include <optional>
#include <string>

#include "cc/config/environment.h"
#include "cc/config/raw_options.h"

namespace thaw {

struct YamlFile {
  // A larger file is an error, and nothing of it is used.
  static constexpr size_t kMaxBytes = 1 << 20;

  std::string path;
  std::string text;  // empty if there is no such file or it can't be read
  std::optional<ConfigWarning> warning;
};

// Reads datadog.yaml in the folder that LAMBDA_TASK_ROOT names (/var/task by default). A file that does not
// exist causes no warning, unless there is a datadog.yml; one that can't be read, or is too large, is an
// error.
YamlFile ReadYamlFile(const Environment& environment);

}  // namespace thaw

#endif  // THAW_CC_CONFIG_YAML_FILE_H_
