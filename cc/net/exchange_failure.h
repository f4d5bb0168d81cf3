// Why an exchange failed, in the words the retry decision needs, and that decision.
//
// Every failed exchange yields one ExchangeFailure. ClassOf() reads only that and gives exactly one
// RetryClass for every combination; nothing else in the project decides about resending.

#ifndef THAW_CC_NET_EXCHANGE_FAILURE_H_
#define THAW_CC_NET_EXCHANGE_FAILURE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace thaw {

// How far the exchange had come.
enum class Phase { kResolve, kConnect, kProxy, kTls, kWrite, kHead, kBody };
inline constexpr Phase kAllPhases[] = {Phase::kResolve, Phase::kConnect, Phase::kProxy, Phase::kTls,
                                       Phase::kWrite,   Phase::kHead,    Phase::kBody};
std::string_view ToString(Phase phase);

// How much of the request (head and body) the transport below TLS took.
enum class BytesWritten { kNone, kPart, kAll };
inline constexpr BytesWritten kAllBytesWritten[] = {BytesWritten::kNone, BytesWritten::kPart,
                                                    BytesWritten::kAll};
std::string_view ToString(BytesWritten bytes);

// What went wrong, apart from where.
enum class Fault {
  kNone,         // nothing: the exchange was answered, with a status that is not 2xx
  kReset,        // reset by the peer, or another error of the system on an open connection
  kEnd,          // the peer ended the stream in order
  kTimeout,      // the deadline passed, or the grace after a resume
  kProtocol,     // bytes that are not HTTP or not TLS, or past a limit
  kNotFound,     // no such name
  kRefused,      // no connection: refused, unreachable, no resolver
  kCertificate,  // chain, host name or validity refused by us
  kCredential,   // the proxy wants a credential (407)
  kProxyStatus,  // the proxy answered CONNECT with another status
  kCancelled,    // the caller gave up
};
inline constexpr Fault kAllFaults[] = {Fault::kNone,        Fault::kReset,       Fault::kEnd,
                                       Fault::kTimeout,     Fault::kProtocol,    Fault::kNotFound,
                                       Fault::kRefused,     Fault::kCertificate, Fault::kCredential,
                                       Fault::kProxyStatus, Fault::kCancelled};
std::string_view ToString(Fault fault);

struct AddressOutcome {
  std::string address;  // "127.0.0.1:443"
  absl::Status status;
};

struct ExchangeFailure {
  Phase phase = Phase::kResolve;
  Fault fault = Fault::kNone;
  bool reused = false;         // the connection had carried a request before (idle or shared)
  bool epoch_crossed = false;  // the environment was frozen and resumed while the exchange was open,
                               // or since the connection was opened
  BytesWritten bytes_written = BytesWritten::kNone;
  bool response_begun = false;  // a byte of the answer came
  bool head_complete = false;   // the head of the answer came whole
  int status = 0;               // of the answer, or of the proxy's to CONNECT; 0 if none
  absl::Duration idle_for;      // how long the connection had been idle before; zero if it wasn't
  std::optional<absl::Duration> retry_after;  // of the answer
  std::vector<AddressOutcome> addresses;      // each address that was tried, in order
  absl::Status error;                         // never OK; says what and where

  // One line: "head: reset by peer (reused, idle 3s, all written) https://..."
  std::string ToString() const;
};

enum class RetryClass {
  kUnsent,          // at once on another connection; not an attempt
  kUnreachable,     // backoff, counted, feeds the breaker; otherwise the outbox
  kMisconfigured,   // not again in this flush; outbox; named once
  kIncomplete,      // once on a fresh connection; can't be a duplicate
  kStale,           // once on a fresh connection, marked possible_duplicate
  kAmbiguous,       // if attempts, budget and the pipeline allow it; marked possible_duplicate
  kRefusedForNow,   // backoff, Retry-After, within the budget; otherwise the outbox
  kRefusedForGood,  // dropped, counted by status
  kCancelled,       // kept by whoever cancelled; ambiguous if all was written (see ClassOf)
};
inline constexpr RetryClass kAllRetryClasses[] = {
    RetryClass::kUnsent,        RetryClass::kUnreachable,    RetryClass::kMisconfigured,
    RetryClass::kIncomplete,    RetryClass::kStale,          RetryClass::kAmbiguous,
    RetryClass::kRefusedForNow, RetryClass::kRefusedForGood, RetryClass::kCancelled};
std::string_view ToString(RetryClass retry_class);

// The one decision. Reads only the failure; total over every combination of its fields.
RetryClass ClassOf(const ExchangeFailure& failure);

// Whether the peer may have acted on the request all the same: sending it again is then marked
// possible_duplicate.
bool MayHaveBeenAccepted(const ExchangeFailure& failure);

}  // namespace thaw

#endif  // THAW_CC_NET_EXCHANGE_FAILURE_H_
