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
  const absl::Time deadline = event.deadline;
  tracker_.OnInvoke(event);
  if (on_invoke_) on_invoke_(event);
  switch (coordinator_.BeginInvocation(deadline)) {
    case FlushDecision::kAtEnd:
      if (options_.telemetry && !silent_) {
        co_await WaitForEnd(deadline, cancellation);
        // The shutdown takes in what the function still hands over.
        if (cancellation.requested()) break;
        coordinator_.OnFunctionEnd();
        co_await Flush(FlushReason::kEnd, cancellation);
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
  co_await end;
}

Task<bool> FunctionLife::WaitForEnd(absl::Time deadline, Cancellation& cancellation) {
  if (tracker_.HasEnded(request_id_)) co_return true;
  ++counts_.ends_awaited;
  bool seen = false, in_silence = false;
  do {
    absl::Duration left = deadline - clock_.Now().wall - options_.reserve;
    in_silence = !heard_ && options_.silence < left;
    if (in_silence) left = options_.silence;
    Completion<bool> ended(executor_);
    ended_ = &ended;
    const Alarm alarm(clock_, std::max(left, absl::ZeroDuration()), [&ended] { ended.Set(false); });
    const auto registration = cancellation.OnRequest([&ended](const absl::Status&) { ended.Set(false); });
    seen = co_await ended;
    ended_ = nullptr;
    if (cancellation.requested()) co_return seen;
    // If a record came meanwhile, the end is waited for up to the deadline.
  } while (!seen && in_silence && heard_);
  if (!seen) {
    ++counts_.ends_not_seen;
    silent_ = !heard_;
    if (silent_) ++counts_.ends_never_told;
  }
  co_return seen;
}

void FunctionLife::OnRecords() {
  heard_ = true;
  silent_ = false;
  LookForEnd();
}

void FunctionLife::LookForEnd() {
  if (counts_.invocations == 0 || !tracker_.HasEnded(request_id_)) return;
  // Called under every strategy: a shutdown must not wait for an ended function.
  coordinator_.OnFunctionEnd();
  if (ended_ != nullptr) ended_->Set(true);
}

}  // namespace thaw
