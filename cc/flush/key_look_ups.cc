#include "cc/flush/key_look_ups.h"

#include <utility>

#include "absl/status/status.h"

namespace thaw {

std::shared_ptr<KeyLookUps::LookUpState> KeyLookUps::Begin(std::shared_ptr<ApiKeySource> source) {
  auto look_up = std::make_shared<LookUpState>();
  if (last_) source->OnLastFlush();
  Task<bool> refreshing = source->Refresh();
  // The source must outlive its task.
  Spawn<bool>(executor_, std::move(refreshing), [source, look_up](bool) {
    look_up->ended = true;
    for (const std::shared_ptr<Completion<bool>>& waiting : look_up->waiting) waiting->Set(true);
  });
  return look_up;
}

Task<void> KeyLookUps::LookUp(size_t endpoint, std::shared_ptr<ApiKeySource> source,
                              Cancellation& cancellation) {
  std::shared_ptr<LookUpState>& look_up = by_endpoint_[endpoint];
  if (look_up == nullptr) look_up = Begin(std::move(source));
  if (look_up->ended) co_return;
  const auto ended = std::make_shared<Completion<bool>>(executor_);
  look_up->waiting.push_back(ended);
  const auto registration = cancellation.OnRequest([ended](const absl::Status&) { ended->Set(false); });
  Completion<bool>& wait = *ended;
  co_await wait;
}

}  // namespace thaw
