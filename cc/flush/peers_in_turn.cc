#include "cc/flush/peers_in_turn.h"

#include <utility>

#include "cc/flush/peers_options.h"

namespace thaw {
namespace {

// Keeps the accepted items of a flush that failed: their payloads have ended as delivered; the bytes are sent
// again all the same.
void KeepAccepted(ItemSender& sender, FlushRun& run) {
  const bool keeps = sender.peers()->on_failure != OnFailure::kDiscard && !run.last;
  for (Outbox::Item& item : std::exchange(run.peers.accepted, {})) {
    if (!keeps) continue;
    item.counted = false;
    item.possible_duplicate = true;
    sender.AddLent(item);
    sender.Keep(run, std::move(item));
  }
}

}  // namespace

Task<void> SendInTurn(ItemSender& sender, FlushRun& run, DestinationGroup& group,
                      std::vector<Outbox::Item> items) {
  for (Outbox::Item& item : items) {
    if (run.peers.failed) {
      // Items that were not reached count as failed with the rest.
      ++item.tries;
      sender.Keep(run, std::move(item));
      continue;
    }
    Task<bool> sending = sender.Send(run, group, std::move(item));
    co_await std::move(sending);
  }
  if (run.peers.failed && sender.peers()->return_all_on_failure) KeepAccepted(sender, run);
}

Task<void> Redrive(ItemSender& sender, FlushRun& run, std::vector<Outbox::Item> held) {
  DestinationGroup redriven(&run.cancellation, 0);
  run.peers.redrives = true;
  for (Outbox::Item& item : held) {
    Task<bool> sending = sender.Send(run, redriven, std::move(item));
    co_await std::move(sending);
  }
  run.peers = {};
}

}  // namespace thaw
