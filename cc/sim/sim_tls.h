// The interface by which real TLS enters the simulation: the client's connector and the intake's side of a
// connection.
//
// The simulation has no TLS of its own: its dialer scripts TLS as a phase. real_tls.h implements it for
// tests.

#ifndef THAW_CC_SIM_SIM_TLS_H_
#define THAW_CC_SIM_SIM_TLS_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "cc/net/client_counts.h"
#include "cc/net/client_options.h"
#include "cc/net/tls_connector.h"
#include "cc/sim/sim_world.h"

namespace thaw {

class SimTls {
 public:
  // The intake's side of one connection: bytes in, bytes out, without passing time.
  class Server {
   public:
    virtual ~Server() = default;
    // Takes what arrived; returns the plaintext it brought.
    virtual std::string Receive(std::string_view wire) = 0;
    virtual void Send(std::string_view plaintext) = 0;
    // Does nothing before the handshake is complete.
    virtual void CloseNotify() = 0;
    // Returns the bytes to send since the last call, handshake messages and alerts included.
    virtual std::string TakeWire() = 0;
    // Returns true if the server rejected what came and reads nothing more.
    virtual bool failed() const = 0;
  };

  virtual ~SimTls() = default;
  virtual TlsConnector& connector() = 0;
  virtual std::unique_ptr<Server> Accept() = 0;
};

// Makes the TLS of one run. The arguments outlive the result.
using SimTlsFactory =
    std::function<std::unique_ptr<SimTls>(SimWorld&, const ClientOptions&, ConnectionCounts&)>;

}  // namespace thaw

#endif  // THAW_CC_SIM_SIM_TLS_H_
