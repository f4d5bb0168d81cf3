#include "cc/net/tls/tls_transport.h"

#include <algorithm>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/log/check.h"
#include "cc/net/tls/ciphertext.h"
#include "cc/net/tls/tls_error.h"
#include "openssl/bio.h"
#include "openssl/err.h"
#include "openssl/ssl.h"

namespace thaw {
namespace {

thread_local const Clock* current_clock = nullptr;

// The most plaintext that is sealed for one lower write: four records.
constexpr size_t kMaxPlaintextPerWrite = 4 * SSL3_RT_MAX_PLAIN_LENGTH;
// Sizes of lower reads: a short answer with its tickets; a handshake flight; a whole record.
constexpr size_t kSmallRead = 2 * 1024;
constexpr size_t kHandshakeRead = 8 * 1024;
constexpr size_t kBulkRead =
    SSL3_RT_MAX_PLAIN_LENGTH + SSL3_RT_MAX_ENCRYPTED_OVERHEAD + SSL3_RT_HEADER_LENGTH;
// A buffer up to this size is kept from write to write.
constexpr size_t kKeptWriteBuffer = 1024;

}  // namespace

void SslDeleter::operator()(ssl_st* ssl) const { SSL_free(ssl); }

TlsTime::TlsTime(const Clock& clock) : outer_(std::exchange(current_clock, &clock)) {}
TlsTime::~TlsTime() { current_clock = outer_; }
const Clock* TlsTime::current() { return current_clock; }

// The state of one connection. Completions of the lower transport hold it, so it lives until the last of them
// has run, even if the TlsTransport is gone.
class TlsStream : public std::enable_shared_from_this<TlsStream> {
 public:
  TlsStream(Executor& executor, const Clock& clock, TlsParts parts)
      : executor_(executor),
        clock_(clock),
        lower_(std::move(parts.lower)),
        owner_(std::move(parts.owner)),
        ssl_(std::move(parts.ssl)),
        wants_tickets_(parts.wants_tickets) {
    BIO* bio = BIO_new(Method());
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio);
    SSL_set_shed_handshake_config(ssl_.get(), 1);
  }

  Task<TlsHandshake> ShakeHands(Cancellation& cancellation);

  void StartRead(absl::Span<char> into, Transport::Done done);
  void StartWrite(std::string_view from, Transport::Done done);
  IoResult TryRead(absl::Span<char> into);
  void Close();
  // Closes the stream and drops the lower transport. Must not be used after this.
  void Abandon() {
    Close();
    lower_.reset();
  }
  const Transport& lower() const { return *lower_; }

 private:
  struct Record {
    int64_t wire_end;  // position of its last byte in all ciphertext made so far
    size_t plaintext;
  };

  static const BIO_METHOD* Method();
  static int BioRead(BIO* bio, char* into, int size);
  static int BioWrite(BIO* bio, const char* from, int size);
  static long BioControl(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  // Takes one step of the handshake. Returns SSL_ERROR_NONE when it is done.
  int StepHandshake();
  TlsHandshake FailHandshake();

  // Notes the result of a lower read into the room of `inbound_`.
  void Arrived(const IoResult& result) {
    inbound_.Arrived(result.bytes);
    if (!result.status.ok()) lower_status_ = result.status;
  }
  // Reads plaintext from the bytes that came. Returns false if more bytes must come first.
  bool ReadPlaintext(absl::Span<char> into, IoResult& result);
  // Reads plaintext and drops it, until there is none; bounded, as the peer may go on sending.
  void DrainPlaintext();
  void ReadLower();
  void OnLowerRead(IoResult result);
  size_t NextReadSize() const { return inbound_.filled() ? kBulkRead : kSmallRead; }

  // Gives all ciphertext that was sealed to the lower transport, in as many writes as it takes; then runs
  // `done`.
  void SendSealed(absl::AnyInvocable<void(absl::Status)> done);
  void SendMore();
  void OnLowerWrite(IoResult result);
  void FinishWrite(absl::Status status);
  // Gives what was sealed to the lower transport in one write, and does not wait for its result.
  void SendWithoutWaiting();
  // Awaitable form of SendSealed().
  auto SendSealed() {
    struct Awaiter {
      bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<> waiter) {
        stream.SendSealed([this, waiter](absl::Status result) {
          status = std::move(result);
          waiter.resume();
        });
      }
      absl::Status await_resume() { return std::move(status); }
      TlsStream& stream;
      absl::Status status;
    };
    return Awaiter{*this};
  }

