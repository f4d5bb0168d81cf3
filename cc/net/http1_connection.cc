#include "cc/net/http1_connection.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cc/net/destination.h"

namespace thaw {
namespace {

// Large enough for most answers; the intake's are some hundred bytes.
constexpr size_t kReadBytes = 4096;
// A body up to this size is sent with the head in one write; copying it costs less than a second write.
constexpr size_t kJoinedBodyBytes = 16 * 1024;

Fault FaultOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOutOfRange:
      return Fault::kEnd;
    case absl::StatusCode::kCancelled:
      return Fault::kCancelled;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kDataLoss:
      return Fault::kProtocol;
    default:
      return Fault::kReset;
  }
}

void AppendHead(const HttpRequest& request, const RequestForm& form, std::string_view user_agent,
                std::string& head) {
  absl::StrAppend(&head, request.method, " ", form.absolute ? ToString(request.destination) : "",
                  request.target, " HTTP/1.1\r\nHost: ", HostHeader(request.destination), "\r\n");
  if (!FindHeader(request.headers, "user-agent").has_value()) {
    absl::StrAppend(&head, "User-Agent: ", user_agent, "\r\n");
  }
  if (!form.proxy_authorization.empty()) {
    absl::StrAppend(&head, "Proxy-Authorization: ", form.proxy_authorization, "\r\n");
  }
  for (const auto& [name, value] : request.headers) absl::StrAppend(&head, name, ": ", value, "\r\n");
  absl::StrAppend(&head, "Content-Length: ", request.body == nullptr ? 0 : request.body->size(), "\r\n\r\n");
}

}  // namespace

std::shared_ptr<Http1Connection> Http1Connection::Start(Executor& executor, Clock& clock,
                                                        std::unique_ptr<Transport> transport,
                                                        RequestForm form, const ClientOptions& options,
                                                        ExchangeCounts& counts, OnIdleClosed on_idle_closed) {
  std::shared_ptr<Http1Connection> connection(new Http1Connection(
      executor, clock, std::move(transport), std::move(form), options, counts, std::move(on_idle_closed)));
  connection->StandingRead();
  return connection;
}

Http1Connection::Http1Connection(Executor& executor, Clock& clock, std::unique_ptr<Transport> transport,
                                 RequestForm form, const ClientOptions& options, ExchangeCounts& counts,
                                 OnIdleClosed on_idle_closed)
    : executor_(executor),
      clock_(clock),
      transport_(std::move(transport)),
      form_(std::move(form)),
      options_(options),
      counts_(counts),
      on_idle_closed_(std::move(on_idle_closed)),
      inbound_(kReadBytes) {}

Http1Connection::~Http1Connection() { CloseTransport(); }

void Http1Connection::CountBytes() {
  counts_.bytes_sent +=
      transport_->wire_bytes_sent() - std::exchange(counted_sent_, transport_->wire_bytes_sent());
  counts_.bytes_received +=
      transport_->wire_bytes_received() - std::exchange(counted_received_, transport_->wire_bytes_received());
}

void Http1Connection::CloseTransport() {
  // A closed connection's pending read may outlive the client, and with it the counts.
  if (state_ == State::kClosed) return;
  transport_->Close();
  CountBytes();
  state_ = State::kClosed;
}

void Http1Connection::StandingRead() {
  reading_ = true;
  // The pending read keeps the connection alive; Close() ends it.
  transport_->StartRead(absl::MakeSpan(inbound_), [self = shared_from_this()](IoResult result) {
    self->reading_ = false;
    self->OnRead(std::move(result));
  });
}

void Http1Connection::OnRead(IoResult result) {
  switch (state_) {
    case State::kClosed:
      return;
    case State::kIdle:
      // An end, a reset, or unexpected bytes: the connection can't carry another request.
      CloseTransport();
      on_idle_closed_(this);
      return;
    case State::kQueued:
      // The request was not taken yet: it is returned untouched.
      if (result.status.ok()) result.status = absl::InvalidArgumentError("bytes came before any request");
      return Fail(FaultOf(result.status), result.status);
    case State::kBusy:
      break;
  }
  if (!result.status.ok()) return OnStreamOver(result.status);
  if (!first_byte_at_.has_value()) first_byte_at_ = clock_.Now().monotonic;
  parser_->Put(std::string_view(inbound_.data(), result.bytes));
  OnParsed();
}

void Http1Connection::OnParsed() {
  switch (parser_->state()) {
    case Http1Parser::State::kHead:
    case Http1Parser::State::kBody:
      LimitBody();
      return StandingRead();
    case Http1Parser::State::kError:
      if (parser_->head_complete()) break;
      return Fail(Fault::kProtocol, parser_->error());
    case Http1Parser::State::kDone:
    case Http1Parser::State::kEnough:
      break;
  }
  ExchangeEnd end;
  // If the answer came before the whole request was written, the rest of the request is still owed.
  end.reusable = parser_->keep_alive() && bytes_written() == BytesWritten::kAll && !writing_;
  end.response = std::move(parser_->response());
  if (parser_->state() == Http1Parser::State::kError) end.response->body_whole = false;
  EndExchange(std::move(end));
}

// Limits the time for a body that trickles or never ends: the head is the answer.
void Http1Connection::LimitBody() {
  if (body_timeout_ == absl::InfiniteDuration() || patience_.has_value() || !parser_->head_complete()) return;
  // A peer that answers early is not cut off while it still reads the request.
  if (bytes_written() != BytesWritten::kAll) return;
  patience_.emplace(clock_, body_timeout_, [this] {
    Abort(exchange_, Fault::kTimeout, absl::DeadlineExceededError("the rest of the body did not come"));
  });
}

