#include "python/bindings/client.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "cc/base/printable.h"
#include "cc/net/client.h"
#include "cc/net/client_options.h"
#include "cc/net/tls/trusted_roots.h"
#include "python/bindings/async_answer.h"
#include "python/bindings/bindings.h"
#include "python/bindings/clock.h"
#include "python/bindings/defaults.h"
#include "python/bindings/fork_gate.h"
#include "python/bindings/gil.h"
#include "python/bindings/request.h"
#include "python/bindings/send_many.h"
#include "python/bindings/stats.h"
#include "python/bindings/values.h"

namespace thaw::python {
namespace {

using GivenClock = std::variant<SystemClockFace, std::shared_ptr<FakeClockFace>>;

// Longer than a loop's thread may take to end (client_loop.cc), so that later steps find it at rest.
constexpr absl::Duration kReleasedThreadsLimit = absl::Seconds(2);

// The logger "thaw", looked up at import time: an import within a call takes a lock that a forked child may
// inherit.
py::handle logger;

void MoveClock(const LoopHandle& loop, FakeClockFace::Move move, FakeClock::Step step) {
  if (loop == nullptr || loop->forked()) return;
  const auto moved = std::make_shared<Signal>();
  if (!loop->Post([on = loop.get(), move, step, moved] {
        (on->fake_clock()->*move)(step);
        moved->Set();
      })) {
    return;
  }
  const GilReleased released;
  moved->Wait(absl::InfiniteDuration());
}

// Raises for a certificate file that adds nothing; the extension only warns of it, so that it starts.
void CheckCertificateFile(const std::string& path) {
  const auto fail = [](std::string_view problem) {
    Raise(absl::InvalidArgumentError(absl::StrCat("ClientOptions.tls_cert_file: ", problem)));
  };
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) fail(absl::StrCat(path, " is a directory"));
  std::vector<std::string> problems;
  TrustedRoots roots({.public_roots = false});
  roots.AddPemFile(path, &problems);
  if (!roots.empty() || problems.empty()) return;
  fail(absl::StripSuffix(problems.front(), "; going on without it"));
}

void LogWarnings(const std::vector<std::string>& warnings) {
  for (const std::string& warning : warnings) {
    CallPython(
        [&] { return PyObject_CallMethod(logger.ptr(), "warning", "ss", "%s", Printable(warning).c_str()); });
  }
}

LoopHandle StartLoop(ClientLoop::StartOptions start) {
  const std::string certificate_file = start.client.tls_cert_file;
  absl::StatusOr<std::shared_ptr<ClientLoop>> loop = [&] {
    const GilReleased released;
    return ClientLoop::Start(std::move(start));
  }();
  LoopHandle handle = MakeLoopHandle(Unwrap(std::move(loop)));
  if (handle->warnings().empty()) return handle;
  if (!certificate_file.empty()) CheckCertificateFile(certificate_file);
  LogWarnings(handle->warnings());
  return handle;
}

// Claims a clock for a client, from before the client is started until it is closed.
class ClockClaim {
 public:
  explicit ClockClaim(FakeClockFace& clock) : clock_(clock) {
    const std::shared_ptr<ClientLoop> client = clock_.client.lock();
    if (clock_.claimed || (client != nullptr && !client->closed() && !client->forked())) {
      Raise(absl::InvalidArgumentError("another client runs by this FakeClock; close it first"));
    }
    clock_.claimed = true;
  }
  ~ClockClaim() { clock_.claimed = false; }
  ClockClaim(const ClockClaim&) = delete;
  ClockClaim& operator=(const ClockClaim&) = delete;

  void Keep(const LoopHandle& loop) {
    clock_.client = loop;
    clock_.move_client = [client = std::weak_ptr<ClientLoop>(loop)](FakeClockFace::Move move,
                                                                    FakeClock::Step step) {
      MoveClock(client.lock(), move, step);
    };
  }

