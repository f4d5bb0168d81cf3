#include "cc/extension/trace_intake.h"

#include <algorithm>
#include <utility>

#include "absl/log/log.h"
#include "cc/base/reserve.h"
#include "cc/base/split_to_fit.h"
#include "cc/base/status_macros.h"
#include "cc/base/work_account.h"
#include "cc/lambda/invocation/function_tags.h"
#include "cc/stats/stats_batch.h"
#include "cc/stats/stats_payload.h"
#include "cc/telemetry/telemetry_record.h"

namespace thaw {
namespace {

// Largest result of a tracer's request before compression: several times the largest body. At some 100 MB a
// second it is done before tracers give up.
constexpr size_t kMaxResultBytes = size_t{256} << 20;
// Bounds of the part of a result that makes one request to the intake: a sixteenth of the budget, since it is
// in memory three times while it is compressed.
constexpr size_t kSmallestPart = size_t{1} << 20;
constexpr size_t kLargestPart = size_t{4} << 20;
// A result up to this size waits for the flush, and shares a request with others.
constexpr size_t kSmallResult = size_t{256} << 10;
// About the memory of a compressor beside its input and output.
constexpr size_t kCompressorBytes = size_t{1536} << 10;
// Work done in one turn of the loop, in bytes: a few milliseconds.
constexpr int64_t kStepWork = 512 << 10;
// A request with stats of up to this size is read within one turn of the loop; a larger one is read in steps
// of this many values.
constexpr size_t kStatsAtOnceBytes = 64 << 10;
constexpr uint64_t kStatsStepValues = 100'000;
// Bound of a part of a large payload with stats: gzip takes some 30 ms for a megabyte of random bytes.
constexpr size_t kStatsPart = size_t{1} << 20;

}  // namespace

TraceIntake::TraceIntake(TraceProcessorOptions processing, std::optional<ConcentratorOptions> stats,
                         Executor& executor, Clock& clock, InvocationAssembler& assembler,
                         Pipelines& pipelines)
    : executor_(executor),
      clock_(clock),
      pipelines_(pipelines),
      assembler_(assembler),
      processor_(std::move(processing), clock, &assembler),
      line_(executor) {
  if (stats.has_value()) {
    stats->account = &pipelines.bytes();
    stats->max_bytes = std::min(stats->max_bytes, pipelines.bytes().limit() / 8);
    concentrator_ = std::make_unique<Concentrator>(*std::move(stats), clock);
  }
}

// -- Traces ----------------------------------------------------------------------------------------------

TraceLimits TraceIntake::LimitsOf(const TraceRequest& request, ByteAccount& account) const {
  return {.account = &account,
          .body_bytes = request.body_memory,
          .max_result_bytes = kMaxResultBytes,
          .max_part_bytes = std::clamp(account.limit() / 16, kSmallestPart, kLargestPart)};
}

std::optional<absl::Status> TraceIntake::TakeTracesAtOnce(const TraceRequest& request) {
  absl::StatusOr<std::optional<TracePayload>> payload =
      processor_.ProcessAtOnce(request.body, request.format, request.headers,
                               LimitsOf(request, pipelines_.bytes()), concentrator_.get());
  if (payload.ok() && !payload->has_value()) return std::nullopt;
  absl::Status status = payload.status();
  if (status.ok()) {
    Count((*payload)->counts(), (*payload)->first_problem());
    status = HandOver(**std::move(payload));
    // The tracer will resend the request.
    if (!status.ok()) processor_.ForgetLast();
  }
  // A placeholder among the spans may have been the last part that an invocation's span waited for.
  TakeOwnTraces();
  return status;
}

Task<absl::Status> TraceIntake::TakeTraces(TraceRequest request, Cancellation& cancellation) {
  absl::Status status;
  {
    const Line::Place place = co_await line_.Enter();
    Task<absl::Status> processing = ProcessInTurns(request, cancellation);
    status = co_await std::move(processing);
    pipelines_.traces().ReleaseWorkspace();
  }
  WorkEnded();
  TakeOwnTraces();
  co_return status;
}

Task<absl::Status> TraceIntake::ProcessInTurns(const TraceRequest& request, Cancellation& cancellation) {
  WorkAccount account(pipelines_.bytes(), request.body_memory);
  std::unique_ptr<TraceWork> work = processor_.Begin(request.body, request.format, request.headers,
                                                     LimitsOf(request, account), concentrator_.get());
  std::vector<EncodedRequest> requests;
  // Charges of the requests made so far, and of the memory that encoding keeps for the next part.
  ByteCharge charge(&account), workspace(&account);
  while (true) {
    if (cancellation.requested()) {
      work->Forget();
      co_return absl::UnavailableError("the request was cancelled before all of it was processed");
    }
    const absl::StatusOr<TraceWork::State> state = work->Step(kStepWork);
    absl::Status status = state.status();
    const bool done = state.ok() && *state == TraceWork::State::kDone;
    if (status.ok() && *state != TraceWork::State::kMore) {
      TracePayload part = work->TakePart();
      if (done && requests.empty() && part.size() <= kSmallResult) {
        Count(work->counts(), work->first_problem());
        // The part is charged anew where it is handed over.
        work->EndCharge();
        status = HandOver(std::move(part));
        if (!status.ok()) work->Forget();
        co_return status;
      }
      if (!part.empty()) status = Encode(std::move(part), charge, workspace, requests);
    }
    if (!status.ok()) {
      work->Forget();
      co_return status;
    }
    if (done) break;
    co_await Turn(executor_);
  }
  Count(work->counts(), work->first_problem());
  work->EndCharge();
  charge.Release();
  if (requests.empty()) {
    ++counts_.empty;
    co_return absl::OkStatus();
  }
  const absl::Status added = pipelines_.traces().AddParts(std::move(requests)).status();
  if (added.ok()) {
    ++counts_.payloads;
    ++counts_.in_parts;
  } else {
    work->Forget();
  }
  co_return added;
}

absl::Status TraceIntake::Encode(TracePayload part, ByteCharge& charge, ByteCharge& workspace,
                                 std::vector<EncodedRequest>& requests) {
  // The part's body before and after compression, beside the part itself.
  const size_t working = 2 * part.size() + kCompressorBytes;
  if (working > workspace.bytes()) THAW_RETURN_IF_ERROR(workspace.Grow(working - workspace.bytes()));
  absl::StatusOr<std::vector<EncodedRequest>> encoded = pipelines_.traces().EncodePart(std::move(part));
  if (!encoded.ok()) return encoded.status();
  for (EncodedRequest& request : *encoded) {
    THAW_RETURN_IF_ERROR(charge.Grow(pipelines_.traces().pipeline().BytesOf(request)));
    requests.push_back(std::move(request));
  }
  return absl::OkStatus();
}

absl::Status TraceIntake::HandOver(TracePayload payload) {
  if (payload.empty()) {
    ++counts_.empty;
    return absl::OkStatus();
  }
  const absl::Status added = pipelines_.traces().Add(std::move(payload)).status();
  if (added.ok()) ++counts_.payloads;
  return added;
}

void TraceIntake::Count(const TraceCounts& counts, const std::string& first_problem) {
  counts_.spans_left_out += counts.spans_left_out;
  counts_.spans_without_ids += counts.spans_without_ids;
  counts_.values_left_out += counts.values_left_out;
  counts_.metrics_not_finite += counts.metrics_not_finite;
  if (counts.spans_without_ids > 0) {
    LOG_FIRST_N(WARNING, 1) << "traces: " << counts.spans_without_ids
                            << " spans of a request have no trace id or no span id and are left out; "
                               "further cases are only counted";
  }
  if (counts.metrics_not_finite > 0) {
    LOG_FIRST_N(WARNING, 1) << "traces: " << counts.metrics_not_finite
                            << " metrics of a request's spans are NaN or infinite and are left out; "
                               "further cases are only counted";
  }
  if (first_problem.empty()) return;
  VLOG(1) << "traces: " << first_problem;
  // The loss of a span is reported even if that of a tag was reported before.
  if (counts.spans_left_out + counts.chunks_left_out > 0) {
    LOG_FIRST_N(WARNING, 1) << "traces: " << counts.spans_left_out << " spans and " << counts.chunks_left_out
                            << " traces of a request can't be read and are left out: " << first_problem
                            << "; further cases are only counted";
  } else {
    LOG_FIRST_N(WARNING, 1) << "traces: " << counts.values_left_out
                            << " tags, links or events of a request can't be read and are left out: "
                            << first_problem << "; further cases are only counted";
  }
}

void TraceIntake::WorkEnded() {
  if (line_.size() > 0) return;
  for (Completion<bool>* waiting : waiting_for_work_) waiting->Set(true);
}

Task<void> TraceIntake::WaitForWork(absl::Duration at_most) {
  if (line_.size() == 0) co_return;
  Completion<bool> ended(executor_);
  waiting_for_work_.push_back(&ended);
  const Alarm deadline(clock_, at_most, [&ended] { ended.Set(false); });
  co_await ended;
  std::erase(waiting_for_work_, &ended);
}

// -- Everything else -------------------------------------------------------------------------------------

std::optional<absl::Status> TraceIntake::TakeStatsAtOnce(const TraceRequest& request) {
  if (request.body.size() > kStatsAtOnceBytes) return std::nullopt;
  ByteCharge charge(&pipelines_.bytes());
  THAW_RETURN_IF_ERROR(ChargeStatsWork(request, charge));
  absl::StatusOr<StatsPayload> payload = StatsPayload::FromMsgpack(request.body);
  if (!payload.ok()) return payload.status();
  return AddStats(*std::move(payload), charge);
}

Task<absl::Status> TraceIntake::TakeStats(TraceRequest request, Cancellation& cancellation) {
  absl::Status status;
  {
    const Line::Place place = co_await line_.Enter();
    Task<absl::Status> processing = ProcessStatsInTurns(request, cancellation);
    status = co_await std::move(processing);
  }
  WorkEnded();
  co_return status;
}

Task<absl::Status> TraceIntake::ProcessStatsInTurns(const TraceRequest& request, Cancellation& cancellation) {
  ByteCharge charge(&pipelines_.bytes());
  THAW_CO_RETURN_IF_ERROR(ChargeStatsWork(request, charge));
  StatsWork work(request.body);
  while (true) {
    if (cancellation.requested())
      co_return absl::UnavailableError("the request was cancelled before all of it was processed");
    const absl::StatusOr<bool> done = work.Step(kStatsStepValues);
    if (!done.ok()) co_return done.status();
    if (*done) break;
    co_await Turn(executor_);
  }
  StatsPayload payload = work.Take();
  if (payload.size() <= kSmallResult) co_return AddStats(std::move(payload), charge);
  Task<absl::Status> encoding = EncodeStatsInTurns(std::move(payload), charge, cancellation);
  co_return co_await std::move(encoding);
}

Task<absl::Status> TraceIntake::EncodeStatsInTurns(StatsPayload payload, ByteCharge& charge,
                                                   Cancellation& cancellation) {
  CountStats(payload);
  if (payload.empty()) co_return absl::OkStatus();
  std::vector<EncodedRequest> requests;
  FitCutter cutter(payload.TakeBytes());
  while (!cutter.done()) {
    co_await Turn(executor_);
    if (cancellation.requested())
      co_return absl::UnavailableError("the request was cancelled before all of it was processed");
    absl::StatusOr<std::optional<std::string>> part = cutter.Step(kStatsPart, SplitStatsPayload);
    if (!part.ok()) co_return part.status();
    if (!part->has_value()) continue;
    absl::StatusOr<std::vector<EncodedRequest>> encoded =
        pipelines_.stats().EncodePart(StatsPayload::Part(**std::move(part), payload.counts()));
    if (!encoded.ok()) co_return encoded.status();
    for (EncodedRequest& request : *encoded) {
      THAW_CO_RETURN_IF_ERROR(charge.Grow(pipelines_.stats().pipeline().BytesOf(request)));
      requests.push_back(std::move(request));
    }
  }
  charge.Release();
  co_return pipelines_.stats().AddParts(std::move(requests)).status();
}

absl::Status TraceIntake::ChargeStatsWork(const TraceRequest& request, ByteCharge& charge) {
  // Invalid UTF-8 grows to at most three times its size; and the result grows by being copied.
  const size_t working = 4 * request.body.size();
  charge.set_beside(request.body_memory);
  THAW_RETURN_IF_ERROR(charge.Grow(working));
  return CanAllocate(working) ? absl::OkStatus() : NoMemory(working);
}

absl::Status TraceIntake::AddStats(StatsPayload payload, ByteCharge& charge) {
  charge.Release();
  CountStats(payload);
  if (payload.empty()) return absl::OkStatus();
  return pipelines_.stats().Add(std::move(payload)).status();
}

void TraceIntake::CountStats(const StatsPayload& payload) {
  const StatsCounts& counts = payload.counts();
  counts_.stats_left_out += counts.groups_left_out;
  if (!payload.first_problem().empty()) {
    LOG_FIRST_N(WARNING, 1) << "stats: " << counts.groups_left_out << " groups and "
                            << counts.buckets_left_out
                            << " buckets of a request can't be read and are left out: "
                            << payload.first_problem() << "; further cases are only counted";
  }
}

void TraceIntake::HandOverStats(FlushScope scope) {
  if (concentrator_ == nullptr) return;
  concentrator_
      ->Flush(scope,
              [this](StatsPayload payload) { return pipelines_.stats().Add(std::move(payload)).status(); })
      .IgnoreError();  // the refusal is counted already
}

absl::Status TraceIntake::TakeProxied(ProxiedRequest request) {
  return pipelines_.AddProxied(std::move(request));
}

void TraceIntake::SetRuntimeVersion(std::string_view version) {
  if (std::string runtime = RuntimeName(version); !runtime.empty()) {
    processor_.SetFunctionTag("runtime", runtime);
    assembler_.set_runtime(std::move(runtime));
  }
  if (IsDurable(version)) processor_.SetFunctionTag("durable_function", "true");
}

void TraceIntake::TakeOwnTraces() {
  for (OwnTrace& trace : assembler_.TakeOwnTraces()) TakeOwnTrace(std::move(trace));
}

void TraceIntake::TakeOwnTrace(OwnTrace trace) {
  ++counts_.own_traces;
  TracerHeaders headers;
  headers.client_computed_stats = trace.client_computed_stats;
  absl::StatusOr<TracePayload> payload =
      processor_.ProcessOwn(trace.body, std::move(headers), concentrator_.get());
  absl::Status status = payload.status();
  if (status.ok()) status = HandOver(*std::move(payload));
  if (status.ok()) return;
  ++counts_.own_traces_lost;
  LOG_FIRST_N(WARNING, 1) << "the span of an invocation is lost: " << status.message()
                          << "; further cases are only counted";
}

}  // namespace thaw
