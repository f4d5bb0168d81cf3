// One connection of the local HTTP server: reads requests, gives them to their handlers, answers, one after
// the other. What connections have in common, and when one must make room for another, is its owner's.
//
// A read is always pending while the connection is idle, so that its end is seen when it comes. Everything is
// driven by the ends of reads, writes, tasks and deadlines; between two of them Advance() goes as far as the
// bytes allow.

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

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cc/agent/decode_body.h"
#include "cc/agent/http_exchange.h"
#include "cc/agent/http_request_parser.h"
#include "cc/agent/http_route.h"
#include "cc/agent/http_server_counters.h"
#include "cc/agent/http_server_options.h"
#include "cc/base/byte_account.h"
#include "cc/base/cancellation.h"
#include "cc/base/executor.h"
#include "cc/clock/clock.h"
#include "cc/net/transport.h"

namespace thaw {

class HttpServerConnection;

// What the connections of one server share, and whom they tell.
class HttpConnectionOwner {
 public:
  using Connections = std::list<std::shared_ptr<HttpServerConnection>>;

  HttpConnectionOwner(Executor& executor_in, Clock& clock_in, HttpServerOptions options_in)
      : executor(executor_in), clock(clock_in), options(options_in) {}
  virtual ~HttpConnectionOwner() = default;

  // It has nothing to do from now on.
  virtual void OnIdle(HttpServerConnection& connection) = 0;
  // It waits for its client within a request or an answer, and the client has just got on with it.
  virtual void OnProgress(HttpServerConnection& connection) = 0;
  // Sets room aside for so many bytes of a request. Where they are short, connections that get on more slowly
  // give way. False: there is no room.
  virtual bool SetAside(HttpServerConnection& asking, size_t bytes) = 0;
  // It is over. The caller keeps it alive.
  virtual void OnClosed(HttpServerConnection& connection) = 0;

  Executor& executor;
  Clock& clock;
  const HttpServerOptions options;
  absl::flat_hash_map<std::string, HttpRoute> routes;  // by path
  HttpServerCounters counters;
  // Set aside for what comes in and doesn't fit into the connections' buffers.
  ChargedBytes incoming_bytes{options.account};
  int large_buffers_kept = 0;   // by connections, between their requests
  bool resumed_lately = false;  // less than resume_grace ago
};

class HttpServerConnection : public std::enable_shared_from_this<HttpServerConnection> {
 public:
  HttpServerConnection(std::shared_ptr<HttpConnectionOwner> owner, std::unique_ptr<Transport> transport);
  HttpServerConnection(const HttpServerConnection&) = delete;
  HttpServerConnection& operator=(const HttpServerConnection&) = delete;

  void Start() { Advance(); }

  // Between requests, without a byte of the next one.
  bool idle() const { return phase_ == Phase::kIdle; }
  // Closes it if it is idle and nothing waits to be read. False: it isn't, or something does and is now being
  // read.
  bool CloseIfIdle();
  // Within a request or an answer, and its client has to do the next step.
  bool waits_for_client() const {
    return !yields_ && (phase_ == Phase::kHead || phase_ == Phase::kBody || phase_ == Phase::kWriting ||
                        phase_ == Phase::kDiscarding);
  }
  // It was answered, and only what its client still sends is thrown away.
  bool lingers() const { return phase_ == Phase::kDiscarding; }
  // It has brought a request with a body that was accepted.
  bool useful() const { return useful_; }
  // Room set aside for its request, in bytes.
  size_t set_aside() const { return body_aside_ + inbound_aside_; }
  // Closes it because another connection needs its room; its client is told so if it has no answer yet.
  void GiveWay();
  // Idempotent. What was not answered isn't.
  void Close();

  // The owner's notes.
  HttpConnectionOwner::Connections::iterator position;
  int64_t idle_since = 0;     // ticks of the owner
  int64_t idle_resumes = 0;   // resumes of the owner before it became idle
  absl::Duration progressed;  // by the monotonic clock, at the last OnProgress()

