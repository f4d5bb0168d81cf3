#include "cc/agent/http_server.h"

#include <algorithm>
#include <utility>

#include "cc/agent/http_server_connection.h"
#include "cc/base/cancellation.h"
#include "cc/base/completion.h"
#include "cc/base/task.h"
#include "cc/clock/sleep.h"

namespace thaw {
namespace {

// So often idle connections are looked at within the time that they may be idle.
constexpr int kTicksPerIdleTimeout = 4;
// Between tries to accept a connection that failed.
constexpr absl::Duration kFirstAcceptBackoff = absl::Milliseconds(10);
constexpr absl::Duration kLastAcceptBackoff = absl::Seconds(1);

}  // namespace

struct HttpServer::Core : HttpConnectionOwner, std::enable_shared_from_this<HttpServer::Core> {
  using HttpConnectionOwner::HttpConnectionOwner;

  static Task<void> Accept(std::shared_ptr<Core> core, std::unique_ptr<Listener> listener);
  Task<void> WaitForRoom();
  bool MakeRoom();
  bool CloseLongestIdle();
  void Start(std::unique_ptr<Transport> transport);
  void OnIdle(HttpServerConnection& connection) override;
  void OnClosed(HttpServerConnection& connection) override;
  void SetSweep();
  void Sweep();
  void Resume();
  void Close();
  void WakeWaiting();

  Connections connections;  // the longest idle first, the busy ones anywhere
  Cancellation stop;        // no more connections
  std::vector<Completion<bool>*> waiting_for_room;
  // Counts the quarters of idle_timeout in which there were connections. An alarm that a freeze made late
  // waits for what remained of it, so this is active time, and no request has to read a clock.
  int64_t ticks = 0;
  std::optional<Alarm> sweep;
  Alarm grace;  // ends resumed_lately
};

Task<void> HttpServer::Core::Accept(std::shared_ptr<Core> core, std::unique_ptr<Listener> listener) {
  absl::Duration backoff = kFirstAcceptBackoff;
  while (!core->stop.requested()) {
    Task<absl::StatusOr<std::unique_ptr<Transport>>> accepting = listener->Accept(core->stop);
    absl::StatusOr<std::unique_ptr<Transport>> accepted = co_await std::move(accepting);
    if (core->stop.requested()) break;
    if (!accepted.ok()) {
      ++core->counters.accept_failed;
      // An idle connection holds what another one needs.
      if (absl::IsResourceExhausted(accepted.status())) core->CloseLongestIdle();
      Task<absl::Status> sleeping = Sleep(core->executor, core->clock, backoff, core->stop);
      static_cast<void>(co_await std::move(sleeping));
      backoff = std::min(2 * backoff, kLastAcceptBackoff);
      continue;
    }
    backoff = kFirstAcceptBackoff;
    if (!core->MakeRoom()) {
      ++core->counters.held_at_limit;
      Task<void> waiting = core->WaitForRoom();
      co_await std::move(waiting);
      if (core->stop.requested()) break;
    }
    core->Start(*std::move(accepted));
  }
}

Task<void> HttpServer::Core::WaitForRoom() {
  do {
    Completion<bool> woken(executor);
    waiting_for_room.push_back(&woken);
    const auto registration = stop.OnRequest([&woken](const absl::Status&) { woken.Set(true); });
    co_await woken;
    std::erase(waiting_for_room, &woken);
  } while (!stop.requested() && !MakeRoom());
}

void HttpServer::Core::WakeWaiting() {
  for (Completion<bool>* waiting : waiting_for_room) waiting->Set(true);
}

bool HttpServer::Core::MakeRoom() {
  if (static_cast<int>(connections.size()) < options.max_connections) return true;
  return CloseLongestIdle();
}

bool HttpServer::Core::CloseLongestIdle() {
  if (resumed_lately) return false;
  for (auto next = connections.begin(); next != connections.end();) {
    const std::shared_ptr<HttpServerConnection> connection = *next++;
    if (connection->CloseIfIdle()) {
      ++counters.closed_for_room;
      return true;
    }
  }
  return false;
}

void HttpServer::Core::Start(std::unique_ptr<Transport> transport) {
  ++counters.accepted;
  const auto connection = std::make_shared<HttpServerConnection>(shared_from_this(), std::move(transport));
  connection->position = connections.insert(connections.end(), connection);
  if (!sweep.has_value()) SetSweep();
  connection->Start();
}

void HttpServer::Core::OnIdle(HttpServerConnection& connection) {
  connection.idle_since = ticks;
  connections.splice(connections.end(), connections, connection.position);
  if (!waiting_for_room.empty()) WakeWaiting();
}

void HttpServer::Core::OnClosed(HttpServerConnection& connection) {
  connections.erase(connection.position);
  WakeWaiting();
}

void HttpServer::Core::SetSweep() {
  sweep.emplace(clock, options.idle_timeout / kTicksPerIdleTimeout, [this] { Sweep(); });
}

void HttpServer::Core::Sweep() {
  sweep.reset();
  ++ticks;
  for (auto next = connections.begin(); !resumed_lately && next != connections.end();) {
    const std::shared_ptr<HttpServerConnection> connection = *next++;
    // The first tick may have come right after it became idle.
    if (connection->idle() && ticks - connection->idle_since > kTicksPerIdleTimeout &&
        connection->CloseIfIdle()) {
      ++counters.closed_idle;
    }
  }
  if (!connections.empty()) SetSweep();
}

void HttpServer::Core::Resume() {
  ++counters.resumes;
  resumed_lately = true;
  grace = Alarm(clock, options.resume_grace, [this] {
    resumed_lately = false;
    WakeWaiting();
  });
}

void HttpServer::Core::Close() {
  stop.Request(absl::CancelledError("the server closes"));
  while (!connections.empty()) {
    const std::shared_ptr<HttpServerConnection> connection = connections.front();
    connection->Close();
  }
  sweep.reset();
  grace.Cancel();
}

HttpServer::HttpServer(Executor& executor, Clock& clock, HttpServerOptions options,
                       std::vector<HttpRoute> routes)
    : core_(std::make_shared<Core>(executor, clock, options)) {
  for (HttpRoute& route : routes) core_->routes.insert_or_assign(route.path, std::move(route));
}

HttpServer::~HttpServer() { Close(); }

void HttpServer::Serve(std::unique_ptr<Listener> listener) {
  Spawn(core_->executor, Core::Accept(core_, std::move(listener)));
}

void HttpServer::Quiesce() { core_->grace.Cancel(); }
void HttpServer::Resume() { core_->Resume(); }
void HttpServer::StopAccepting() {
  core_->stop.Request(absl::CancelledError("no more connections are taken"));
}
void HttpServer::Close() { core_->Close(); }
int HttpServer::connections() const { return static_cast<int>(core_->connections.size()); }
size_t HttpServer::incoming_bytes() const { return core_->incoming_bytes; }
const HttpServerCounters& HttpServer::counters() const { return core_->counters; }

}  // namespace thaw
