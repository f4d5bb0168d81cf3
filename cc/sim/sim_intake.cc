#include "cc/sim/sim_intake.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "cc/sim/state_hash.h"

namespace thaw {
namespace {

constexpr std::string_view kAnswer = "HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}";
constexpr std::string_view kAnswerAndClose =
    "HTTP/1.1 202 Accepted\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
constexpr std::string_view kGarbageAnswer = "\x15\x03\x03 this is not HTTP\r\n\r\n";
constexpr absl::Duration kSlow = absl::Seconds(5);
// The window closes within this many bytes of the client's second flight: in the end of the handshake, or in
// the record of the request that is sent with it.
constexpr uint64_t kTlsStallWithin = 512;

// Returns the value of Content-Length in a complete head.
size_t ContentLength(std::string_view head) {
  constexpr std::string_view kName = "\r\ncontent-length:";
  for (size_t at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at + 2)) {
    if (!absl::StartsWithIgnoreCase(head.substr(at), kName)) continue;
    const size_t begin = at + kName.size();
    uint64_t length = 0;
    if (absl::SimpleAtoi(absl::StripAsciiWhitespace(head.substr(begin, head.find('\r', begin) - begin)),
                         &length)) {
      return length;
    }
  }
  return 0;
}

}  // namespace

// The intake's side of one accepted connection.
class SimIntake::Connection : public SimStream::Peer {
 public:
  Connection(SimIntake& intake, SimStream* stream, SimFault dial_fault, std::unique_ptr<SimTls::Server> tls)
      : intake_(intake), stream_(stream), dial_fault_(dial_fault), tls_(std::move(tls)) {
    close_ = intake_.options_.idle_close;
    if (close_ == IdleClose::kMixed) {
      close_ =
          static_cast<IdleClose>(intake_.world_.random().Below(static_cast<uint64_t>(IdleClose::kMixed)));
    }
    StartIdleTimer();
  }

  void OnBytes(std::string_view bytes) override {
    if (tls_ == nullptr) return OnPlaintext(bytes);
    if (dial_fault_ == SimFault::kTlsReset) return stream_->PeerReset();
    if (dial_fault_ == SimFault::kTlsHangs) return;
    const std::string plaintext = tls_->Receive(bytes);
    SendWire();
    if (tls_->failed()) return stream_->PeerEnd();
    if (!plaintext.empty()) OnPlaintext(plaintext);
  }

  void OnEnd() override { ++generation_; }

  uint64_t Fingerprint() const override {
    uint64_t hash = Mixed(Mixed(generation_, request_), static_cast<uint64_t>(fault_));
    hash = Mixed(Mixed(hash, static_cast<uint64_t>(close_)), static_cast<uint64_t>(dial_fault_));
    return Mixed(Mixed(hash, uint64_t{idle_}), uint64_t{stalled_} * 2 + answered_);
  }
  bool idle() const { return idle_; }
  void CloseNowIfIdle(IdleClose how) {
    if (idle_) CloseNow(how);
  }
  void CloseNow() { CloseNow(close_); }
  void CloseNow(IdleClose how) {
    ++generation_;  // invalidates answers under way
    switch (how) {
      case IdleClose::kRst:
        return stream_->PeerReset();
      case IdleClose::kSilent:
        return stream_->PeerForget();
      default:
        return End();
    }
  }

 private:
  void OnPlaintext(std::string_view bytes) {
    if (request_.empty()) BeginRequest();
    if (dial_fault_ == SimFault::kGarbageMidRequest || dial_fault_ == SimFault::kGarbageMidLater) {
      // The first request on a connection that goes wrong later is read whole.
      if (dial_fault_ == SimFault::kGarbageMidRequest || answered_) return Send(kGarbageAnswer);
    }
    if (fault_ == SimFault::kResetOnFirstByte) return stream_->PeerReset();
    if (fault_ == SimFault::kBlackHole) return stream_->CutPath();
    request_ += bytes;
    if (fault_ == SimFault::kResetMidRequest && request_.size() >= 16) return stream_->PeerReset();
    if (head_end_ == std::string::npos) {
      const size_t end = request_.find("\r\n\r\n");
      if (end == std::string::npos) return;
      head_end_ = end + 4;
      body_size_ = ContentLength(std::string_view(request_).substr(0, end + 2));
    }
    if (request_.size() < head_end_ + body_size_) return;
    const std::string body = request_.substr(head_end_, body_size_);
    request_.clear();
    head_end_ = std::string::npos;
    OnRequest(body);
  }

