#include "cc/agent/http_server.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <utility>

#include "cc/agent/http_server_connection.h"
#include "cc/agent/http_server_state.h"
#include "cc/base/cancellation.h"
#include "cc/base/completion.h"
#include "cc/base/task.h"
#include "cc/clock/sleep.h"

namespace thaw {
namespace {

// Idle connections are checked this often within the idle timeout.
constexpr int kTicksPerIdleTimeout = 4;
// The time for pipelined requests in one turn of the loop, whatever the number of connections that send them:
// the most that other clients wait for them each time.
constexpr absl::Duration kTurns = absl::Milliseconds(1);
// The delay between tries to accept after a failure.
constexpr absl::Duration kFirstAcceptBackoff = absl::Milliseconds(10);
constexpr absl::Duration kLastAcceptBackoff = absl::Seconds(1);
// A client without progress on its request for this long stands still, and gives way to others. Local clients
// send without a pause, unless processor time is too short for all.
constexpr absl::Duration kStandsStill = absl::Milliseconds(10);
// A request that takes at most this room is small: there is always some room for small requests.
constexpr size_t kSmallRequestBytes = 64 * 1024;
// The part of the room for incoming bytes that is added for small requests.
constexpr size_t kPartForSmallRequests = 8;
// The part of the connection limit that is added while connections from before a freeze are spared.
constexpr int kPartAfterResume = 8;

}  // namespace

struct HttpServer::Core : HttpServerState,
                          HttpConnectionOwner,
                          std::enable_shared_from_this<HttpServer::Core> {
  using HttpServerState::HttpServerState;

  static Task<void> Accept(std::shared_ptr<Core> core, std::unique_ptr<Listener> listener);
  Task<void> WaitForRoom();
  int ConnectionLimit() const;
  bool MakeRoom(bool patient);
  bool CloseOne(bool patient);
  bool CloseLongestIdle(bool useful);
  HttpServerConnection* LongestWithinRequest() const;
  HttpServerConnection* LongestStill(const HttpServerConnection* asking, absl::Duration least) const;
  absl::Duration StandsStillFor(const HttpServerConnection& connection) const;
  void Start(std::unique_ptr<Transport> transport);
  void OnIdle(HttpServerConnection& connection) override;
  void OnProgress(HttpServerConnection& connection) override;
  bool SetAside(HttpServerConnection& asking, size_t bytes) override;
  // Closes others that have stood still for `least` until there is room for `bytes`; returns whether there is.
  bool FindRoom(const HttpServerConnection& asking, size_t bytes, size_t limit, absl::Duration least);
  void WaitForTurn(HttpServerConnection& connection) override;
  void PostTurns();
  void RunTurns();
  void OnClosed(HttpServerConnection& connection) override;
  void SetSweep();
  void Sweep();
  void Resume();
  void Close();
  void WakeWaiting();

  // Ordered: those that have been idle or without progress longest come first.
  HttpServerConnection::List connections;
  Cancellation stop;  // requested: take no more connections
  std::vector<Completion<bool>*> waiting_for_room;
  // Connections with pipelined requests, which take turns.
  std::deque<std::shared_ptr<HttpServerConnection>> waiting_for_turn;
  bool turns_posted = false;
  bool setting_aside = false;  // SetAside is running
  // Counts the quarters of idle_timeout in which there were connections. An alarm that a freeze made late
  // waits for its remaining time, so this is active time, and no request has to read a clock.
  int64_t ticks = 0;
  std::optional<Alarm> sweep;
  Alarm grace;                // ends resumed_lately
  absl::Duration resumed_at;  // monotonic time
};

Task<void> HttpServer::Core::Accept(std::shared_ptr<Core> core, std::unique_ptr<Listener> listener) {
  absl::Duration backoff = kFirstAcceptBackoff;
  while (!core->stop.requested()) {
    Task<absl::StatusOr<std::unique_ptr<Transport>>> accepting = listener->Accept(core->stop);
    absl::StatusOr<std::unique_ptr<Transport>> accepted = co_await std::move(accepting);
    if (core->stop.requested()) break;
    if (!accepted.ok()) {
      ++core->counts.accept_failed;
      // An unused connection holds the resources that another one needs.
      if (absl::IsResourceExhausted(accepted.status())) core->CloseOne(/*patient=*/false);
      Task<absl::Status> sleeping = Sleep(core->executor, core->clock, backoff, core->stop);
      static_cast<void>(co_await std::move(sleeping));
      backoff = std::min(2 * backoff, kLastAcceptBackoff);
      continue;
    }
    backoff = kFirstAcceptBackoff;
    if (!core->MakeRoom(/*patient=*/true)) {
      ++core->counts.held_at_limit;
      Task<void> waiting = core->WaitForRoom();
      co_await std::move(waiting);
      if (core->stop.requested()) break;
    }
    core->Start(*std::move(accepted));
  }
}

Task<void> HttpServer::Core::WaitForRoom() {
  const absl::Duration begun = clock.Now().monotonic;
  // By then each client that has begun a request has completed it or stands still.
  const Alarm patience(clock, kStandsStill, [this] { WakeWaiting(); });
  do {
    Completion<bool> woken(executor);
    waiting_for_room.push_back(&woken);
    const auto registration = stop.OnRequest([&woken](const absl::Status&) { woken.Set(true); });
    co_await woken;
    std::erase(waiting_for_room, &woken);
  } while (!stop.requested() && !MakeRoom(clock.Now().monotonic - begun < kStandsStill));
}

void HttpServer::Core::WakeWaiting() {
  for (Completion<bool>* waiting : waiting_for_room) waiting->Set(true);
}

int HttpServer::Core::ConnectionLimit() const {
  // Clients that were frozen may be about to send on their old connections. New clients must not wait until
  // that is over.
  return options.max_connections + (resumed_lately ? options.max_connections / kPartAfterResume + 1 : 0);
}

bool HttpServer::Core::MakeRoom(bool patient) {
  while (static_cast<int>(connections.size()) >= ConnectionLimit())
    if (!CloseOne(patient)) return false;
  return true;
}

// Closes the connection whose client loses least: one that has its answer; one that stands still within a
// request; an idle one that has never brought anything; another idle one; or, if all make progress, the one
// whose last progress is oldest. Connections with a working handler stay.
//
// The function's own tracer is often the longest idle of all, and loses a request if its connection ends
// under it. `patient`: closes nothing yet if it will be known within kStandsStill whether a connection that
// has brought nothing makes progress.
bool HttpServer::Core::CloseOne(bool patient) {
  for (const std::shared_ptr<HttpServerConnection>& connection : connections) {
    if (!connection->lingers()) continue;
    const std::shared_ptr<HttpServerConnection> lingering = connection;
    lingering->GiveWay();
    return true;
  }
  HttpServerConnection* within_request = LongestWithinRequest();
  if (within_request != nullptr && StandsStillFor(*within_request) >= kStandsStill) {
    within_request->GiveWay();
    return true;
  }
  if (CloseLongestIdle(/*useful=*/false)) return true;
  // The answer may differ by now: a connection that seemed idle may have had a request waiting to be read.
  const bool undecided = std::any_of(connections.begin(), connections.end(), [](const auto& connection) {
    return connection->waits_for_client() && !connection->useful();
  });
  if (patient && undecided) return false;
  if (CloseLongestIdle(/*useful=*/true)) return true;
  within_request = LongestWithinRequest();
  if (within_request == nullptr) return false;
  within_request->GiveWay();
  return true;
}

// Returns the connection that has waited for its client the longest, within a request or an answer; null if
// there is none.
HttpServerConnection* HttpServer::Core::LongestWithinRequest() const {
  const auto found = std::find_if(connections.begin(), connections.end(),
                                  [](const auto& connection) { return connection->waits_for_client(); });
  return found == connections.end() ? nullptr : found->get();
}

bool HttpServer::Core::CloseLongestIdle(bool useful) {
  for (auto next = connections.begin(); next != connections.end();) {
    const std::shared_ptr<HttpServerConnection> connection = *next++;
    const bool spared = resumed_lately && connection->idle_resumes != counts.resumes;
    if (!spared && connection->useful() == useful && connection->CloseIfIdle()) {
      ++counts.closed_for_room;
      return true;
    }
  }
  return false;
}

// Returns the connection with set-aside room that made no progress for longest; null if that is less than
// `least`.
HttpServerConnection* HttpServer::Core::LongestStill(const HttpServerConnection* asking,
                                                     absl::Duration least) const {
  for (const std::shared_ptr<HttpServerConnection>& connection : connections) {
    if (connection.get() == asking || connection->set_aside() == 0 || !connection->waits_for_client())
      continue;
    return StandsStillFor(*connection) >= least ? connection.get() : nullptr;
  }
  return nullptr;
}

absl::Duration HttpServer::Core::StandsStillFor(const HttpServerConnection& connection) const {
  // No client makes progress in a freeze.
  return clock.Now().monotonic - std::max(connection.progressed, resumed_at);
}

bool HttpServer::Core::SetAside(HttpServerConnection& asking, size_t bytes) {
  const size_t most = options.max_incoming_bytes;
  const bool small = std::max(bytes, asking.set_aside()) <= kSmallRequestBytes;
  const size_t limit = small ? most + most / kPartForSmallRequests : most;
  if (bytes > limit) return false;
  setting_aside = true;
  const bool has_room = FindRoom(asking, bytes, limit, small ? absl::ZeroDuration() : kStandsStill);
  setting_aside = false;
  if (has_room) incoming_bytes += bytes;
  return has_room;
}

bool HttpServer::Core::FindRoom(const HttpServerConnection& asking, size_t bytes, size_t limit,
                                absl::Duration least) {
  while (incoming_bytes.bytes() > limit - bytes || !incoming_bytes.HasRoomFor(bytes)) {
    HttpServerConnection* const still = LongestStill(&asking, least);
    if (still == nullptr) return false;
    still->GiveWay();
  }
  return true;
}

void HttpServer::Core::Start(std::unique_ptr<Transport> transport) {
  ++counts.accepted;
  const auto connection =
      std::make_shared<HttpServerConnection>(*this, shared_from_this(), std::move(transport));
  connection->position = connections.insert(connections.end(), connection);
  if (!sweep.has_value()) SetSweep();
  connection->Start();
}

void HttpServer::Core::OnIdle(HttpServerConnection& connection) {
  connection.idle_since = ticks;
  connection.idle_resumes = counts.resumes;
  connections.splice(connections.end(), connections, connection.position);
  if (!waiting_for_room.empty()) WakeWaiting();
}

void HttpServer::Core::OnProgress(HttpServerConnection& connection) {
  connection.progressed = clock.Now().monotonic;
  connections.splice(connections.end(), connections, connection.position);
}

void HttpServer::Core::WaitForTurn(HttpServerConnection& connection) {
  waiting_for_turn.push_back(connection.shared_from_this());
  if (!turns_posted) PostTurns();
}

void HttpServer::Core::PostTurns() {
  turns_posted = true;
  executor.Post([core = shared_from_this()] { core->RunTurns(); });
}

// Answers pipelined requests, one of each connection in turn, for a bounded time; further ones wait until the
// loop has seen to everything else.
void HttpServer::Core::RunTurns() {
  const absl::Duration begun = clock.Now().monotonic;
  while (!waiting_for_turn.empty()) {
    if (clock.Now().monotonic - begun >= kTurns) return PostTurns();
    const std::shared_ptr<HttpServerConnection> connection = std::move(waiting_for_turn.front());
    waiting_for_turn.pop_front();
    connection->Continue();
  }
  turns_posted = false;
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
    // The first tick may have come right after the connection became idle.
    if (connection->idle() && ticks - connection->idle_since > kTicksPerIdleTimeout &&
        connection->CloseIfIdle()) {
      ++counts.closed_idle;
    }
  }
  if (!connections.empty()) SetSweep();
}

