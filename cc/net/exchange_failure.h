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

namespace thaw {

// The phase that the exchange had reached.
enum class Phase { kResolve, kConnect, kProxy, kTls, kWrite, kHead, kBody };
inline constexpr Phase kAllPhases[] = {Phase::kResolve, Phase::kConnect, Phase::kProxy, Phase::kTls,
                                       Phase::kWrite,   Phase::kHead,    Phase::kBody};
std::string_view ToString(Phase phase);

// The part of the request (head and body) that the transport below TLS accepted.
enum class BytesWritten { kNone, kPart, kAll };
inline constexpr BytesWritten kAllBytesWritten[] = {BytesWritten::kNone, BytesWritten::kPart,
                                                    BytesWritten::kAll};
std::string_view ToString(BytesWritten bytes);

// The kind of failure, apart from the phase.
enum class Fault {
  kNone,         // no failure: the exchange was answered with a status that is not 2xx
  kReset,        // the peer reset the connection, or the system reported another error on it
  kEnd,          // the peer ended the stream in order
  kTimeout,      // the deadline passed, or the grace after a resume
  kProtocol,     // the bytes are not HTTP or not TLS, or exceed a limit
  kNotFound,     // the name does not exist
  kRefused,      // no connection: refused, unreachable, or no resolver answered
  kCertificate,  // we rejected the chain, the host name or the validity
  kCredential,   // the proxy wants a credential (407)
  kProxyStatus,  // the proxy answered CONNECT with another status that is not 2xx
  kCancelled,    // the caller cancelled the exchange
};
inline constexpr Fault kAllFaults[] = {Fault::kNone,        Fault::kReset,       Fault::kEnd,
                                       Fault::kTimeout,     Fault::kProtocol,    Fault::kNotFound,
                                       Fault::kRefused,     Fault::kCertificate, Fault::kCredential,
                                       Fault::kProxyStatus, Fault::kCancelled};
std::string_view ToString(Fault fault);
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

enum class RetryClass {
  kUnsent,          // resent at once on another connection; not counted as an attempt
  kUnreachable,     // resent after a delay, counted; feeds the breaker; else kept
  kMisconfigured,   // not resent in this flush; kept; logged once
  kIncomplete,      // resent once on a fresh connection; can't be a duplicate
  kStale,           // resent once on a fresh connection, marked possible_duplicate
  kAmbiguous,       // resent, marked, if attempts, budget and the pipeline allow it
  kRefusedForNow,   // resent after a delay or Retry-After within the budget; else kept
  kRefusedForGood,  // dropped, counted by status
  kCancelled,       // kept by the caller that cancelled; ambiguous if all was written (see ClassOf)
};
inline constexpr RetryClass kAllRetryClasses[] = {
    RetryClass::kUnsent,        RetryClass::kUnreachable,    RetryClass::kMisconfigured,
    RetryClass::kIncomplete,    RetryClass::kStale,          RetryClass::kAmbiguous,
    RetryClass::kRefusedForNow, RetryClass::kRefusedForGood, RetryClass::kCancelled};
std::string_view ToString(RetryClass retry_class);

// Classifies a failure. Reads only the failure; defined for every combination of its fields.
RetryClass ClassOf(const ExchangeFailure& failure);

// Returns whether the peer may have acted on the request. A resend must then be marked possible_duplicate.
bool MayHaveBeenAccepted(const ExchangeFailure& failure);

}  // namespace thaw

#endif  // THAW_CC_NET_EXCHANGE_FAILURE_H_