  void Send(std::string_view plaintext) {
    if (tls_ == nullptr) return stream_->PeerSend(std::string(plaintext));
    tls_->Send(plaintext);
    SendWire();
  }
  // Ends in order, with or without close_notify before the FIN, since servers do either.
  void End() {
    if (tls_ != nullptr && intake_.world_.random().Chance(0.5)) {
      tls_->CloseNotify();
      SendWire();
    }
    stream_->PeerEnd();
  }
  void SendWire() {
    std::string wire = tls_->TakeWire();
    if (wire.empty()) return;
    stream_->PeerSend(std::move(wire));
    if (dial_fault_ == SimFault::kStallMidRequest && !std::exchange(stalled_, true)) {
      stream_->SetWindow(1 + intake_.FaultPlace(kTlsStallWithin));
    }
  }

  void StartIdleTimer() {
    idle_ = true;
    if (close_ == IdleClose::kRace) return;  // the code that resumes the client decides when
    if (intake_.options_.idle_limit == absl::InfiniteDuration()) return;
    After(intake_.options_.idle_limit, [this] { CloseNowIfIdle(close_); });
  }

  // Runs `what` after `delay` unless something newer has happened to this connection.
  template <typename What>
  void After(absl::Duration delay, What what) {
    const uint64_t generation = ++generation_;
    intake_.world_.At(
        delay,
        [this, stream = stream_->weak_from_this(), generation, what] {
          if (const auto held = stream.lock(); held != nullptr && generation == generation_) what();
        },
        Mixed(stream_->number(), generation));
  }

  void BeginRequest() {
    idle_ = false;
    ++generation_;
    fault_ = intake_.DrawFault(/*dial=*/false);
  }

