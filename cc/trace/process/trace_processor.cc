#include "cc/trace/process/trace_processor.h"

#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "cc/base/status_macros.h"
#include "cc/trace/process/trace_indexer.h"
#include "cc/trace/process/trace_linker.h"
#include "cc/trace/process/trace_writer.h"

namespace thaw {
namespace {

// Largest request, and largest result, that is processed within one turn of the loop.
constexpr size_t kAtOnceBytes = 256 << 10;
// Work, as TraceWork::Step() counts it, that is done at once: a few milliseconds.
constexpr int64_t kAtOnceWork = 2 << 20;

}  // namespace

class TraceProcessor::Run : public TraceWork {
 public:
  Run(ProcessorState& processor, RequestMemory& memory, std::string_view body, TraceFormat format,
      TracerHeaders&& headers, const TraceLimits& limits, SpanObserver* observer)
      : request_(processor, memory, body, format, std::move(headers), limits, observer),
        indexer_(request_),
        linker_(request_),
        writer_(request_, body),
        before_(processor.deduplicator.inserted()) {}
  ~Run() override {
    request_.processor.counts.texts_hidden += writer_.texts_hidden();
    request_.memory.Clear();
  }

  // Runs the first pass as far as `work` allows. Returns true once it is done; the request has had no effect
  // yet.
  absl::StatusOr<bool> Index(int64_t work) {
    request_.work = work;
    return indexer_.Index();
  }
  // Leaves the spans untied to invocations.
  void LeaveLinksOut() { request_.links = nullptr; }
  // Returns an upper bound of the result's size, once the request is read.
  size_t result_bound() const { return request_.size_bound; }

  absl::StatusOr<State> Step(int64_t bytes) override {
    request_.work = bytes;
    request_.charge.Shrink(writer_.TakePartCharge());
    request_.TakeFixedTags();
    if (phase_ == Phase::kIndex) {
      THAW_ASSIGN_OR_RETURN(const bool done, indexer_.Index());
      if (!done) return State::kMore;
      phase_ = Phase::kLink;
      before_ = request_.processor.deduplicator.inserted();
    }
    if (phase_ == Phase::kLink) {
      THAW_ASSIGN_OR_RETURN(const bool done, LinkTraces());
      if (!done) return State::kMore;
      next_trace_ = 0;
      phase_ = Phase::kWrite;
      THAW_RETURN_IF_ERROR(writer_.BeginPayload());
    }
    return WriteTraces();
  }

  TracePayload TakePart() override { return writer_.TakePart(); }
  const TraceCounts& counts() const override { return request_.counts; }
  const std::string& first_problem() const override { return request_.first_problem; }
  void EndCharge() override { request_.charge.Release(); }
  void Forget() override { request_.processor.deduplicator.Rewind(before_); }

 private:
  enum class Phase { kIndex, kLink, kWrite };

  // Returns true once all traces are linked.
  absl::StatusOr<bool> LinkTraces() {
    BlockVector<NotedTrace>& traces = request_.memory.traces;
    while (request_.work > 0 && next_trace_ < traces.size()) {
      THAW_ASSIGN_OR_RETURN(const bool done, linker_.Link(traces[next_trace_]));
      if (done) ++next_trace_;
    }
    return next_trace_ == traces.size();
  }

  absl::StatusOr<State> WriteTraces() {
    const BlockVector<NotedTrace>& traces = request_.memory.traces;
    while (request_.work > 0) {
      if (next_trace_ == traces.size()) {
        writer_.EndPayload(/*last=*/true);
        return State::kDone;
      }
      THAW_ASSIGN_OR_RETURN(const TraceWriter::Progress progress, writer_.WriteTrace(traces[next_trace_]));
      if (progress == TraceWriter::Progress::kPart) return State::kPart;
      if (progress == TraceWriter::Progress::kTraceDone) ++next_trace_;
    }
    return State::kMore;
  }

  RequestState request_;
  TraceIndexer indexer_;
  TraceLinker linker_;
  TraceWriter writer_;
  uint64_t before_;  // the deduplicator's mark when this began
  Phase phase_ = Phase::kIndex;
  size_t next_trace_ = 0;
};

// Has memory of its own, since requests that are done at once run between its steps.
class TraceProcessor::LongRun : private RequestMemory, public Run {
 public:
  template <typename... Arguments>
  explicit LongRun(ProcessorState& processor, Arguments&&... arguments)
      : Run(processor, static_cast<RequestMemory&>(*this), std::forward<Arguments>(arguments)...) {}
};

TraceProcessor::TraceProcessor(TraceProcessorOptions options, const Clock& clock, InvocationLinks* links)
    : state_(std::move(options), clock, links) {}

void TraceProcessor::SetFunctionTag(std::string_view name, std::string value) {
  state_.options.function_tags.insert_or_assign(std::string(name), std::move(value));
  state_.EncodeFunctionTags();
}

absl::StatusOr<TracePayload> TraceProcessor::Process(std::string_view body, TraceFormat format,
                                                     TracerHeaders headers, SpanObserver* observer) {
  Run run(state_, memory_, body, format, std::move(headers), TraceLimits(), observer);
  return ProcessToTheEnd(run);
}

absl::StatusOr<TracePayload> TraceProcessor::ProcessOwn(std::string_view body, TracerHeaders headers,
                                                        SpanObserver* observer) {
  Run run(state_, memory_, body, TraceFormat::kV04, std::move(headers), TraceLimits(), observer);
  run.LeaveLinksOut();
  return ProcessToTheEnd(run);
}

absl::StatusOr<std::optional<TracePayload>> TraceProcessor::ProcessAtOnce(std::string_view body,
                                                                          TraceFormat format,
                                                                          TracerHeaders headers,
                                                                          const TraceLimits& limits,
                                                                          SpanObserver* observer) {
  if (body.size() > kAtOnceBytes) return std::nullopt;
  Run run(state_, memory_, body, format, std::move(headers), limits, observer);
  THAW_ASSIGN_OR_RETURN(const bool read, run.Index(kAtOnceWork));
  if (!read || run.result_bound() > kAtOnceBytes) return std::nullopt;
  return ProcessToTheEnd(run);
}

absl::StatusOr<TracePayload> TraceProcessor::ProcessToTheEnd(Run& run) {
  before_last_ = state_.deduplicator.inserted();
  while (true) {
    THAW_ASSIGN_OR_RETURN(const TraceWork::State state, run.Step(std::numeric_limits<int64_t>::max()));
    if (state == TraceWork::State::kDone) return run.TakePart();
  }
}

std::unique_ptr<TraceWork> TraceProcessor::Begin(std::string_view body, TraceFormat format,
                                                 TracerHeaders headers, const TraceLimits& limits,
                                                 SpanObserver* observer) {
  return std::make_unique<LongRun>(state_, body, format, std::move(headers), limits, observer);
}

}  // namespace thaw
