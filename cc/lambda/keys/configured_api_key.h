// The API key of the configuration: the literal key, or the first key that one of the sources finds.
//
//   auto key = std::make_shared<ConfiguredApiKey>(executor, clock, literal, std::move(sources));
//   MakeEndpoint(config.trace_url, "/api/v0.2/traces", key);
//
// Nothing is looked up before it is needed. If a source fails, or finds the key that the intake refused, the
// next one is asked; each has its own time limit, so that a source that hangs is no worse than one that
// fails. A source that fails transiently (Unavailable: throttled, 5xx, reset) is retried within its time,
// after growing delays; one that hangs is retried once. A definite failure is remembered for half a minute. A
// transient one is remembered for half a second at first, and twice as long each time; meanwhile each source
// is asked only twice, so that an occasional flush finds out whether the failure has passed and no flush
// waits for long. With a reload interval, an older key stays in use while it is looked up again, and stays
// for good if that fails.
//
// No error and no log shows a key.
//
// One thread: the executor's. The executor must outlive the key, and run until the current look-up has ended.

#ifndef THAW_CC_LAMBDA_KEYS_CONFIGURED_API_KEY_H_
#define THAW_CC_LAMBDA_KEYS_CONFIGURED_API_KEY_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cc/base/cancellation.h"
#include "cc/base/declare_counts.h"
#include "cc/base/executor.h"
#include "cc/base/task.h"
#include "cc/clock/clock.h"
#include "cc/flush/api_key_source.h"

namespace thaw {

// X(name, what it counts)
#define THAW_API_KEY_COUNTS(X)                                                    \
  X(look_ups, "times that the sources were gone through")                         \
  X(reloads, "of these, because the reload interval had passed")                  \
  X(shared, "calls that waited for a look-up under way")                          \
  X(answered_by_failure, "calls not looked up because that had just failed")      \
  X(found, "look-ups that gave a key")                                            \
  X(sources_failed, "times that a source gave no key that can be used")           \
  X(source_retries, "times that a source was asked again, having failed for now") \
  X(sources_refused, "times that a source gave a key that the intake had refused")

struct ApiKeyCounts {
  THAW_DECLARE_COUNTS(THAW_API_KEY_COUNTS)
};

struct ConfiguredApiKeyOptions {
  absl::Duration source_timeout = absl::Seconds(5);  // active time (LateAlarm)
  // Part of it after which the first try that hangs is given up, so that another one has the rest: one lost
  // packet does not cost a key. A larger value leaves less to the second try.
  absl::Duration first_try_timeout = absl::Seconds(2);
  absl::Duration failure_expiry = absl::Seconds(30);
  // Time for which the first transient failure in a row is remembered; failure_expiry bounds the later. A
  // look-up that hung took the time limit of a source, and is remembered for that long at first.
  absl::Duration passing_failure_expiry = absl::Milliseconds(500);
  // Bounds of the retries within a look-up; delays are jittered by up to a half.
  int max_attempts = 8;
  absl::Duration backoff_base = absl::Milliseconds(100);
  absl::Duration backoff_cap = absl::Seconds(1);
  // Returns the jitter, in [0, 1); null: no jitter. Not called before a source has failed.
  std::function<double()> random;
  absl::Duration reload_interval = absl::InfiniteDuration();
  // Called by Forget(), so that the sources forget what they hold.
  std::function<void()> on_forget;
};

class ConfiguredApiKey : public ApiKeySource {
 public:
  struct Source {
    std::string name;  // as errors show it: "Secrets Manager"
    // Must end early when the cancellation is requested.
    std::function<Task<absl::StatusOr<std::string>>(Cancellation& cancellation)> look_up;
  };

  // `literal`: empty if there is none. `sources`: in the order of use, after the literal.
  ConfiguredApiKey(Executor& executor, Clock& clock, std::string literal, std::vector<Source> sources,
                   ConfiguredApiKeyOptions options = {});
  ~ConfiguredApiKey() override;

  // Returns the key. If its reload interval has passed, starts a look-up and does not wait for it.
  std::string Current() const override;
  Task<bool> Refresh() override;
  void OnLastFlush() override;

  // Call after the environment was restored from a snapshot, which must hold no key but a literal one:
  // forgets everything that was looked up, and cancels the look-up under way.
  void Forget();

  // Returns why the last look-up found no key; OK if it found one, or there was none.
  const absl::Status& failure() const;
  const ApiKeyCounts& counts() const;

 private:
  class Resolver;

  // Shared with the look-up under way.
  const std::shared_ptr<Resolver> resolver_;
};

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_KEYS_CONFIGURED_API_KEY_H_
