// A datagram receiver whose datagrams a test sends in memory.
//
//   MemoryDatagrams::Sender sender(executor);
//   server.Serve(sender.Bind());
//   sender.Send("page.views:1|c");    // handed over when the executor's queue runs
//   sender.Drop(3);                   // as if three more had found the socket's buffer full
//   sender.Fail(absl::ResourceExhaustedError("no buffer space available"));

#ifndef THAW_CC_NET_TESTING_MEMORY_DATAGRAMS_H_
#define THAW_CC_NET_TESTING_MEMORY_DATAGRAMS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "cc/base/cancellation.h"
#include "cc/base/completion.h"
#include "cc/base/executor.h"
#include "cc/base/task.h"
#include "cc/net/datagrams.h"

namespace thaw {

class MemoryDatagrams : public Datagrams {
 public:
  struct Limits {
    int datagrams_per_turn = 32;
    size_t max_datagram_bytes = 65507;  // longer ones are counted as truncated
    size_t waiting = 1000;              // datagrams beyond them are dropped, as with a full socket's buffer
  };

  // The test's side. It outlives the receiver and stays usable when the receiver is gone.
  class Sender {
   public:
    explicit Sender(Executor& executor) : Sender(executor, Limits()) {}
    Sender(Executor& executor, Limits limits) : executor_(executor), limits_(limits) {}
    Sender(const Sender&) = delete;
    Sender& operator=(const Sender&) = delete;

    std::unique_ptr<Datagrams> Bind();
    // Sends a datagram. It is lost without a count if no receiver is bound, as UDP's are.
    void Send(std::string datagram);
    // Counts `datagrams` as dropped. The receiver learns it with the next datagram.
    void Drop(int64_t datagrams) { dropped_ += datagrams; }
    // Makes the next Receive, or the one that is pending, return `status` after the datagrams sent before.
    void Fail(absl::Status status);

    bool bound() const { return bound_; }  // whether the receiver exists
    // The number of datagrams that were not received yet.
    int64_t waiting() const { return static_cast<int64_t>(waiting_.size()); }

   private:
    friend MemoryDatagrams;
    struct Sent {
      std::string bytes;
      int64_t dropped_before;
    };
    void Wake();

    Executor& executor_;
    const Limits limits_;
    std::deque<Sent> waiting_;
    int64_t dropped_ = 0;
    absl::Status failure_;
    Completion<bool>* waiter_ = nullptr;
    bool bound_ = false;
  };

  explicit MemoryDatagrams(Sender& sender) : sender_(sender) { sender_.bound_ = true; }
  ~MemoryDatagrams() override;

  Task<absl::Status> Receive(Handler handler, Cancellation& cancellation) override;
  bool ReceiveWaiting(absl::FunctionRef<void(const DatagramBatch&)> take) override;
  uint16_t port() const override { return 0; }

 private:
  void HandOver(absl::FunctionRef<void(const DatagramBatch&)> take);

  Sender& sender_;
};

}  // namespace thaw

#endif  // THAW_CC_NET_TESTING_MEMORY_DATAGRAMS_H_
