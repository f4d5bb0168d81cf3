// Describes the processing of one request in steps, as TraceProcessor::Begin() begins it.
//
//   std::unique_ptr<TraceWork> work = processor.Begin(body, format, headers, limits, &concentrator);
//   absl::StatusOr<TraceWork::State> state = work->Step(512 << 10);   // until kDone or an error
//   if (state.ok() && *state == TraceWork::State::kPart) Use(work->TakePart());
//
// One thread.

#ifndef THAW_CC_TRACE_PROCESS_TRACE_WORK_H_
#define THAW_CC_TRACE_PROCESS_TRACE_WORK_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "absl/status/statusor.h"
#include "cc/base/byte_account.h"
#include "cc/trace/trace_counts.h"
#include "cc/trace/trace_payload.h"

namespace thaw {

// Bounds of one request.
struct TraceLimits {
  // The account that memory is charged to before it is allocated; null: none.
  ByteAccount* account = nullptr;
  // The charge of the body.
  size_t body_bytes = 0;
  // Largest result of the request, and largest payload of it, unless a single span is larger.
  size_t max_result_bytes = std::numeric_limits<size_t>::max();
  size_t max_part_bytes = std::numeric_limits<size_t>::max();
};

// A request that is processed in steps. Its body and its processor, which may process other requests
// meanwhile, must outlive it.
class TraceWork {
 public:
  enum class State {
    kMore,  // steps follow
    kPart,  // TakePart() returns a payload, and more may follow
    kDone,  // TakePart() returns the last payload, which may be empty
  };
  virtual ~TraceWork() = default;

  // Continues for about as much work as copying `bytes` takes. Only a single span can take more: its values
  // are read and written at once. An error ends the work. InvalidArgument: the request can't be read.
  // OutOfRange: its result would be larger than allowed, or than the account could ever hold.
  // ResourceExhausted: there is no room at present.
  virtual absl::StatusOr<State> Step(int64_t bytes) = 0;
  virtual TracePayload TakePart() = 0;
  // Counts all its payloads.
  virtual const TraceCounts& counts() const = 0;
  virtual const std::string& first_problem() const = 0;
  // Releases its charge; no step may follow.
  virtual void EndCharge() = 0;
  // Makes the deduplicator forget its spans, as ForgetLast() does.
  virtual void Forget() = 0;
};

}  // namespace thaw

#endif  // THAW_CC_TRACE_PROCESS_TRACE_WORK_H_
