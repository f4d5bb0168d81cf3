#include "cc/net/io/name_lookup.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "ares.h"
#include "cc/base/read_file.h"
#include "cc/net/io/name_race.h"
#include "cc/net/io/resolv_conf.h"

namespace thaw {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// Answers from /etc/hosts have no time to live; they are read again after this.
constexpr absl::Duration kLocalTimeToLive = absl::Seconds(60);
constexpr size_t kMostResolvConfBytes = 1 << 20;

absl::Status StatusOf(int status, const std::string& host) {
  const std::string text = absl::StrCat("'", host, "': ", ares_strerror(status));
  switch (status) {
    case ARES_ENOTFOUND:
    case ARES_ENODATA:
    case ARES_EBADNAME:
      return absl::NotFoundError(text);
    default:
      return absl::UnavailableError(text);
  }
}

absl::StatusOr<ResolvedName> AddressesOf(const ares_addrinfo* info, const std::string& host) {
  ResolvedName name;
  name.time_to_live = absl::InfiniteDuration();
  for (const ares_addrinfo_node* node = info->nodes; node != nullptr; node = node->ai_next) {
    char text[INET6_ADDRSTRLEN] = {};
    IpAddress address;
    if (node->ai_family == AF_INET) {
      inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(node->ai_addr)->sin_addr, text, sizeof(text));
    } else if (node->ai_family == AF_INET6) {
      address.family = IpAddress::Family::kV6;
      inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(node->ai_addr)->sin6_addr, text,
                sizeof(text));
    } else {
      continue;
    }
    address.text = text;
    if (node->ai_ttl > 0) name.time_to_live = std::min(name.time_to_live, absl::Seconds(node->ai_ttl));
    if (std::find(name.addresses.begin(), name.addresses.end(), address) == name.addresses.end()) {
      name.addresses.push_back(std::move(address));
    }
  }
  if (name.addresses.empty()) return absl::NotFoundError(absl::StrCat("'", host, "': it has no address"));
  if (name.time_to_live == absl::InfiniteDuration()) name.time_to_live = kLocalTimeToLive;
  return name;
}

// A c-ares channel with one server, on the event loop.
class AresChannel {
 public:
  AresChannel(EventLoop& loop, const DnsOptions& options) : loop_(loop), options_(options) {}
  AresChannel(const AresChannel&) = delete;
  AresChannel& operator=(const AresChannel&) = delete;
  ~AresChannel() {
    if (channel_ != nullptr) ares_destroy(channel_);
  }

  absl::Status Open();
  // Returns "address:port" of each server, as the file or the options name them.
  std::vector<std::string> Servers() const;
  absl::Status UseServer(const std::string& server);

  // Looks a name up in /etc/hosts; "localhost" is always known.
  absl::StatusOr<ResolvedName> FromHostsFile(const std::string& host) const;
  void Ask(IpAddress::Family family, const std::string& name, NameServers::Done done);
  // Ends open questions; nothing more is sent for them.
  void Cancel() {
    if (channel_ == nullptr) return;
    ares_cancel(channel_);
    SetTimeout();
  }

 private:
  struct Question {
    std::string name;
    NameServers::Done done;
  };
  // A socket of c-ares, which closes the descriptor itself.
  struct Watch {
    explicit Watch(asio::io_context& context) : descriptor(context) {}
    ~Watch() { descriptor.release(); }
    asio::posix::stream_descriptor descriptor;
    bool read = false;
    bool write = false;
    bool reading = false;
    bool writing = false;
  };

  static void OnAnswer(void* argument, int status, int timeouts, ares_addrinfo* info);
  static void OnSocketState(void* argument, ares_socket_t socket, int readable, int writable) {
    static_cast<AresChannel*>(argument)->Watching(socket, readable != 0, writable != 0);
  }
  void Watching(ares_socket_t socket, bool read, bool write);
  void Wait(ares_socket_t socket, const std::shared_ptr<Watch>& watch);
  void Process(ares_socket_t read, ares_socket_t write, const std::shared_ptr<Watch>& watch);
  void SetTimeout();

  EventLoop& loop_;
  const DnsOptions& options_;
  ares_channel_t* channel_ = nullptr;
  std::map<ares_socket_t, std::shared_ptr<Watch>> watches_;
  Alarm timeout_;
};

