#include "cc/extension/function_life.h"

#include <algorithm>
#include <memory>
#include <variant>

namespace thaw {

Task<absl::StatusOr<ShutdownEvent>> FunctionLife::Run(Cancellation& cancellation) {
  while (true) {
    absl::StatusOr<LambdaEvent> event = co_await extensions_.Next(cancellation);
    if (!event.ok()) co_return event.status();
    // Resumes before anything is sent: open connections may have crossed a freeze.
    coordinator_.Resume();
    if (on_resume_) on_resume_();
    if (auto* const shutdown = std::get_if<ShutdownEvent>(&*event)) {
      tracker_.OnShutdown(*shutdown);
      LookForEnd();
      co_return *std::move(shutdown);
    }
    Task<void> serving = Serve(std::get<InvokeEvent>(*std::move(event)), cancellation);
    co_await std::move(serving);
    if (cancellation.requested()) co_return cancellation.reason();
  }
}

Task<void> FunctionLife::Serve(InvokeEvent event, Cancellation& cancellation) {
  ++counts_.invocations;
  request_id_ = event.request_id;
  handler_over_ = false;
  const absl::Time deadline = event.deadline;
  tracker_.OnInvoke(event);
  if (on_invoke_) on_invoke_(event);
  switch (coordinator_.BeginInvocation(deadline)) {
    case FlushDecision::kAtEnd:
      if (WaitsForEnds()) {
        co_await WaitForEnd(deadline, cancellation);
        // The shutdown takes in what the function still hands over.
        if (cancellation.requested()) break;
        coordinator_.OnFunctionEnd();
        if (!IsReset()) co_await Flush(FlushReason::kEnd, cancellation);
      } else {
        // Data of this invocation is sent with the next one, or with the last flush.
        ++counts_.ends_unknown;
        co_await Flush(FlushReason::kBlocking, cancellation);
      }
      break;
    case FlushDecision::kBlocking:
      co_await Flush(FlushReason::kBlocking, cancellation);
      break;
    case FlushDecision::kInBackground:
    case FlushDecision::kNone:
      break;
  }
  // A cancelled life asks for no event after this, and no freeze follows.
  if (cancellation.requested()) {
    ++counts_.cut_short;
    co_return;
  }
  tracker_.OnNext(request_id_);
  // No freeze follows: a flush that still runs goes on, and the shutdown waits for it.
  if (IsReset()) {
    ++counts_.resets;
    co_return;
  }
  coordinator_.Quiesce();
  if (on_quiesce_) on_quiesce_();
}

Task<void> FunctionLife::Flush(FlushReason reason, Cancellation& cancellation) {
  if (cancellation.requested()) co_return;
  // Shared with the flush: if this function stops waiting, the last flush waits for that one.
  const auto ended = std::make_shared<Completion<bool>>(executor_);
  Task<FlushReport> flush = coordinator_.Flush(reason);
  absl::AnyInvocable<void(FlushReport)> done = [ended](const FlushReport&) { ended->Set(true); };
  Spawn<FlushReport>(executor_, std::move(flush), std::move(done));
  const auto registration = cancellation.OnRequest([&ended](const absl::Status&) { ended->Set(false); });
  Completion<bool>& end = *ended;
  flushed_ = &end;
  co_await end;
  flushed_ = nullptr;
}

bool FunctionLife::IsReset() const {
  const Invocation* const invocation = tracker_.Find(request_id_);
  return invocation != nullptr && invocation->ends_environment();
}

Task<bool> FunctionLife::WaitForEnd(absl::Time deadline, Cancellation& cancellation) {
  if (tracker_.HasEnded(request_id_)) co_return true;
  ++counts_.ends_awaited;
  Woken woken = Woken::kByNewLimit;
  while (woken == Woken::kByNewLimit) {
    handler_over_ = tracker_.HandlerIsOver(request_id_);
    absl::Duration left = deadline - clock_.Now().wall - options_.reserve;
    const bool in_silence = !record_came_;
    if (in_silence) left = std::min(left, options_.silence);
    if (handler_over_) left = std::min(left, options_.after_handler);
    Completion<Woken> completion(executor_);
    woken_ = &completion;
    const Alarm alarm(clock_, std::max(left, absl::ZeroDuration()),
                      [&completion] { completion.Set(Woken::kByTime); });
    const auto registration = cancellation.OnRequest(
        [&completion](const absl::Status&) { completion.Set(Woken::kByCancellation); });
    woken = co_await completion;
    woken_ = nullptr;
    if (cancellation.requested()) break;
    // More may have come after what woke this function.
    if (tracker_.HasEnded(request_id_)) woken = Woken::kByEnd;
    if (woken == Woken::kByTime && in_silence && record_came_) woken = Woken::kByNewLimit;
  }
  if (woken == Woken::kByTime) {
    ++counts_.ends_not_seen;
    if (!record_came_) {
      ++counts_.ends_never_told;
    } else if (handler_over_) {
      ++counts_.ends_told_by_tracers;
    }
    ++unseen_ends_;
  }
  co_return woken == Woken::kByEnd;
}

void FunctionLife::OnRecords() {
  const bool first = !std::exchange(record_came_, true);
  const int64_t runtime_records = tracker_.counts().runtime_records;
  if (std::exchange(runtime_records_, runtime_records) != runtime_records || first) unseen_ends_ = 0;
  LookForEnd();
  // From now on the end is waited for up to the deadline.
  if (first && woken_ != nullptr) woken_->Set(Woken::kByNewLimit);
}

void FunctionLife::OnTracerCall() {
  if (woken_ != nullptr && !handler_over_ && tracker_.HandlerIsOver(request_id_))
    woken_->Set(Woken::kByNewLimit);
}

void FunctionLife::LookForEnd() {
  if (counts_.invocations == 0 || !tracker_.HasEnded(request_id_)) return;
  // Called under every strategy: a shutdown must not wait for an ended function.
  coordinator_.OnFunctionEnd();
  if (woken_ != nullptr) woken_->Set(Woken::kByEnd);
  if (flushed_ != nullptr && IsReset()) flushed_->Set(false);
}

}  // namespace thaw
