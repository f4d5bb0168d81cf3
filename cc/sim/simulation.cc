#include "cc/sim/simulation.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "cc/base/cancellation.h"
#include "cc/base/task.h"
#include "cc/flush/endpoint.h"
#include "cc/flush/pipeline_flusher.h"
#include "cc/net/client_counts.h"
#include "cc/net/pooled_client.h"
#include "cc/sim/sim_dialer.h"
#include "cc/sim/sim_endpoint.h"

namespace thaw {
namespace {

// The number of cycles for which a payload is watched for late duplicates after its outcome was reported.
constexpr int64_t kCyclesWatched = 50;
// A flush that ignores its cancellation leaves nothing that could be destroyed safely.
constexpr int64_t kMaxStepsOfACancelledFlush = 10'000'000;
// A flush of a few payloads takes some dozens of steps; the freeze falls among the first of this many.
constexpr uint64_t kFreezeWithinSteps = 60;

class Run {
 public:
  explicit Run(const SimulationOptions& options)
      : options_(options), world_(options.seed), intake_(world_, options.intake) {
    std::unique_ptr<SimTls> tls;
    if (options.tls) tls = options.tls(world_, options.client, counts_->connection);
    auto client = MakeClientWithDialer(
        world_.executor(), world_.clock(), std::make_unique<SimDialer>(world_, intake_, std::move(tls)),
        options.client, [this] { return world_.random().Fraction(); }, counts_);
    CHECK_OK(client.status());
    client_ = *std::move(client);
    flusher_ = std::make_unique<PipelineFlusher>(world_.executor(), world_.clock(), *client_, options.flusher,
                                                 "traces", std::vector<Endpoint>{SimEndpoint()},
                                                 options.limits, options.peers);
    flusher_->set_on_outcome([this](const PayloadOutcome& outcome) { OnOutcome(outcome); });
  }

  SimulationResult Go(absl::FunctionRef<bool(int64_t)> progress) {
    for (cycle_ = 0; cycle_ < options_.cycles && result_.broken.ok(); ++cycle_) {
      Cycle();
      if (!progress(cycle_)) break;
    }
    End();
    result_.steps = world_.steps();
    result_.requests = intake_.requests();
    result_.faults_met = intake_.faults_met();
    result_.counts = client_->counts();
    result_.flush_p50 = FlushTime(0.50);
    result_.flush_p99 = FlushTime(0.99);
    // Nothing may outlive the run: open exchanges end, and the queue empties.
    client_->Close();
    world_.RunUntil([this] { return client_->settled() && world_.executor().idle(); });
    return result_;
  }

 private:
  struct Payload {
    int64_t cycle = 0;
    bool ended = false;  // delivered or dropped
    bool delivered = false;
    bool flagged = false;
  };
  // A flush under way, shared with it: one that never ends outlives the code that waits for it.
  struct Running {
    bool ended = false;
    absl::Duration took;
  };

  void Cycle() {
    if (options_.function_time > absl::ZeroDuration()) world_.Run(options_.function_time);
    for (int i = 0; i < options_.payloads_per_cycle; ++i) Add();
    const std::shared_ptr<const Running> flush = StartFlush();
    if (options_.scenario == FreezeScenario::kInFlight) {
      const auto before = static_cast<int64_t>(world_.random().Below(kFreezeWithinSteps));
      for (int64_t step = 0; step < before && !flush->ended; ++step) Step();
      FreezeAndResume();
    }
    FinishFlush(*flush);
    if (!result_.broken.ok()) return;
    flush_times_.push_back(static_cast<float>(absl::ToDoubleSeconds(flush->took)));
    if (options_.scenario == FreezeScenario::kIdle) {
      if (client_->Quiesce() != 0)
        Broken("quiesce", absl::StrCat(client_->open_exchanges(), " exchanges open"));
      FreezeAndResume();
    }
    Settle(cycle_ - kCyclesWatched);
  }

