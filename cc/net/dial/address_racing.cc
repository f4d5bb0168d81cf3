#include "cc/net/dial/address_racing.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cc/base/completion.h"

namespace thaw {
namespace {

std::string Named(const IpAddress& address, uint16_t port) {
  return address.family == IpAddress::Family::kV6 ? absl::StrCat("[", address.text, "]:", port)
                                                  : absl::StrCat(address.text, ":", port);
}

// One race. It lives in the frame of RaceAddresses until every attempt has ended.
class Race {
 public:
  Race(Executor& executor, Clock& clock, Network& network, std::vector<IpAddress> addresses, uint16_t port,
       Network::ConnectOptions options, MoreAddresses more)
      : executor_(executor),
        clock_(clock),
        network_(network),
        addresses_(std::move(addresses)),
        port_(port),
        options_(options),
        more_(std::move(more)),
        over_(executor) {}

  Task<RaceResult> Run(Cancellation& cancellation) {
    const auto registration =
        cancellation.OnRequest([this](const absl::Status& reason) { attempts_.Request(reason); });
    StartNext();
    Completion<bool>& over = over_;
    co_await over;
    co_return std::move(result_);
  }

 private:
  void StartNext() {
    stagger_.Cancel();
    if (attempts_.requested()) return;
    if (started_ == addresses_.size()) return FindMore();
    const size_t index = started_++;
    ++running_;
    result_.outcomes.push_back(
        {Named(addresses_[index], port_), absl::CancelledError("cancelled in favour of another address")});
    Task<absl::StatusOr<std::unique_ptr<Transport>>> attempt =
        network_.Connect(addresses_[index], port_, options_, attempts_);
    absl::AnyInvocable<void(absl::StatusOr<std::unique_ptr<Transport>>)> done =
        [this, index](absl::StatusOr<std::unique_ptr<Transport>> connected) {
          OnEnded(index, std::move(connected));
        };
    Spawn<absl::StatusOr<std::unique_ptr<Transport>>>(executor_, std::move(attempt), std::move(done));
    if (started_ < addresses_.size() || more_ != nullptr)
      stagger_ = Alarm(clock_, kConnectionAttemptDelay, [this] { StartNext(); });
  }

  void FindMore() {
    if (more_ == nullptr) return;
    ++running_;
    finding_ = std::exchange(more_, nullptr);
    Task<std::vector<IpAddress>> task = finding_(attempts_);
    absl::AnyInvocable<void(std::vector<IpAddress>)> done = [this](std::vector<IpAddress> found) {
      OnFound(std::move(found));
    };
    Spawn<std::vector<IpAddress>>(executor_, std::move(task), std::move(done));
  }

  void OnFound(std::vector<IpAddress> found) {
    --running_;
    for (IpAddress& address : InterleaveFamilies(found)) {
      if (std::find(addresses_.begin(), addresses_.end(), address) == addresses_.end())
        addresses_.push_back(std::move(address));
    }
    StartNext();
    if (running_ == 0) over_.Set(true);
  }

  void OnEnded(size_t index, absl::StatusOr<std::unique_ptr<Transport>> connected) {
    --running_;
    if (connected.ok()) {
      // A second winner in the same turn is closed again.
      if (result_.transport == nullptr && !lost_) {
        result_.transport = *std::move(connected);
        result_.outcomes[index].status = absl::OkStatus();
        stagger_.Cancel();
        attempts_.Request(absl::CancelledError("cancelled in favour of another address"));
      }
    } else {
      if (!attempts_.requested() || result_.transport == nullptr)
        result_.outcomes[index].status = connected.status();
      if (!attempts_.requested()) StartNext();
    }
    lost_ = attempts_.requested() && result_.transport == nullptr;
    if (running_ == 0) {
      stagger_.Cancel();
      over_.Set(true);
    }
  }

  Executor& executor_;
  Clock& clock_;
  Network& network_;
  std::vector<IpAddress> addresses_;
  const uint16_t port_;
  const Network::ConnectOptions options_;
  MoreAddresses more_;     // null once called
  MoreAddresses finding_;  // the called one, which its task may refer to
  Cancellation attempts_;
  Completion<bool> over_;
  Alarm stagger_;
  RaceResult result_;
  size_t started_ = 0;
  int running_ = 0;
  bool lost_ = false;  // cancelled from outside: a late winner is closed
};

}  // namespace

std::vector<IpAddress> InterleaveFamilies(const std::vector<IpAddress>& addresses) {
  std::vector<IpAddress> six, four, mixed;
  for (const IpAddress& address : addresses) {
    (address.family == IpAddress::Family::kV6 ? six : four).push_back(address);
  }
  for (size_t i = 0; i < std::max(six.size(), four.size()); ++i) {
    if (i < six.size()) mixed.push_back(six[i]);
    if (i < four.size()) mixed.push_back(four[i]);
  }
  return mixed;
}

Task<RaceResult> RaceAddresses(Executor& executor, Clock& clock, Network& network,
                               std::vector<IpAddress> addresses, uint16_t port,
                               Network::ConnectOptions options, Cancellation& cancellation,
                               MoreAddresses more) {
  Race race(executor, clock, network, InterleaveFamilies(addresses), port, options, std::move(more));
  co_return co_await race.Run(cancellation);
}

}  // namespace thaw
