#include "cc/net/io/dns_sockets.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <memory>

#include "absl/strings/str_cat.h"

namespace thaw {
namespace {

constexpr size_t kHeaderBytes = 12;
// Bits of the header's third byte (RFC 1035 section 4.1.1).
constexpr unsigned char kIsResponse = 0x80;
constexpr unsigned char kIsTruncated = 0x02;
// Limits the datagrams that are dropped in one turn of the loop; the rest is read in the next one.
constexpr int kMostDroppedAtOnce = 16;

bool HasRecordsOfTheQuestion(const ares_dns_record_t* record) {
  const char* name = nullptr;
  ares_dns_rec_type_t type;
  ares_dns_class_t unused;
  if (ares_dns_record_query_get(record, 0, &name, &type, &unused) != ARES_SUCCESS) return false;
  for (size_t i = 0; i < ares_dns_record_rr_cnt(record, ARES_SECTION_ANSWER); ++i) {
    if (ares_dns_rr_get_type(ares_dns_record_rr_get_const(record, ARES_SECTION_ANSWER, i)) == type)
      return true;
  }
  return false;
}

ares_socket_t OpenSocket(int domain, int type, int protocol, void*) {
  const int opened = socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
  if (opened >= 0 && type == SOCK_STREAM) {
    const int on = 1;
    static_cast<void>(setsockopt(opened, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)));
  }
  return opened;
}

int CloseSocket(ares_socket_t socket, void*) { return close(socket); }

int SetOption(ares_socket_t, ares_socket_opt_t, const void*, ares_socklen_t, void*) {
  errno = ENOSYS;  // c-ares goes on without the option
  return -1;
}

int Connect(ares_socket_t socket, const sockaddr* address, ares_socklen_t size, unsigned int, void*) {
  return connect(socket, address, size);
}

ares_ssize_t Receive(ares_socket_t socket, void* into, size_t size, int flags, sockaddr* from,
                     ares_socklen_t* from_size, void*) {
  // c-ares asks for the sender's address of datagrams only.
  if (from == nullptr) return recv(socket, into, size, flags);
  const ares_socklen_t room = *from_size;
  for (int dropped = 0; dropped < kMostDroppedAtOnce; ++dropped) {
    *from_size = room;
    const ssize_t bytes = recvfrom(socket, into, size, flags, from, from_size);
    if (bytes < 0 || AdmitDatagram({static_cast<unsigned char*>(into), static_cast<size_t>(bytes)}))
      return bytes;
  }
  errno = EAGAIN;
  return -1;
}

ares_ssize_t Send(ares_socket_t socket, const void* from, size_t size, int flags, const sockaddr* to,
                  ares_socklen_t to_size, void*) {
  return sendto(socket, from, size, flags, to, to == nullptr ? 0 : to_size);
}

int NameOfSocket(ares_socket_t socket, sockaddr* address, ares_socklen_t* size, void*) {
  return getsockname(socket, address, size);
}

}  // namespace

bool AdmitDatagram(absl::Span<unsigned char> datagram) {
  if (datagram.size() < kHeaderBytes || !(datagram[2] & kIsResponse)) return false;
  ares_dns_record_t* parsed = nullptr;
  if (ares_dns_parse(datagram.data(), datagram.size(), 0, &parsed) != ARES_SUCCESS) return false;
  const std::unique_ptr<ares_dns_record_t, void (*)(ares_dns_record_t*)> record(parsed,
                                                                                &ares_dns_record_destroy);
  if (datagram[2] & kIsTruncated && HasRecordsOfTheQuestion(record.get()))
    datagram[2] = static_cast<unsigned char>(datagram[2] & ~kIsTruncated);
  return true;
}

absl::Status UseDnsSockets(ares_channel_t* channel) {
  ares_socket_functions_ex functions = {};
  functions.version = 1;
  functions.flags = ARES_SOCKFUNC_FLAG_NONBLOCKING;
  functions.asocket = &OpenSocket;
  functions.aclose = &CloseSocket;
  functions.asetsockopt = &SetOption;
  functions.aconnect = &Connect;
  functions.arecvfrom = &Receive;
  functions.asendto = &Send;
  functions.agetsockname = &NameOfSocket;
  const ares_status_t status = ares_set_socket_functions_ex(channel, &functions, nullptr);
  if (status == ARES_SUCCESS) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("no resolver: ", ares_strerror(status)));
}

}  // namespace thaw