  void OnRequest(const std::string& body) {
    ++intake_.requests_;
    const absl::Duration service = intake_.options_.service_time;
    switch (fault_) {
      case SimFault::kEndUnaccepted:
        return After(service, [this] { End(); });
      case SimFault::kStatus503:
        return Answer(service, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
      case SimFault::kStatus429:
        return Answer(service,
                      "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n");
      case SimFault::kStatus400:
        return Answer(service, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
      default:
        break;
    }
    intake_.Accepted(body);
    switch (fault_) {
      case SimFault::kEndAccepted:
        return After(service, [this] { End(); });
      case SimFault::kResetAccepted:
        return After(service, [this] { stream_->PeerReset(); });
      case SimFault::kHalfHead:
        return AnswerAndEnd(service, kAnswer.substr(0, kAnswer.size() / 2));
      case SimFault::kHalfBody:
        return AnswerAndEnd(service, kAnswer.substr(0, kAnswer.size() - 1));
      case SimFault::kBlackHoleAccepted:
        return stream_->CutPath();
      case SimFault::kNeverAnswers:
        return;
      case SimFault::kSlowAnswer:
        return Answer(kSlow, kAnswer);
      case SimFault::kGarbage:
        return AnswerAndEnd(service, kGarbageAnswer);
      case SimFault::kConnectionClose:
        return AnswerAndEnd(service, kAnswerAndClose);
      case SimFault::kEndAfterAnswer:
        return AnswerAndEnd(service, kAnswer);
      default:
        return Answer(service, kAnswer);
    }
  }

  void Answer(absl::Duration delay, std::string_view answer) {
    After(delay, [this, answer] {
      Send(answer);
      StartIdleTimer();
      if (!std::exchange(answered_, true)) GoWrong();
    });
  }
  // Faults of a connection's second request.
  void GoWrong() {
    if (dial_fault_ < SimFault::kShutWindowLater) return;
    const bool part = dial_fault_ == SimFault::kStallLater || dial_fault_ == SimFault::kGarbageMidLater;
    stream_->SetWindow(part ? intake_.FaultPlace(64) : 0);
    if (dial_fault_ == SimFault::kGarbageLater) {
      // The garbage arrives a little after the answer, when a request that waited has begun.
      After(intake_.options_.service_time, [this] { Send(kGarbageAnswer); });
    }
  }
  void AnswerAndEnd(absl::Duration delay, std::string_view answer) {
    After(delay, [this, answer] {
      Send(answer);
      End();
    });
  }

  SimIntake& intake_;
  SimStream* const stream_;  // owns this
  const SimFault dial_fault_;
  const std::unique_ptr<SimTls::Server> tls_;  // null: no TLS
  bool stalled_ = false;
  bool answered_ = false;  // once at least
  IdleClose close_;
  bool idle_ = false;
  uint64_t generation_ = 0;
  SimFault fault_ = SimFault::kNone;
  std::string request_;
  size_t head_end_ = std::string::npos;
  size_t body_size_ = 0;
};

std::string_view ToString(SimFault fault) {
  switch (fault) {
    case SimFault::kNone:
      return "none";
#define THAW_TEXT(name, text) \
  case SimFault::name:        \
    return text;
      THAW_SIM_FAULTS(THAW_TEXT)
      THAW_SIM_CHOSEN_FAULTS(THAW_TEXT)
#undef THAW_TEXT
  }
  return "unknown";
}

bool IsDialFault(SimFault fault) {
  return (fault >= SimFault::kLookupFails && fault <= SimFault::kNarrowWindow) ||
         (fault >= SimFault::kShutWindow && fault <= SimFault::kGarbageLater);
}

SimFault SimIntake::DrawFault(bool dial) {
  if (options_.choose_fault) {
    const SimFault chosen = options_.choose_fault(dial);
    faults_met_ += chosen != SimFault::kNone;
    return chosen;
  }
  if (options_.faults.empty() || !world_.random().Chance(options_.fault_rate)) return SimFault::kNone;
  const SimFault fault = options_.faults[world_.random().Below(options_.faults.size())];
  // A fault of the other kind counts as none; the rate is that of both kinds together.
  if (IsDialFault(fault) != dial) return SimFault::kNone;
  ++faults_met_;
  return fault;
}

uint64_t SimIntake::FaultPlace(uint64_t bytes) {
  return options_.choose_fault ? bytes / 2 : world_.random().Below(bytes);
}

std::shared_ptr<SimStream> SimIntake::Accept(SimFault fault, std::unique_ptr<SimTls::Server> tls) {
  ++connections_;
  auto stream = std::make_shared<SimStream>(world_, options_.one_way);
  switch (fault) {
    case SimFault::kStallMidRequest:
      if (tls != nullptr) break;  // too early: the connection closes its window with the request
      stream->SetWindow(1 + FaultPlace(64));
      break;
    case SimFault::kShutWindow:
    case SimFault::kGarbageOnAccept:
      stream->SetWindow(0);
      break;
    case SimFault::kGarbageMidRequest:
      stream->SetWindow(FaultPlace(64));
      break;
    case SimFault::kNarrowWindow:
      stream->set_segment_bytes(1 + FaultPlace(64));
      break;
    default:
      break;
  }
  stream->set_peer(std::make_unique<Connection>(*this, stream.get(), fault, std::move(tls)));
  std::erase_if(open_, [](const std::weak_ptr<SimStream>& held) { return held.expired(); });
  open_.push_back(stream);
  if (fault == SimFault::kResetOnAccept) stream->PeerReset();
  if (fault == SimFault::kGarbageOnAccept) stream->PeerSend(std::string(kGarbageAnswer));
  return stream;
}

void SimIntake::Accepted(std::string_view body) {
  for (; body.size() >= sizeof(uint64_t); body.remove_prefix(sizeof(uint64_t))) {
    uint64_t payload = 0;
    std::memcpy(&payload, body.data(), sizeof(payload));
    ++acceptances_;
    accepted_hash_ += Mixed(payload, static_cast<uint64_t>(++accepted_[payload]));
  }
}

std::vector<std::shared_ptr<SimStream>> SimIntake::Connections() const {
  std::vector<std::shared_ptr<SimStream>> connections;
  for (const auto& held : open_) {
    if (auto stream = held.lock()) connections.push_back(std::move(stream));
  }
  return connections;
}

bool SimIntake::Busy(const SimStream& stream) { return !static_cast<Connection*>(stream.peer())->idle(); }

void SimIntake::CloseIn(const std::shared_ptr<SimStream>& stream, absl::Duration delay, IdleClose how) {
  world_.At(
      delay,
      [held = std::weak_ptr<SimStream>(stream), how] {
        if (const auto open = held.lock()) static_cast<Connection*>(open->peer())->CloseNow(how);
      },
      Mixed(stream->number(), static_cast<uint64_t>(how)));
}

uint64_t SimIntake::Fingerprint() const {
  uint64_t hash = Mixed(accepted_hash_, dials_hash_);
  for (const auto& held : open_) {
    if (const auto stream = held.lock()) hash += stream->Fingerprint();
  }
  return hash;
}

void SimIntake::CloseIdleIn(absl::Duration delay) {
  for (const auto& held : open_) {
    world_.At(delay, [held] {
      if (const auto stream = held.lock())
        static_cast<Connection*>(stream->peer())->CloseNowIfIdle(IdleClose::kFin);
    });
  }
}

void SimIntake::CloseAllIn(absl::Duration delay) {
  for (const auto& held : open_) {
    world_.At(delay, [held] {
      if (const auto stream = held.lock()) static_cast<Connection*>(stream->peer())->CloseNow();
    });
  }
}

}  // namespace thaw
