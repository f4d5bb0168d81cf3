#include "python/bindings/async_answer.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <utility>
#include <vector>

#include "absl/base/no_destructor.h"
#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "python/bindings/gil.h"
#include "python/bindings/status.h"

namespace thaw::python {
namespace py = pybind11;
namespace {

// Holds the numbers of answers that can be made, and a descriptor that is readable while there are any.
class Mailbox {
 public:
  explicit Mailbox(int descriptor) : descriptor_(descriptor) {}
  ~Mailbox() { close(descriptor_); }
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  void Put(uint64_t number) {
    const absl::MutexLock lock(mutex_);
    numbers_.push_back(number);
    const uint64_t one = 1;
    // write() fails only while 2^64 - 1 wait to be read.
    [[maybe_unused]] const ssize_t written = write(descriptor_, &one, sizeof one);
  }
  std::vector<uint64_t> Take() {
    const absl::MutexLock lock(mutex_);
    uint64_t count = 0;
    [[maybe_unused]] const ssize_t taken = read(descriptor_, &count, sizeof count);
    return std::exchange(numbers_, {});
  }
  int descriptor() const { return descriptor_; }

 private:
  const int descriptor_;
  absl::Mutex mutex_;
  std::vector<uint64_t> numbers_ ABSL_GUARDED_BY(mutex_);
};

py::object Call(const py::handle& object, const char* method) {
  return CallPython([&] { return PyObject_CallMethod(object.ptr(), method, nullptr); });
}
py::object Call(const py::handle& object, const char* method, const py::handle& argument) {
  return CallPython([&] { return PyObject_CallMethod(object.ptr(), method, "O", argument.ptr()); });
}

bool IsDone(const py::handle& future) { return PyObject_IsTrue(Call(future, "done").ptr()) == 1; }

// A running event loop has imported asyncio; nothing is imported within a call, since a fork by another
// thread would leave the import's lock taken in the child.
py::object RunningLoop() {
  PyObject* const module = PyImport_GetModule(py::str("asyncio.events").ptr());
  if (module == nullptr) {
    PyErr_SetString(PyExc_RuntimeError, "no running event loop");
    throw py::error_already_set();
  }
  return Call(py::reinterpret_steal<py::object>(module), "get_running_loop");
}

}  // namespace

class AwaitedAnswers : public std::enable_shared_from_this<AwaitedAnswers> {
 public:
  // Returns the answers of the event loop that runs in this thread.
  static std::shared_ptr<AwaitedAnswers> OfRunningLoop() {
    const py::object loop = RunningLoop();
    Known& all = known();
    std::erase_if(all, [&loop](const auto& each) {
      return !each.second->loop_.is(loop) &&
             PyObject_IsTrue(Call(each.second->loop_, "is_closed").ptr()) == 1;
    });
    std::shared_ptr<AwaitedAnswers>& found = all[loop.ptr()];
    if (found == nullptr || found->pid_ != getpid()) {
      found = std::make_shared<AwaitedAnswers>(loop);
      found->Listen();
    }
    return found;
  }

  explicit AwaitedAnswers(py::object loop) : loop_(std::move(loop)), mailbox_(MakeMailbox()) {}

  uint64_t Add(py::object future, absl::AnyInvocable<py::object()> make) {
    waiting_.emplace(++last_number_, Waiting{std::move(future), std::move(make)});
    return last_number_;
  }
  void Remove(uint64_t number) {
    waiting_.erase(number);
    if (waiting_.empty()) StopListening();
  }

  const py::object& loop() const { return loop_; }
  absl::AnyInvocable<void()> Resolver(uint64_t number) const {
    return [mailbox = mailbox_, number] { mailbox->Put(number); };
  }

 private:
  struct Waiting {
    py::object future;
    absl::AnyInvocable<py::object()> make;
  };
  // Keyed by the address of the event loop, which each value keeps alive.
  using Known = std::map<PyObject*, std::shared_ptr<AwaitedAnswers>>;
  static Known& known() {
    static absl::NoDestructor<Known> instance;
    return *instance;
  }

  static std::shared_ptr<Mailbox> MakeMailbox() {
    const int descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (descriptor < 0) {
      Raise(absl::UnavailableError(absl::StrCat("the event loop can't be woken: ", std::strerror(errno))));
    }
    return std::make_shared<Mailbox>(descriptor);
  }

  void Listen() {
    const py::cpp_function read([self = shared_from_this()] { self->ReadMailbox(); });
    CallPython([&] {
      return PyObject_CallMethod(loop_.ptr(), "add_reader", "iO", mailbox_->descriptor(), read.ptr());
    });
  }
  void StopListening() {
    const std::shared_ptr<AwaitedAnswers> self = shared_from_this();
    if (const auto found = known().find(loop_.ptr()); found != known().end() && found->second == self) {
      known().erase(found);
    }
    CallPython(
        [&] { return PyObject_CallMethod(loop_.ptr(), "remove_reader", "i", mailbox_->descriptor()); });
  }

  void ReadMailbox() {
    const std::shared_ptr<AwaitedAnswers> self = shared_from_this();
    for (const uint64_t number : mailbox_->Take()) {
      auto found = waiting_.extract(number);
      if (!found.empty()) Resolve(found.mapped());
    }
    if (waiting_.empty()) StopListening();
  }

  static void Resolve(Waiting& answer) {
    if (IsDone(answer.future)) return;  // cancelled meanwhile
    py::object value;
    const char* how = "set_result";
    try {
      value = answer.make();
    } catch (const py::error_already_set& error) {
      how = "set_exception";
      value = error.value();
    }
    Call(answer.future, how, value);
  }

  const py::object loop_;
  const std::shared_ptr<Mailbox> mailbox_;
  const pid_t pid_ = getpid();
  std::map<uint64_t, Waiting> waiting_;
  uint64_t last_number_ = 0;
};

absl::AnyInvocable<void()> AsyncAnswer::Resolver() const { return awaited_->Resolver(number_); }
void AsyncAnswer::Withdraw() { awaited_->Remove(number_); }

AsyncAnswer MakeAsyncAnswer(absl::AnyInvocable<py::object()> make, absl::AnyInvocable<void()> cancel) {
  const std::shared_ptr<AwaitedAnswers> awaited = AwaitedAnswers::OfRunningLoop();
  py::object future = Call(awaited->loop(), "create_future");
  const auto shared = std::make_shared<absl::AnyInvocable<void()>>(std::move(cancel));
  const py::cpp_function done([shared](const py::object& ended) {
    if (PyObject_IsTrue(Call(ended, "cancelled").ptr()) == 1) (*shared)();
    *shared = nullptr;
  });
  Call(future, "add_done_callback", done);
  const uint64_t number = awaited->Add(future, std::move(make));
  return AsyncAnswer(awaited, number, std::move(future));
}

py::object ResolvedFuture(const py::object& result) {
  py::object future = Call(RunningLoop(), "create_future");
  Call(future, "set_result", result);
  return future;
}

}  // namespace thaw::python
