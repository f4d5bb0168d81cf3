// Writes the page docs/metrics.md from the tables of metrics.
//
//   std::cout << MetricsPage();
//
// metrics_page_test fails if the file differs from what is returned here. After a change of a table:
//
//   $ bazel run //cc/extension:print_metrics_page > docs/metrics.md

#ifndef THAW_CC_EXTENSION_METRICS_PAGE_H_
#define THAW_CC_EXTENSION_METRICS_PAGE_H_

#include <string>

namespace thaw {

// Returns the whole page, as Markdown.
std::string MetricsPage();

}  // namespace thaw

#endif  // THAW_CC_EXTENSION_METRICS_PAGE_H_