 private:
  FakeClockFace& clock_;
};

ClientFace MakeClientFace(const std::optional<ClientOptions>& options, const std::optional<GivenClock>& clock,
                          std::optional<uint64_t> seed) {
  ClientLoop::StartOptions start{.client = options.has_value() ? *options : DefaultClientOptions(),
                                 .seed = seed};
  if (!clock.has_value() || std::holds_alternative<SystemClockFace>(*clock)) {
    return ClientFace{StartLoop(std::move(start))};
  }
  FakeClockFace& fake = *std::get<std::shared_ptr<FakeClockFace>>(*clock);
  ClockClaim claim(fake);
  start.fake_clock = fake.clock.Now();
  ClientFace face{StartLoop(std::move(start))};
  claim.Keep(face.loop);
  return face;
}

using Results = std::vector<SendResult>;

SendOptions ToSendOptions(std::optional<double> budget, GivenBool retry_ambiguous) {
  return {.budget = FromLimit(budget, "budget"), .retry_ambiguous = retry_ambiguous};
}

absl::AnyInvocable<Task<SendResult>(ClientLoop&, Cancellation&)> Sending(HttpRequest request,
                                                                         SendOptions options) {
  return [request = std::move(request), options](ClientLoop& loop, Cancellation& cancellation) mutable {
    return loop.client().Send(std::move(request), options, cancellation);
  };
}

SendResult Send(const ClientFace& self, const GivenText& url, const py::buffer& body, const GivenText& method,
                const GivenHeaders& headers, std::optional<double> budget, GivenBool retry_ambiguous) {
  return WaitFor<SendResult>(
      self.loop, Sending(ToHttpRequest(url, body, method, headers), ToSendOptions(budget, retry_ambiguous)));
}

Future<SendResult> SendAsync(const ClientFace& self, const GivenText& url, const py::buffer& body,
                             const GivenText& method, const GivenHeaders& headers,
                             std::optional<double> budget, GivenBool retry_ambiguous) {
  return StartAsync<SendResult>(
      self.loop, Sending(ToHttpRequest(url, body, method, headers), ToSendOptions(budget, retry_ambiguous)),
      [](SendResult result) -> py::object { return py::cast(std::move(result)); });
}

Results SendMany(const ClientFace& self, const py::typing::Iterable<HttpRequest>& given,
                 std::optional<double> budget, GivenBool concurrent, GivenBool retry_ambiguous) {
  std::vector<HttpRequest> requests = ToHttpRequests(given);
  return WaitFor<Results>(self.loop, [requests = std::move(requests),
                                      options = ToSendOptions(budget, retry_ambiguous),
                                      concurrent](ClientLoop& loop, Cancellation& cancellation) mutable {
    return concurrent ? SendAtOnce(loop.client(), loop.executor(), std::move(requests), options, cancellation)
                      : SendInTurn(loop.client(), loop.clock(), std::move(requests), options, cancellation);
  });
}

// Returns the present state, or the last one of a closed client.
ClientSnapshot Snapshot(const ClientFace& self) {
  CheckUsable(*self.loop);
  try {
    return RunOn(self.loop, [](ClientLoop& loop) { return loop.Snapshot(); });
  } catch (const py::error_already_set&) {
    return self.loop->last_snapshot();
  }
}

void Close(const ClientFace& self) {
  const LoopHandle loop = self.loop;
  if (loop->forked()) return;
  const GilReleased released;
  loop->Close();
}

// Closes for asyncio, whose event loop runs on meanwhile.
Future<py::none> CloseAsync(const ClientFace& self) {
  if (self.loop->forked()) return Future<py::none>(ResolvedFuture(py::none()));
  const AsyncAnswer answer = MakeAsyncAnswer([] { return py::none(); }, [] {});
  self.loop->CloseThen(answer.Resolver());
  return Future<py::none>(answer.future());
}

// Runs when no Python code is left that could use a client: after all atexit handlers, which may still send.
void EndOfInterpreter() {
  CloseAllClientLoops();
  AwaitReleasedThreads(kReleasedThreadsLimit);
}

void BindSending(py::class_<ClientFace>& type) {
  type.def(py::init(&MakeClientFace),
           "`options`: ClientOptions() if not given. `clock`: a FakeClock that no other open client runs "
           "by; the machine's clocks if not given. `seed`: the seed of the jitter between tries. Raises "
           "InvalidArgument, also if no certificate of the options' file can be used.",
           py::arg("options") = py::none(), py::kw_only(), py::arg("clock") = py::none(),
           py::arg("seed") = py::none());
  type.def(
      "send", &Send,
      "Sends one request, resending by class within `budget` seconds (None: no limit but the options'), "
      "and waits. Returns the outcome; failures don't raise (see SendResult.raise_for_failure). "
      "`retry_ambiguous`: whether requests that a fresh connection may have delivered are resent. Raises "
      "InvalidArgument, Closed, Forked.",
      py::arg("url"), py::arg("body") = py::bytes(), py::kw_only(), py::arg("method") = GivenText{"POST"},
      py::arg("headers") = GivenHeaders(), py::arg("budget") = py::none(),
      py::arg("retry_ambiguous") = GivenBool{true});
  type.def("send_async", &SendAsync,
           "Does the same for asyncio: returns a future of the running event loop. Cancelling it ends the "
           "exchange.",
           py::arg("url"), py::arg("body") = py::bytes(), py::kw_only(),
           py::arg("method") = GivenText{"POST"}, py::arg("headers") = GivenHeaders(),
           py::arg("budget") = py::none(), py::arg("retry_ambiguous") = GivenBool{true});
  type.def(
      "send_many", &SendMany,
      "Sends all `requests` in one call, each when the one before has ended, or all at once (`concurrent`); "
      "results are in the order of the requests. `budget`: seconds for all of them together.",
      py::arg("requests"), py::kw_only(), py::arg("budget") = py::none(), py::arg("concurrent") = false,
      py::arg("retry_ambiguous") = GivenBool{true});
}

void BindState(py::class_<ClientFace>& type) {
  type.def_property_readonly(
      "connections",
      [](const ClientFace& self) {
        const ClientSnapshot now = Snapshot(self);
        return ConnectionStats{now.counts.connection, now.open_connections, now.idle_connections};
      },
      "A snapshot of the counts of its connections; after close(), the last one.");
  type.def_property_readonly(
      "exchanges",
      [](const ClientFace& self) {
        const ClientSnapshot now = Snapshot(self);
        return ExchangeStats{now.counts.exchange, now.open_exchanges};
      },
      "A snapshot of the counts of its exchanges; after close(), the last one.");
  type.def_property_readonly(
      "options", [](const ClientFace& self) { return self.loop->options(); }, "A copy of its options.");
}

// Binds the calls around a freeze, and after a restore.
void BindFreezes(py::class_<ClientFace>& type) {
  type.def(
      "resume",
      [](const ClientFace& self) { RunOn(self.loop, [](ClientLoop& loop) { loop.client().Resume(); }); },
      "Tells the client that the environment was frozen and goes on, as a return from /next does. Reaches "
      "every connection and open exchange before anything else is sent.");
  type.def(
      "quiesce",
      [](const ClientFace& self) {
        return RunOn(self.loop, [](ClientLoop& loop) { return loop.client().Quiesce(); });
      },
      "Tells the client that the environment is about to be given up to a freeze. Returns the number of "
      "exchanges that are still open, and counts them.");
  type.def(
      "forget",
      [](const ClientFace& self) { RunOn(self.loop, [](ClientLoop& loop) { loop.client().Forget(); }); },
      "Forgets resolved names and TLS sessions, which processes that go on from the same snapshot "
      "(SnapStart) must not share. Open connections stay; `resume` treats those.");
}

void BindClosing(py::class_<ClientFace>& type) {
  type.def("close", &Close,
           "Ends what runs, closes every connection and waits for the thread. Idempotent; later calls raise "
           "Closed.");
  type.def(
      "__enter__", [](ClientFace& self) -> ClientFace& { return self; }, py::return_value_policy::reference);
  type.def(
      "__exit__",
      [](const ClientFace& self, const py::object&, const py::object&, const py::object&) { Close(self); },
      py::arg("exc_type") = py::none(), py::arg("exc_value") = py::none(), py::arg("traceback") = py::none());
  type.def(
      "__aenter__", [](const py::object& self) { return Future<ClientFace>(ResolvedFuture(self)); },
      "`async with`: the client itself.");
  type.def(
      "__aexit__",
      [](const ClientFace& self, const py::object&, const py::object&, const py::object&) {
        return CloseAsync(self);
      },
      "Closes the client while the event loop goes on.", py::arg("exc_type") = py::none(),
      py::arg("exc_value") = py::none(), py::arg("traceback") = py::none());
}

}  // namespace

