// ConnectionStats and ExchangeStats: a client's counts and open connections at one moment.

#ifndef THAW_PYTHON_BINDINGS_STATS_H_
#define THAW_PYTHON_BINDINGS_STATS_H_

#include "cc/net/client_counts.h"

namespace thaw::python {

struct ConnectionStats {
  ConnectionCounts counts;
  int open = 0;
  int idle = 0;
};

struct ExchangeStats {
  ExchangeCounts counts;
  int open = 0;
};

}  // namespace thaw::python

#endif  // THAW_PYTHON_BINDINGS_STATS_H_
