// Writes the page docs/configuration.md from the table of options.
//
//   std::cout << ConfigurationPage();
//
// configuration_page_test fails if the file differs from what is returned here. After a change of the table:
//
//   $ bazel run //cc/config:print_configuration_page > docs/configuration.md

#ifndef THAW_CC_CONFIG_CONFIGURATION_PAGE_H_
#define THAW_CC_CONFIG_CONFIGURATION_PAGE_H_

#include <string>

namespace thaw {

// Returns the whole page, as Markdown.
std::string ConfigurationPage();

}  // namespace thaw

#endif  // THAW_CC_CONFIG_CONFIGURATION_PAGE_H_
