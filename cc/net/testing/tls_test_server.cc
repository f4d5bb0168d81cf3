#include "cc/net/testing/tls_test_server.h"

#include <array>
#include <cstdint>
#include <utility>

#include "absl/log/check.h"
#include "absl/types/span.h"
#include "openssl/bio.h"
#include "openssl/err.h"
#include "openssl/pem.h"
#include "openssl/ssl.h"

namespace thaw {
namespace {

class PeerImpl : public TlsTestServer::Peer {
 public:
  PeerImpl(SSL_CTX* context, std::unique_ptr<Transport> transport)
      : transport_(std::move(transport)), ssl_(SSL_new(context)) {
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(in_, -1);
    SSL_set_bio(ssl_.get(), in_, out_);
    SSL_set_accept_state(ssl_.get());
    Read();
  }
  ~PeerImpl() override { *alive_ = false; }

  bool established() const override { return established_; }
  bool resumed() const override { return SSL_session_reused(ssl_.get()) != 0; }
  std::string version() const override { return SSL_get_version(ssl_.get()); }
  std::string server_name() const override {
    const char* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
    return name != nullptr ? name : "";
  }
  std::string alpn() const override {
    const uint8_t* name;
    unsigned size;
    SSL_get0_alpn_selected(ssl_.get(), &name, &size);
    return std::string(reinterpret_cast<const char*>(name), size);
  }
  std::string TakeReceived() override { return std::exchange(received_, {}); }
  size_t received_size() const override { return received_.size(); }
  bool saw_close_notify() const override {
    return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
  }
  std::string error() const override { return error_; }

  void Send(std::string_view plaintext) override {
    CHECK_EQ(SSL_write(ssl_.get(), plaintext.data(), static_cast<int>(plaintext.size())),
             static_cast<int>(plaintext.size()));
    Flush();
  }
  void UpdateKeys(bool request) override {
    CHECK(SSL_key_update(ssl_.get(), request ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED));
    // The bytes go out with the next write.
  }
  void CloseNotify() override {
    SSL_shutdown(ssl_.get());
    Flush();
  }
  void SendAlert(int description) override {
    SSL_send_fatal_alert(ssl_.get(), static_cast<uint8_t>(description));
    Flush();
  }
  void SendRaw(std::string_view bytes) override {
    CHECK(!writing_);
    queued_.append(bytes);
    Flush();
  }
  void set_hold(bool hold) override {
    hold_ = hold;
    Flush();
  }
  Transport& transport() override { return *transport_; }

