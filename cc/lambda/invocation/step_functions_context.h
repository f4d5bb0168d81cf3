// Derives the trace of a state machine's step from the step itself, so that all its observers agree on the
// ids.
//
//   if (const boost::json::value* step = StepOf(event)) context = ContextOfStepObject(*step);
//
// Source: the context object in AWS's Step Functions developer guide.

#ifndef THAW_CC_LAMBDA_INVOCATION_STEP_FUNCTIONS_CONTEXT_H_
#define THAW_CC_LAMBDA_INVOCATION_STEP_FUNCTIONS_CONTEXT_H_

#include <string_view>

#include "boost/json/fwd.hpp"
#include "cc/lambda/invocation/trace_context.h"

namespace thaw {

// Returns whether this is a state machine's context object.
bool IsStep(const boost::json::value& at);

// Returns a state machine's context object in an event; null if it has none.
const boost::json::value* StepOf(const boost::json::value& event);

// Returns the trace of a state machine's step. The machine continues a trace that it was started in, and that
// of the machine which started it; either is named beside the context object, or in the execution's input.
TraceContext ContextOfStepObject(const boost::json::value& step);

// Returns the trace and parent id that all observers of a state machine's step agree on. `entered_time` and
// the counts are the step's, as its context object has them.
struct StepFunctionsStep {
  std::string_view execution_id;
  std::string_view root_execution_id;  // empty: the execution is the root
  std::string_view state_name;
  std::string_view entered_time;
  int retry_count = 0;
  int redrive_count = 0;
};
TraceContext ContextOfStep(const StepFunctionsStep& step);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_INVOCATION_STEP_FUNCTIONS_CONTEXT_H_
