#include "cc/net/exchange_failure.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace thaw {

namespace {

bool BeforeTheRequest(Phase phase) { return phase < Phase::kWrite; }

RetryClass ClassOfDial(const ExchangeFailure& failure) {
  switch (failure.fault) {
    case Fault::kCertificate:
    case Fault::kCredential:
      return RetryClass::kMisconfigured;
    case Fault::kProxyStatus:
      // A proxy's 5xx is temporary; any other status says that our request for the tunnel was wrong.
      return failure.status >= 500 ? RetryClass::kUnreachable : RetryClass::kMisconfigured;
    default:
      return RetryClass::kUnreachable;
  }
}

RetryClass ClassOfStatus(int status) {
  // Only proxies answer 407: the credential is missing or wrong.
  if (status == 407) return RetryClass::kMisconfigured;
  // A 101, which was not asked for, neither accepts nor refuses the request.
  return status < 200 || status == 408 || status == 429 || status >= 500 ? RetryClass::kRefusedForNow
                                                                         : RetryClass::kRefusedForGood;
}

}  // namespace

RetryClass ClassOf(const ExchangeFailure& failure) {
  if (failure.head_complete) return ClassOfStatus(failure.status);
  if (failure.fault == Fault::kCancelled) return RetryClass::kCancelled;
  if (BeforeTheRequest(failure.phase)) return ClassOfDial(failure);
  switch (failure.bytes_written) {
    case BytesWritten::kNone:
      // A reused connection that died while idle says nothing about the peer. One that accepted nothing
      // before the deadline does, and so does a fresh one.
      return failure.reused && failure.fault != Fault::kTimeout ? RetryClass::kUnsent
                                                                : RetryClass::kUnreachable;
    case BytesWritten::kPart:
      // The peer can't have accepted a body that is shorter than its Content-Length.
      return RetryClass::kIncomplete;
    case BytesWritten::kAll:
      return (failure.reused || failure.epoch_crossed) &&
                     (failure.fault == Fault::kReset || failure.fault == Fault::kEnd)
                 ? RetryClass::kStale
                 : RetryClass::kAmbiguous;
  }
  return RetryClass::kAmbiguous;
}

Fault FaultOfCancellation(const absl::Status& reason) {
  return absl::IsDeadlineExceeded(reason) ? Fault::kTimeout : Fault::kCancelled;
}

ExchangeFailure MakeFailure(Phase phase, Fault fault, std::string_view where, const absl::Status& reason) {
  ExchangeFailure failure;
  failure.phase = phase;
  failure.fault = fault;
  failure.error = absl::Status(reason.code(), absl::StrCat(where, ": ", reason.message()));
  return failure;
}

ExchangeFailure MakeFailure(Phase phase, Fault fault, std::string_view where, const absl::Status& reason,
                            const Cancellation& cancellation) {
  return cancellation.requested() ? MakeCancelledFailure(phase, where, cancellation.reason())
                                  : MakeFailure(phase, fault, where, reason);
}

ExchangeFailure MakeCancelledFailure(Phase phase, std::string_view where, const absl::Status& reason) {
  return MakeFailure(phase, FaultOfCancellation(reason), where, reason);
}

bool MayHaveBeenAccepted(const ExchangeFailure& failure) {
  return !failure.head_complete && !BeforeTheRequest(failure.phase) &&
         failure.bytes_written == BytesWritten::kAll;
}

std::string ExchangeFailure::ToString() const {
  std::vector<std::string> facts;
  if (reused)
    facts.push_back(idle_for > absl::ZeroDuration()
                        ? absl::StrCat("reused, idle ", absl::FormatDuration(idle_for))
                        : "reused");
  if (epoch_crossed) facts.push_back("crossed a freeze");
  if (!BeforeTheRequest(phase)) facts.push_back(absl::StrCat("written: ", thaw::ToString(bytes_written)));
  if (status != 0) facts.push_back(absl::StrCat("status ", status));
  for (const AddressOutcome& outcome : addresses) {
    facts.push_back(absl::StrCat(outcome.address, ": ", outcome.status.message()));
  }
  return absl::StrCat(thaw::ToString(phase), ": ", thaw::ToString(fault), ": ", error.message(),
                      facts.empty() ? "" : " (", absl::StrJoin(facts, ", "), facts.empty() ? "" : ")");
}

}  // namespace thaw
