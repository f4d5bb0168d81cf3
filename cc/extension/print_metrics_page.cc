// Prints docs/metrics.md: bazel run //cc/extension:print_metrics_page > docs/metrics.md

#include <iostream>

#include "cc/extension/metrics_page.h"

int main() {
  std::cout << thaw::MetricsPage() << std::flush;
  return std::cout ? 0 : 1;
}
