// Describes why an exchange failed, and classifies the failure for retries.
//
// Every failed exchange yields one ExchangeFailure. ClassOf() reads nothing else and returns exactly one
// RetryClass for every combination of its fields. By that class DecideRetry() (retry_policy.h) decides
// whether Client::Send sends the request again, and the flusher what it keeps for another Send.

#ifndef THAW_CC_NET_EXCHANGE_FAILURE_H_
#define THAW_CC_NET_EXCHANGE_FAILURE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cc/base/cancellation.h"
#include "cc/base/declare_enum.h"

namespace thaw {

// X(enumerator, name, the phase that the exchange had reached)
#define THAW_PHASES(X)                                                       \
  X(kResolve, resolve, "the host's name is resolved")                        \
  X(kConnect, connect, "a connection is opened")                             \
  X(kProxy, proxy, "the proxy is asked for a tunnel")                        \
  X(kTls, tls, "the TLS handshake")                                          \
  X(kWrite, write, "the request is written")                                 \
  X(kHead, head, "the head of the answer is waited for or has come in part") \
  X(kBody, body, "the body of the answer")
THAW_DECLARE_ENUM(Phase, kAllPhases, THAW_PHASES)

// X(enumerator, name, the part of the request, head and body, that the transport below TLS accepted)
#define THAW_BYTES_WRITTEN(X) \
  X(kNone, none, "no byte")   \
  X(kPart, part, "a part")    \
  X(kAll, all, "all of it")
THAW_DECLARE_ENUM(BytesWritten, kAllBytesWritten, THAW_BYTES_WRITTEN)

// X(enumerator, name, the kind of failure, apart from the phase)
#define THAW_FAULTS(X)                                                                            \
  X(kNone, none, "no failure: the exchange was answered with a status that is not 2xx")           \
  X(kReset, reset, "the peer reset the connection, or the system reported another error on it")   \
  X(kEnd, end, "the peer ended the stream in order")                                              \
  X(kTimeout, timeout, "the deadline passed, or the grace after a resume")                        \
  X(kProtocol, protocol, "the bytes are not HTTP or not TLS, or exceed a limit")                  \
  X(kNotFound, not_found, "the name does not exist")                                              \
  X(kRefused, refused, "no connection: refused, unreachable, or no resolver answered")            \
  X(kCertificate, certificate, "we rejected the chain, the host name or the validity")            \
  X(kCredential, credential, "the proxy wants a credential (407)")                                \
  X(kProxyStatus, proxy_status, "the proxy answered CONNECT with another status that is not 2xx") \
  X(kCancelled, cancelled, "the caller cancelled the exchange")
THAW_DECLARE_ENUM(Fault, kAllFaults, THAW_FAULTS)
// Returns the fault of an exchange that a cancellation ended: kTimeout if its reason is DeadlineExceeded,
// else kCancelled.
Fault FaultOfCancellation(const absl::Status& reason);

struct AddressOutcome {
  std::string address;  // "127.0.0.1:443"
  absl::Status status;
};

struct ExchangeFailure {
  Phase phase = Phase::kResolve;
  Fault fault = Fault::kNone;
  bool reused = false;  // the connection had carried a request before (idle or shared)
  // The environment was frozen and resumed while the exchange was open or since the connection was opened.
  bool epoch_crossed = false;
  BytesWritten bytes_written = BytesWritten::kNone;
  bool response_begun = false;  // a byte of the answer came
  bool head_complete = false;   // the whole head of the answer came
  int status = 0;               // status of the answer, or of the proxy's answer to CONNECT; 0: none
  absl::Duration idle_for;      // how long the connection had been idle; zero if it wasn't
  std::optional<absl::Duration> retry_after;  // the answer's Retry-After
  std::vector<AddressOutcome> addresses;      // each address that was tried, in order
  absl::Status error;                         // never OK; says what happened and where

  // Returns one line: "head: reset by peer (reused, idle 3s, all written) https://..."
  std::string ToString() const;
};

// Returns a failure in `phase`. Its error has the code of `reason`, and "where: reason" as its text.
ExchangeFailure MakeFailure(Phase phase, Fault fault, std::string_view where, const absl::Status& reason);
// Does the same, unless `cancellation` was requested: its reason then takes the place of fault and reason.
ExchangeFailure MakeFailure(Phase phase, Fault fault, std::string_view where, const absl::Status& reason,
                            const Cancellation& cancellation);
// Returns the failure of an exchange that a cancellation ended; `reason` is the cancellation's.
ExchangeFailure MakeCancelledFailure(Phase phase, std::string_view where, const absl::Status& reason);

// The classes, and what DecideRetry() makes of a failure of each:
//
//   kUnsent          resent at once on another connection; not counted as an attempt
//   kUnreachable     resent after a delay, counted; feeds the breaker; else kept
//   kMisconfigured   not resent in this flush; kept; logged once
//   kIncomplete      resent once on a fresh connection; can't be a duplicate
//   kStale           resent once on a fresh connection, marked possible_duplicate
//   kAmbiguous       resent, marked, if attempts, budget and the pipeline allow it
//   kRefusedForNow   resent after a delay or Retry-After within the budget; else kept
//   kRefusedForGood  dropped, counted by status
//   kCancelled       kept by the caller that cancelled; ambiguous if all was written (see ClassOf)
//
// X(enumerator, name, the failures that a client counts in it)
#define THAW_RETRY_CLASSES(X)                                                                       \
  X(kUnsent, unsent, "failures before a request byte was given to a reused connection")             \
  X(kUnreachable, unreachable, "failures of name, connect, proxy or TLS transport")                 \
  X(kMisconfigured, misconfigured, "certificate, host name or proxy credential refused")            \
  X(kIncomplete, incomplete, "failures with part of a body written")                                \
  X(kStale, stale, "reused or crossed connections that ended without an answer to a whole request") \
  X(kAmbiguous, ambiguous, "fresh connections that gave no answer to a whole request")              \
  X(kRefusedForNow, refused_for_now, "408, 429 and 5xx answers")                                    \
  X(kRefusedForGood, refused_for_good, "3xx and other 4xx answers")                                 \
  X(kCancelled, cancelled, "exchanges stopped by their caller before they could matter")
THAW_DECLARE_ENUM(RetryClass, kAllRetryClasses, THAW_RETRY_CLASSES)

// Classifies a failure. Reads only the failure; defined for every combination of its fields.
RetryClass ClassOf(const ExchangeFailure& failure);

// Returns whether the peer may have acted on the request. A resend must then be marked possible_duplicate.
bool MayHaveBeenAccepted(const ExchangeFailure& failure);

}  // namespace thaw

#endif  // THAW_CC_NET_EXCHANGE_FAILURE_H_
