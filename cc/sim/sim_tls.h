// Where real TLS goes into the simulation: the client's connector and the intake's side of a connection.
//
// The simulation itself has none: its dialer scripts TLS as a phase. real_tls.h has the one for tests.

#ifndef THAW_CC_SIM_SIM_TLS_H_
#define THAW_CC_SIM_SIM_TLS_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "cc/net/client_options.h"
#include "cc/net/counters.h"
#include "cc/net/tls_connector.h"
#include "cc/sim/sim_world.h"

namespace thaw {

class SimTls {
 public:
  // The intake's side of one connection: bytes in, bytes out, no time passes.
  class Server {
   public:
    virtual ~Server() = default;
    // Takes what arrived; returns the plaintext it brought.
    virtual std::string Receive(std::string_view wire) = 0;
    virtual void Send(std::string_view plaintext) = 0;
    // Nothing before the handshake is over.
    virtual void CloseNotify() = 0;
    // What is to go out, handshake messages and alerts included; taken by the call.
    virtual std::string TakeWire() = 0;
    // It refused what came, and takes nothing more.
    virtual bool failed() const = 0;
  };

  virtual ~SimTls() = default;
  virtual TlsConnector& connector() = 0;
  virtual std::unique_ptr<Server> Accept() = 0;
};

// Makes the TLS of one run. What is given outlives it.
using SimTlsFactory =
    std::function<std::unique_ptr<SimTls>(SimWorld&, const ClientOptions&, ConnectionCounters&)>;

}  // namespace thaw

#endif  // THAW_CC_SIM_SIM_TLS_H_