 private:
  enum class Phase {
    kIdle,        // waits for a request's first byte
    kHead,        // a head is coming in, or may be there
    kBody,        // its body is
    kHandling,    // a task works on it
    kWriting,     // the answer, or a 100, is going out
    kDiscarding,  // it was refused and closes; what still comes is thrown away
    kClosed,
  };
  // Where a body goes.
  enum class BodyForm {
    kInPlace,    // behind its head
    kBuffer,     // body_, which has room for its Content-Length
    kChunks,     // body_, as far as it is wanted
    kThrowAway,  // nowhere, with a Content-Length
  };
  enum class AfterWrite { kNextRequest, kBody, kDiscard, kClose };
  using Counter = int64_t HttpServerCounters::*;
  // An answer that is certain before the body came.
  struct Refusal {
    int status;
    Counter counter;
    std::string text;
  };

  void Read();
  void OnRead(IoResult result);
  void OnStreamOver(const absl::Status& status);
  // For so many bytes more behind those that are there. False: no memory may be had for them.
  bool MakeRoom(size_t bytes);
  void MoveToFront();

  // Each goes one step on; false: something has to come first, or it is over.
  void Advance();
  // Lets other connections have their turns, then goes on.
  void Yield();
  bool AdvanceHead();
  bool OnHead();
  bool BeginBody(size_t limit_bytes);
  bool AdvanceBody();
  bool AdvanceChunks();
  // For so many bytes in body_. False: there is no room.
  bool ReserveBody(size_t bytes);
  bool AppendToBody(std::string_view content);
  bool Dispatch();
  bool DecodeRequestBody();
  bool Handle();
  void OnTaskDone();

  bool Answer(AfterWrite then);
  // Answers without having read all of the request, and closes.
  bool Refuse(int status, Counter counter, std::string_view text);
  bool RefuseForRoom();
  bool WriteOut(AfterWrite then);
  void ContinueWrite();
  bool OnWritten();
  void EndRequest();

  void SetDeadline(absl::Duration timeout);
  void CancelDeadline();
  void OnDeadline();
  void Lose();
  // Its client got on by so many bytes. Little by little is no progress before it comes to something.
  void CountProgress(size_t bytes);
  void MarkProgress();
  void FreeBody();
  void ReleaseInbound();
  // How large its buffers may stay between requests.
  size_t KeptBytes();
  std::string_view Inbound(size_t from, size_t to) const { return {inbound_.data() + from, to - from}; }

  const std::shared_ptr<HttpConnectionOwner> owner_;
  const std::unique_ptr<Transport> transport_;
  Phase phase_ = Phase::kHead;
  bool reading_ = false;
  Alarm deadline_;
  bool deadline_set_ = false;
  bool yields_ = false;
  bool useful_ = false;
  int answered_in_turn_ = 0;
  size_t uncounted_progress_ = 0;  // in bytes

  // What came and is not dealt with: [begin_, end_). The first byte of the buffer is kept free while idle,
  // for the one that CloseIfIdle() may find.
  std::vector<char> inbound_;
  size_t begin_ = 1;
  size_t end_ = 1;
  size_t inbound_aside_ = 0;  // of its length, what is set aside

  // The request. Its head begins at begin_.
  HttpRequestParser parser_;
  bool head_begun_ = false;
  HttpRoute* route_ = nullptr;  // null: there is none
  bool keep_alive_ = false;
  size_t body_begin_ = 0;  // in inbound_
  size_t next_begin_ = 0;  // of what follows the request, once that is whole
  BodyForm body_form_ = BodyForm::kInPlace;
  size_t body_limit_ = 0;
  uint64_t body_length_ = 0;    // by Content-Length
  uint64_t body_received_ = 0;  // content
  bool body_left_out_ = false;
  bool chunks_over_budget_ = false;
  ContentCoding coding_ = ContentCoding::kIdentity;
  std::unique_ptr<BodyDecoder> decoder_;
  ByteCharge body_charge_;  // of a body that was decoded
  std::string body_;
  size_t body_aside_ = 0;  // of its capacity, what is set aside
  bool keeps_large_ = false;
  std::optional<Refusal> refusal_;
  HttpServerRequest request_;
  std::optional<Cancellation> task_cancellation_;
  bool task_timed_out_ = false;

  // The answer.
  HttpReply reply_;
  std::string outbound_;
  size_t written_ = 0;
  AfterWrite after_write_ = AfterWrite::kClose;
  size_t discarded_bytes_ = 0;
};

}  // namespace thaw

#endif  // THAW_CC_AGENT_HTTP_SERVER_CONNECTION_H_
