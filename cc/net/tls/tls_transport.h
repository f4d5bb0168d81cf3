// TLS as a Transport over another one. No socket and no library stream inside: BoringSSL reads and
// writes memory, and this moves the bytes, so that a freeze can fall between any two steps and a failed
// write can say what of it the peer can have read.
//
// Beyond transport.h:
//  * StartWrite's `bytes` are plaintext whose records the lower transport took whole: of a record that
//    went out in part the peer can read nothing.
//  * The client's last handshake message (Finished) waits for the first write and goes out with it, in
//    one lower write; Close() sends it if there was none.
//  * Tickets and key updates are taken in silently by StartRead and TryRead.
//  * kOutOfRange is close_notify, an alert, or a FIN without close_notify; the text says which. Whether
//    a body was cut is for HTTP's framing to say; only one that ends with the stream can't tell.
//  * kDataLoss: what came is not TLS, or was altered.
//  * Buffers live while there is something in them; an idle connection holds 2 KB for its pending read.
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

// What one TLS connection is made of.
struct TlsParts {
  std::unique_ptr<Transport> lower;
  SslPointer ssl;  // set to connect, without a BIO
  // What the callbacks of `ssl` point to; destroyed after it.
  std::shared_ptr<void> owner;
  // Whether tickets are worth a read before closing.
  bool wants_tickets = true;
};

struct TlsHandshake {
  enum class Failed {
    kNot,
    kLower,  // the lower transport ended or failed: `status` is its
    kTls,    // refused by TLS, here or there: `status` says by what
  };
  Failed failed = Failed::kNot;
  absl::Status status;
  std::unique_ptr<Transport> transport;
};

// Shakes hands. When `cancellation` is requested the lower transport is closed and the outcome is kLower.
Task<TlsHandshake> ShakeHands(Executor& executor, const Clock& clock, TlsParts parts,
                              Cancellation& cancellation);

// What BoringSSL takes for the present while this lives: its callback for the time says nothing of whose.
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
