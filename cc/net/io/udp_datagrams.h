// Receives UDP datagrams on the event loop. IPv4 only.
//
//   THAW_ASSIGN_OR_RETURN(std::unique_ptr<Datagrams> datagrams, BindUdp(loop, {.port = 8125}));

#ifndef THAW_CC_NET_IO_UDP_DATAGRAMS_H_
#define THAW_CC_NET_IO_UDP_DATAGRAMS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "cc/base/byte_account.h"
#include "cc/net/datagrams.h"
#include "cc/net/io/event_loop.h"

namespace thaw {

struct UdpOptions {
  std::string address = "127.0.0.1";
  uint16_t port = 0;  // 0: the system chooses one; Datagrams::port() returns it
  // The size of the socket's buffer in the kernel (SO_RCVBUF). What arrives while it is full is lost, and
  // nothing is received while the environment is frozen. The kernel doubles the number for its own use and
  // limits it to net.core.rmem_max. 0: the system's default.
  int receive_buffer_bytes = 0;
  // Limits the datagrams in a batch. A larger number costs memory, a smaller one more system calls for each
  // datagram.
  int datagrams_per_batch = 32;
  // Limits the bytes of the batches that are received in one turn of the loop, so that a sender without pause
  // holds up nothing else on it. The turn ends with the batch that reaches the limit; a datagram counts with its
  // bytes and 64 more, which stand for its own cost.
  size_t bytes_per_turn = size_t{64} << 10;
  // Limits the bytes of a datagram; longer ones are counted and left out. The default is the most that UDP
  // over IPv4 carries.
  size_t max_datagram_bytes = 65507;
  // The account that is charged with datagrams_per_batch * max_datagram_bytes, and a little, for as long as
  // the socket exists; null: none is. The memory is allocated once, and a page of it is resident only after a
  // datagram has used it.
  ByteAccount* account = nullptr;
};

// Binds the port, so that datagrams wait in the socket's buffer until Receive is called. Returns
// InvalidArgument if the address is not an IPv4 address or a limit is not positive, ResourceExhausted if the
// account has no room, and Unavailable, with the system's reason, if the address can't be bound. `loop` and
// the account must outlive the result.
absl::StatusOr<std::unique_ptr<Datagrams>> BindUdp(EventLoop& loop, const UdpOptions& options);

}  // namespace thaw

#endif  // THAW_CC_NET_IO_UDP_DATAGRAMS_H_
