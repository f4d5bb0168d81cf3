#include "python/bindings/client_loop.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <vector>

#include "absl/base/no_destructor.h"
#include "absl/log/log.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cc/base/seeded_random.h"
#include "cc/base/status_macros.h"
#include "cc/net/client_factory.h"
#include "cc/net/io/event_loop.h"
#include "cc/net/io/system_random.h"
#include "cc/net/io/tcp_network.h"
#include "python/bindings/fork_gate.h"

namespace thaw::python {
namespace {

// A thread that does not end within this is abandoned: the end of the interpreter must not hang.
constexpr absl::Duration kStopLimit = absl::Seconds(10);
// Interval at which a closing loop checks whether the last exchange has ended.
constexpr absl::Duration kIdleCheckEvery = absl::Milliseconds(1);

// Entered only with a ForkGate::Pass, so that no child inherits its lock held.
struct Registry {
  absl::Mutex mutex;
  std::vector<std::weak_ptr<ClientLoop>> loops ABSL_GUARDED_BY(mutex);
  // The interpreter has ended.
  bool ended ABSL_GUARDED_BY(mutex) = false;
};
Registry& registry() {
  static absl::NoDestructor<Registry> instance;
  return *instance;
}

// Blocks signals, which are for the interpreter's main thread: threads started meanwhile get none.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

// Makes the process's first wait here, where no fork can happen: in it Abseil measures the processor's clock
// for milliseconds, and a child that is forked in the middle waits for ever.
void MakeFirstWait() {
  absl::Mutex mutex;
  const bool never = false;
  const absl::MutexLock lock(mutex);
  mutex.AwaitWithTimeout(absl::Condition(&never), absl::Nanoseconds(1));
}

}  // namespace

ClientLoop::ClientLoop() : pid_(getpid()) {}
ClientLoop::~ClientLoop() = default;

absl::StatusOr<std::shared_ptr<ClientLoop>> ClientLoop::Start(StartOptions options) {
  // Per-process initializations (tables of the TLS library, of the resolver) happen here, too.
  const ForkGate::Pass pass;
  MakeFirstWait();
  THAW_RETURN_IF_ERROR(EventLoop::Check());
  std::shared_ptr<ClientLoop> loop(new ClientLoop());
  loop->options_ = options.client;
  loop->event_loop_ = std::make_unique<EventLoop>();
  if (options.fake_clock.has_value()) {
    loop->fake_clock_ = std::make_unique<FakeClock>(*loop->event_loop_);
    const ClockReading first = loop->fake_clock_->Now();
    loop->fake_clock_->Advance({options.fake_clock->wall - first.wall,
                                options.fake_clock->monotonic - first.monotonic,
                                options.fake_clock->boot - first.boot});
  }
  loop->network_ = MakeTcpNetwork(*loop->event_loop_);
  if (!options.seed.has_value()) options.seed = DrawSeed();
  THAW_ASSIGN_OR_RETURN(
      loop->client_,
      MakeClient(
          *loop->event_loop_, loop->clock(), *loop->network_, std::move(options.client),
          [random = SeededRandom(*options.seed)]() mutable { return random.Fraction(); }, &loop->warnings_));
  {
    Registry& all = registry();
    const absl::MutexLock lock(all.mutex);
    if (all.ended) return absl::CancelledError("the interpreter has ended");
    std::erase_if(all.loops, [](const auto& known) { return known.expired(); });
    all.loops.push_back(loop);
  }
  const SignalsBlocked blocked;
  std::thread thread([loop]() mutable {
    loop->Run();
    loop.reset();
  });
  pthread_setname_np(thread.native_handle(), "thaw-client");
  loop->thread_id_ = thread.get_id();
  thread.detach();
  return loop;
}

void ClientLoop::Run() {
  event_loop_->Run();
  idle_check_.Cancel();
  tenants_.clear();
  client_.reset();
  network_.reset();
  fake_clock_.reset();
  event_loop_.reset();
  std::vector<absl::AnyInvocable<void()>> told;
  {
    const absl::MutexLock lock(mutex_);
    stopped_ = true;
    told.swap(on_stopped_);
  }
  for (absl::AnyInvocable<void()>& each : told) each();
}

bool ClientLoop::Post(absl::AnyInvocable<void()> work) {
  const absl::MutexLock lock(mutex_);
  if (closed_) return false;
  event_loop_->Post(std::move(work));
  return true;
}

void ClientLoop::BeginClose() {
  if (std::exchange(closed_, true)) return;
  event_loop_->Post([this] { ShutDown(); });
}

void ClientLoop::CloseThen(absl::AnyInvocable<void()> stopped) {
  {
    const absl::MutexLock lock(mutex_);
    BeginClose();
    if (!stopped_) {
      on_stopped_.push_back(std::move(stopped));
      return;
    }
  }
  stopped();
}

void ClientLoop::Close() {
  if (forked()) return;
  const absl::MutexLock lock(mutex_);
  BeginClose();
  if (std::this_thread::get_id() == thread_id_) return;
  if (!mutex_.AwaitWithTimeout(absl::Condition(&stopped_), kStopLimit)) {
    LOG(ERROR) << "a client's thread did not end within " << kStopLimit << "; left behind";
  }
}

void ClientLoop::ShutDown() {
  shutting_down_ = true;
  closing_.Request(absl::CancelledError("the client was closed"));
  client_->Close();
  StopWhenIdle();
}

void ClientLoop::CallEnded() {
  --calls_;
  if (shutting_down_) StopWhenIdle();
}

void ClientLoop::StopWhenIdle() {
  if (calls_ > 0) return;
  if (!client_->settled()) {
    idle_check_ = Alarm(*event_loop_, kIdleCheckEvery, [this] { StopWhenIdle(); });
    return;
  }
  {
    const absl::MutexLock lock(mutex_);
    last_ = Snapshot();
  }
  event_loop_->Stop();
}

Executor& ClientLoop::executor() { return *event_loop_; }
Clock& ClientLoop::clock() {
  if (fake_clock_ != nullptr) return *fake_clock_;
  return *event_loop_;
}

ClientSnapshot ClientLoop::Snapshot() const {
  return {.counts = client_->counts(),
          .open_connections = client_->open_connections(),
          .idle_connections = client_->idle_connections(),
          .open_exchanges = client_->open_exchanges()};
}

bool ClientLoop::closed() const {
  const absl::MutexLock lock(mutex_);
  return closed_;
}

ClientSnapshot ClientLoop::last_snapshot() const {
  const absl::MutexLock lock(mutex_);
  return last_;
}

bool ClientLoop::forked() const { return getpid() != pid_; }

void CloseAllClientLoops() {
  std::vector<std::weak_ptr<ClientLoop>> loops;
  {
    const ForkGate::Pass pass;
    Registry& all = registry();
    const absl::MutexLock lock(all.mutex);
    all.ended = true;
    loops.swap(all.loops);
  }
  for (const std::weak_ptr<ClientLoop>& known : loops) {
    if (const std::shared_ptr<ClientLoop> loop = known.lock()) loop->Close();
  }
}

void ForgetClientLoops() { new (&registry()) Registry(); }

}  // namespace thaw::python
