// Common parts of the tests of API key sources: a client with scripted answers and a fake clock.

#ifndef THAW_CC_LAMBDA_KEYS_API_KEY_FIXTURE_H_
#define THAW_CC_LAMBDA_KEYS_API_KEY_FIXTURE_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "cc/base/cancellation.h"
#include "cc/base/manual_executor.h"
#include "cc/base/task.h"
#include "cc/clock/fake_clock.h"
#include "cc/flush/fake_client.h"
#include "gtest/gtest.h"

namespace thaw {

class ApiKeyFixture : public testing::Test {
 protected:
  static SendResult Says(int status, std::string body) {
    SendResult result = Answered(status);
    result.response->body = std::move(body);
    return result;
  }
  // Makes an answer that never comes.
  static FakeClient::Scripted Hangs() { return {.after = absl::InfiniteDuration()}; }

  // Runs until the task has ended; advances time when there is nothing else to do.
  template <typename T>
  T Run(Task<T> task) {
    std::optional<T> result;
    absl::AnyInvocable<void(T)> done = [&result](T got) { result.emplace(std::move(got)); };
    Spawn<T>(executor_, std::move(task), std::move(done));
    while (!result.has_value()) {
      if (!executor_.Step()) clock_.Advance(clock_.UntilNextAlarm().value_or(absl::Seconds(1)));
    }
    return *std::move(result);
  }

  const HttpRequest& request(size_t i) const { return client_.sent().at(i).request; }
  // Returns header `name` of request `i`; empty if it has none.
  std::string Header(size_t i, std::string_view name) const {
    return std::string(FindHeader(request(i).headers, name).value_or(""));
  }
  std::string Body(size_t i) const { return request(i).body == nullptr ? "" : *request(i).body; }

  ManualExecutor executor_;
  FakeClock clock_{executor_};
  FakeClient client_{executor_, clock_};
  Cancellation cancellation_;
};

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_KEYS_API_KEY_FIXTURE_H_
