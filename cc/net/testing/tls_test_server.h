// A TLS server for tests: the far end of a Transport, made of BoringSSL over memory. It shares no code with
// the client.
//
//   TlsTestServer server({.certificate = authority.Issue({.names = {"intake.example"}})});
//   TlsTestServer::Peer& peer = server.Accept(std::move(server_end));
//   ... executor.RunAll(); peer.TakeReceived(); peer.Send("HTTP/1.1 202 Accepted\r\n\r\n");

#ifndef THAW_CC_NET_TESTING_TLS_TEST_SERVER_H_
#define THAW_CC_NET_TESTING_TLS_TEST_SERVER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cc/net/client_options.h"
#include "cc/net/testing/test_certificates.h"
#include "cc/net/transport.h"

namespace thaw {

class TlsTestServer {
 public:
  struct Options {
    TestCertificate certificate;
    TlsVersion max_version = TlsVersion::kTls13;
    int tickets = 2;         // sent after each TLS 1.3 handshake
    bool resumption = true;  // false: no tickets, no session cache
    bool wants_client_certificate = false;
    std::vector<std::string> protocols = {"http/1.1"};  // those it agrees on by ALPN, the preferred one first
    uint16_t signature = 0;  // the only signature scheme it uses (RFC 8446 section 4.2.3); 0: any
  };

  class Peer {
   public:
    virtual ~Peer() = default;
    virtual bool established() const = 0;
    virtual bool resumed() const = 0;
    virtual std::string version() const = 0;      // "TLSv1.3"
    virtual std::string server_name() const = 0;  // from SNI; empty if there was none
    virtual std::string alpn() const = 0;
    // Returns the plaintext that came since the last call.
    virtual std::string TakeReceived() = 0;
    virtual size_t received_size() const = 0;
    virtual bool saw_close_notify() const = 0;
    virtual std::string error() const = 0;  // error of the handshake or a read; empty if none

    virtual void Send(std::string_view plaintext) = 0;
    // Sends a TLS 1.3 key update; `request` asks for one back.
    virtual void UpdateKeys(bool request) = 0;
    virtual void CloseNotify() = 0;
    virtual void SendAlert(int description) = 0;  // fatal
    // Sends bytes that are not TLS straight to the transport.
    virtual void SendRaw(std::string_view bytes) = 0;
    // Holds back everything that the server sends.
    virtual void set_hold(bool hold) = 0;
    virtual Transport& transport() = 0;
  };

  explicit TlsTestServer(const Options& options);
  ~TlsTestServer();

  // Runs the handshake and receives as the transport's executor runs. The peer lives as long as the server,
  // or until it is removed.
  Peer& Accept(std::unique_ptr<Transport> transport);
  void Remove(const Peer& peer);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace thaw

#endif  // THAW_CC_NET_TESTING_TLS_TEST_SERVER_H_
