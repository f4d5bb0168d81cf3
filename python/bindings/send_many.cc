#include "python/bindings/send_many.h"

#include <algorithm>
#include <utility>

#include "absl/time/time.h"
#include "cc/base/completion.h"

namespace thaw::python {

Task<std::vector<SendResult>> SendInTurn(Client& client, Clock& clock, std::vector<HttpRequest> requests,
                                         SendOptions options, Cancellation& cancellation) {
  std::vector<SendResult> results;
  results.reserve(requests.size());
  const absl::Duration end = clock.Now().monotonic + options.budget;
  for (HttpRequest& request : requests) {
    SendOptions each = options;
    if (options.budget != absl::InfiniteDuration()) {
      each.budget = std::max(absl::ZeroDuration(), end - clock.Now().monotonic);
    }
    Task<SendResult> sending = client.Send(std::move(request), each, cancellation);
    results.push_back(co_await std::move(sending));
  }
  co_return results;
}

Task<std::vector<SendResult>> SendAtOnce(Client& client, Executor& executor,
                                         std::vector<HttpRequest> requests, SendOptions options,
                                         Cancellation& cancellation) {
  std::vector<SendResult> results(requests.size());
  Completion<bool> all(executor);
  size_t left = requests.size();
  for (size_t i = 0; i < requests.size(); ++i) {
    auto done = [&results, &all, &left, i](SendResult result) {
      results[i] = std::move(result);
      if (--left == 0) all.Set(true);
    };
    Spawn<SendResult>(executor, client.Send(std::move(requests[i]), options, cancellation), std::move(done));
  }
  if (!requests.empty()) co_await all;
  co_return results;
}

}  // namespace thaw::python
