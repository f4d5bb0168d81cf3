// Two connected streams in memory, with the faults that a test asks for: bytes written at one end are read at
// the other.
//
//   ManualExecutor executor;
//   auto [client, server] = MemoryTransport::Pair(executor);
//   client->set_write_limit(1);        // one byte per write
//   server->Reset();                   // both ends see a reset
//   executor.RunAll();
//
// As with TCP, a write's bytes are accepted inside the call if there is room (its completion still comes from
// the executor's queue), and the first write to an end that has closed is accepted and answered by a reset.

#ifndef THAW_CC_NET_TESTING_MEMORY_TRANSPORT_H_
#define THAW_CC_NET_TESTING_MEMORY_TRANSPORT_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/types/span.h"
#include "cc/base/executor.h"
#include "cc/net/transport.h"

namespace thaw {

class MemoryTransport : public Transport {
 public:
  static constexpr size_t kNoLimit = std::numeric_limits<size_t>::max();

  // `executor` must outlive both.
  static std::pair<std::unique_ptr<MemoryTransport>, std::unique_ptr<MemoryTransport>> Pair(
      Executor& executor);
  ~MemoryTransport() override;

  void StartRead(absl::Span<char> into, Done done) override;
  void StartWrite(std::string_view from, Done done) override;
  IoResult TryRead(absl::Span<char> into) override;
  IoResult TryWrite(std::string_view from) override;
  void AcknowledgeNow() override;
  void Close() override;
  int64_t wire_bytes_sent() const override;
  int64_t wire_bytes_received() const override;

  // -- Controls of this end ------------------------------------------------------------------------
  // Limits the bytes that one write accepts and one read returns.
  void set_write_limit(size_t bytes);
  void set_read_limit(size_t bytes);
  // Fails a write as reset once `bytes` bytes in all were accepted; the write that reaches it accepts a part.
  void set_reset_after_sending(int64_t bytes);
  // Holds back what arrives here until it is released: a black hole.
  void set_hold_arrivals(bool hold);
  // Limits the bytes under way to the other end; further writes wait.
  void set_capacity(size_t bytes);
  // Ends this side in order; reading goes on.
  void SendEnd();
  // Makes both ends see a reset from now on; bytes under way are lost.
  void Reset();

  bool closed() const;
  int64_t writes() const;  // writes begun at this end, TryWrite included
  // How many of the bytes that were read here had been read when AcknowledgeNow() was last called.
  int64_t acknowledged() const;
  int64_t reads() const;  // reads that returned bytes at this end, TryRead included

 private:
  struct End;
  explicit MemoryTransport(std::shared_ptr<End> end) : end_(std::move(end)) {}
  std::shared_ptr<End> end_;
};

}  // namespace thaw

#endif  // THAW_CC_NET_TESTING_MEMORY_TRANSPORT_H_
