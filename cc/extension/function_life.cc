#include "cc/extension/function_life.h"

#include <algorithm>
#include <variant>

namespace thaw {

Task<absl::StatusOr<ShutdownEvent>> FunctionLife::Run(Cancellation& cancellation) {
  while (true) {
    absl::StatusOr<LambdaEvent> event = co_await extensions_.Next(cancellation);
    if (!event.ok()) co_return event.status();
    // Before anything is sent: whatever was open may have crossed a freeze.
    coordinator_.Resume();
    if (on_resume_) on_resume_();
    if (auto* const shutdown = std::get_if<ShutdownEvent>(&*event)) {
      tracker_.OnShutdown(*shutdown);
      OnRecords();
      co_return *std::move(shutdown);
    }
    co_await Serve(std::get<InvokeEvent>(*std::move(event)));
  }
}

Task<void> FunctionLife::Serve(InvokeEvent event) {
  ++counts_.invocations;
  request_id_ = event.request_id;
  const absl::Time deadline = event.deadline;
  tracker_.OnInvoke(event);
  if (on_invoke_) on_invoke_(event);
  switch (coordinator_.BeginInvocation(deadline)) {
    case FlushDecision::kAtEnd:
      if (options_.telemetry) {
        co_await WaitForEnd(deadline);
        coordinator_.OnFunctionEnd();
        co_await coordinator_.Flush(FlushReason::kEnd);
      } else {
        // What this invocation hands over goes with the next one, or with the last flush.
        ++counts_.ends_unknown;
        co_await coordinator_.Flush(FlushReason::kBlocking);
      }
      break;
    case FlushDecision::kBlocking:
      co_await coordinator_.Flush(FlushReason::kBlocking);
      break;
    case FlushDecision::kInBackground:
    case FlushDecision::kNone:
      break;
  }
  tracker_.OnNext(request_id_);
  coordinator_.Quiesce();
}

Task<bool> FunctionLife::WaitForEnd(absl::Time deadline) {
  if (tracker_.HasEnded(request_id_)) co_return true;
  ++counts_.ends_awaited;
  Completion<bool> ended(executor_);
  ended_ = &ended;
  const absl::Duration left = deadline - clock_.Now().wall - options_.reserve;
  const Alarm alarm(clock_, std::max(left, absl::ZeroDuration()), [&ended] { ended.Set(false); });
  const bool seen = co_await ended;
  ended_ = nullptr;
  if (!seen) ++counts_.ends_not_seen;
  co_return seen;
}

void FunctionLife::OnRecords() {
  if (counts_.invocations == 0 || !tracker_.HasEnded(request_id_)) return;
  // Whatever the strategy: a shutdown must not wait for what has ended.
  coordinator_.OnFunctionEnd();
  if (ended_ != nullptr) ended_->Set(true);
}

}  // namespace thaw