void BindClient(py::module_& module) {
  py::class_<ClientFace> type(module, "Client", R"(Sends requests over pooled, shared or fresh connections.

Each client owns one native thread that runs its loop for life. Any thread may call it; calls release the
GIL while they wait, and Ctrl-C ends them. Closed at the end of its `with` or `async with` block, when nothing
refers to it any more, or at the end of the interpreter: after every atexit handler, so that each of them may
still send. After a fork the child can't use it (Forked).

>>> import thaw
>>> with thaw.Client(thaw.ClientOptions(max_attempts=1)) as client:
...     result = client.send("http://127.0.0.1:1/v1", b"hello", budget=2.0)
...     result.raise_for_failure()
Traceback (most recent call last):
    ...
thaw.Unreachable: ...
)");
  BindSending(type);
  BindState(type);
  BindFreezes(type);
  BindClosing(type);
  type.def("__repr__", [](const ClientFace& self) {
    return "<thaw.Client " + py::repr(py::cast(self.loop->options())).cast<std::string>() + ">";
  });

  logger = py::module_::import("logging").attr("getLogger")("thaw").release();
  ForkGate::Install([] {
    ForgetClientLoops();
    ForgetReleasedThreads();
  });
  if (Py_AtExit(&EndOfInterpreter) != 0) throw std::runtime_error("no room for a function at the end");
}

}  // namespace thaw::python
