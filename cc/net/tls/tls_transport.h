// TLS as a Transport over another one. BoringSSL reads and writes memory, and this class moves the bytes, so
// that a freeze can fall between any two steps and a failed write tells which bytes the peer may have read.
//
// Beyond transport.h:
//  * StartWrite's `bytes` counts plaintext whose records the lower transport accepted whole: the peer can
//    read nothing of a record that was sent in part.
//  * The client's last handshake message (Finished) waits for the first write and is sent with it, in one
//    lower write; Close() sends it if there was none.
//  * StartRead and TryRead process tickets and key updates without reporting them.
//  * kOutOfRange is close_notify, an alert, or a FIN without close_notify; the text says which. Whether a
//    body was cut is for HTTP's framing to say; only a body that ends with the stream can't tell.
//  * kDataLoss: the bytes are not TLS, or were altered.
//  * Buffers exist only while there is something in them; an idle connection holds 2 KB for its pending read.
//
// One thread: the executor's.

#ifndef THAW_CC_NET_TLS_TLS_TRANSPORT_H_
#define THAW_CC_NET_TLS_TLS_TRANSPORT_H_

#include <memory>

#include "absl/status/status.h"
#include "cc/base/cancellation.h"
#include "cc/base/executor.h"
#include "cc/base/task.h"
#include "cc/clock/clock.h"
#include "cc/net/transport.h"

struct ssl_st;

namespace thaw {

class TlsStream;

struct SslDeleter {
  void operator()(ssl_st* ssl) const;
};
using SslPointer = std::unique_ptr<ssl_st, SslDeleter>;

// The parts of one TLS connection.
struct TlsParts {
  std::unique_ptr<Transport> lower;
  SslPointer ssl;  // configured as a client, without a BIO
  // The object that the callbacks of `ssl` refer to; destroyed after it.
  std::shared_ptr<void> owner;
  // Whether tickets are worth a read before closing.
  bool wants_tickets = true;
};

struct TlsHandshake {
  enum class Failed {
    kNot,
    kLower,  // the lower transport ended or failed: `status` is its status
    kTls,    // TLS failed, here or at the peer: `status` says why
  };
  Failed failed = Failed::kNot;
  absl::Status status;
  std::unique_ptr<Transport> transport;
};

// Runs the handshake. A request of `cancellation` closes the lower transport; the outcome is then kLower.
Task<TlsHandshake> ShakeHands(Executor& executor, const Clock& clock, TlsParts parts,
                              Cancellation& cancellation);

// Sets the clock that BoringSSL uses while this object lives: its callback for the time does not say for
// which connection it asks.
class TlsTime {
 public:
  explicit TlsTime(const Clock& clock);
  ~TlsTime();
  TlsTime(const TlsTime&) = delete;
  TlsTime& operator=(const TlsTime&) = delete;
  // The clock of the innermost TlsTime.
  static const Clock* current();

 private:
  const Clock* outer_;
};

}  // namespace thaw

#endif  // THAW_CC_NET_TLS_TLS_TRANSPORT_H_
