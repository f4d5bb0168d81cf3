#include "cc/extension/event_intake.h"

#include <cstddef>
#include <utility>

#include "absl/log/log.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cc/flush/byte_budget.h"
#include "cc/flush/event_flusher.h"

namespace thaw {
namespace {

// The part of the budget that the items of one kind may fill.
constexpr size_t kPartOfBudget = 16;

std::vector<std::string> TagsOf(const FunctionFacts& facts) {
  std::vector<std::string> tags;
  const FunctionTags of_function(facts);
  for (const auto& [name, value] : of_function.map()) tags.push_back(absl::StrCat(name, ":", value));
  return tags;
}

}  // namespace

EventIntake::EventIntake(const FunctionFacts& facts, Clock& clock, Pipelines& pipelines)
    : clock_(clock), pipelines_(pipelines), function_tags_(TagsOf(facts)) {}

void EventIntake::Add(const StatsdEvent& event) {
  if (HandOver(*pipelines_.Find<EventFlusher>(), EventItem(event, function_tags_, clock_.Now().wall)))
    ++counts_.events;
}

void EventIntake::Add(const ServiceCheck& check) {
  if (HandOver(*pipelines_.Find<ServiceCheckFlusher>(),
               ServiceCheckItem(check, function_tags_, clock_.Now().wall)))
    ++counts_.service_checks;
}

template <typename Flusher>
bool EventIntake::HandOver(Flusher& flusher, StatsdItem item) {
  const ByteBudget& budget = pipelines_.bytes();
  const size_t bytes = item.memory();
  absl::Status added;
  if (flusher.bytes() + bytes > budget.limit() / kPartOfBudget) {
    added = absl::ResourceExhaustedError("those that could not be delivered fill their part of the memory");
  } else if (budget.used() + bytes > budget.limit()) {
    added = absl::ResourceExhaustedError("data of other kinds that could not be delivered fill the memory");
  } else {
    added = flusher.Add(std::move(item)).status();
  }
  if (added.ok()) return true;
  ++counts_.turned_away;
  LOG_FIRST_N(ERROR, 1) << "an event or a service check is dropped: " << added.message()
                        << "; further ones are only counted";
  return false;
}

}  // namespace thaw
