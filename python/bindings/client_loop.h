// The native thread of one thaw.Client: owns the event loop, the network and the client, and runs them all
// its life, so that the end of an idle connection is noticed when it comes.
//
//   THAW_ASSIGN_OR_RETURN(std::shared_ptr<ClientLoop> loop, ClientLoop::Start({.client = options}));
//   loop->Post([&loop = *loop] { loop.client().Resume(); });
//   loop->Close();
//
// The loop knows nothing of Python: callers that wait for it release the GIL first. The thread shares
// ownership; it ends after Close(), which any thread may call, the loop's own included. A forked child has no
// such thread: forked() says so, and then nothing else may be called.

#ifndef THAW_PYTHON_BINDINGS_CLIENT_LOOP_H_
#define THAW_PYTHON_BINDINGS_CLIENT_LOOP_H_

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "cc/base/cancellation.h"
#include "cc/base/executor.h"
#include "cc/clock/clock.h"
#include "cc/clock/fake_clock.h"
#include "cc/net/client.h"
#include "cc/net/client_counts.h"
#include "cc/net/client_options.h"
#include "cc/net/network.h"

namespace thaw {
class EventLoop;
}

namespace thaw::python {

// Counters and states of a client at one moment.
struct ClientSnapshot {
  ClientCounts counts;
  int open_connections = 0;
  int idle_connections = 0;
  int open_exchanges = 0;
};

class ClientLoop {
 public:
  struct StartOptions {
    ClientOptions client;
    // The seed of the jitter; nullopt: drawn from the system.
    std::optional<uint64_t> seed;
    // The first reading of a fake clock that runs the loop; nullopt: the machine's clock.
    std::optional<ClockReading> fake_clock;
  };
  // Returns the errors of MakeClient.
  static absl::StatusOr<std::shared_ptr<ClientLoop>> Start(StartOptions options);

  ClientLoop(const ClientLoop&) = delete;
  ClientLoop& operator=(const ClientLoop&) = delete;
  ~ClientLoop();

  // Queues `work` for the loop's thread; any thread. Returns false, and destroys `work` without running it,
  // if the loop is closed. A task that `work` starts must end soon after closing() is requested, and hold a
  // CallScope until it does.
  bool Post(absl::AnyInvocable<void()> work);

  // Ends all running calls with kCancelled, closes every connection and waits for the thread (unless called
  // on it). Idempotent; any thread, several at once.
  void Close();
  // Closes without waiting: `stopped` runs when the thread has done its work, on that thread, or here if
  // it has done so already. Not after a fork.
  void CloseThen(absl::AnyInvocable<void()> stopped);
  bool closed() const;

  const ClientOptions& options() const { return options_; }
  // The options that could not be applied and were left out.
  const std::vector<std::string>& warnings() const { return warnings_; }
  bool forked() const;
  // Returns the state when the client was closed.
  ClientSnapshot last_snapshot() const;

  // -- For the loop's thread only ------------------------------------------------------------------

  // Keeps the loop from stopping. Must live on the loop's thread.
  class CallScope {
   public:
    explicit CallScope(ClientLoop& loop) : loop_(&loop) { ++loop_->calls_; }
    CallScope(CallScope&& other) noexcept : loop_(std::exchange(other.loop_, nullptr)) {}
    CallScope& operator=(CallScope&&) = delete;
    ~CallScope() {
      if (loop_ != nullptr) loop_->CallEnded();
    }

   private:
    ClientLoop* loop_;
  };

  Executor& executor();
  Clock& clock();
  FakeClock* fake_clock() { return fake_clock_.get(); }  // null with the machine's clock
  Client& client() { return *client_; }
  Cancellation& closing() { return closing_; }
  ClientSnapshot Snapshot() const;

  // Adds an object that lives on this loop and ends before its client: a flusher.
  void AddTenant(uint64_t key, std::shared_ptr<void> tenant) { tenants_.emplace(key, std::move(tenant)); }
  void RemoveTenant(uint64_t key) { tenants_.erase(key); }
  std::shared_ptr<void> tenant(uint64_t key) const {
    const auto found = tenants_.find(key);
    return found == tenants_.end() ? nullptr : found->second;
  }

 private:
  ClientLoop();
  void Run();
  void BeginClose() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ShutDown();
  void CallEnded();
  void StopWhenIdle();

  ClientOptions options_;
  std::vector<std::string> warnings_;
  pid_t pid_;
  std::thread::id thread_id_;

  // Used by the loop's thread only, once it runs; destroyed on it, last first.
  std::unique_ptr<EventLoop> event_loop_;
  std::unique_ptr<FakeClock> fake_clock_;
  std::unique_ptr<Network> network_;
  std::unique_ptr<Client> client_;
  std::map<uint64_t, std::shared_ptr<void>> tenants_;
  Cancellation closing_;
  int calls_ = 0;
  bool shutting_down_ = false;
  Alarm idle_check_;

  mutable absl::Mutex mutex_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<absl::AnyInvocable<void()>> on_stopped_ ABSL_GUARDED_BY(mutex_);
  ClientSnapshot last_ ABSL_GUARDED_BY(mutex_);
};

// Closes every loop of this process; none can be started afterwards. For the end of the interpreter.
void CloseAllClientLoops();
// Call in the child of a fork, whose loops have no threads.
void ForgetClientLoops();

}  // namespace thaw::python

#endif  // THAW_PYTHON_BINDINGS_CLIENT_LOOP_H_
