#include "cc/extension/local_servers.h"

#include <algorithm>
#include <utility>

#include "absl/log/log.h"
#include "absl/status/statusor.h"

namespace thaw {

void LocalServers::Bind(std::string name, std::string_view what, const TcpListenOptions& at) {
  LocalServer& server = servers_.emplace_back();
  server.name = std::move(name);
  absl::StatusOr<std::unique_ptr<Listener>> listener = ListenOnTcp(loop_, at);
  if (listener.ok()) {
    server.listener = *std::move(listener);
  } else {
    LOG(ERROR) << what << " can't be received: " << listener.status().message();
  }
}

std::unique_ptr<Datagrams> LocalServers::BindDatagrams(std::string_view what, const UdpOptions& at) const {
  absl::StatusOr<std::unique_ptr<Datagrams>> datagrams = BindUdp(loop_, at);
  if (datagrams.ok()) return *std::move(datagrams);
  LOG(ERROR) << what << " can't be received: " << datagrams.status().message();
  return nullptr;
}

void LocalServers::Serve(std::string_view name, std::vector<HttpRoute> routes) {
  for (LocalServer& each : servers_) {
    if (each.name != name || each.listener == nullptr) continue;
    each.server = std::make_unique<HttpServer>(loop_, loop_, options_, std::move(routes));
    each.server->Serve(std::move(each.listener));
    return;
  }
}

void LocalServers::Quiesce() {
  for (const LocalServer& each : servers_)
    if (each.server != nullptr) each.server->Quiesce();
}

void LocalServers::Resume() {
  for (const LocalServer& each : servers_)
    if (each.server != nullptr) each.server->Resume();
}

bool LocalServers::GiveWay() {
  return std::any_of(servers_.begin(), servers_.end(), [](const LocalServer& each) {
    return each.server != nullptr && each.server->GiveWay();
  });
}

}  // namespace thaw