  void Add() {
    const uint64_t id = next_payload_++;
    std::string body(sizeof(id), '\0');
    std::memcpy(body.data(), &id, sizeof(id));
    payloads_.emplace(id, Payload{.cycle = cycle_});
    order_.push_back(id);
    ++result_.payloads;
    EncodedRequest request;
    request.body = std::make_shared<const std::string>(std::move(body));
    request.payloads = {id};
    const absl::Status added = flusher_->Add(std::move(request));
    if (!added.ok()) {
      // The outbox is full: the caller knows, and the payload was never handed over.
      --result_.payloads;
      payloads_.erase(id);
      order_.pop_back();
    }
  }

  std::shared_ptr<const Running> StartFlush() {
    return Start(flusher_->Flush(options_.flush_deadline, cancellation_));
  }

  std::shared_ptr<const Running> Start(Task<FlushReport> flush) {
    auto running = std::make_shared<Running>();
    Spawn<FlushReport>(world_.executor(), std::move(flush),
                       [this, running, began = world_.now() - frozen_](const FlushReport& report) {
                         result_.errors += static_cast<int64_t>(report.errors.size());
                         running->took = world_.now() - frozen_ - began;
                         running->ended = true;
                       });
    return running;
  }

  void FinishFlush(const Running& flush) {
    const int64_t most = options_.max_steps_per_payload * std::max<int64_t>(flusher_->kept_payloads(), 1);
    if (StepUntil(flush, most)) return;
    Broken("termination", absl::StrCat("the flush did not end in ", most, " steps"));
    cancellation_.Request(absl::CancelledError("the flush never ends"));
    CHECK(StepUntil(flush, kMaxStepsOfACancelledFlush))
        << "a cancelled flush never ends: seed " << options_.seed << ", cycle " << cycle_;
  }

  // Runs at most `most` steps. Returns whether the flush ended.
  bool StepUntil(const Running& flush, int64_t most) {
    for (int64_t steps = 0; !flush.ended && steps < most && Step(); ++steps) {
    }
    return flush.ended;
  }

  // Returns the time that this share of the flushes did not exceed.
  absl::Duration FlushTime(double share) {
    if (flush_times_.empty()) return absl::ZeroDuration();
    const auto nth = flush_times_.begin() + static_cast<int64_t>(share * (flush_times_.size() - 1) + 0.5);
    std::nth_element(flush_times_.begin(), nth, flush_times_.end());
    return absl::Seconds(*nth);
  }

  bool Step() {
    const bool more = world_.Step();
    if (options_.check) {
      const absl::Status conserved = flusher_->CheckInvariant();
      if (!conserved.ok()) [[unlikely]]
        Broken("conservation", conserved.message());
    }
    return more;
  }

  void FreezeAndResume() {
    ++result_.freezes;
    const absl::Duration length =
        options_.freeze_min + world_.random().Fraction() * (options_.freeze_max - options_.freeze_min);
    const FrozenClocks clocks = options_.random_clocks
                                    ? kAllFrozenClocks[world_.random().Below(std::size(kAllFrozenClocks))]
                                    : options_.clocks;
    if (options_.intake.idle_close == IdleClose::kRace || options_.intake.idle_close == IdleClose::kMixed) {
      // Closes connections a little before or a little after the resume.
      const absl::Duration about = 2 * (world_.random().Fraction() - 0.5) * 4 * options_.intake.one_way;
      intake_.CloseIdleIn(std::max(length + about, absl::ZeroDuration()));
    }
    if (options_.scenario == FreezeScenario::kInFlight && world_.random().Chance(0.5)) {
      // The close falls either while requests and answers are on their way, or anywhere in the freeze.
      const absl::Duration within =
          world_.random().Chance(0.5) ? 2 * (options_.intake.one_way + options_.intake.service_time) : length;
      intake_.CloseAllIn(world_.random().Fraction() * within);
    }
    world_.Freeze(length, clocks);
    frozen_ += length;
    if (!options_.tell_client) return;
    // The resume event comes through the same loop as everything that was queued meanwhile, before or after
    // it.
    if (world_.random().Chance(0.5)) {
      client_->Resume();
    } else {
      bool told = false;
      world_.executor().Post([this, &told] {
        client_->Resume();
        told = true;
      });
      while (!told) Step();
    }
  }

