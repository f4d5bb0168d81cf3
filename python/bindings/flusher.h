// The common part of thaw.TraceFlusher and the flushers of other data: a PayloadFlusher that lives on its client's
// loop, and the object that Python holds.

#ifndef THAW_PYTHON_BINDINGS_FLUSHER_H_
#define THAW_PYTHON_BINDINGS_FLUSHER_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cc/flush/api_key_source.h"
#include "cc/flush/endpoint.h"
#include "cc/flush/flush_report.h"
#include "cc/flush/pipeline_flusher.h"
#include "cc/net/destination.h"
#include "python/bindings/call.h"
#include "python/bindings/client.h"
#include "python/bindings/client_loop.h"
#include "python/bindings/counts.h"
#include "python/bindings/flusher_options.h"
#include "python/bindings/values.h"

namespace thaw::python {

inline uint64_t NextTenantKey() {
  static std::atomic<uint64_t> next{1};
  return next++;
}

// (base URL, API key) of each additional endpoint.
using GivenEndpoints = std::vector<std::pair<GivenText, GivenText>>;

inline std::vector<Endpoint> MakeEndpoints(std::string_view path, const std::string& endpoint,
                                           const std::string& api_key, const GivenEndpoints& additional) {
  std::vector<Endpoint> endpoints;
  const auto add = [&](const std::string& url, const std::string& key) {
    if (key.empty())
      Raise(
          absl::InvalidArgumentError("the API key for " + MaskUrl(url) + " is empty; nothing could be sent"));
    endpoints.push_back(Unwrap(MakeEndpoint(url, path, std::make_shared<LiteralApiKey>(key))));
  };
  add(endpoint, api_key);
  for (const auto& [url, key] : additional) add(url, key);
  return endpoints;
}

template <typename Flusher>
class FlusherFace {
 public:
  using Payload = typename Flusher::Payload;

  FlusherFace(const ClientFace& client, const std::string& endpoint, const std::string& api_key,
              const std::optional<GivenFlusherOptions>& options, const GivenEndpoints& additional)
      : loop_(client.loop), key_(NextTenantKey()) {
    GivenFlusherOptions chosen = options.has_value() ? *options : DefaultGivenOptions(Flusher::kPipeline);
    default_deadline_ = chosen.flush_timeout;
    options_ = chosen;
    RunOn(loop_, [key = key_, chosen = std::move(chosen),
                  endpoints = MakeEndpoints(Flusher::kPipeline.path, endpoint, api_key, additional)](
                     ClientLoop& loop) mutable {
      auto tenant = std::make_shared<Tenant>(loop, chosen, std::move(endpoints));
      loop.AddTenant(key, std::move(tenant));
    });
  }
  FlusherFace(const FlusherFace&) = delete;
  FlusherFace& operator=(const FlusherFace&) = delete;
  ~FlusherFace() {
    if (!loop_->forked()) loop_->Post([loop = loop_.get(), key = key_] { loop->RemoveTenant(key); });
  }

  PayloadId Add(const Payload& payload) {
    absl::StatusOr<PayloadId> id =
        On([copy = payload](Tenant& tenant) mutable { return tenant.flusher.Add(std::move(copy)); });
    return Unwrap(std::move(id), Source::kOutbox);
  }
  FlushReport Flush(std::optional<double> deadline, bool last) {
    return WaitFor<FlushReport>(loop_, Flushing(deadline, last));
  }
  Future<FlushReport> FlushAsync(std::optional<double> deadline) {
    return StartAsync<FlushReport>(loop_, Flushing(deadline, false), [](FlushReport report) -> py::object {
      return py::cast(std::move(report));
    });
  }

  int64_t retained() {
    return On([](Tenant& tenant) { return tenant.flusher.pipeline().kept_payloads(); });
  }
  int64_t handed_over() {
    return On([](Tenant& tenant) { return tenant.flusher.pipeline().handed_over(); });
  }
  int64_t turned_away() {
    return On([](Tenant& tenant) { return tenant.flusher.pipeline().turned_away(); });
  }
  size_t bytes() {
    return On([](Tenant& tenant) { return tenant.flusher.bytes(); });
  }
  std::map<std::string, int64_t> dropped() {
    return NonzeroCountsToMap(On([](Tenant& tenant) { return tenant.flusher.pipeline().dropped(); }));
  }
  FlushReport total() {
    return On([](Tenant& tenant) {
      FlushReport report = tenant.flusher.pipeline().total();
      report.retained = tenant.flusher.pipeline().kept_payloads();
      return report;
    });
  }
  std::vector<PayloadId> possible_duplicates() {
    return On([](Tenant& tenant) { return tenant.possible_duplicates; });
  }
  std::vector<PayloadId> retained_payloads() {
    return On([](Tenant& tenant) { return tenant.flusher.pipeline().KeptPayloads(); });
  }
  std::map<PayloadId, std::string> dropped_payloads() {
    return On([](Tenant& tenant) { return tenant.dropped_payloads; });
  }
  void CheckInvariant() {
    const absl::Status status =
        On([](Tenant& tenant) { return tenant.flusher.pipeline().CheckInvariantByWalking(); });
    if (!status.ok()) RaiseInvariantBroken(std::string(status.message()));
  }
  std::vector<std::string> endpoints() {
    return On([](Tenant& tenant) {
      std::vector<std::string> urls;
      for (const Endpoint& endpoint : tenant.flusher.pipeline().endpoints())
        urls.push_back(endpoint.ToString());
      return urls;
    });
  }
  GivenFlusherOptions options() const { return options_; }