  Executor& executor_;
  const Clock& clock_;
  std::unique_ptr<Transport> lower_;
  std::shared_ptr<void> owner_;
  SslPointer ssl_;
  const bool wants_tickets_;
  bool open_ = false;  // the handshake is done
  bool closed_ = false;
  bool lower_reading_ = false;
  bool lower_writing_ = false;

  InboundCiphertext inbound_;
  absl::Status lower_status_;  // why no more bytes come from the lower transport
  absl::Status read_status_;   // why no more plaintext comes from TLS

  absl::Span<char> read_into_;
  Transport::Done read_done_;

  OutboundCiphertext outbound_;
  absl::AnyInvocable<void(absl::Status)> sent_;  // runs when what is being sent is written, or can't be
  Record records_[kMaxPlaintextPerWrite / SSL3_RT_MAX_PLAIN_LENGTH];  // records of the pending write
  size_t record_count_ = 0;
  Transport::Done write_done_;
  absl::Status write_status_;  // why nothing can be written any more
};

const BIO_METHOD* TlsStream::Method() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index(), "thaw transport");
    CHECK(made != nullptr && BIO_meth_set_read(made, BioRead) && BIO_meth_set_write(made, BioWrite) &&
          BIO_meth_set_ctrl(made, BioControl));
    return made;
  }();
  return method;
}

int TlsStream::BioRead(BIO* bio, char* into, int size) {
  BIO_clear_retry_flags(bio);
  auto& self = *static_cast<TlsStream*>(BIO_get_data(bio));
  const size_t taken = self.inbound_.Take(into, static_cast<size_t>(size));
  if (taken > 0) return static_cast<int>(taken);
  if (self.lower_status_.ok()) BIO_set_retry_read(bio);
  return -1;
}

int TlsStream::BioWrite(BIO* bio, const char* from, int size) {
  BIO_clear_retry_flags(bio);
  auto& self = *static_cast<TlsStream*>(BIO_get_data(bio));
  self.outbound_.Seal(std::string_view(from, static_cast<size_t>(size)));
  return size;
}

int TlsStream::StepHandshake() {
  TlsTime time(clock_);
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  return result == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl_.get(), result);
}

// Ends a handshake in which TLS can't go on, and closes the lower transport.
TlsHandshake TlsStream::FailHandshake() {
  TlsHandshake outcome;
  if (!lower_status_.ok() && ERR_peek_error() == 0) {
    outcome.failed = TlsHandshake::Failed::kLower;
    outcome.status = lower_status_;
  } else {
    outcome.failed = TlsHandshake::Failed::kTls;
    outcome.status = absl::InvalidArgumentError(TakeTlsError().text);
    SendWithoutWaiting();  // our alert
  }
  lower_->Close();
  return outcome;
}

Task<TlsHandshake> TlsStream::ShakeHands(Cancellation& cancellation) {
  auto self = shared_from_this();
  auto close = [self](const absl::Status&) { self->lower_->Close(); };
  Cancellation::Registration registration = cancellation.OnRequest(close);
  for (int error = StepHandshake(); error != SSL_ERROR_NONE; error = StepHandshake()) {
    if (error != SSL_ERROR_WANT_READ) co_return FailHandshake();
    if (outbound_.has_sealed()) {
      absl::Status sent = co_await SendSealed();
      if (!sent.ok()) {
        co_return TlsHandshake{.failed = TlsHandshake::Failed::kLower, .status = std::move(sent)};
      }
    }
    const IoResult read = co_await lower_->Read(inbound_.Room(kHandshakeRead));
    Arrived(read);
  }
  if (cancellation.requested()) {  // cancelled as its last bytes came
    co_return TlsHandshake{.failed = TlsHandshake::Failed::kLower, .status = cancellation.reason()};
  }
  open_ = true;
  inbound_.ForgetFilled();
  if (inbound_.empty()) inbound_.Free();
  co_return TlsHandshake();
}

