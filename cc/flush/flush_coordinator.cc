#include "cc/flush/flush_coordinator.h"

#include <algorithm>

#include "absl/algorithm/container.h"
#include "absl/log/check.h"
#include "absl/log/log.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "boost/json/array.hpp"
#include "boost/json/object.hpp"
#include "boost/json/serialize.hpp"
#include "cc/base/counts_json.h"
#include "cc/base/when_all.h"
#include "cc/flush/byte_budget.h"
#include "cc/flush/outage_budget.h"
#include "cc/net/client_counts.h"

namespace thaw {
namespace {

// Lambda's limit of an invocation.
constexpr absl::Duration kLongestInvocation = absl::Minutes(15);

// Limits the wait for data that is being processed when a flush begins.
constexpr absl::Duration kMostWaitForWork = absl::Seconds(1);

boost::json::object ToObject(const Histogram& times) {
  boost::json::object object = HistogramToJson(times);
  object["last"] = absl::ToDoubleSeconds(times.last());
  // Other names of "max" and "sum".
  object["most"] = absl::ToDoubleSeconds(times.max());
  object["total"] = absl::ToDoubleSeconds(times.sum());
  return object;
}

boost::json::object ToObject(const Flushable& pipeline) {
  const FlushReport& total = pipeline.total();
  return {{"delivered", total.delivered},
          {"dropped", NonzeroCountsToJson(total.dropped)},
          {"turned_away", pipeline.turned_away()},
          {"kept", pipeline.kept_payloads()},
          {"kept_for_additional", pipeline.kept_for_additional()},
          {"held", total.held},
          {"bytes", pipeline.bytes()},
          {"requests", total.requests},
          {"attempts", total.attempts},
          {"possible_duplicates", total.possible_duplicates}};
}

boost::json::object ToObject(const Client& client) {
  const ClientCounts& counts = client.counts();
  boost::json::object object = CountsToJson(counts.connection);
  AddCounts(counts.exchange, object);
  AddHistograms(counts.connection, object);
  return object;
}

}  // namespace

FlushCoordinator::FlushCoordinator(Executor& executor, Clock& clock, FlushSchedule schedule,
                                   SharedResources limits, CoordinatorOptions options)
    : executor_(executor),
      clock_(clock),
      schedule_(std::move(schedule)),
      shared_(std::move(limits)),
      options_(options) {
  CHECK(shared_.bytes != nullptr && shared_.outage != nullptr);
}

int64_t FlushCoordinator::kept_payloads() const {
  int64_t kept = 0;
  for (const Flushable* pipeline : pipelines_) kept += pipeline->kept_payloads();
  return kept;
}

int64_t FlushCoordinator::kept_for_additional() const {
  int64_t kept = 0;
  for (const Flushable* pipeline : pipelines_) kept += pipeline->kept_for_additional();
  return kept;
}

// -- Events --------------------------------------------------------------------------------------------

void FlushCoordinator::Resume() {
  at_next_ = false;
  ++counts_.resumes;
  for (const NamedClient& named : clients_) named.client->Resume();
}

FlushDecision FlushCoordinator::BeginInvocation(absl::Time deadline) {
  const ClockReading now = clock_.Now();
  const absl::Duration left = deadline - now.wall;
  invocation_ends_ = now.monotonic + left;
  // The wall clock, in which the deadline is given, may be wrong, as after a restore. A flush that only the
  // flush timeout limits is better than none.
  if (left <= absl::ZeroDuration() || left > kLongestInvocation) {
    ++counts_.implausible_deadlines;
    invocation_ends_ = absl::InfiniteDuration();
  }
  function_runs_ = true;
  function_ended_.reset();
  decision_ = schedule_.OnInvoke(now, running_in_background_ > 0);
  if (!std::exchange(uses_race_alarm_, true)) SetRaceAlarm();
  if (decision_ == FlushDecision::kInBackground) BeginInBackground(FlushReason::kBackground);
  return decision_;
}

void FlushCoordinator::OnFunctionEnd() {
  if (!std::exchange(function_runs_, false)) return;
  if (!at_next_) function_ended_ = clock_.Now().monotonic;
  if (function_end_wait_ != nullptr) function_end_wait_->Set(true);
}

int FlushCoordinator::Quiesce() {
  int open = 0;
  for (const NamedClient& named : clients_) open += named.client->Quiesce();
  ++counts_.quiesces;
  counts_.open_at_next += open;
  if (running_in_background_ == 0) counts_.quiesce_broken += open;
  // A zero for an end that is not known would make the quantiles too small.
  if (function_ended_.has_value()) times_.added_time.Record(clock_.Now().monotonic - *function_ended_);
  function_ended_.reset();
  at_next_ = true;
  return open;
}

// -- Flushes -------------------------------------------------------------------------------------------

bool FlushCoordinator::InBackground(FlushReason reason) const {
  if (reason == FlushReason::kBackground || at_next_) return true;
  return reason == FlushReason::kRace && decision_ != FlushDecision::kAtEnd &&
         decision_ != FlushDecision::kBlocking;
}

absl::Duration FlushCoordinator::DeadlineOf(FlushReason reason) const {
  if (InBackground(reason)) return options_.flush_timeout;
  return std::min(options_.flush_timeout,
                  invocation_ends_ - clock_.Now().monotonic - options_.invocation_margin);
}

Task<FlushReport> FlushCoordinator::Flush(FlushReason reason) {
  const absl::Duration began = clock_.Now().monotonic;
  const absl::Duration deadline = DeadlineOf(reason);
  FlushReport report = co_await FlushAll(reason, deadline);
  if (reason == FlushReason::kEnd || reason == FlushReason::kBlocking) {
    co_await WaitForRunning(deadline - (clock_.Now().monotonic - began));
  }
  co_return report;
}

Task<FlushReport> FlushCoordinator::FlushAll(FlushReason reason, absl::Duration deadline) {
  FlushReport report;
  if (deadline <= absl::ZeroDuration()) {
    ++counts_.no_time;
    report.retained = kept_payloads();
    co_return report;
  }
  const absl::Duration began = clock_.Now().monotonic;
  const bool last = reason == FlushReason::kShutdown;
  const bool in_background = InBackground(reason);
  ++counts_[reason];
  if (running_ > 0) ++counts_.overlapped;
  if (at_next_) ++counts_.begun_at_next;
  ++running_;
  if (in_background) ++running_in_background_;
  shared_.outage->OnFlush();
  if (before_flush_ && !in_background) {
    Task<void> waiting = before_flush_(std::min(deadline / 4, kMostWaitForWork));
    co_await std::move(waiting);
  }
  for (absl::AnyInvocable<void(bool)>& hand_over : sources_) hand_over(last);
  for (absl::AnyInvocable<Task<void>(bool)>& hand_over : long_sources_) {
    Task<void> handing_over = hand_over(last);
    co_await std::move(handing_over);
  }
  deadline -= clock_.Now().monotonic - began;

  Cancellation never;
  std::vector<Task<FlushReport>> flushes;
  for (Flushable* pipeline : pipelines_)
    flushes.push_back(last ? pipeline->Shutdown(deadline, never) : pipeline->Flush(deadline, never));
  const auto accumulate = [&report](FlushReport part) { report.Accumulate(part); };
  co_await WhenAll<FlushReport>(executor_, std::move(flushes), accumulate);

  report.retained = kept_payloads();
  report.additional_retained = kept_for_additional();
  report.elapsed = clock_.Now().monotonic - began;
  if (report.stalled) ++counts_.stalled;
  if (report.skipped) ++counts_.skipped;
  times_.flush_time.Record(report.elapsed);
  if (in_background) --running_in_background_;
  if (--running_ == 0) {
    for (Completion<bool>* waiting : std::exchange(waiting_, {})) waiting->Set(true);
  }
  if (uses_race_alarm_) SetRaceAlarm();
  if (on_flushed_) on_flushed_(reason, report);
  co_return report;
}

Task<void> FlushCoordinator::WaitForRunning(absl::Duration at_most) {
  if (running_ == 0) co_return;
  Completion<bool> ended(executor_);
  waiting_.push_back(&ended);
  const Alarm alarm(clock_, at_most, [&ended] { ended.Set(false); });
  co_await ended;
  std::erase(waiting_, &ended);
}

void FlushCoordinator::BeginInBackground(FlushReason reason) {
  Task<FlushReport> flush = Flush(reason);
  Spawn<FlushReport>(executor_, std::move(flush));
}

// -- Race timer ----------------------------------------------------------------------------------------

void FlushCoordinator::SetRaceAlarm() {
  race_alarm_ = Alarm(clock_, schedule_.race_interval(), [this] { OnRaceAlarm(); });
}

void FlushCoordinator::OnRaceAlarm() {
  SetRaceAlarm();
  if (continuous_) {
    if (running_in_background_ == 0) BeginInBackground(FlushReason::kBackground);
  } else if (schedule_.RaceFlushes(decision_)) {
    BeginInBackground(FlushReason::kRace);
  }
}

void FlushCoordinator::RunContinuously() {
  continuous_ = true;
  uses_race_alarm_ = true;
  SetRaceAlarm();
}

// -- The end -------------------------------------------------------------------------------------------

Task<FlushReport> FlushCoordinator::Shutdown(absl::Duration left) {
  const absl::Duration began = clock_.Now().monotonic;
  uses_race_alarm_ = false;
  race_alarm_.Cancel();
  const absl::Duration time = left - options_.shutdown_margin;
  if (function_runs_ && time > absl::ZeroDuration()) {
    Completion<bool> ended(executor_);
    function_end_wait_ = &ended;
    const Alarm alarm(clock_, std::min(options_.take_in, time / 2), [&ended] { ended.Set(false); });
    co_await ended;
    function_end_wait_ = nullptr;
  }
  const auto remaining = [this, began, time] { return time - (clock_.Now().monotonic - began); };
  FlushReport report = co_await FlushAll(FlushReason::kShutdown, remaining());
  co_await WaitForRunning(remaining());
  // Data come meanwhile: the platform's last records, and what tracers send as their process ends.
  constexpr int kFurtherFlushes = 3;
  for (int i = 0; i < kFurtherFlushes && HasMore() && !report.stalled && report.out_of_reach.empty(); ++i) {
    const FlushReport further = co_await FlushAll(FlushReason::kShutdown, remaining());
    report.Accumulate(further);
  }
  report.retained = kept_payloads();
  report.additional_retained = kept_for_additional();
  counts_.lost_at_shutdown = report.retained;
  if (const std::string lost = Losses(report); !lost.empty()) LOG(ERROR) << lost;
  co_return report;
}

bool FlushCoordinator::HasMore() const {
  return absl::c_any_of(pipelines_, [](const Flushable* pipeline) { return pipeline->has_untried(); }) ||
         absl::c_any_of(leftovers_, [](const auto& leftover) { return !leftover().empty(); });
}

std::string FlushCoordinator::Losses(const FlushReport& last) const {
  std::vector<std::string> lost;
  for (const Flushable* pipeline : pipelines_) {
    std::vector<std::string> parts;
    const auto add = [&parts](int64_t count, std::string_view what) {
      if (count != 0) parts.push_back(absl::StrCat(count, " ", what));
    };
    const FlushReport& total = pipeline->total();
    add(pipeline->kept_payloads(), "payloads not delivered");
    total.dropped.Visit([&add](std::string_view name, int64_t count, std::string_view) {
      add(count, absl::StrCat("payloads dropped (", name, ")"));
    });
    add(pipeline->turned_away(), "payloads rejected because there was no room");
    add(pipeline->kept_for_additional(), "requests to additional endpoints not delivered");
    add(total.additional_dropped.total(), "requests to additional endpoints dropped");
    if (!parts.empty()) lost.push_back(absl::StrCat(pipeline->name(), ": ", absl::StrJoin(parts, ", ")));
  }
  for (const auto& leftover : leftovers_)
    if (const std::string text = leftover(); !text.empty())
      lost.push_back(absl::StrCat(text, ", which came after the last flush had begun"));
  if (lost.empty()) return "";
  std::string line = absl::StrCat("data lost at the end of the environment: ", absl::StrJoin(lost, "; "));
  for (const std::string& each : last.out_of_reach) absl::StrAppend(&line, "; ", each);
  return line;
}

// -- Counts --------------------------------------------------------------------------------------------

std::string FlushCoordinator::ToJson() const {
  boost::json::object pipelines;
  for (const Flushable* pipeline : pipelines_) pipelines[pipeline->name()] = ToObject(*pipeline);
  boost::json::object outages = CountsToJson(shared_.outage->counts());
  outages["open"] = shared_.outage->open_breakers();
  boost::json::array out_of_reach;
  for (const std::string& each : shared_.outage->OutOfReach()) out_of_reach.emplace_back(each);
  outages["now"] = std::move(out_of_reach);
  boost::json::object clients;
  for (const NamedClient& named : clients_) clients[named.name] = ToObject(*named.client);
  return boost::json::serialize(
      boost::json::object{{"strategy", ToString(schedule_.strategy())},
                          {"effective_strategy", ToString(schedule_.effective())},
                          {"flushes", CountsToJson(counts_)},
                          {"flush_time", ToObject(times_.flush_time)},
                          {"added_time", ToObject(times_.added_time)},
                          {"bytes", {{"used", shared_.bytes->used()}, {"limit", shared_.bytes->limit()}}},
                          {"pipelines", std::move(pipelines)},
                          {"outages", std::move(outages)},
                          {"clients", std::move(clients)}});
}

}  // namespace thaw
