// A listener whose connections a test makes in memory.
//
//   MemoryListener::Door door(executor);
//   server.Serve(door.Open());
//   std::unique_ptr<MemoryTransport> client = door.Connect();   // accepted when the executor's queue runs
//   door.Fail(absl::ResourceExhaustedError("too many open files"));

#ifndef THAW_CC_NET_TESTING_MEMORY_LISTENER_H_
#define THAW_CC_NET_TESTING_MEMORY_LISTENER_H_

#include <cstdint>
#include <deque>
#include <memory>

#include "absl/status/statusor.h"
#include "cc/base/cancellation.h"
#include "cc/base/completion.h"
#include "cc/base/executor.h"
#include "cc/base/task.h"
#include "cc/net/listener.h"
#include "cc/net/testing/memory_transport.h"

namespace thaw {

class MemoryListener : public Listener {
 public:
  // The test's side. It outlives the listener and stays usable when the listener is gone.
  class Door {
   public:
    explicit Door(Executor& executor) : executor_(executor) {}
    Door(const Door&) = delete;
    Door& operator=(const Door&) = delete;

    std::unique_ptr<Listener> Open();
    // Returns the client's end of a new connection. `theirs`, if given, is set to the server's end, which the
    // server owns.
    std::unique_ptr<MemoryTransport> Connect(MemoryTransport** theirs = nullptr);
    // Makes the next Accept, or the one that is waiting, fail.
    void Fail(absl::Status status) { Offer(std::move(status)); }

    bool open() const { return open_; }  // whether the listener exists
    int64_t accepts() const { return accepts_; }
    // The number of connections that were not accepted yet.
    int64_t backlog() const { return static_cast<int64_t>(offered_.size()); }

   private:
    friend MemoryListener;
    using Offered = absl::StatusOr<std::unique_ptr<Transport>>;
    void Offer(Offered offered);

    Executor& executor_;
    std::deque<Offered> offered_;
    Completion<bool>* waiter_ = nullptr;
    bool open_ = false;
    int64_t accepts_ = 0;
  };

  explicit MemoryListener(Door& door) : door_(door) { door_.open_ = true; }
  ~MemoryListener() override { door_.open_ = false; }

  Task<absl::StatusOr<std::unique_ptr<Transport>>> Accept(Cancellation& cancellation) override;
  uint16_t port() const override { return 0; }

 private:
  Door& door_;
};

}  // namespace thaw

#endif  // THAW_CC_NET_TESTING_MEMORY_LISTENER_H_
