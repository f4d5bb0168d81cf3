#include "cc/extension/log_intake.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/algorithm/container.h"
#include "absl/log/log.h"
#include "absl/strings/str_cat.h"
#include "cc/flush/byte_budget.h"
#include "cc/flush/pipeline_table.h"

namespace thaw {
namespace {

// A batch is closed when it has this many entries or bytes. The bytes leave room for the longest entry below
// the intake's limit, and bound the memory of a batch that is not compressed yet.
constexpr int64_t kMaxEntries = static_cast<int64_t>(PipelineNamed("logs").limits.max_batch_entries);
constexpr size_t kCloseBytes = size_t{1} << 20;
// The part of the budget that logs in the outbox may fill. Beyond it, new logs are dropped instead of the oldest
// data, which may be traces.
constexpr size_t kPartOfBudgetKept = 2;

// The states of a durable function's execution at the end of an invocation.
constexpr std::string_view kExecutionStatuses[] = {"SUCCEEDED", "FAILED", "PENDING"};

LogEntryWriter::Source SourceOf(const FunctionFacts& facts) {
  return {.function_arn = FunctionArn(facts), .service = facts.service};
}

}  // namespace

LogIntake::LogIntake(LogIntakeOptions options, Pipelines& pipelines)
    : pipelines_(pipelines),
      facts_(std::move(options.facts)),
      writer_(SourceOf(facts_)),
      open_charge_(&pipelines.bytes()),
      ready_(pipelines.bytes(), counts_.flooded),
      processor_(std::move(options.processing), [this](const LogEntry& entry) { Add(entry); }) {
  const auto use = [this](auto* flusher) {
    encode_part_ = [flusher](LogBatch batch) { return flusher->EncodePart(std::move(batch)); };
    add_parts_ = [flusher](std::vector<EncodedRequest> requests) {
      return flusher->AddParts(std::move(requests)).status();
    };
    add_ = [flusher](LogBatch batch) { return flusher->Add(std::move(batch)).status(); };
    flusher_ = flusher;
    bytes_of_ = [flusher](const EncodedRequest& request) { return flusher->pipeline().BytesOf(request); };
  };
  if (auto* const worker = pipelines.Find<WorkerLogFlusher>()) {
    use(worker);
  } else {
    use(pipelines.Find<LogFlusher>());
  }
  SetTags();
}

void LogIntake::SetTags() { writer_.SetTags(FunctionTags(facts_).Text()); }

void LogIntake::Take(const TelemetryRecord& record) {
  // Lambda gives the variable that names the runtime only to the function.
  if (const auto* init = std::get_if<PlatformInitStart>(&record.record)) {
    if (std::string runtime = RuntimeName(init->runtime_version); !runtime.empty()) {
      facts_.runtime = std::move(runtime);
      SetTags();
    }
  }
  processor_.Take(record);
}

void LogIntake::OnInvocationSpan(const SpanView& span) {
  std::string_view request_id;
  ExecutionFacts facts;
  for (const SpanMeta& tag : span.meta) {
    if (tag.key == "request_id") {
      request_id = tag.value;
    } else if (tag.key == "aws.durable.execution_id") {
      facts.id = tag.value;
    } else if (tag.key == "aws.durable.execution_name") {
      facts.name = tag.value;
    } else if (tag.key == "aws.durable.execution_status") {
      if (absl::c_linear_search(kExecutionStatuses, tag.value)) facts.status = tag.value;
    } else if (tag.key == "aws.durable.first_invocation") {
      facts.first_invocation = tag.value == "true";
    }
  }
  if (!facts.id.empty()) processor_.OnExecution(request_id, std::move(facts));
}

void LogIntake::Add(const LogEntry& entry) {
  last_time_ = entry.time;
  if (open_.empty()) {
    open_request_id_ = entry.request_id;
    open_is_mixed_ = false;
  } else if (open_request_id_ != entry.request_id) {
    open_is_mixed_ = true;
  }
  open_.Begin();
  if (writer_.Append(entry, open_.body)) ++counts_.cut;
  open_charge_.Set(open_.memory());
  if (open_.entries >= kMaxEntries || open_.size() >= kCloseBytes) CloseBatch();
}

void LogIntake::CloseBatch() {
  LogBatch batch = std::exchange(open_, {});
  batch.Close();
  const int64_t entries = batch.entries;
  absl::StatusOr<std::vector<EncodedRequest>> encoded = encode_part_(std::move(batch));
  open_charge_.Release();
  if (!encoded.ok()) return CountTurnedAway(entries, encoded.status());
  for (EncodedRequest& request : *encoded) {
    const size_t bytes = bytes_of_(request);
    ready_.Add({.request = std::move(request),
                .lines = entries,
                .bytes = bytes,
                .request_id = open_is_mixed_ ? "" : open_request_id_});
  }
}

void LogIntake::TellOfMissing() {
  for (const auto& [request_id, lines] : ready_.TakeMissing()) {
    const std::string text =
        absl::StrCat(lines,
                     " older lines are missing here: there was no room for them, since more was "
                     "written than can be kept until it is sent");
    LOG(ERROR) << lines << " lines of logs are dropped: more was written than can be kept until it is sent";
    const std::string_view piece = text;
    Add({.time = last_time_, .pieces = {&piece, 1}, .status = LogStatus::kWarn, .request_id = request_id});
  }
}

void LogIntake::HandOver(bool last) {
  if (last) processor_.ReleaseHeld();
  TellOfMissing();
  while (!ready_.empty()) HandOver(ready_.TakeOldest());
  if (open_.empty()) return;
  LogBatch batch = std::exchange(open_, {});
  batch.Close();
  open_charge_.Release();
  HandOver(std::move(batch));
}

void LogIntake::HandOver(ReadyLogs::Batch batch) {
  absl::Status added = RoomFor(batch.bytes);
  std::vector<EncodedRequest> requests;
  requests.push_back(std::move(batch.request));
  if (added.ok()) added = add_parts_(std::move(requests));
  CountHandedOver(batch.lines, added);
}

void LogIntake::HandOver(LogBatch batch) {
  const int64_t entries = batch.entries;
  absl::Status added = RoomFor(batch.memory());
  if (added.ok()) added = add_(std::move(batch));
  CountHandedOver(entries, added);
}

absl::Status LogIntake::RoomFor(size_t bytes) const {
  ByteBudget& budget = pipelines_.bytes();
  if (flusher_->bytes() + bytes > budget.limit() / kPartOfBudgetKept)
    return absl::ResourceExhaustedError("logs that could not be delivered fill their part of the memory");
  if (budget.used() + bytes > budget.limit())
    return absl::ResourceExhaustedError("data of other kinds that could not be delivered fill the memory");
  return absl::OkStatus();
}

void LogIntake::CountHandedOver(int64_t lines, const absl::Status& added) {
  if (!added.ok()) return CountTurnedAway(lines, added);
  ++counts_.batches;
  counts_.entries += lines;
}

void LogIntake::CountTurnedAway(int64_t lines, const absl::Status& why) {
  counts_.turned_away += lines;
  LOG_FIRST_N(ERROR, 1) << lines << " lines of logs are dropped: " << why.message()
                        << "; further cases are only counted";
}

}  // namespace thaw
