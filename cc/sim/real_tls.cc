#include "cc/sim/real_tls.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "cc/net/testing/test_certificates.h"
#include "cc/net/testing/tls_test_server.h"
#include "cc/net/tls/boring_tls_connector.h"
#include "cc/net/transport.h"

namespace thaw {
namespace {

struct Identity {
  std::string authority_file;
  TestCertificate certificate;
};

// Made once, since generating keys takes longer than a handshake.
const Identity& TheIdentity() {
  static const Identity& identity = *[] {
    const TestAuthority authority("simulation");
    const std::string pem = authority.pem();
    // A file that only this process sees; it needs no directory and no cleaning up.
    const int file = memfd_create("authority", MFD_CLOEXEC);
    CHECK_GE(file, 0);
    CHECK_EQ(write(file, pem.data(), pem.size()), static_cast<ssize_t>(pem.size()));
    return new Identity{.authority_file = absl::StrCat("/proc/self/fd/", file),
                        .certificate = authority.Issue({.names = {"intake.test"}})};
  }();
  return identity;
}

// The server's lower transport. It completes inside the call: the intake is outside the client, and the
// client's executor, on which completions would wait, may be frozen.
class Wire : public Transport {
 public:
  void StartRead(absl::Span<char> into, Done done) override {
    into_ = into;
    read_done_ = std::move(done);
  }
  void StartWrite(std::string_view from, Done done) override {
    sent_ += static_cast<int64_t>(from.size());
    outbound_ += from;
    done({absl::OkStatus(), from.size()});
  }
  IoResult TryRead(absl::Span<char>) override { return {absl::UnavailableError("nothing to read now"), 0}; }
  void Close() override {}
  int64_t wire_bytes_sent() const override { return sent_; }
  int64_t wire_bytes_received() const override { return received_; }

  void Deliver(std::string_view bytes) {
    while (!bytes.empty()) {
      CHECK(read_done_) << "the server always reads";
      const size_t size = std::min(bytes.size(), into_.size());
      std::memcpy(into_.data(), bytes.data(), size);
      bytes.remove_prefix(size);
      received_ += static_cast<int64_t>(size);
      std::exchange(read_done_, nullptr)({absl::OkStatus(), size});
    }
  }
  std::string TakeOutbound() { return std::exchange(outbound_, {}); }

 private:
  absl::Span<char> into_;
  Done read_done_;
  std::string outbound_;
  int64_t sent_ = 0;
  int64_t received_ = 0;
};

class RealServer : public SimTls::Server {
 public:
  explicit RealServer(std::shared_ptr<TlsTestServer> server) : server_(std::move(server)) {
    auto wire = std::make_unique<Wire>();
    wire_ = wire.get();
    peer_ = &server_->Accept(std::move(wire));
  }
  ~RealServer() override { server_->Remove(*peer_); }

  std::string Receive(std::string_view wire) override {
    wire_->Deliver(wire);
    return peer_->TakeReceived();
  }
  void Send(std::string_view plaintext) override { peer_->Send(plaintext); }
  void CloseNotify() override {
    if (peer_->established() && !failed()) peer_->CloseNotify();
  }
  std::string TakeWire() override { return wire_->TakeOutbound(); }
  bool failed() const override { return !peer_->error().empty(); }

 private:
  // Connections may outlive the dialer: events of the world hold them.
  const std::shared_ptr<TlsTestServer> server_;
  Wire* wire_;                 // owned by the peer
  TlsTestServer::Peer* peer_;  // owned by the server
};

class BothSides : public SimTls {
 public:
  BothSides(std::unique_ptr<TlsConnector> connector, std::shared_ptr<TlsTestServer> server)
      : connector_(std::move(connector)), server_(std::move(server)) {}
  TlsConnector& connector() override { return *connector_; }
  std::unique_ptr<Server> Accept() override { return std::make_unique<RealServer>(server_); }

 private:
  const std::unique_ptr<TlsConnector> connector_;
  const std::shared_ptr<TlsTestServer> server_;
};

}  // namespace

SimTlsFactory RealTls(TlsVersion server_max_version) {
  return [server_max_version](SimWorld& world, const ClientOptions& client, ConnectionCounts& counts) {
    ClientOptions options = client;
    options.use_public_roots = false;
    options.tls_cert_file = TheIdentity().authority_file;
    std::vector<std::string> warnings;
    auto connector = MakeTlsConnector(world.executor(), world.clock(), options, counts, &warnings);
    CHECK_OK(connector.status());
    CHECK(warnings.empty()) << warnings.front();
    return std::make_unique<BothSides>(*std::move(connector),
                                       std::make_shared<TlsTestServer>(TlsTestServer::Options{
                                           .certificate = TheIdentity().certificate,
                                           .max_version = server_max_version,
                                       }));
  };
}

}  // namespace thaw
