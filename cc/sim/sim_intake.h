// The simulated intake. SimDialer (sim_dialer.h) reaches it.
//
// The intake reads HTTP/1.1 requests off the stream, records which payloads it accepted and how often,
// answers after a delay, and closes idle connections. Faults occur at every step of an exchange: during the
// lookup, connect and TLS, while the request arrives, and before, in the middle of and after the answer. The
// set of accepted payloads is known exactly, whatever the client sees.

#ifndef THAW_CC_SIM_SIM_INTAKE_H_
#define THAW_CC_SIM_SIM_INTAKE_H_

#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "cc/sim/sim_stream.h"
#include "cc/sim/sim_tls.h"
#include "cc/sim/sim_world.h"

namespace thaw {

// How the intake ends a connection whose idle limit has passed.
enum class IdleClose {
  kFin,
  kRst,
  kSilent,  // forgets it: the next segment is answered with a reset
  kRace,    // by FIN, shortly before or after the client's resume
  kMixed,   // any of them, drawn for each connection
};

// X(name, what happens)
#define THAW_SIM_FAULTS(X)                                                 \
  X(kLookupFails, "the name is not resolved")                              \
  X(kConnectRefused, "the connection is refused")                          \
  X(kConnectHangs, "the connection is never answered")                     \
  X(kTlsReset, "reset during the handshake")                               \
  X(kTlsHangs, "the handshake is never answered")                          \
  X(kStallMidRequest, "reads part of a request and closes its window")     \
  X(kNarrowWindow, "takes the request in small pieces")                    \
  X(kResetOnFirstByte, "reset when the first byte of the request arrives") \
  X(kResetMidRequest, "reads part of a request, then resets")              \
  X(kEndUnaccepted, "reads all, ends without an answer, did not accept")   \
  X(kEndAccepted, "accepts, ends without an answer")                       \
  X(kResetAccepted, "accepts, resets without an answer")                   \
  X(kHalfHead, "accepts, sends half a head, ends")                         \
  X(kHalfBody, "accepts, sends a whole head and half a body, ends")        \
  X(kBlackHole, "the path is cut as the request is on its way")            \
  X(kBlackHoleAccepted, "accepts, and the path is cut before the answer")  \
  X(kNeverAnswers, "accepts and never answers")                            \
  X(kSlowAnswer, "accepts, answers after seconds")                         \
  X(kGarbage, "accepts, answers with bytes that are not HTTP")             \
  X(kStatus503, "answers 503")                                             \
  X(kStatus429, "answers 429 with Retry-After")                            \
  X(kStatus400, "answers 400")                                             \
  X(kConnectionClose, "accepts, answers with Connection: close")           \
  X(kEndAfterAnswer, "accepts, answers, and ends straight away")

// Faults that only an exploration chooses; SimIntakeOptions::faults does not draw them.
#define THAW_SIM_CHOSEN_FAULTS(X)                                                      \
  X(kShutWindow, "the peer's window is closed before the first byte of a request")     \
  X(kResetOnAccept, "reset when the connection is open")                               \
  X(kGarbageMidRequest, "reads part of a request, then sends bytes that are not HTTP") \
  X(kGarbageOnAccept, "sends bytes that are not HTTP and reads nothing")               \
  X(kShutWindowLater, "closes its window after the first answer")                      \
  X(kStallLater, "reads part of the second request and closes its window")             \
  X(kGarbageMidLater, "reads part of the second request, then sends what is not HTTP") \
  X(kGarbageLater, "after the first answer, reads nothing and sends what is not HTTP")

enum class SimFault {
  kNone,
#define THAW_DECLARE(name, text) name,
  THAW_SIM_FAULTS(THAW_DECLARE) THAW_SIM_CHOSEN_FAULTS(THAW_DECLARE)
#undef THAW_DECLARE
};
inline constexpr SimFault kAllSimFaults[] = {
#define THAW_DECLARE(name, text) SimFault::name,
    THAW_SIM_FAULTS(THAW_DECLARE)
#undef THAW_DECLARE
};

inline constexpr SimFault kChosenSimFaults[] = {
#define THAW_DECLARE(name, text) SimFault::name,
    THAW_SIM_CHOSEN_FAULTS(THAW_DECLARE)
#undef THAW_DECLARE
};
std::string_view ToString(SimFault fault);

// Returns whether a dial meets the fault, and not a request.
bool IsDialFault(SimFault fault);

struct SimIntakeOptions {
  absl::Duration one_way = absl::Milliseconds(5);
  absl::Duration service_time = absl::Milliseconds(1);
  absl::Duration idle_limit = absl::Seconds(60);
  IdleClose idle_close = IdleClose::kFin;
  // The probability that a dial or a request meets a fault, drawn evenly from `faults`.
  double fault_rate = 0;
  std::vector<SimFault> faults = {std::begin(kAllSimFaults), std::end(kAllSimFaults)};
  // Replaces the draw of a fault, for a dial or a request. Where a fault may fall within bytes, it then falls
  // at one place.
  std::function<SimFault(bool dial)> choose_fault;
};

class SimIntake {
 public:
  SimIntake(SimWorld& world, SimIntakeOptions options) : world_(world), options_(std::move(options)) {}

