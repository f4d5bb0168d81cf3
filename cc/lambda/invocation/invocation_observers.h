// Tells any number of observers of invocations, in the order in which they were added.
//
//   InvocationObservers observers;
//   observers.Add(bridge);
//   InvocationTracker tracker(clock, options, store, observers);
//
// One thread.

#ifndef THAW_CC_LAMBDA_INVOCATION_INVOCATION_OBSERVERS_H_
#define THAW_CC_LAMBDA_INVOCATION_INVOCATION_OBSERVERS_H_

#include <vector>

#include "cc/lambda/invocation/invocation_tracker.h"
#include "cc/telemetry/invocation.h"

namespace thaw {

class InvocationObservers : public InvocationObserver {
 public:
  // `observer` must outlive the last call.
  void Add(InvocationObserver& observer) { observers_.push_back(&observer); }

  void InvocationStarted(const Invocation& invocation) override {
    for (InvocationObserver* const each : observers_) each->InvocationStarted(invocation);
  }
  void InvocationUpdated(const Invocation& invocation) override {
    for (InvocationObserver* const each : observers_) each->InvocationUpdated(invocation);
  }
  void InvocationEnded(const Invocation& invocation) override {
    for (InvocationObserver* const each : observers_) each->InvocationEnded(invocation);
  }
  void InvocationReported(const Invocation& invocation) override {
    for (InvocationObserver* const each : observers_) each->InvocationReported(invocation);
  }
  void InitializationChanged(const Initialization& initialization) override {
    for (InvocationObserver* const each : observers_) each->InitializationChanged(initialization);
  }
  void RestoreChanged(const Restore& restore) override {
    for (InvocationObserver* const each : observers_) each->RestoreChanged(restore);
  }

 private:
  std::vector<InvocationObserver*> observers_;
};

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_INVOCATION_INVOCATION_OBSERVERS_H_
