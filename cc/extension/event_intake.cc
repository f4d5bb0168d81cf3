#include "cc/extension/event_intake.h"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/log/log.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cc/flush/byte_budget.h"
#include "cc/flush/event_flusher.h"

namespace thaw {
namespace {

// The part of the budget that the items of one kind may fill.
constexpr size_t kPartOfBudget = 16;

std::string TagsOf(const FunctionFacts& facts) {
  std::vector<std::string> tags;
  const FunctionTags of_function(facts);
  for (const auto& [name, value] : of_function.map()) tags.push_back(absl::StrCat(name, ":", value));
  return EncodeStatsdTags(tags);
}

}  // namespace

EventIntake::EventIntake(const FunctionFacts& facts, Clock& clock, Pipelines& pipelines)
    : clock_(clock), pipelines_(pipelines), function_tags_(TagsOf(facts)) {}

void EventIntake::Add(const StatsdEvent& event) {
  const auto make_item = [&] { return EventItem(event, function_tags_, clock_.Now().wall); };
  if (HandOver(*pipelines_.Find<EventFlusher>(), ItemBytes(event, function_tags_), make_item))
    ++counts_.events;
}

void EventIntake::Add(const ServiceCheck& check) {
  const auto make_item = [&] { return ServiceCheckItem(check, function_tags_, clock_.Now().wall); };
  if (HandOver(*pipelines_.Find<ServiceCheckFlusher>(), ItemBytes(check, function_tags_), make_item))
    ++counts_.service_checks;
}

template <typename Flusher, typename MakeItem>
bool EventIntake::HandOver(Flusher& flusher, size_t bytes, MakeItem make_item) {
  absl::Status added = RoomFor(flusher.bytes(), bytes);
  if (added.ok()) {
    StatsdItem item = make_item();
    added = RoomFor(flusher.bytes(), item.memory());
    if (added.ok()) added = flusher.Add(std::move(item)).status();
  }
  if (!added.ok()) TurnAway(added);
  return added.ok();
}

absl::Status EventIntake::RoomFor(size_t kept, size_t bytes) const {
  const ByteBudget& budget = pipelines_.bytes();
  if (kept + bytes > budget.limit() / kPartOfBudget)
    return absl::ResourceExhaustedError("those that could not be delivered fill their part of the memory");
  if (budget.used() + bytes > budget.limit())
    return absl::ResourceExhaustedError("data of other kinds that could not be delivered fill the memory");
  return absl::OkStatus();
}

void EventIntake::TurnAway(const absl::Status& why) {
  ++counts_.turned_away;
  LOG_FIRST_N(ERROR, 1) << "an event or a service check is dropped: " << why.message()
                        << "; further ones are only counted";
}

}  // namespace thaw