bool TlsStream::ReadPlaintext(absl::Span<char> into, IoResult& result) {
  if (!read_status_.ok()) {
    result = {read_status_};
    return true;
  }
  TlsTime time(clock_);
  ERR_clear_error();
  const int n = SSL_read(ssl_.get(), into.data(), static_cast<int>(std::min<size_t>(into.size(), 1 << 30)));
  if (n > 0) {
    result = {absl::OkStatus(), static_cast<size_t>(n)};
    return true;
  }
  const int error = SSL_get_error(ssl_.get(), n);
  if (error == SSL_ERROR_WANT_READ) return false;
  if (error == SSL_ERROR_ZERO_RETURN) {
    read_status_ = absl::OutOfRangeError("the peer closed (close_notify)");
  } else if (!lower_status_.ok() && ERR_peek_error() == 0) {
    read_status_ = absl::IsOutOfRange(lower_status_)
                       ? absl::OutOfRangeError("the peer ended the stream without close_notify")
                       : lower_status_;
  } else {
    const TlsError failure = TakeTlsError();
    read_status_ = failure.alert ? absl::OutOfRangeError(failure.text) : absl::DataLossError(failure.text);
  }
  result = {read_status_};
  return true;
}

void TlsStream::StartRead(absl::Span<char> into, Transport::Done done) {
  CHECK(!read_done_) << "two reads at once";
  IoResult result;
  if (closed_) {
    result.status = absl::CancelledError("the connection was closed");
  } else if (!ReadPlaintext(into, result)) {
    read_into_ = into;
    read_done_ = std::move(done);
    return ReadLower();
  }
  executor_.Post([done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
}

void TlsStream::ReadLower() {
  lower_reading_ = true;
  lower_->StartRead(inbound_.Room(NextReadSize()),
                    [self = shared_from_this()](IoResult result) { self->OnLowerRead(std::move(result)); });
}

void TlsStream::OnLowerRead(IoResult result) {
  lower_reading_ = false;
  if (closed_) {
    result = {absl::CancelledError("the connection was closed")};
  } else {
    Arrived(result);
    if (!ReadPlaintext(read_into_, result)) return ReadLower();
  }
  Transport::Done done = std::exchange(read_done_, nullptr);
  done(std::move(result));
}

IoResult TlsStream::TryRead(absl::Span<char> into) {
  if (closed_) return {absl::CancelledError("the connection was closed")};
  IoResult result;
  while (!ReadPlaintext(into, result)) {
    if (lower_reading_) {
      char taken[kSmallRead];
      result = lower_->TryRead(absl::MakeSpan(taken));
      if (absl::IsUnavailable(result.status)) return result;
      inbound_.ArrivedBeside(std::string_view(taken, result.bytes));
      if (!result.status.ok()) lower_status_ = result.status;
    } else {
      result = lower_->TryRead(inbound_.Room(NextReadSize()));
      if (absl::IsUnavailable(result.status)) return result;
      Arrived(result);
    }
  }
  return result;
}

void TlsStream::StartWrite(std::string_view from, Transport::Done done) {
  CHECK(!write_done_) << "two writes at once";
  absl::Status status = closed_ ? absl::CancelledError("the connection was closed") : write_status_;
  if (status.ok()) {
    from = from.substr(0, kMaxPlaintextPerWrite);
    const size_t records = (from.size() + SSL3_RT_MAX_PLAIN_LENGTH - 1) / SSL3_RT_MAX_PLAIN_LENGTH;
    outbound_.Reserve(from.size() + records * SSL_max_seal_overhead(ssl_.get()));
    TlsTime time(clock_);
    record_count_ = 0;
    while (!from.empty()) {
      const std::string_view part = from.substr(0, SSL3_RT_MAX_PLAIN_LENGTH);
      ERR_clear_error();
      if (SSL_write(ssl_.get(), part.data(), static_cast<int>(part.size())) !=
          static_cast<int>(part.size())) {
        status = absl::DataLossError(TakeTlsError().text);
        write_status_ = status;
        break;
      }
      records_[record_count_++] = {outbound_.sealed_in_all(), part.size()};
      from.remove_prefix(part.size());
    }
  }
  if (record_count_ == 0 || !status.ok()) {
    record_count_ = 0;
    executor_.Post(
        [done = std::move(done), status = std::move(status)]() mutable { done({std::move(status)}); });
    return;
  }
  write_done_ = std::move(done);
  SendSealed([this](absl::Status sent) { FinishWrite(std::move(sent)); });
}

void TlsStream::FinishWrite(absl::Status status) {
  IoResult result;
  for (size_t i = 0; i < record_count_ && records_[i].wire_end <= outbound_.sent_in_all(); ++i) {
    result.bytes += records_[i].plaintext;
  }
  record_count_ = 0;
  if (!status.ok()) write_status_ = status;
  result.status = std::move(status);
  Transport::Done done = std::exchange(write_done_, nullptr);
  done(std::move(result));
}

void TlsStream::SendSealed(absl::AnyInvocable<void(absl::Status)> done) {
  sent_ = std::move(done);
  outbound_.BeginSending();
  SendMore();
}

void TlsStream::SendMore() {
  lower_writing_ = true;
  lower_->StartWrite(outbound_.unsent(),
                     [self = shared_from_this()](IoResult result) { self->OnLowerWrite(std::move(result)); });
}

void TlsStream::OnLowerWrite(IoResult result) {
  lower_writing_ = false;
  outbound_.Sent(result.bytes);
  if (result.status.ok() && !outbound_.unsent().empty()) {
    if (!closed_) return SendMore();
    result.status = absl::CancelledError("the connection was closed");
  }
  outbound_.EndSending(kKeptWriteBuffer);
  std::exchange(sent_, nullptr)(std::move(result.status));
}

void TlsStream::SendWithoutWaiting() {
  if (!outbound_.has_sealed()) return;
  outbound_.BeginSending();
  lower_->StartWrite(outbound_.unsent(), [self = shared_from_this()](IoResult) {});
}

void TlsStream::DrainPlaintext() {
  char scratch[1024];
  IoResult result;
  for (int rounds = 0; rounds < 8 && ReadPlaintext(scratch, result) && result.status.ok(); ++rounds) {
  }
}

void TlsStream::Close() {
  if (std::exchange(closed_, true)) return;
  if (open_) {
    TlsTime time(clock_);
    if (!read_done_ && read_status_.ok()) {
      // First the bytes that had come, then those of one read from below.
      DrainPlaintext();
      if (wants_tickets_ && read_status_.ok() && inbound_.empty()) {
        const IoResult look = lower_->TryRead(inbound_.Room(kSmallRead));
        if (!absl::IsUnavailable(look.status)) Arrived(look);
        DrainPlaintext();
      }
    }
    if (!lower_writing_ && write_status_.ok()) {
      ERR_clear_error();
      SSL_shutdown(ssl_.get());
      SendWithoutWaiting();
    }
    ERR_clear_error();
  }
  lower_->Close();
}

namespace {

class TlsTransport : public Transport {
 public:
  explicit TlsTransport(std::shared_ptr<TlsStream> stream) : stream_(std::move(stream)) {}
  ~TlsTransport() override { stream_->Abandon(); }
  void StartRead(absl::Span<char> into, Done done) override { stream_->StartRead(into, std::move(done)); }
  void StartWrite(std::string_view from, Done done) override { stream_->StartWrite(from, std::move(done)); }
  IoResult TryRead(absl::Span<char> into) override { return stream_->TryRead(into); }
  void Close() override { stream_->Close(); }
  int64_t wire_bytes_sent() const override { return stream_->lower().wire_bytes_sent(); }
  int64_t wire_bytes_received() const override { return stream_->lower().wire_bytes_received(); }

 private:
  std::shared_ptr<TlsStream> stream_;
};

}  // namespace

Task<TlsHandshake> ShakeHands(Executor& executor, const Clock& clock, TlsParts parts,
                              Cancellation& cancellation) {
  auto stream = std::make_shared<TlsStream>(executor, clock, std::move(parts));
  TlsHandshake outcome = co_await stream->ShakeHands(cancellation);
  if (outcome.failed == TlsHandshake::Failed::kNot) {
    outcome.transport = std::make_unique<TlsTransport>(std::move(stream));
  } else {
    // Breaks the cycle of stream, lower transport and its completions, which run after this.
    stream->Abandon();
  }
  co_return outcome;
}

}  // namespace thaw
