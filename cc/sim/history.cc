#include "cc/sim/history.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <string_view>
#include <utility>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "cc/base/cancellation.h"
#include "cc/base/task.h"
#include "cc/flush/endpoint.h"
#include "cc/flush/pipeline_flusher.h"
#include "cc/net/pooled_client.h"
#include "cc/sim/sim_dialer.h"
#include "cc/sim/sim_endpoint.h"
#include "cc/sim/state_hash.h"
#include "cc/sim/watched_client.h"
#include "cc/sim/watched_dialer.h"

namespace thaw {
namespace {

// A flush of three payloads takes some hundred steps. One that takes this many will not end.
constexpr int64_t kMostSteps = 100'000;

// The ways in which a connection may end during a freeze.
enum class Ending { kNone, kFin, kRst, kForgotten, kCut };
constexpr size_t kEndings = 5;

// Events that the client is told of, as they stand in hashes.
enum : uint64_t { kFlushed = 200, kQuiesced, kResumed };

class History {
 public:
  History(const HistoryOptions& options, Choices& choices, absl::FunctionRef<bool(uint64_t)> is_known)
      : options_(options),
        choices_(choices),
        is_known_(is_known),
        freezes_left_(options.freezes),
        faults_left_(options.faults),
        intake_(world_, Intake()) {
    world_.Explore(choices, options.late);
    scene_.rules = options.rules.has_value() ? *options.rules : RulesOf(options);
    auto dialer = std::make_unique<WatchedDialer>(std::make_unique<SimDialer>(world_, intake_), view_);
    auto client = MakeClientWithDialer(world_.executor(), world_.clock(), std::move(dialer), options.client,
                                       [] { return 0.5; });
    CHECK_OK(client.status());
    client_ = std::make_unique<WatchedClient>(*std::move(client), result_.failures);
    if (options.around_client) client_ = options.around_client(std::move(client_), world_);
    flusher_ = std::make_unique<PipelineFlusher>(world_.executor(), world_.clock(), *client_, options.flusher,
                                                 "traces", std::vector<Endpoint>{SimEndpoint()},
                                                 options.limits, options.peers);
    flusher_->set_on_outcome([this](const PayloadOutcome& outcome) {
      for (int i = 0; i < options_.outcomes_noted; ++i) OnOutcome(outcome);
    });
    view_.on_request = [this](const Scene::Use& use) {
      scene_.use = use;
      Check(CheckedWhen::kAtRequest);
    };
  }

  HistoryResult Go() {
    for (const int payloads : options_.flushes) {
      if (over()) break;
      // Symmetry: payloads are alike, and no choice names one. What happens is chosen by position and
      // connection, so that exchanging two payloads is no other history.
      for (int i = 0; i < payloads; ++i) Add();
      GiveUpIfKnown();
      if (!over()) Flush(/*last=*/false);
      if (!over()) Idle();
    }
    if (!over()) End();
    Leave();
    return std::move(result_);
  }

 private:
  // A flush under way, shared with it.
  struct Running {
    bool ended = false;
    absl::Duration took;
  };

  bool over() const { return result_.broken.has_value() || result_.known; }

  SimIntakeOptions Intake() {
    SimIntakeOptions intake;
    intake.idle_limit = absl::InfiniteDuration();  // connections end by choice
    intake.choose_fault = [this](bool dial) { return ChooseFault(dial); };
    return intake;
  }

  SimFault ChooseFault(bool dial) {
    if (faults_left_ == 0 || over()) return SimFault::kNone;
    std::vector<SimFault> ways = {SimFault::kNone};
    const auto add = [&](SimFault fault) {
      if (IsDialFault(fault) == dial) ways.push_back(fault);
    };
    if (options_.faults_of.empty()) {
      for (const SimFault fault : kAllSimFaults) add(fault);
      for (const SimFault fault : kChosenSimFaults) add(fault);
    } else {
      for (const SimFault fault : options_.faults_of) add(fault);
    }
    const SimFault fault = ways[choices_.Choose(ChoiceKind::kFault, ways.size())];
    faults_left_ -= fault != SimFault::kNone;
    return fault;
  }

  void Add() {
    const uint64_t id = ++scene_.handed_over;
    std::string body(sizeof(id), '\0');
    std::memcpy(body.data(), &id, sizeof(id));
    scene_.payloads.try_emplace(id);
    EncodedRequest request;
    request.body = std::make_shared<const std::string>(std::move(body));
    request.payloads = {id};
    CHECK_OK(flusher_->Add(std::move(request)));
  }

