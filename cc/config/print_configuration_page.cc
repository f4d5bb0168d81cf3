// Prints docs/configuration.md: bazel run //cc/config:print_configuration_page > docs/configuration.md

#include <iostream>

#include "cc/config/configuration_page.h"

int main() {
  std::cout << thaw::ConfigurationPage() << std::flush;
  return std::cout ? 0 : 1;
}
