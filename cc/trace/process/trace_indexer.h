// Notes the spans of a request while it is read for the first time, which has no effect beyond the notes: a
// request that is cut off, or would become too large, is refused before anything came of it.
//
//   TraceIndexer indexer(request);
//   THAW_ASSIGN_OR_RETURN(const bool done, indexer.Index());   // until it is done
//
// One thread.

#ifndef THAW_CC_TRACE_PROCESS_TRACE_INDEXER_H_
#define THAW_CC_TRACE_PROCESS_TRACE_INDEXER_H_

#include <cstddef>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cc/trace/process/request_state.h"

namespace thaw {

class TraceIndexer {
 public:
  explicit TraceIndexer(RequestState& request) : request_(request) {}

  // Reads on as far as the request's work allows. Returns true once all is read.
  absl::StatusOr<bool> Index();

  // Called by the reader.
  absl::Status BeginRequest(size_t traces);
  absl::Status BeginTrace(size_t spans);
  absl::Status OnSpan(size_t position);
  absl::Status EndTrace();

 private:
  RequestState& request_;
};

}  // namespace thaw

#endif  // THAW_CC_TRACE_PROCESS_TRACE_INDEXER_H_
