#include "cc/net/io/name_lookup.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstring>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ares.h"
#include "cc/base/completion.h"

namespace thaw {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// What /etc/hosts says has no time to live; it is asked for again after this.
constexpr absl::Duration kLocalTimeToLive = absl::Seconds(60);

absl::Status StatusOf(int status, const std::string& host) {
  const std::string text = absl::StrCat("'", host, "': ", ares_strerror(status));
  switch (status) {
    case ARES_ENOTFOUND:
    case ARES_ENODATA:
    case ARES_EBADNAME:
      return absl::NotFoundError(text);
    case ARES_ECANCELLED:
    case ARES_EDESTRUCTION:
      return absl::CancelledError(text);
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

class AresLookup : public NameLookup {
 public:
  AresLookup(EventLoop& loop, DnsOptions options) : loop_(loop), options_(std::move(options)) {}
  ~AresLookup() override {
    if (channel_ != nullptr) ares_destroy(channel_);
  }

  Task<absl::StatusOr<ResolvedName>> Lookup(std::string host, Cancellation& cancellation) override {
    if (absl::Status status = Open(); !status.ok()) co_return status;
    // Shared with c-ares, which answers a question that nobody waits for any more all the same.
    const auto question = std::make_shared<Question>(loop_, host);
    ares_addrinfo_hints hints = {};
    hints.ai_family = AF_UNSPEC;
    hints.ai_flags = ARES_AI_NOSORT;
    ares_getaddrinfo(channel_, host.c_str(), nullptr, &hints, &AresLookup::OnAnswer,
                     new std::shared_ptr<Question>(question));
    SetTimeout();
    Completion<absl::StatusOr<ResolvedName>>& answer = question->answer;
    const auto registration =
        cancellation.OnRequest([&answer](const absl::Status& reason) { answer.Set(reason); });
    co_return co_await answer;
  }

 private:
  struct Question {
    Question(EventLoop& loop, std::string asked) : host(std::move(asked)), answer(loop) {}
    const std::string host;
    Completion<absl::StatusOr<ResolvedName>> answer;
  };
  // A socket of c-ares. The descriptor is c-ares' to close.
  struct Watch {
    explicit Watch(asio::io_context& context) : descriptor(context) {}
    ~Watch() { descriptor.release(); }
    asio::posix::stream_descriptor descriptor;
    bool read = false;
    bool write = false;
    bool reading = false;
    bool writing = false;
  };

  absl::Status Open() {
    if (channel_ != nullptr) return absl::OkStatus();
    ares_options options = {};
    options.sock_state_cb = &AresLookup::OnSocketState;
    options.sock_state_cb_data = this;
    options.timeout = static_cast<int>(absl::ToInt64Milliseconds(options_.timeout));
    options.tries = options_.tries;
    char lookups[] = "fb";  // the hosts file, then the servers
    options.lookups = lookups;
    // No cache of c-ares' own: NameCache keeps answers, by our clocks.
    options.qcache_max_ttl = 0;
    int status = ares_init_options(&channel_, &options,
                                   ARES_OPT_SOCK_STATE_CB | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
                                       ARES_OPT_LOOKUPS | ARES_OPT_QUERY_CACHE);
    if (status == ARES_SUCCESS && !options_.servers.empty()) {
      status = ares_set_servers_ports_csv(channel_, options_.servers.c_str());
    }
    if (status == ARES_SUCCESS) return absl::OkStatus();
    if (channel_ != nullptr) ares_destroy(std::exchange(channel_, nullptr));
    return absl::UnavailableError(absl::StrCat("no resolver: ", ares_strerror(status)));
  }

  static void OnAnswer(void* argument, int status, int /*timeouts*/, ares_addrinfo* info) {
    const std::unique_ptr<std::shared_ptr<Question>> held(static_cast<std::shared_ptr<Question>*>(argument));
    Question& question = **held;
    if (status == ARES_SUCCESS) {
      question.answer.Set(AddressesOf(info, question.host));
      ares_freeaddrinfo(info);
    } else {
      question.answer.Set(StatusOf(status, question.host));
    }
  }

  static void OnSocketState(void* argument, ares_socket_t socket, int readable, int writable) {
    static_cast<AresLookup*>(argument)->Watching(socket, readable != 0, writable != 0);
  }

  void Watching(ares_socket_t socket, bool read, bool write) {
    if (!read && !write) {
      watches_.erase(socket);
      return;
    }
    std::shared_ptr<Watch>& watch = watches_[socket];
    if (watch == nullptr) {
      watch = std::make_shared<Watch>(*static_cast<asio::io_context*>(loop_.native()));
      // One that can't be watched is never ready: the question ends by its time limit.
      error_code ignored;
      watch->descriptor.assign(socket, ignored);
    }
    watch->read = read;
    watch->write = write;
    Wait(socket, watch);
  }

  void Wait(ares_socket_t socket, const std::shared_ptr<Watch>& watch) {
    if (watch->read && !std::exchange(watch->reading, true)) {
      watch->descriptor.async_wait(
          asio::posix::descriptor_base::wait_read,
          [this, socket, held = std::weak_ptr<Watch>(watch)](const error_code& error) {
            const auto watch = held.lock();
            if (error || watch == nullptr) return;
            watch->reading = false;
            Process(socket, ARES_SOCKET_BAD, watch);
          });
    }
    if (watch->write && !std::exchange(watch->writing, true)) {
      watch->descriptor.async_wait(
          asio::posix::descriptor_base::wait_write,
          [this, socket, held = std::weak_ptr<Watch>(watch)](const error_code& error) {
            const auto watch = held.lock();
            if (error || watch == nullptr) return;
            watch->writing = false;
            Process(ARES_SOCKET_BAD, socket, watch);
          });
    }
  }

  void Process(ares_socket_t read, ares_socket_t write, const std::shared_ptr<Watch>& watch) {
    ares_process_fd(channel_, read, write);
    const ares_socket_t socket = read != ARES_SOCKET_BAD ? read : write;
    // It may have been closed, and even opened anew under the same number, by what was just processed.
    if (const auto found = watches_.find(socket); found != watches_.end() && found->second == watch)
      Wait(socket, watch);
    SetTimeout();
  }

  void SetTimeout() {
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

  EventLoop& loop_;
  const DnsOptions options_;
  ares_channel_t* channel_ = nullptr;
  std::map<ares_socket_t, std::shared_ptr<Watch>> watches_;
  Alarm timeout_;
};

}  // namespace

std::unique_ptr<NameLookup> MakeNameLookup(EventLoop& loop, DnsOptions options) {
  return std::make_unique<AresLookup>(loop, std::move(options));
}

}  // namespace thaw