void HttpServer::Core::Resume() {
  ++counts.resumes;
  resumed_lately = true;
  resumed_at = clock.Now().monotonic;
  grace = Alarm(clock, options.resume_grace, [this] {
    resumed_lately = false;
    while (static_cast<int>(connections.size()) > options.max_connections)
      if (!CloseLongestIdle(/*useful=*/false) && !CloseLongestIdle(/*useful=*/true)) break;
    WakeWaiting();
  });
}

void HttpServer::Core::Close() {
  stop.Request(absl::CancelledError("the server closes"));
  waiting_for_turn.clear();
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
  for (HttpRoute& route : routes) {
    if (route.with_paths_below) {
      core_->routes_with_paths_below.push_back(std::move(route));
    } else {
      core_->routes.insert_or_assign(route.path, std::move(route));
    }
  }
}

HttpServer::~HttpServer() { Close(); }

void HttpServer::Serve(std::unique_ptr<Listener> listener) {
  Spawn(core_->executor, Core::Accept(core_, std::move(listener)));
}

void HttpServer::Quiesce() { core_->grace.Cancel(); }
bool HttpServer::GiveWay() {
  // A connection that asks for room is not closed within its own call; SetAside closes the others.
  HttpServerConnection* const still =
      core_->setting_aside ? nullptr : core_->LongestStill(/*asking=*/nullptr, kStandsStill);
  if (still == nullptr) return false;
  still->GiveWay();
  return true;
}
void HttpServer::Resume() { core_->Resume(); }
void HttpServer::StopAccepting() {
  core_->stop.Request(absl::CancelledError("the server accepts no more connections"));
}
void HttpServer::Close() { core_->Close(); }
int HttpServer::connections() const { return static_cast<int>(core_->connections.size()); }
size_t HttpServer::incoming_bytes() const { return core_->incoming_bytes.bytes(); }
const HttpServerCounts& HttpServer::counts() const { return core_->counts; }

}  // namespace thaw
