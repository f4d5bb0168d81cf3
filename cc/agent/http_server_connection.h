// One connection of the local HTTP server: reads requests, passes them to their handlers and answers, one
// after the other. Its owner decides when one connection makes room for another. An HttpServerState has what
// the connections of a server share.
//
// A read is always pending while the connection is idle, so that its end is noticed when it comes. The ends
// of reads, writes, tasks and deadlines drive everything; between two of them Advance() goes as far as the
// bytes allow. Of requests that a client pipelines, the first is answered at once and each further one in the
// connection's turn, which the owner gives.
//
// The functions are in three files: http_server_connection.cc (reads, heads, time limits, the end),
// http_server_connection_body.cc (bodies) and http_server_connection_answer.cc (handlers and writes).

#ifndef THAW_CC_AGENT_HTTP_SERVER_CONNECTION_H_
#define THAW_CC_AGENT_HTTP_SERVER_CONNECTION_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cc/agent/decode_body.h"
#include "cc/agent/http_exchange.h"
#include "cc/agent/http_request_parser.h"
#include "cc/agent/http_route.h"
#include "cc/agent/http_server_counts.h"
#include "cc/agent/http_server_state.h"
#include "cc/base/byte_account.h"
#include "cc/base/cancellation.h"
#include "cc/clock/clock.h"
#include "cc/net/transport.h"

namespace thaw {

class HttpServerConnection;

// Decides among one server's connections, which notify it.
class HttpConnectionOwner {
 public:
  virtual ~HttpConnectionOwner() = default;

  // The connection has become idle.
  virtual void OnIdle(HttpServerConnection& connection) = 0;
  // The connection waits for its client within a request or an answer, and the client has just made progress.
  virtual void OnProgress(HttpServerConnection& connection) = 0;
  // Adds `bytes` of a request to the state's incoming_bytes, from which the connection subtracts them; if
  // room is short, connections with less progress give way. Returns false, and adds nothing, if there is no
  // room.
  virtual bool SetAside(HttpServerConnection& asking, size_t bytes) = 0;
  // The connection has been answered, and more of its bytes have come: it goes on with Continue() when others
  // have had their turns.
  virtual void WaitForTurn(HttpServerConnection& connection) = 0;
  // The connection is closed. The caller keeps it alive.
  virtual void OnClosed(HttpServerConnection& connection) = 0;
};

class HttpServerConnection : public std::enable_shared_from_this<HttpServerConnection> {
 public:
  // The connections of a server, in the owner's order.
  using List = std::list<std::shared_ptr<HttpServerConnection>>;

  // `state` must live as long as `owner`.
  HttpServerConnection(HttpServerState& state, std::shared_ptr<HttpConnectionOwner> owner,
                       std::unique_ptr<Transport> transport);
  HttpServerConnection(const HttpServerConnection&) = delete;
  HttpServerConnection& operator=(const HttpServerConnection&) = delete;

  void Start() { Advance(); }
  // Goes on after WaitForTurn().
  void Continue();

  // Returns whether it is between requests, without a byte of the next one.
  bool idle() const { return phase_ == Phase::kIdle; }
  // Closes the connection if it is idle and no bytes wait. Returns false if it is not idle, or if bytes wait,
  // which are then read.
  bool CloseIfIdle();
  // Returns whether the next step within a request or an answer is the client's.
  bool waits_for_client() const {
    return !yields_ && (phase_ == Phase::kHead || phase_ == Phase::kBody || phase_ == Phase::kWriting ||
                        phase_ == Phase::kDiscarding);
  }
  // Returns whether it was answered, and the rest of the client's bytes is discarded.
  bool lingers() const { return phase_ == Phase::kDiscarding; }
  // Returns whether it has brought a request with a body that was accepted.
  bool useful() const { return useful_; }
  // Returns the bytes set aside for its request.
  size_t set_aside() const { return body_aside_ + inbound_aside_; }
  // Closes the connection because another one needs its room; answers so if there is no answer yet.
  void GiveWay();
  // Closes the connection without answering. Idempotent.
  void Close();

  // Notes of the owner.
  List::iterator position;
  int64_t idle_since = 0;     // in ticks of the owner
  int64_t idle_resumes = 0;   // resumes that the owner had counted when it became idle
  absl::Duration progressed;  // monotonic time of the last OnProgress()

 private:
  // Holds the usual request: a payload of a few traces and its head.
  static constexpr size_t kInboundBytes = 16 * 1024;
  // The least room for a read.
  static constexpr size_t kReadBytes = 4 * 1024;
  // Bytes that are read and discarded so that a connection can carry another request.
  static constexpr size_t kMaxSkippedBytes = 1 << 20;
  // Bytes that are read and discarded if a route handles a request without its body, or so that a client sees
  // its refusal.
  static constexpr size_t kMaxDiscardedBytes = 64 << 20;