absl::Status AresChannel::Open() {
  ares_options options = {};
  options.sock_state_cb = &AresChannel::OnSocketState;
  options.sock_state_cb_data = this;
  char lookups[] = "b";  // the hosts file is read separately, once for all servers
  options.lookups = lookups;
  std::string resolv_conf = options_.resolv_conf;
  options.resolvconf_path = resolv_conf.data();
  // c-ares' own cache is off: NameCache keeps answers, by our clocks.
  options.qcache_max_ttl = 0;
  // HOSTALIASES may name any file, and reading it blocks: no alias is read. EDNS is the default that c-ares
  // uses only if no flags are given.
  options.flags = ARES_FLAG_EDNS | ARES_FLAG_NOALIASES;
  int given =
      ARES_OPT_FLAGS | ARES_OPT_SOCK_STATE_CB | ARES_OPT_LOOKUPS | ARES_OPT_RESOLVCONF | ARES_OPT_QUERY_CACHE;
  // Options that are not set are read from the file.
  if (options_.timeout.has_value()) {
    options.timeout = static_cast<int>(absl::ToInt64Milliseconds(*options_.timeout));
    given |= ARES_OPT_TIMEOUTMS;
  }
  if (options_.tries.has_value()) {
    options.tries = *options_.tries;
    given |= ARES_OPT_TRIES;
  }
  int status = ares_init_options(&channel_, &options, given);
  if (status == ARES_SUCCESS && !options_.servers.empty()) {
    status = ares_set_servers_ports_csv(channel_, options_.servers.c_str());
  }
  if (status == ARES_SUCCESS) return absl::OkStatus();
  if (channel_ != nullptr) ares_destroy(std::exchange(channel_, nullptr));
  return absl::UnavailableError(absl::StrCat("no resolver: ", ares_strerror(status)));
}

std::vector<std::string> AresChannel::Servers() const {
  const std::unique_ptr<char, void (*)(void*)> csv(ares_get_servers_csv(channel_), &ares_free_string);
  if (csv == nullptr) return {};
  return absl::StrSplit(csv.get(), ',', absl::SkipEmpty());
}

absl::Status AresChannel::UseServer(const std::string& server) {
  const int status = ares_set_servers_ports_csv(channel_, server.c_str());
  if (status == ARES_SUCCESS) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("nameserver ", server, ": ", ares_strerror(status)));
}

absl::StatusOr<ResolvedName> AresChannel::FromHostsFile(const std::string& host) const {
  ResolvedName name{.addresses = {}, .time_to_live = kLocalTimeToLive};
  for (const int family : {AF_INET, AF_INET6}) {
    hostent* found = nullptr;
    if (ares_gethostbyname_file(channel_, host.c_str(), family, &found) != ARES_SUCCESS) continue;
    for (char** address = found->h_addr_list; *address != nullptr; ++address) {
      char text[INET6_ADDRSTRLEN] = {};
      inet_ntop(family, *address, text, sizeof(text));
      name.addresses.push_back({family == AF_INET ? IpAddress::Family::kV4 : IpAddress::Family::kV6, text});
    }
    ares_free_hostent(found);
  }
  if (name.addresses.empty()) return absl::NotFoundError(absl::StrCat("'", host, "' is in no hosts file"));
  return name;
}

void AresChannel::Ask(IpAddress::Family family, const std::string& name, NameServers::Done done) {
  ares_addrinfo_hints hints = {};
  hints.ai_family = family == IpAddress::Family::kV4 ? AF_INET : AF_INET6;
  hints.ai_flags = ARES_AI_NOSORT;
  ares_getaddrinfo(channel_, name.c_str(), nullptr, &hints, &AresChannel::OnAnswer,
                   new Question{name, std::move(done)});
  SetTimeout();
}

void AresChannel::OnAnswer(void* argument, int status, int /*timeouts*/, ares_addrinfo* info) {
  const std::unique_ptr<Question> question(static_cast<Question*>(argument));
  // Cancelled by this side: the race has ended.
  if (status == ARES_ECANCELLED || status == ARES_EDESTRUCTION) return;
  if (status == ARES_SUCCESS) {
    NameServers::Answer answer{.name = AddressesOf(info, question->name)};
    ares_freeaddrinfo(info);
    return question->done(std::move(answer));
  }
  question->done({.name = StatusOf(status, question->name), .no_such_name = status == ARES_ENOTFOUND});
}

void AresChannel::Watching(ares_socket_t socket, bool read, bool write) {
  if (!read && !write) {
    watches_.erase(socket);
    return;
  }
  std::shared_ptr<Watch>& watch = watches_[socket];
  if (watch == nullptr) {
    watch = std::make_shared<Watch>(*static_cast<asio::io_context*>(loop_.native()));
    // A socket that can't be watched is never ready: its question ends by its time limit.
    error_code ignored;
    watch->descriptor.assign(socket, ignored);
  }
  watch->read = read;
  watch->write = write;
  Wait(socket, watch);
}

void AresChannel::Wait(ares_socket_t socket, const std::shared_ptr<Watch>& watch) {
  if (watch->read && !std::exchange(watch->reading, true)) {
    watch->descriptor.async_wait(asio::posix::descriptor_base::wait_read,
                                 [this, socket, held = std::weak_ptr<Watch>(watch)](const error_code& error) {
                                   const auto watch = held.lock();
                                   if (error || watch == nullptr) return;
                                   watch->reading = false;
                                   Process(socket, ARES_SOCKET_BAD, watch);
                                 });
  }
  if (watch->write && !std::exchange(watch->writing, true)) {
    watch->descriptor.async_wait(asio::posix::descriptor_base::wait_write,
                                 [this, socket, held = std::weak_ptr<Watch>(watch)](const error_code& error) {
                                   const auto watch = held.lock();
                                   if (error || watch == nullptr) return;
                                   watch->writing = false;
                                   Process(ARES_SOCKET_BAD, socket, watch);
                                 });
  }
}

