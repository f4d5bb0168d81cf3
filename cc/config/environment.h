// Environment variables as a value, so that a test can set them.
//
//   const Config config = LoadConfig(Environment::OfProcess(), yaml_text);
//   const Config europe = LoadConfig(Environment({{"DD_SITE", "datadoghq.eu"}}), "");
//
// No other code in cc/ reads the environment.

#ifndef THAW_CC_CONFIG_ENVIRONMENT_H_
#define THAW_CC_CONFIG_ENVIRONMENT_H_

#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace thaw {

class Environment {
 public:
  using Variables = std::map<std::string, std::string, std::less<>>;

  // Has no variables.
  Environment() = default;
  explicit Environment(Variables variables) : variables_(std::move(variables)) {}
  Environment(std::initializer_list<Variables::value_type> variables) : variables_(variables) {}

  // Copies this process's variables as they are now. As with getenv, no other thread may set one meanwhile.
  static Environment OfProcess();

  // Returns the value, which may be empty, or nullopt if there is no such variable.
  std::optional<std::string> Get(std::string_view name) const;
  const Variables& variables() const { return variables_; }

 private:
  Variables variables_;
};

}  // namespace thaw

#endif  // THAW_CC_CONFIG_ENVIRONMENT_H_