  // Returns how often a payload was accepted. A request's body is a list of payload ids, 8 bytes each.
  int accepted(uint64_t payload) const {
    const auto found = accepted_.find(payload);
    return found == accepted_.end() ? 0 : found->second;
  }
  void ForgetPayload(uint64_t payload) { accepted_.erase(payload); }
  int64_t requests() const { return requests_; }
  int64_t connections() const { return connections_; }
  int64_t faults_met() const { return faults_met_; }

  // Sets the fault rate from now on.
  void set_fault_rate(double rate) { options_.fault_rate = rate; }
  // For IdleClose::kRace: closes, after `delay`, every connection that is idle then.
  void CloseIdleIn(absl::Duration delay);
  // Closes every connection after `delay`, each in its own way, even with an answer under way. A client that
  // does not read from its socket must expect this.
  void CloseAllIn(absl::Duration delay);

  // -- Exploration -----------------------------------------------------------------------------------------
  // The connections that exist, in the order in which they were accepted.
  std::vector<std::shared_ptr<SimStream>> Connections() const;
  // Returns whether a request is being read or answered on a connection.
  static bool Busy(const SimStream& stream);
  // Ends one connection after `delay`. kSilent forgets it.
  void CloseIn(const std::shared_ptr<SimStream>& stream, absl::Duration delay, IdleClose how);
  // Returns a hash of the connections and of the accepted payloads.
  uint64_t Fingerprint() const;
  // Returns the total number of acceptances.
  int64_t acceptances() const { return acceptances_; }

 private:
  friend class SimDialer;
  class Connection;

  SimFault DrawFault(bool dial);
  // Returns a place for a fault among the first `bytes`.
  uint64_t FaultPlace(uint64_t bytes);
  // `tls` may be null; the stream then carries plain HTTP.
  std::shared_ptr<SimStream> Accept(SimFault fault, std::unique_ptr<SimTls::Server> tls);
  void Accepted(std::string_view body);

  SimWorld& world_;
  SimIntakeOptions options_;
  absl::flat_hash_map<uint64_t, int> accepted_;
  int64_t requests_ = 0;
  int64_t connections_ = 0;
  int64_t faults_met_ = 0;
  int64_t acceptances_ = 0;
  uint64_t accepted_hash_ = 0;  // a sum, since the order of acceptances shows nowhere
  uint64_t dials_hash_ = 0;     // of the faults that await the dials under way
  std::vector<std::weak_ptr<SimStream>> open_;
};

}  // namespace thaw

#endif  // THAW_CC_SIM_SIM_INTAKE_H_
