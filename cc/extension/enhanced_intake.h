// Makes Lambda's enhanced metrics from what is known of invocations and the environment.
//
//   EnhancedIntake enhanced({.metrics = options}, clock, reader, metrics.own(), std::move(tracer_says_failed));
//   observers.Add(enhanced);                          // before those that drop what tracers told
//   enhanced.OnInvoke(event.request_id, invocation);  // /next returned
//   enhanced.OnQuiesce();                             // /next is called again
//   enhanced.OnShutdown();                            // before the last flush
//
// Figures of /proc are read when the invocation begins and when its end becomes known, which is before its flush. If
// the environment may have been frozen in between, nothing is read at the end: the figures would be those of the flush
// and of the next invocation. Files, threads and bytes of /tmp are counted a few times a second as well, and so rarely
// that this takes a thousandth of the time.
//
// One thread: the executor's.

#ifndef THAW_CC_EXTENSION_ENHANCED_INTAKE_H_
#define THAW_CC_EXTENSION_ENHANCED_INTAKE_H_

#include <optional>
#include <string_view>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "cc/clock/clock.h"
#include "cc/lambda/invocation/invocation_tracker.h"
#include "cc/metrics/enhanced_metrics.h"
#include "cc/metrics/metric_sink.h"
#include "cc/metrics/proc_reader.h"
#include "cc/metrics/sandbox_figures.h"
#include "cc/telemetry/invocation.h"

namespace thaw {

struct EnhancedIntakeOptions {
  EnhancedMetricsOptions metrics;
  // Figures of /proc are read.
  bool proc = true;
};

class EnhancedIntake : public InvocationObserver {
 public:
  using TracerSaysFailed = absl::AnyInvocable<bool(std::string_view request_id) const>;

  // All arguments must outlive the intake.
  EnhancedIntake(EnhancedIntakeOptions options, Clock& clock, ProcReader& reader, MetricSink& sink,
                 TracerSaysFailed tracer_says_failed);
  EnhancedIntake(const EnhancedIntake&) = delete;
  EnhancedIntake& operator=(const EnhancedIntake&) = delete;

  // /next returned the invocation. `invocation`: what is known of it; may be null.
  void OnInvoke(std::string_view request_id, const Invocation* invocation);
  // The environment may be frozen from now on.
  void OnQuiesce() { may_freeze_ = true; }
  // A line of the function's log says that memory was exhausted.
  void OnOutOfMemory(std::string_view request_id, absl::Time time) {
    metrics_.OnOutOfMemory(request_id, time);
  }
  // The environment ends. Later calls do nothing.
  void OnShutdown();
  void set_telemetry(bool telemetry) { metrics_.set_telemetry(telemetry); }

  // InvocationObserver:
  void InvocationStarted(const Invocation& invocation) override;
  void InvocationUpdated(const Invocation& invocation) override;
  void InitializationChanged(const Initialization& initialization) override;
  void RestoreChanged(const Restore& restore) override;

  const EnhancedMetrics& metrics() const { return metrics_; }
  const SandboxFiguresCounts& figure_counts() const { return figures_.counts(); }

 private:
  void Begin(std::string_view request_id);
  void End(const Invocation& invocation);
  // Returns whether the environment can't have been frozen since the invocation ended.
  bool IsFresh(const Invocation& invocation, absl::Time now) const;
  // Sets the next time to count files, given when the last count began.
  void SetAlarm(const ClockReading& began);
  void OnAlarm();

  const bool managed_;
  const bool proc_;
  Clock& clock_;
  TracerSaysFailed tracer_says_failed_;
  EnhancedMetrics metrics_;
  SandboxFigures figures_;
  bool may_freeze_ = false;
  bool shut_down_ = false;
  ClockReading sampled_;
  absl::Duration interval_;
  Alarm alarm_;
};

}  // namespace thaw

#endif  // THAW_CC_EXTENSION_ENHANCED_INTAKE_H_