 private:
  void Read() {
    transport_->StartRead(absl::MakeSpan(buffer_), [this, alive = alive_](IoResult result) {
      if (!*alive || !result.status.ok()) return;
      BIO_write(in_, buffer_.data(), static_cast<int>(result.bytes));
      Drive();
      Read();
    });
  }
  void Drive() {
    ERR_clear_error();
    if (!established_ && error_.empty()) {
      const int result = SSL_do_handshake(ssl_.get());
      if (result == 1) {
        established_ = true;
      } else if (SSL_get_error(ssl_.get(), result) == SSL_ERROR_SSL) {
        const char* reason = ERR_reason_error_string(ERR_get_error());
        error_ = reason != nullptr ? reason : "error";
      }
    }
    char plaintext[16384];
    while (established_ && error_.empty()) {
      const int n = SSL_read(ssl_.get(), plaintext, sizeof(plaintext));
      if (n <= 0) {
        if (SSL_get_error(ssl_.get(), n) == SSL_ERROR_SSL) {
          const char* reason = ERR_reason_error_string(ERR_get_error());
          error_ = reason != nullptr ? reason : "error";
        }
        break;
      }
      received_.append(plaintext, n);
    }
    Flush();
  }
  void Flush() {
    if (hold_ || writing_) return;
    const uint8_t* made;
    size_t size;
    if (BIO_mem_contents(out_, &made, &size) && size > 0) {
      queued_.append(reinterpret_cast<const char*>(made), size);
      BIO_reset(out_);
    }
    if (queued_.empty()) return;
    writing_ = true;
    transport_->StartWrite(queued_, [this, alive = alive_](IoResult result) {
      if (!*alive) return;
      writing_ = false;
      queued_.erase(0, result.bytes);
      if (result.status.ok()) Flush();
    });
  }

  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::unique_ptr<Transport> transport_;
  bssl::UniquePtr<SSL> ssl_;
  BIO* in_;   // owned by the SSL
  BIO* out_;  // owned by the SSL
  std::array<char, 16384> buffer_;
  std::string received_;
  std::string queued_;  // appended to only while no write is pending
  std::string error_;
  bool established_ = false;
  bool writing_ = false;
  bool hold_ = false;
};

// `ours`: a std::string with the server's protocols, each after a byte with its length.
int SelectAlpn(SSL*, const uint8_t** out, uint8_t* out_size, const uint8_t* in, unsigned in_size,
               void* ours) {
  const auto& protocols = *static_cast<const std::string*>(ours);
  uint8_t* chosen;
  if (SSL_select_next_proto(&chosen, out_size, reinterpret_cast<const uint8_t*>(protocols.data()),
                            static_cast<unsigned>(protocols.size()), in, in_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

struct TlsTestServer::State {
  std::string protocols;
  bssl::UniquePtr<SSL_CTX> context;
  std::vector<std::unique_ptr<PeerImpl>> peers;
};

TlsTestServer::TlsTestServer(const Options& options) : state_(std::make_unique<State>()) {
  state_->context.reset(SSL_CTX_new(TLS_method()));
  SSL_CTX* context = state_->context.get();
  bssl::UniquePtr<BIO> chain(BIO_new_mem_buf(options.certificate.chain_pem.data(),
                                             static_cast<int>(options.certificate.chain_pem.size())));
  bssl::UniquePtr<X509> leaf(PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr));
  CHECK(leaf != nullptr && SSL_CTX_use_certificate(context, leaf.get()));
  while (bssl::UniquePtr<X509> more{PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr)}) {
    CHECK(SSL_CTX_add1_chain_cert(context, more.get()));
  }
  ERR_clear_error();
  bssl::UniquePtr<BIO> key_text(BIO_new_mem_buf(options.certificate.key_pem.data(),
                                                static_cast<int>(options.certificate.key_pem.size())));
  bssl::UniquePtr<EVP_PKEY> key(PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr));
  CHECK(key != nullptr && SSL_CTX_use_PrivateKey(context, key.get()));
  CHECK(SSL_CTX_set_max_proto_version(
      context, options.max_version == TlsVersion::kTls12 ? TLS1_2_VERSION : TLS1_3_VERSION));
  if (options.signature != 0) {
    CHECK(SSL_CTX_set_signing_algorithm_prefs(context, &options.signature, 1));
  }
  for (const std::string& protocol : options.protocols) {
    state_->protocols += static_cast<char>(protocol.size());
    state_->protocols += protocol;
  }
  SSL_CTX_set_alpn_select_cb(context, SelectAlpn, &state_->protocols);
  if (options.resumption) {
    SSL_CTX_set_num_tickets(context, options.tickets);
  } else {
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  }
  if (options.wants_client_certificate) {
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
}

TlsTestServer::~TlsTestServer() = default;

TlsTestServer::Peer& TlsTestServer::Accept(std::unique_ptr<Transport> transport) {
  state_->peers.push_back(std::make_unique<PeerImpl>(state_->context.get(), std::move(transport)));
  return *state_->peers.back();
}

void TlsTestServer::Remove(const Peer& peer) {
  std::erase_if(state_->peers,
                [&peer](const std::unique_ptr<PeerImpl>& held) { return held.get() == &peer; });
}

}  // namespace thaw