  void OnOutcome(const PayloadOutcome& outcome) {
    const auto found = payloads_.find(outcome.id);
    if (found == payloads_.end())
      return Broken("honesty", absl::StrCat("payload ", outcome.id, " ended twice"));
    Payload& payload = found->second;
    if (payload.ended) return Broken("honesty", absl::StrCat("payload ", outcome.id, " ended twice"));
    payload.ended = true;
    payload.delivered = outcome.delivered;
    payload.flagged = outcome.possible_duplicate;
    ++(outcome.delivered ? result_.delivered : result_.dropped);
    if (outcome.possible_duplicate) ++result_.flagged;
    if (options_.check && outcome.delivered && intake_.accepted(outcome.id) == 0) {
      Broken("honesty",
             absl::StrCat("payload ", outcome.id, " is reported delivered; the intake never accepted it"));
    }
  }

  // Judges the payloads handed over up to `cycle` whose outcome is known, and forgets them.
  void Settle(int64_t cycle) {
    while (!order_.empty()) {
      const uint64_t id = order_.front();
      const Payload& payload = payloads_.at(id);
      if (payload.cycle > cycle || !payload.ended) break;
      Judge(id, payload);
      intake_.ForgetPayload(id);
      payloads_.erase(id);
      order_.pop_front();
    }
  }

  void Judge(uint64_t id, const Payload& payload) {
    const int accepted = intake_.accepted(id);
    if (accepted > 0) ++result_.accepted;
    if (accepted == 0) ++result_.lost;
    if (accepted > 1) {
      ++result_.duplicated;
      if (!payload.flagged) {
        ++result_.unflagged_duplicates;
        if (options_.check)
          Broken("flags", absl::StrCat("payload ", id, " was accepted ", accepted, " times, unflagged"));
      }
    }
  }

  // Ends the faults and flushes until everything is sent.
  void End() {
    intake_.set_fault_rate(0);
    for (int round = 0; round < 50 && result_.broken.ok() && flusher_->kept_payloads() > 0; ++round) {
      FinishFlush(*StartFlush());
      world_.Run(absl::Seconds(5));  // a breaker or a Retry-After may need time
    }
    FinishFlush(*Start(flusher_->Shutdown(options_.flush_deadline, cancellation_)));
    // Lets late requests arrive.
    world_.Run(absl::Minutes(10));
    result_.retained = flusher_->kept_payloads();
    if (options_.check && result_.broken.ok()) {
      if (result_.retained != 0)
        Broken("completeness", absl::StrCat(result_.retained, " payloads kept at the end"));
      if (client_->open_exchanges() != 0) Broken("completeness", "exchanges open at the end");
      if (result_.delivered + result_.dropped != result_.payloads) {
        Broken("completeness", absl::StrCat(result_.payloads, " payloads, ", result_.delivered,
                                            " delivered, ", result_.dropped, " dropped"));
      }
    }
    Settle(cycle_);
    for (const uint64_t id : order_) Judge(id, payloads_.at(id));
  }

  void Broken(std::string_view invariant, std::string_view what) {
    if (!result_.broken.ok()) return;
    result_.broken =
        absl::InternalError(absl::StrCat("invariant '", invariant, "' broken: ", what, " (seed ",
                                         options_.seed, ", cycle ", cycle_, ", step ", world_.steps(), ")"));
  }

  const SimulationOptions& options_;
  SimWorld world_;
  SimIntake intake_;
  Cancellation cancellation_;
  const std::shared_ptr<ClientCounts> counts_ = std::make_shared<ClientCounts>();  // shared with TLS
  std::unique_ptr<Client> client_;
  std::unique_ptr<PipelineFlusher> flusher_;
  absl::flat_hash_map<uint64_t, Payload> payloads_;  // looked up by id only, never iterated
  std::deque<uint64_t> order_;
  uint64_t next_payload_ = 1;
  int64_t cycle_ = 0;
  absl::Duration frozen_;           // total frozen time
  std::vector<float> flush_times_;  // seconds; floats, since there may be millions
  SimulationResult result_;
};

}  // namespace

SimulationResult Simulate(const SimulationOptions& options, absl::FunctionRef<bool(int64_t)> progress) {
  return Run(options).Go(progress);
}

SimulationResult Simulate(const SimulationOptions& options) {
  return Simulate(options, [](int64_t) { return true; });
}

}  // namespace thaw
