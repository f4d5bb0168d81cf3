// Gives c-ares sockets that drop the datagrams that are no answer.
//
//   ares_init_options(&channel, &options, mask);
//   UseDnsSockets(channel);
//
// By itself c-ares gives up all questions of a socket when one datagram can't be parsed or is empty, and
// takes an echo of its question for an answer without records. Anybody can send such a datagram, and a
// nameserver's malformed answer about one family must not cost the other family's addresses: a datagram that
// does not match a question is ignored (RFC 5452 section 9.1).

#ifndef THAW_CC_NET_IO_DNS_SOCKETS_H_
#define THAW_CC_NET_IO_DNS_SOCKETS_H_

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "ares.h"

namespace thaw {

// Returns whether `datagram` is a DNS response that can be read. If it is marked as truncated but holds
// records of the type that was asked for, the mark is removed: some addresses are enough to connect, and TCP
// to the nameserver may be blocked.
bool AdmitDatagram(absl::Span<unsigned char> datagram);

// Must be called before the channel's first question.
absl::Status UseDnsSockets(ares_channel_t* channel);

}  // namespace thaw

#endif  // THAW_CC_NET_IO_DNS_SOCKETS_H_
