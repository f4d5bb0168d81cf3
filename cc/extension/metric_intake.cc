#include "cc/extension/metric_intake.h"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "absl/log/log.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/types/span.h"
#include "cc/base/protobuf_writer.h"
#include "cc/flush/metric_flusher.h"
#include "cc/metrics/series_payload.h"
#include "cc/metrics/sketch_payload.h"

namespace thaw {
namespace {

// The part of the budget that samples may fill until they are handed over.
constexpr size_t kPartOfBudget = 8;
// A batch with so many bytes is handed over, so that the pipeline compresses what has come.
constexpr size_t kHandOverBytes = size_t{512} << 10;
// Metrics that are handed over without a pause: encoding and compressing them takes a few milliseconds.
constexpr size_t kPortion = 256;

std::vector<std::string> TagsWithout(const FunctionTags& tags, std::string_view excluded_names) {
  std::vector<std::string_view> excluded;
  for (const std::string_view name : absl::StrSplit(excluded_names, ',', absl::SkipWhitespace()))
    excluded.push_back(absl::StripAsciiWhitespace(name));
  std::vector<std::string> texts;
  for (const auto& [name, value] : tags.map()) {
    if (std::find(excluded.begin(), excluded.end(), name) != excluded.end()) continue;
    texts.push_back(value.empty() ? name : absl::StrCat(name, ":", value));
  }
  return texts;
}

}  // namespace

// Encodes what the aggregator hands over, and hands batches on when they are large.
class MetricIntake::Encoder : public MetricPointTaker {
 public:
  explicit Encoder(MetricIntake& intake) : intake_(intake) {}

  void TakeSeries(const MetricLabel& label, SeriesType type, absl::Span<const SeriesPoint> points) override {
    MakeRoom(intake_.series_);
    AppendSeries(label, type, points, TagsOf(label).series, intake_.series_);
    if (intake_.series_.size() >= kHandOverBytes) intake_.HandOverSeries();
    Charge();
  }
  void TakeSketches(const MetricLabel& label, absl::Span<const SketchPoint> points) override {
    MakeRoom(intake_.sketches_);
    AppendSketches(label, points, TagsOf(label).sketches, intake_.sketches_);
    if (intake_.sketches_.size() >= kHandOverBytes) intake_.HandOverSketches();
    Charge();
  }

 private:
  const CommonTags& TagsOf(const MetricLabel& label) const {
    return label.owner == MetricOwner::kFunction ? intake_.function_tags_ : intake_.extension_tags_;
  }
  // Makes room in a batch for what is still to come, estimated by what has come. Growing step by step would cost more
  // than encoding, since the kernel clears each page of fresh memory.
  void MakeRoom(MetricBatch& batch) {
    constexpr size_t kUsualBytes = 512;  // of a series or sketch
    ++taken_;
    ProtobufWriter& fields = batch.fields;
    if (fields.capacity() - fields.size() >= kUsualBytes) return;
    const size_t to_come = fields.size() / taken_ * (intake_.aggregator_.to_drain() * 6 / 5);
    const size_t room = std::clamp(to_come, 64 * kUsualBytes, kHandOverBytes);
    // Without this memory the batch grows as it must.
    static_cast<void>(fields.ReserveMore(room, nullptr));
  }
  void Charge() { intake_.charge_.Set(intake_.series_.memory() + intake_.sketches_.memory()); }

  MetricIntake& intake_;
  size_t taken_ = 0;  // metrics so far
};

MetricIntake::MetricIntake(MetricIntakeOptions options, Executor& executor, Clock& clock,
                           Pipelines& pipelines)
    : executor_(executor),
      pipelines_(pipelines),
      facts_(std::move(options.facts)),
      excluded_tags_(std::move(options.excluded_tags)),
      freezes_(options.freezes),
      aggregator_({.max_bytes = pipelines.bytes().limit() / kPartOfBudget,
                   .histograms = std::move(options.histograms)},
                  clock, pipelines.bytes()),
      line_(executor),
      charge_(&pipelines.bytes()) {
  SetTags();
}

void MetricIntake::SetTags() {
  const FunctionTags tags(facts_);
  const auto encoded = [](const std::vector<std::string>& texts) {
    return CommonTags{.series = EncodeSeriesTags(texts), .sketches = EncodeSketchTags(texts)};
  };
  function_tags_ = encoded(TagsWithout(tags, excluded_tags_));
  extension_tags_ = encoded(TagsWithout(tags, ""));
}

void MetricIntake::Take(const TelemetryRecord& record) {
  // Lambda gives the variable that names the runtime only to the function.
  const auto* const init = std::get_if<PlatformInitStart>(&record.record);
  if (init == nullptr) return;
  std::string runtime = RuntimeName(init->runtime_version);
  if (runtime.empty() || runtime == facts_.runtime) return;
  facts_.runtime = std::move(runtime);
  SetTags();
}

void MetricIntake::Add(const MetricSample& sample) { aggregator_.Add(sample, MetricOwner::kFunction); }

void MetricIntake::Own::Add(const MetricSample& sample) {
  intake_.aggregator_.Add(sample, MetricOwner::kExtension);
}

Task<void> MetricIntake::HandOver(bool last) {
  const Line::Place place = co_await line_.Enter();
  Encoder encoder(*this);
  aggregator_.BeginDrain(last || freezes_ ? Aggregator::Scope::kAll : Aggregator::Scope::kClosed);
  while (aggregator_.DrainSome(kPortion, encoder)) co_await Turn(executor_);
  HandOverSeries();
  HandOverSketches();
  charge_.Release();
}

void MetricIntake::HandOverSeries() {
  if (series_.empty()) return;
  MetricBatch batch = std::exchange(series_, {});
  batch.fields.Shrink();
  charge_.Set(sketches_.memory());
  const int64_t points = batch.points;
  Count(points, pipelines_.Find<SeriesFlusher>()->Add(std::move(batch)).status(), counts_.points);
}

void MetricIntake::HandOverSketches() {
  if (sketches_.empty()) return;
  MetricBatch batch = std::exchange(sketches_, {});
  batch.fields.Shrink();
  charge_.Set(series_.memory());
  const int64_t points = batch.points;
  Count(points, pipelines_.Find<SketchFlusher>()->Add(std::move(batch)).status(), counts_.sketches);
}

void MetricIntake::Count(int64_t points, const absl::Status& added, int64_t& handed_over) {
  if (added.ok()) {
    handed_over += points;
    return;
  }
  counts_.turned_away += points;
  LOG_FIRST_N(ERROR, 1) << points << " points of metrics are dropped: " << added.message()
                        << "; further cases are only counted";
}

}  // namespace thaw
