#include "cc/net/io/name_race.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "cc/base/completion.h"

namespace thaw {
namespace {

using Family = IpAddress::Family;

// Shared with the open questions, which may outlive it.
class NameRace : public std::enable_shared_from_this<NameRace> {
 public:
  NameRace(Executor& executor, Clock& clock, NameServers& servers, std::string name,
           std::vector<size_t> order)
      : clock_(clock), servers_(servers), name_(std::move(name)), order_(std::move(order)), over_(executor) {
    order_.push_back(order_.front());
  }

  void Start() {
    AskNext(Family::kV6);
    AskNext(Family::kV4);
  }
  void GiveUp(const absl::Status& reason) { End(reason); }
  Completion<NameRaceResult>& over() { return over_; }

 private:
  // The progress of one family.
  struct Side {
    size_t asked = 0;
    size_t failed = 0;
    std::optional<NameServers::Answer> answer;
    Alarm stagger;
  };

  Side& SideOf(Family family) { return family == Family::kV4 ? v4_ : v6_; }

  void AskNext(Family family) {
    Side& side = SideOf(family);
    side.stagger.Cancel();
    if (ended_ || side.answer.has_value() || side.asked == order_.size()) return;
    const size_t server = order_[side.asked++];
    if (side.asked < order_.size()) {
      const absl::Duration delay = side.asked + 1 == order_.size() ? kRepeatDelay : kServerDelay;
      side.stagger = Alarm(clock_, delay, [this, family] { AskNext(family); });
    }
    servers_.Ask(server, family, name_,
                 [held = weak_from_this(), family, server](NameServers::Answer answer) {
                   if (const auto race = held.lock()) race->OnAnswer(family, server, std::move(answer));
                 });
  }

  void OnAnswer(Family family, size_t server, NameServers::Answer answer) {
    Side& side = SideOf(family);
    if (ended_ || side.answer.has_value()) return;
    if (answer.name.ok() || absl::IsNotFound(answer.name.status())) {
      if (!answered_by_.has_value()) answered_by_ = server;
    } else if (++side.failed < order_.size()) {
      if (side.failed == side.asked) AskNext(family);
      return;
    }
    side.stagger.Cancel();
    side.answer = std::move(answer);
    Consider(family);
  }

  // Handles a settled family: ends the race, or waits for the other family.
  void Consider(Family family) {
    const Side& settled = SideOf(family);
    const Side& other = SideOf(family == Family::kV4 ? Family::kV6 : Family::kV4);
    if (other.answer.has_value()) return Conclude();
    // Some servers report that a name without IPv6 addresses does not exist: only their answer for IPv4
    // counts.
    const bool nothing = settled.answer->no_such_name && family == Family::kV4;
    if (!settled.answer->name.ok() && !nothing) return;
    const absl::Duration delay = family == Family::kV4 ? kResolutionDelay : kResolutionDelayOfIpv6;
    patience_ = Alarm(clock_, delay, [this] { Conclude(); });
  }

  void Conclude() {
    ResolvedName name;
    name.time_to_live = absl::InfiniteDuration();
    absl::Status error = absl::OkStatus();
    bool complete = true;
    for (const Side* side : {&v4_, &v6_}) {
      if (side->answer.has_value() && side->answer->name.ok()) {
        const ResolvedName& found = *side->answer->name;
        name.addresses.insert(name.addresses.end(), found.addresses.begin(), found.addresses.end());
        name.time_to_live = std::min(name.time_to_live, found.time_to_live);
        continue;
      }
      const bool known = side->answer.has_value() && absl::IsNotFound(side->answer->name.status());
      complete = complete && known;
      // A failure outweighs the other family's "there is none": the name may exist.
      if (side->answer.has_value() && (error.ok() || absl::IsNotFound(error)))
        error = side->answer->name.status();
    }
    if (name.addresses.empty()) return End(std::move(error));
    if (!complete) name.time_to_live = std::min(name.time_to_live, kIncompleteTimeToLive);
    End(std::move(name));
  }

  void End(absl::StatusOr<ResolvedName> name) {
    if (std::exchange(ended_, true)) return;
    patience_.Cancel();
    v4_.stagger.Cancel();
    v6_.stagger.Cancel();
    over_.Set({.name = std::move(name), .answered_by = answered_by_});
  }

  Clock& clock_;
  NameServers& servers_;
  const std::string name_;
  std::vector<size_t> order_;  // ends with the first server again
  Completion<NameRaceResult> over_;
  Side v4_;
  Side v6_;
  Alarm patience_;
  std::optional<size_t> answered_by_;
  bool ended_ = false;
};

}  // namespace

Task<NameRaceResult> RaceNameServers(Executor& executor, Clock& clock, NameServers& servers, std::string name,
                                     std::vector<size_t> order, Cancellation& cancellation) {
  const auto race = std::make_shared<NameRace>(executor, clock, servers, std::move(name), std::move(order));
  race->Start();
  const auto registration =
      cancellation.OnRequest([&race](const absl::Status& reason) { race->GiveUp(reason); });
  Completion<NameRaceResult>& over = race->over();
  co_return co_await over;
}

}  // namespace thaw
