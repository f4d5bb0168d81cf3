// Any answer of the Runtime API is an event, or an error that says what is wrong.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

#include "cc/base/manual_executor.h"
#include "cc/clock/fake_clock.h"
#include "cc/flush/fake_client.h"
#include "cc/lambda/api/extensions_api.h"

namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

// Runs until the queue is empty and no alarm is set.
void RunAll(thaw::ManualExecutor& executor, thaw::FakeClock& clock) {
  do {
    executor.RunAll();
    clock.Advance(clock.UntilNextAlarm().value_or(absl::ZeroDuration()));
  } while (!executor.idle());
}

void Try(int status, const std::string& body) {
  thaw::ManualExecutor executor;
  thaw::FakeClock clock(executor);
  thaw::FakeClient client(executor, clock);
  thaw::Cancellation cancellation;
  thaw::RuntimeApi api(client, {thaw::Destination::Scheme::kHttp, "127.0.0.1", 9001});
  thaw::ExtensionsApi extensions(api, clock);
  client.set_otherwise([status, &body](const thaw::FakeClient::Sent&) {
    thaw::SendResult result = thaw::Answered(status);
    result.response->body = body;
    result.response->headers = {{"Lambda-Extension-Identifier", "id"}};
    return thaw::FakeClient::Scripted{.result = std::move(result)};
  });
  std::optional<absl::StatusOr<thaw::Registration>> registration;
  absl::AnyInvocable<void(absl::StatusOr<thaw::Registration>)> registered =
      [&registration](absl::StatusOr<thaw::Registration> got) { registration = std::move(got); };
  thaw::Spawn<absl::StatusOr<thaw::Registration>>(
      executor, extensions.Register("x", {thaw::ExtensionEvent::kInvoke}, cancellation),
      std::move(registered));
  RunAll(executor, clock);
  Check(registration.has_value());
  Check(registration->ok() == (status == 200));
  if (!registration->ok()) {
    Check(!registration->status().message().empty());
    return;
  }
  std::optional<absl::StatusOr<thaw::LambdaEvent>> event;
  absl::AnyInvocable<void(absl::StatusOr<thaw::LambdaEvent>)> came =
      [&event](absl::StatusOr<thaw::LambdaEvent> got) { event = std::move(got); };
  thaw::Spawn<absl::StatusOr<thaw::LambdaEvent>>(executor, extensions.Next(cancellation), std::move(came));
  RunAll(executor, clock);
  Check(event.has_value());
  Check(event->ok() || !event->status().message().empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  Try(200, input);
  Try(403, input);
  Try(200, R"({"eventType":"INVOKE","deadlineMs":)" + input + "}");
  Try(200, R"({"eventType":"SHUTDOWN","deadlineMs":1,"shutdownReason":)" + input + "}");
  Try(200, R"({"eventType":")" + input + "\"}");
  return 0;
}