 private:
  struct Tenant {
    Tenant(ClientLoop& loop, const GivenFlusherOptions& options, std::vector<Endpoint> endpoints)
        : flusher(loop.executor(), loop.clock(), loop.client(), options, std::move(endpoints),
                  options.limits(), options) {
      flusher.pipeline().set_on_outcome([this](const PayloadOutcome& outcome) {
        if (outcome.possible_duplicate) possible_duplicates.push_back(outcome.id);
        if (outcome.reason.has_value())
          dropped_payloads.emplace(outcome.id, std::string(ToString(*outcome.reason)));
      });
    }
    Flusher flusher;
    std::vector<PayloadId> possible_duplicates;
    std::map<PayloadId, std::string> dropped_payloads;
  };

  // Runs `function` on the loop's thread with the tenant as argument.
  template <typename Function>
  auto On(Function function) {
    return RunOn(loop_, [key = key_, function = std::move(function)](ClientLoop& loop) mutable {
      return function(*std::static_pointer_cast<Tenant>(loop.tenant(key)));
    });
  }

  absl::AnyInvocable<Task<FlushReport>(ClientLoop&, Cancellation&)> Flushing(std::optional<double> deadline,
                                                                             bool last) {
    const absl::Duration limit =
        deadline.has_value() ? FromSeconds(*deadline, "deadline") : default_deadline_;
    // Holds the tenant: the flusher must outlive its flushes, even if the Python object is gone.
    return [key = key_, limit, last, held = std::shared_ptr<Tenant>()](ClientLoop& loop,
                                                                       Cancellation& cancellation) mutable {
      held = std::static_pointer_cast<Tenant>(loop.tenant(key));
      return last ? held->flusher.Shutdown(limit, cancellation) : held->flusher.Flush(limit, cancellation);
    };
  }

  const LoopHandle loop_;
  const uint64_t key_;
  absl::Duration default_deadline_;
  GivenFlusherOptions options_;
};

// Binds the common members of all flushers. `Given` is the payload's Python object, with a member `payload`.
template <typename Flusher, typename Given>
void BindFlusher(py::module_& module, const char* name, const char* text) {
  using Face = FlusherFace<Flusher>;
  py::class_<Face> type(module, name, text);
  type.def(py::init([](const ClientFace& client, const GivenText& endpoint, const GivenText& api_key,
                       const std::optional<GivenFlusherOptions>& options, const GivenEndpoints& additional) {
             return std::make_unique<Face>(client, endpoint, api_key, options, additional);
           }),
           "`endpoint`: the base URL of the intake. `additional_endpoints`: (base URL, API key) of each "
           "further endpoint that gets the same data. Raises InvalidArgument, Closed, Forked.",
           py::arg("client"), py::arg("endpoint"), py::arg("api_key"), py::kw_only(),
           py::arg("options") = py::none(), py::arg("additional_endpoints") = GivenEndpoints());
  type.def(
      "add", [](Face& self, const Given& given) { return self.Add(given.payload); },
      "Takes a payload over and returns its id, counted from 1. Raises OutboxFull, and takes nothing, if "
      "payloads that were never tried fill the outbox.",
      py::arg("payload"));
  type.def(
      "flush",
      [](Face& self, std::optional<double> deadline) { return self.Flush(deadline, /*last=*/false); },
      "Sends everything and waits at most `deadline` seconds (None: options.flush_timeout). What could not "
      "be "
      "delivered stays and goes first in the next flush. Ctrl-C ends the flush and loses nothing.",
      py::arg("deadline") = py::none());
  type.def("flush_async", &Face::FlushAsync,
           "Does the same for asyncio: returns a future of the running event loop. Cancelling it ends the "
           "flush and loses nothing.",
           py::arg("deadline") = py::none());
  type.def(
      "shutdown",
      [](Face& self, std::optional<double> deadline) { return self.Flush(deadline, /*last=*/true); },
      "Makes the last flush, which asks no breaker and sends what was held for a redrive.",
      py::arg("deadline") = py::none());
  type.def_property_readonly("retained", &Face::retained, "Payloads kept now.");
  type.def_property_readonly("handed_over", &Face::handed_over, "Payloads taken over so far.");
  type.def_property_readonly("turned_away", &Face::turned_away, "Payloads for which there was no room.");
  type.def_property_readonly("bytes", &Face::bytes, "Bytes kept now, of options.outbox_bytes.");
  type.def_property_readonly("dropped", &Face::dropped, "Payloads given up so far, by reason.");
  type.def_property_readonly("total", &Face::total, "All flushes so far, as one report.");
  type.def_property_readonly("possible_duplicates", &Face::possible_duplicates,
                             "Ids of payloads that ended and that the intake may have twice.");
  type.def_property_readonly("retained_payloads", &Face::retained_payloads, "Ids of payloads kept now.");
  type.def_property_readonly("dropped_payloads", &Face::dropped_payloads,
                             "Ids of payloads given up so far, with the reason of each.");
  type.def_property_readonly("endpoints", &Face::endpoints,
                             "The endpoints of its requests, the primary one first.");
  type.def_property_readonly("options", &Face::options, "A copy of its options.");
  type.def("check_invariant", &Face::CheckInvariant,
           "Counts everything again. Raises InvariantBroken unless payloads handed over = delivered + kept + "
           "dropped.");
  type.def("__repr__", [name](Face& self) {
    return "<thaw." + std::string(name) + " to " + self.endpoints()[0] + ", " +
           std::to_string(self.retained()) + " retained>";
  });
}

}  // namespace thaw::python

#endif  // THAW_PYTHON_BINDINGS_FLUSHER_H_
