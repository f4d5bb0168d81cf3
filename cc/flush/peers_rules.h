// Decides and logs as peers' clients do where thaw does otherwise, so that an experiment can run their
// policies through the same code. Production does not use it: only a flusher that is given PeersOptions comes
// here.
//
//   const SendVerdict verdict = DecideSendAsPeers(options, peers, result, tried);
//
// The lines are those of the other products, letter by letter, since experiments count them.

#ifndef THAW_CC_FLUSH_PEERS_RULES_H_
#define THAW_CC_FLUSH_PEERS_RULES_H_

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cc/flush/drop_reason.h"
#include "cc/flush/endpoint.h"
#include "cc/flush/flusher_options.h"
#include "cc/flush/outbox.h"
#include "cc/flush/peers_options.h"
#include "cc/flush/send_verdict.h"
#include "cc/net/client.h"

namespace thaw {

// State of one flush that only the emulation needs.
struct PeersState {
  bool redrives = false;               // what was held is sent once more, at shutdown
  bool failed = false;                 // a request could not be delivered
  std::vector<Outbox::Item> accepted;  // filled only for return_all_on_failure
};

// Decides as DecideSend does, with these exceptions: with retry_all_statuses each refusal is retried as often
// as the client tries, and then taken for success (dropped here); without drop_refused, requests that are
// refused for good are kept; a failure that is not kept is logged.
SendVerdict DecideSendAsPeers(const FlusherOptions& options, const PeersOptions& peers,
                              const SendResult& result, const SendTried& tried);

// Returns why a request that could not be delivered is dropped; nullopt if it is held for the redrive.
// `on_failure` is not kKeep.
std::optional<DropReason> PeersDropReason(OnFailure on_failure, bool redrives, bool last);

std::string PeersStatusLine(int status, const Endpoint& endpoint);
std::array<std::string, 2> PeersFailureLines(const SendResult& result, std::string_view pipeline);

}  // namespace thaw

#endif  // THAW_CC_FLUSH_PEERS_RULES_H_