  enum class Phase {
    kIdle,        // waits for a request's first byte
    kHead,        // a head is coming in, or may be buffered
    kBody,        // the head's body is coming in
    kHandling,    // a task works on it
    kWriting,     // the answer, or a 100, is going out
    kDiscarding,  // refused and about to close; further bytes are discarded
    kClosed,
  };
  // The place of a body.
  enum class BodyForm {
    kInPlace,    // after its head
    kBuffer,     // body_, which has room for its Content-Length
    kChunks,     // body_, as far as the body is wanted
    kThrowAway,  // nowhere; it has a Content-Length
  };
  enum class AfterWrite { kNextRequest, kBody, kDiscard, kClose };
  using Counter = int64_t HttpServerCounts::*;
  // An answer that is decided before the body came.
  struct Refusal {
    int status;
    Counter counter;
    std::string text;
  };

  // The state of one request; it is assigned anew for the next one.
  struct Request {
    bool head_begun = false;
    HttpRoute* route = nullptr;  // null: there is none
    bool keep_alive = false;
    size_t body_begin = 0;  // in inbound_
    size_t next_begin = 0;  // start of the bytes after the request, once it is complete
    BodyForm body_form = BodyForm::kInPlace;
    size_t body_limit = 0;
    uint64_t body_length = 0;    // by Content-Length
    uint64_t body_received = 0;  // bytes of content
    bool body_left_out = false;
    bool chunks_over_budget = false;
    ContentCoding coding = ContentCoding::kIdentity;
    std::unique_ptr<BodyDecoder> decoder;
    ByteCharge body_charge;  // charge of a decoded body
    std::optional<Refusal> refusal;
    HttpServerRequest view;  // passed to the handler
    bool task_timed_out = false;
  };

  void Read();
  void OnRead(IoResult result);
  void OnStreamOver(const absl::Status& status);
  // Makes room for `bytes` more in inbound_; returns false if there is no memory for them.
  bool MakeRoom(size_t bytes);
  void MoveToFront();

  // Advance() runs the others, one step each; they return false if they must wait, or the connection is
  // closed.
  void Advance();
  bool AdvanceHead();
  bool OnHead();
  bool BeginBody(size_t limit_bytes);
  bool AdvanceBody();
  bool AdvanceChunks();
  // Makes room for `bytes` in body_; returns false if there is none.
  bool ReserveBody(size_t bytes);
  bool AppendToBody(std::string_view content);
  bool Dispatch();
  bool DecodeRequestBody();
  bool Handle();
  void OnTaskDone();

  bool Answer(AfterWrite then);
  // Answers without having read the whole request, and closes.
  bool Refuse(int status, Counter counter, std::string_view text);
  bool RefuseForRoom();
  bool WriteOut(AfterWrite then);
  void ContinueWrite();
  bool OnWritten();
  void EndRequest();

  void SetDeadline(absl::Duration timeout);
  void OnDeadline();
  void Lose();
  // Counts bytes of the client. Small amounts become progress only once they add up.
  void CountProgress(size_t bytes);
  void MarkProgress();
  void FreeBody();
  void ReleaseInbound();
  // Returns how large its buffers may stay between requests.
  size_t KeptBytes();
  std::string_view Inbound(size_t from, size_t to) const { return {inbound_.data() + from, to - from}; }

  HttpServerState& state_;
  const std::shared_ptr<HttpConnectionOwner> owner_;
  const std::unique_ptr<Transport> transport_;
  Phase phase_ = Phase::kHead;
  bool reading_ = false;
  Alarm deadline_;
  bool yields_ = false;
  bool useful_ = false;
  bool answered_in_turn_ = false;
  size_t uncounted_progress_ = 0;  // in bytes

  // Received bytes to be processed: [begin_, end_). The first byte of the buffer is kept free while idle, for
  // the byte that CloseIfIdle() may find.
  std::vector<char> inbound_;
  size_t begin_ = 1;
  size_t end_ = 1;
  size_t inbound_aside_ = 0;  // the part of its length that is set aside

  // The request, whose head begins at begin_.
  HttpRequestParser parser_;
  Request request_;
  std::string body_;
  size_t body_aside_ = 0;  // the part of its capacity that is set aside
  bool keeps_large_ = false;
  std::optional<Cancellation> task_cancellation_;

  // The answer.
  HttpReply reply_;
  std::string outbound_;
  size_t written_ = 0;
  AfterWrite after_write_ = AfterWrite::kClose;
  size_t discarded_bytes_ = 0;
};

}  // namespace thaw

#endif  // THAW_CC_AGENT_HTTP_SERVER_CONNECTION_H_