void Http1Connection::OnStreamOver(const absl::Status& status) {
  parser_->End();
  if (Answered()) {
    if (!parser_->head_complete()) parser_->response().body_whole = false;
    return OnParsedAtEnd();
  }
  Fail(FaultOf(status), status);
}

// A complete head is an answer, whatever of the body is missing. Of a refusal its status line is enough; the peer
// may not have meant a success whose head is cut.
bool Http1Connection::Answered() const {
  return parser_.has_value() && (parser_->head_complete() || parser_->refused());
}

void Http1Connection::OnParsedAtEnd() {
  ExchangeEnd end;
  end.response = std::move(parser_->response());
  EndExchange(std::move(end));
}

HttpConnection::ExchangeId Http1Connection::Begin(const HttpRequest& request, Done done) {
  done_ = std::move(done);
  first_byte_at_.reset();
  where_ = absl::StrCat(request.method, " ", ToString(request.destination), PathOf(request.target));
  body_timeout_ = request.body_timeout;
  answer_to_ = request.method == "HEAD" ? Http1Parser::AnswerTo::kHead : Http1Parser::AnswerTo::kAny;
  head_.clear();
  head_taken_ = body_taken_ = 0;
  AppendHead(request, form_, options_.user_agent, head_);
  body_ = request.body == nullptr ? std::string_view() : *request.body;
  if (body_.size() <= kJoinedBodyBytes) {
    head_.append(body_);
    body_ = std::string_view();
  }
  const bool was_open = open();
  if (was_open) state_ = State::kQueued;
  executor_.Post([self = shared_from_this()] { self->TakeRequest(); });
  return ++exchange_;
}

void Http1Connection::TakeRequest() {
  if (!done_) return;  // the exchange ended while the request was queued
  if (state_ == State::kClosed) {
    return Fail(Fault::kEnd, absl::OutOfRangeError("the connection had ended"));
  }
  state_ = State::kBusy;
  parser_.emplace(Http1Parser::Limits{.head_bytes = options_.max_response_head_bytes,
                                      .body_kept_bytes = options_.max_response_body_kept_bytes,
                                      .body_drained_bytes = options_.max_response_body_drained_bytes},
                  answer_to_);
  WriteMore();
}

void Http1Connection::WriteMore() {
  const std::string_view next =
      head_taken_ < head_.size() ? std::string_view(head_).substr(head_taken_) : body_.substr(body_taken_);
  if (next.empty()) return;
  writing_ = true;
  transport_->StartWrite(next, [self = shared_from_this()](IoResult result) {
    self->writing_ = false;
    self->OnWritten(std::move(result));
  });
}

void Http1Connection::OnWritten(IoResult result) {
  if (state_ != State::kBusy && !failing_.has_value()) return;
  const size_t taken = result.bytes;
  const size_t of_head = std::min(taken, head_.size() - head_taken_);
  head_taken_ += of_head;
  body_taken_ += taken - of_head;
  if (failing_.has_value()) {
    CountBytes();
    auto [fault, error] = *std::exchange(failing_, std::nullopt);
    return Fail(fault, std::move(error));
  }
  // A failed write is not final: an answer may be in the receive queue, and the pending read returns it, or
  // the reset.
  if (!result.status.ok()) {
    if (!reading_) Fail(FaultOf(result.status), result.status);
    return;
  }
  CountBytes();  // a long request counts as progress; a trickling answer does not
  LimitBody();
  WriteMore();
}

BytesWritten Http1Connection::bytes_written() const {
  if (head_taken_ + body_taken_ == 0) return BytesWritten::kNone;
  return head_taken_ == head_.size() && body_taken_ == body_.size() ? BytesWritten::kAll
                                                                    : BytesWritten::kPart;
}

void Http1Connection::Fail(Fault fault, absl::Status error) {
  if (writing_) {
    // The transport may have accepted more than it has reported. Closing ends the write, and its result says
    // how much was accepted.
    failing_.emplace(fault, std::move(error));
    return CloseTransport();
  }
  ExchangeEnd end;
  ExchangeFailure& failure = end.failure.emplace();
  failure.fault = fault;
  failure.bytes_written = bytes_written();
  failure.response_begun = parser_.has_value() && parser_->begun();
  const bool answered_badly = fault == Fault::kProtocol && failure.response_begun;
  failure.phase =
      failure.bytes_written == BytesWritten::kAll || answered_badly ? Phase::kHead : Phase::kWrite;
  failure.error = absl::Status(error.code(), absl::StrCat(where_, ": ", error.message()));
  EndExchange(std::move(end));
}

void Http1Connection::Abort(ExchangeId exchange, Fault fault, const absl::Status& error) {
  if (!busy() || exchange != exchange_) return;
  if (Answered()) {
    parser_->response().body_whole = false;
    return OnParsedAtEnd();
  }
  Fail(fault, error);
}

void Http1Connection::EndExchange(ExchangeEnd end) {
  end.first_byte_at = first_byte_at_;
  if (state_ != State::kClosed) {
    if (end.reusable) {
      state_ = State::kIdle;
      CountBytes();
      StandingRead();
    } else {
      CloseTransport();
    }
  }
  parser_.reset();
  patience_.reset();
  body_ = std::string_view();
  // Runs through the queue, so that the callback may do anything with this connection.
  executor_.Post(
      [done = std::exchange(done_, nullptr), end = std::move(end)]() mutable { done(std::move(end)); });
}

bool Http1Connection::CheckUsable() {
  if (state_ != State::kIdle) return false;
  char byte;
  return absl::IsUnavailable(transport_->TryRead(absl::MakeSpan(&byte, 1)).status);
}

void Http1Connection::Close() {
  if (busy()) Fail(Fault::kCancelled, absl::CancelledError("the connection was closed"));
  if (state_ != State::kClosed) CloseTransport();
}

}  // namespace thaw
