// datadog.yaml, as a function ships it.
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
  // More is no configuration; nothing of it is read.
  static constexpr size_t kMaxBytes = 1 << 20;

  std::string path;
  std::string text;  // empty: there is no such file, or it can't be read
  std::optional<ConfigWarning> warning;
};

// Reads datadog.yaml in the folder that LAMBDA_TASK_ROOT names (/var/task if it names none). A file that does
// not exist is no warning, unless there is a datadog.yml; one that can't be read, or is too large, is an
// error.
YamlFile ReadYamlFile(const Environment& environment);

}  // namespace thaw

#endif  // THAW_CC_CONFIG_YAML_FILE_H_