  void Flush(bool last) {
    auto running = std::make_shared<Running>();
    Task<FlushReport> flush = last ? flusher_->Shutdown(options_.flush_deadline, cancellation_)
                                   : flusher_->Flush(options_.flush_deadline, cancellation_);
    const absl::Duration began = world_.now() - frozen_;
    Spawn<FlushReport>(world_.executor(), std::move(flush), [this, running, began](const FlushReport&) {
      running->took = world_.now() - frozen_ - began;
      running->ended = true;
    });
    running_ = running;
    Told(kFlushed);
    for (int64_t steps = 0; !running->ended && !over(); ++steps) {
      if (steps > kMostSteps) return Broken(Invariant::kWaitsEnd, "a flush takes steps without an end");
      MaybeFreeze();
      if (!over() && !running->ended && !Step()) return Broken(Invariant::kWaitsEnd, "a flush never ends");
    }
    if (over()) return;
    scene_.flush_took = running->took;
    scene_.open_exchanges = client_->open_exchanges();
    Check(CheckedWhen::kAfterFlush);
  }

  // Notes that the client was told something, and before which of its entries.
  void Told(uint64_t what) {
    world_.ClientSaw(Mixed(what, static_cast<uint64_t>(world_.executor().steps())));
  }

  // Between flushes, the environment may freeze.
  void Idle() {
    RunFor(absl::Milliseconds(1));
    if (over()) return;
    Told(kQuiesced);
    client_->Quiesce();
    MaybeFreeze();
    // Lets what is under way end, as a function's run would.
    if (!over()) RunFor(absl::Milliseconds(50));
  }

  bool Step() {
    const bool more = world_.Step();
    scene_.ledger = flusher_->CheckInvariant();
    scene_.delivered = flusher_->delivered();
    scene_.dropped = flusher_->dropped().total();
    scene_.kept = flusher_->kept_payloads();
    scene_.connections = view_.connections();
    scene_.idle = client_->idle_connections();
    Check(CheckedWhen::kAfterStep);
    return more;
  }

  void RunFor(absl::Duration duration) {
    bool passed = false;
    world_.At(duration, [&passed] { passed = true; });
    while (!passed && !over()) Step();
    // The event refers to this frame.
    while (!passed) world_.Step();
  }

  void GiveUpIfKnown() { result_.known = is_known_(Fingerprint()); }

  void MaybeFreeze() {
    if (freezes_left_ == 0) return;
    GiveUpIfKnown();
    if (over() || choices_.Choose(ChoiceKind::kFreeze, 2) == 0) return;
    --freezes_left_;
    ++result_.freezes;
    Told(kQuiesced);
    client_->Quiesce();
    const absl::Duration length =
        options_.lengths[choices_.Choose(ChoiceKind::kLength, options_.lengths.size())];
    for (const std::shared_ptr<SimStream>& stream : intake_.Connections()) {
      if (stream->alive()) ChooseEnding(stream, length);
    }
    world_.Freeze(length, options_.clocks);
    frozen_ += length;
    view_.Thawed(length);
    Resume();
  }

  void ChooseEnding(const std::shared_ptr<SimStream>& stream, absl::Duration length) {
    const auto ending = static_cast<Ending>(choices_.Choose(ChoiceKind::kClose, kEndings));
    if (ending == Ending::kNone) return;
    // Each way is a moment whose effects can be told apart: on a connection that carries nothing, it makes no
    // difference when during the freeze it was forgotten or cut.
    const bool speaks = ending == Ending::kFin || ending == Ending::kRst;
    const bool carries = SimIntake::Busy(*stream) || stream->packets_under_way();
    std::vector<absl::Duration> moments = {absl::ZeroDuration()};
    if (carries) moments.push_back(kWhileAnswered);
    if (speaks || carries) moments.push_back(length - kBeforeResume);
    const absl::Duration moment = moments[choices_.Choose(ChoiceKind::kCloseTime, moments.size())];
    if (ending == Ending::kCut) {
      world_.At(
          moment,
          [held = std::weak_ptr<SimStream>(stream)] {
            if (const auto open = held.lock()) open->CutPath();
          },
          Mixed(stream->number(), uint64_t{99}));
      return;
    }
    intake_.CloseIn(stream, moment,
                    ending == Ending::kFin   ? IdleClose::kFin
                    : ending == Ending::kRst ? IdleClose::kRst
                                             : IdleClose::kSilent);
  }

  void Resume() {
    if (!options_.tell_client) return;
    Told(kResumed);
    // The order makes no difference if nothing is queued.
    if (world_.executor().idle() || choices_.Choose(ChoiceKind::kTold, 2) == 0) {
      Tell();
      return;
    }
    // The environment does not freeze again before the client knows of the last freeze: only then does the
    // client ask for the next event.
    bool told = false;
    world_.executor().Post([this, &told] {
      Tell();
      told = true;
    });
    while (!told) world_.Step();
  }

  void Tell() {
    view_.Resumed();
    client_->Resume();
    scene_.idle_after_resume = client_->idle_connections();
    Check(CheckedWhen::kAtResume);
  }

