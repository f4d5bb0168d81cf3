// A client around another one, which counts the failures of its exchanges in a table.
//
//   FailureTable failures;
//   WatchedClient client(std::move(inner), failures);
//
// The base of clients that break a rule in tests, too: they override one function.

#ifndef THAW_CC_SIM_WATCHED_CLIENT_H_
#define THAW_CC_SIM_WATCHED_CLIENT_H_

#include <memory>
#include <utility>

#include "cc/net/client.h"
#include "cc/sim/failure_table.h"

namespace thaw {

// Passes every call on.
class ClientAround : public Client {
 public:
  explicit ClientAround(std::unique_ptr<Client> inner) : inner_(std::move(inner)) {}

  Task<SendResult> Send(HttpRequest request, SendOptions options, Cancellation& cancellation) override {
    return inner_->Send(std::move(request), options, cancellation);
  }
  void Resume() override { inner_->Resume(); }
  int Quiesce() override { return inner_->Quiesce(); }
  void Forget() override { inner_->Forget(); }
  void Close() override { inner_->Close(); }
  int open_exchanges() const override { return inner_->open_exchanges(); }
  bool settled() const override { return inner_->settled(); }
  int open_connections() const override { return inner_->open_connections(); }
  int idle_connections() const override { return inner_->idle_connections(); }
  const ClientCounts& counts() const override { return inner_->counts(); }
  const ClientOptions& options() const override { return inner_->options(); }

 protected:
  Client& inner() { return *inner_; }

 private:
  const std::unique_ptr<Client> inner_;
};

class WatchedClient : public ClientAround {
 public:
  // `failures` must outlive the client.
  WatchedClient(std::unique_ptr<Client> inner, FailureTable& failures)
      : ClientAround(std::move(inner)), failures_(failures) {}

  Task<SendResult> Send(HttpRequest request, SendOptions options, Cancellation& cancellation) override {
    SendResult result = co_await inner().Send(std::move(request), options, cancellation);
    for (const ExchangeFailure& failure : result.failures) failures_.Count(failure);
    co_return result;
  }

 private:
  FailureTable& failures_;
};

}  // namespace thaw

#endif  // THAW_CC_SIM_WATCHED_CLIENT_H_
