// The dialer of the simulated world.
//
// Each dial takes the time of its phases in the network, and a fault that the intake draws may end it, or keep
// it from ending. The thread of the simulation.

#ifndef THAW_CC_SIM_SIM_DIALER_H_
#define THAW_CC_SIM_SIM_DIALER_H_

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cc/base/cancellation.h"
#include "cc/base/task.h"
#include "cc/net/destination.h"
#include "cc/net/dialer.h"
#include "cc/sim/sim_intake.h"
#include "cc/sim/sim_tls.h"
#include "cc/sim/sim_world.h"

namespace thaw {

// Reaches the intake. Without `tls`, TLS is a scripted phase: the round trips and faults of a handshake
// without its cryptography. With `tls`, the handshake is real, and faults hit its bytes.
class SimDialer : public Dialer {
 public:
  SimDialer(SimWorld& world, SimIntake& intake, std::unique_ptr<SimTls> tls = nullptr)
      : world_(world), intake_(intake), tls_(std::move(tls)) {}

  Task<DialResult> Dial(Destination destination, Cancellation& cancellation) override;
  void Forget() override {
    if (tls_ != nullptr) tls_->connector().Forget();
  }

 private:
  // Makes the real handshake over the transport of `result`, in which its outcome is noted.
  Task<void> Secure(Destination destination, DialResult& result, Cancellation& cancellation);
  // Waits in the network's time, not the client's: it passes while the client is frozen.
  Task<absl::Status> Wait(absl::Duration delay, uint64_t dial, Cancellation& cancellation);

  SimWorld& world_;
  SimIntake& intake_;
  const std::unique_ptr<SimTls> tls_;
};

}  // namespace thaw

#endif  // THAW_CC_SIM_SIM_DIALER_H_
