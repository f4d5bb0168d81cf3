// Sends the items of a flush in the order that peers' clients use: one after the other, none after a failure.
// It is part of the emulation of peers (peers_rules.h): the sender has PeersOptions. Production does not use
// it.
//
//   co_await SendInTurn(sender, run, group, outbox.Take());
//   co_await Redrive(sender, run, outbox.TakeHeld());         // at shutdown, before the rest
//
// One thread: the executor's. The arguments must outlive the tasks.

#ifndef THAW_CC_FLUSH_PEERS_IN_TURN_H_
#define THAW_CC_FLUSH_PEERS_IN_TURN_H_

#include <vector>

#include "cc/base/task.h"
#include "cc/flush/destination_group.h"
#include "cc/flush/flush_run.h"
#include "cc/flush/item_sender.h"
#include "cc/flush/outbox.h"

namespace thaw {

// Sends until one item fails; the rest counts as failed with it, and with return_all_on_failure so does what
// was accepted before.
Task<void> SendInTurn(ItemSender& sender, FlushRun& run, DestinationGroup& group,
                      std::vector<Outbox::Item> items);

// Sends each of the held items once more, whatever becomes of the others, and then drops what failed.
Task<void> Redrive(ItemSender& sender, FlushRun& run, std::vector<Outbox::Item> held);

}  // namespace thaw

#endif  // THAW_CC_FLUSH_PEERS_IN_TURN_H_
