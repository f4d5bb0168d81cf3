// Decides the next step of a request after the client has tried to send it. Pure: the decision follows from
// the client's result, the options and the earlier tries alone.
//
//   SendVerdict verdict = DecideSend(options, result, tried);
//   switch (verdict.action) { case SendAction::kDelivered: ... }
//
// By result:
//   accepted                  delivered
//   rejected by the client    dropped as unencodable: the request can't be sent in this form
//   413                       split; dropped as too large if it can't be
//   401, 403                  the key is looked up, once; refused for good unless there is another one
//   other refusals for good   dropped and counted by status
//   may have been accepted    dropped without FlusherOptions::retry_ambiguous, else kept and marked
//   everything else           kept
//
// Attempts within one call of Client::Send are decided by retry_policy.h. peers_rules.h decides in place of
// this file when the clients of peers are emulated.

#ifndef THAW_CC_FLUSH_SEND_VERDICT_H_
#define THAW_CC_FLUSH_SEND_VERDICT_H_

#include <optional>

#include "cc/flush/drop_reason.h"
#include "cc/flush/flusher_options.h"
#include "cc/net/client.h"

namespace thaw {

enum class SendAction {
  kDelivered,
  kSplit,      // split the request and send the pieces; decide again if it can't be split
  kRenewKey,   // look the key up and send again with another one; decide again if there is none
  kSendAgain,  // at once, as it is
  kDrop,
  kKeep,
};

// The line that is logged at level ERROR.
enum class SendNotice {
  kNone,
  kUnsendable,    // a request can't be sent; once for each endpoint
  kRefused,       // an endpoint refused data; once for each status
  kPeersStatus,   // as peers' clients log a refusal
  kPeersFailure,  // as peers' clients log a request without an answer
};

// The tries of one request in one flush.
struct SendTried {
  int sends = 0;             // calls of Client::Send
  int most_sends = 1;        // the client's max_attempts; for peers_rules.h
  bool key_renewed = false;  // the key was looked up after a refusal
  bool unsplittable = false;
  bool ended = false;  // the flush, or its part for this endpoint, was told to end
};

struct SendVerdict {
  SendAction action = SendAction::kKeep;
  DropReason reason = DropReason::kRefused;  // for kDrop
  SendNotice notice = SendNotice::kNone;
  // The status that the drop is counted under; unset if it is not counted by status.
  std::optional<int> refused_status;
  // The intake may have the request: it is marked before anything else is done with it.
  bool possible_duplicate = false;
  // The request never got a connection: it still counts as never tried.
  bool untried = false;
  // The endpoint denied permission.
  bool denied = false;
};

// Decides for thaw's own policy. `result` is that of the last send; `tried` includes it.
SendVerdict DecideSend(const FlusherOptions& options, const SendResult& result, const SendTried& tried);

// Returns the status of the answer, which may consist of its head alone; 0 if there was none.
int StatusOf(const SendResult& result);

// Returns after how many tries the peer may have accepted the request over a fresh connection. Stale
// connections do not count: they died while not in use, and bytes written to them then were almost certainly
// not read.
int AmbiguousTries(const SendResult& result);

}  // namespace thaw

#endif  // THAW_CC_FLUSH_SEND_VERDICT_H_
