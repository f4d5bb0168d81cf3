// ConnectionStats and ExchangeStats: a client's counters and open connections at one moment.

#ifndef THAW_PYTHON_BINDINGS_STATS_H_
#define THAW_PYTHON_BINDINGS_STATS_H_

#include "cc/net/counters.h"

namespace thaw::python {

struct ConnectionStats {
  ConnectionCounters counters;
  int open = 0;
  int idle = 0;
};

struct ExchangeStats {
  ExchangeCounters counters;
  int open = 0;
};

}  // namespace thaw::python

#endif  // THAW_PYTHON_BINDINGS_STATS_H_