void AresChannel::Process(ares_socket_t read, ares_socket_t write, const std::shared_ptr<Watch>& watch) {
  ares_process_fd(channel_, read, write);
  const ares_socket_t socket = read != ARES_SOCKET_BAD ? read : write;
  // The callback may have closed the socket, or even reopened one with the same number.
  if (const auto found = watches_.find(socket); found != watches_.end() && found->second == watch)
    Wait(socket, watch);
  SetTimeout();
}

void AresChannel::SetTimeout() {
  timeval buffer = {};
  const timeval* next = ares_timeout(channel_, nullptr, &buffer);
  if (next == nullptr) {
    timeout_.Cancel();
    return;
  }
  timeout_ = Alarm(loop_, absl::DurationFromTimeval(*next) + absl::Milliseconds(1), [this] {
    ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    SetTimeout();
  });
}

class AresLookup : public NameLookup, private NameServers {
 public:
  AresLookup(EventLoop& loop, DnsOptions options) : loop_(loop), options_(std::move(options)) {}

  Task<absl::StatusOr<ResolvedName>> Lookup(std::string host, Cancellation& cancellation) override {
    if (absl::Status status = Open(); !status.ok()) co_return status;
    const std::string_view relative = absl::StripSuffix(host, ".");
    absl::StatusOr<ResolvedName> name = channels_[0]->FromHostsFile(std::string(relative));
    if (name.ok()) co_return name;
    ++running_;
    absl::Status error = absl::OkStatus();
    const std::vector<std::string> names = NamesToAsk(host, conf_);
    for (const std::string& absolute : names) {
      Task<NameRaceResult> race = RaceNameServers(loop_, loop_, *this, absolute, Order(), cancellation);
      NameRaceResult result = co_await std::move(race);
      // The server that answered first is asked first the next time, so that a dead one costs its delay once.
      if (result.answered_by.has_value() && !conf_.rotate) first_ = *result.answered_by;
      name = std::move(result.name);
      if (name.ok() || cancellation.requested()) break;
      if (error.ok() || absl::IsNotFound(error)) error = name.status();
    }
    // Open questions are not needed any more; no socket stays open for them.
    if (--running_ == 0) CancelAll();
    if (name.ok() || cancellation.requested()) co_return name;
    co_return error;
  }

 private:
  absl::Status Open();
  absl::Status OpenChannel(size_t server);
  std::vector<size_t> Order();
  void CancelAll() {
    for (const auto& channel : channels_) {
      if (channel != nullptr) channel->Cancel();
    }
  }
  void Ask(size_t server, IpAddress::Family family, const std::string& name, Done done) override {
    if (absl::Status status = OpenChannel(server); !status.ok()) return done({.name = std::move(status)});
    channels_[server]->Ask(family, name, std::move(done));
  }

  EventLoop& loop_;
  const DnsOptions options_;
  ResolvConf conf_;
  std::vector<std::string> servers_;
  // One channel per server, so that servers can be asked side by side; opened when first asked.
  std::vector<std::unique_ptr<AresChannel>> channels_;
  size_t first_ = 0;
  int running_ = 0;
};

absl::Status AresLookup::Open() {
  if (!channels_.empty()) return absl::OkStatus();
  auto channel = std::make_unique<AresChannel>(loop_, options_);
  if (absl::Status status = channel->Open(); !status.ok()) return status;
  servers_ = channel->Servers();
  if (servers_.empty()) return absl::UnavailableError("no resolver: there is no nameserver");
  if (absl::Status status = channel->UseServer(servers_[0]); !status.ok()) return status;
  conf_ = ParseResolvConf(ReadWholeFile(options_.resolv_conf, kMostResolvConfBytes).value_or(""));
  channels_.resize(servers_.size());
  channels_[0] = std::move(channel);
  return absl::OkStatus();
}

absl::Status AresLookup::OpenChannel(size_t server) {
  if (channels_[server] != nullptr) return absl::OkStatus();
  auto channel = std::make_unique<AresChannel>(loop_, options_);
  if (absl::Status status = channel->Open(); !status.ok()) return status;
  if (absl::Status status = channel->UseServer(servers_[server]); !status.ok()) return status;
  channels_[server] = std::move(channel);
  return absl::OkStatus();
}

std::vector<size_t> AresLookup::Order() {
  std::vector<size_t> order(servers_.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = (first_ + i) % order.size();
  if (conf_.rotate) first_ = (first_ + 1) % order.size();
  return order;
}

}  // namespace

std::unique_ptr<NameLookup> MakeNameLookup(EventLoop& loop, DnsOptions options) {
  return std::make_unique<AresLookup>(loop, std::move(options));
}

}  // namespace thaw