  void OnOutcome(const PayloadOutcome& outcome) {
    const auto found = scene_.payloads.find(outcome.id);
    if (found == scene_.payloads.end() || found->second.ended) {
      ++scene_.ended_twice;
      return;
    }
    found->second.ended = true;
    found->second.delivered = outcome.delivered;
    found->second.flagged = outcome.possible_duplicate;
    found->second.dropped = outcome.reason;
    result_.dropped += !outcome.delivered;
    result_.flagged += outcome.possible_duplicate;
  }

  // Faults and freezes end, the intake is reachable, and SHUTDOWN flushes. Reachable means that the network
  // answers on every connection. A client that keeps connections may otherwise lose its last flush to one
  // that has gone silent.
  void End() {
    faults_left_ = freezes_left_ = 0;
    world_.StopChoosing();
    for (const std::shared_ptr<SimStream>& stream : intake_.Connections()) stream->Heal();
    Flush(/*last=*/true);
    if (over()) return;
    RunFor(absl::Seconds(1));  // lets late requests arrive
    for (auto& [id, payload] : scene_.payloads) {
      payload.accepted = intake_.accepted(id);
      result_.accepted += payload.accepted > 0;
    }
    Check(CheckedWhen::kAtEnd);
  }

  // Nothing may outlive the history: open exchanges end, and the queue empties.
  void Leave() {
    world_.StopChoosing();
    cancellation_.Request(absl::CancelledError("the history ends"));
    client_->Close();
    world_.RunUntil([this] {
      return (running_ == nullptr || running_->ended) && client_->settled() && world_.executor().idle();
    });
    CHECK(running_ == nullptr || running_->ended) << "a cancelled flush never ends";
    result_.steps = world_.steps();
    result_.faults = intake_.faults_met();
  }

  // Everything that the rest of the history depends on. The client's own state is that of what it saw.
  uint64_t Fingerprint() const {
    uint64_t hash = Mixed(world_.Fingerprint(), intake_.Fingerprint());
    hash = Mixed(Mixed(hash, view_.Fingerprint()), frozen_);
    hash = Mixed(Mixed(hash, static_cast<uint64_t>(freezes_left_)), static_cast<uint64_t>(faults_left_));
    return Mixed(hash, static_cast<uint64_t>(scene_.handed_over));
  }

  void Check(CheckedWhen when) {
    for (const InvariantCheck& check : kInvariantChecks) {
      if (check.when != when || over()) continue;
      std::string wrong = check.Check(scene_);
      if (!wrong.empty()) Broken(check.invariant, std::move(wrong));
    }
  }

  void Broken(Invariant invariant, std::string text) {
    if (!over()) result_.broken = BrokenInvariant{invariant, std::move(text), world_.steps()};
  }

  // After a request has arrived, and before it is answered.
  static constexpr absl::Duration kWhileAnswered = absl::Microseconds(5'500);
  // A packet takes longer than this: it arrives after the resume.
  static constexpr absl::Duration kBeforeResume = absl::Milliseconds(1);

  const HistoryOptions& options_;
  Choices& choices_;
  const absl::FunctionRef<bool(uint64_t)> is_known_;
  int freezes_left_;
  int faults_left_;
  SimWorld world_{1};
  SimIntake intake_;
  WatchedDialer::View view_{world_};
  Cancellation cancellation_;
  HistoryResult result_;
  Scene scene_;
  std::unique_ptr<Client> client_;
  std::unique_ptr<PipelineFlusher> flusher_;
  std::shared_ptr<const Running> running_;
  absl::Duration frozen_;  // total frozen time
};

}  // namespace

std::string ToString(const BrokenInvariant& broken) {
  return absl::StrCat("invariant '", ToString(broken.invariant), "' broken: ", broken.text, " (step ",
                      broken.step, ")");
}

InvariantRules RulesOf(const HistoryOptions& options) {
  InvariantRules rules;
  rules.client = options.client;
  rules.flush_deadline = options.flush_deadline;
  rules.may_drop_ambiguous = !options.flusher.retry_ambiguous;
  rules.told = options.tell_client;
  // The number of resends after an ambiguous failure, and in each flush one on a connection that had gone
  // stale.
  rules.most_acceptances = PipelineFlusher::kMostAmbiguous + static_cast<int>(options.flushes.size()) + 1;
  return rules;
}

HistoryResult RunHistory(const HistoryOptions& options, Choices& choices,
                         absl::FunctionRef<bool(uint64_t)> is_known) {
  return History(options, choices, is_known).Go();
}

HistoryResult RunHistory(const HistoryOptions& options, Choices& choices) {
  return RunHistory(options, choices, [](uint64_t) { return false; });
}

}  // namespace thaw
