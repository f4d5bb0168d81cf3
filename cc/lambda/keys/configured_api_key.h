// The API key of the configuration: the one that is written there, or the first that one of the sources
// gives.
//
//   auto key = std::make_shared<ConfiguredApiKey>(executor, clock, literal, std::move(sources));
//   MakeEndpoint(config.trace_url, Pipeline::kTraces, key);
//
// Nothing is looked up before it is needed. A source that fails, or gives the key that the intake refused,
// lets the next one count; each has a time limit of its own, and so is a source that hangs no worse than one
// that fails. A source that fails for now (Unavailable: throttled, 5xx, reset) is asked again within its
// time, after delays that grow. A definite failure is kept for half a minute; one that may have passed for
// half a second at first, and each time twice as long, when each source is asked but twice, so that a flush
// now and then finds out whether it has passed and no flush waits for long. Where a reload interval is given,
// an older key stays in use while it is looked up again, and stays for good if that fails.
//
// A key is never shown, in no error and in no log.
//
// One thread: the executor's. It must outlive this, and run until a look-up under way has ended.

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
  absl::Duration source_timeout = absl::Seconds(5);  // of active time (LateAlarm)
  absl::Duration failure_expiry = absl::Seconds(30);
  // How long the first failure of a row counts that may have passed; failure_expiry bounds the later ones.
  // What hung cost the time of a source and counts for that long at first.
  absl::Duration passing_failure_expiry = absl::Milliseconds(500);
  // Within a look-up: jittered by up to a half.
  int max_attempts = 8;
  absl::Duration backoff_base = absl::Milliseconds(100);
  absl::Duration backoff_cap = absl::Seconds(1);
  // Gives the jitter, in [0, 1); none: there is no jitter. Asked for nothing before a source has failed.
  std::function<double()> random;
  absl::Duration reload_interval = absl::InfiniteDuration();
  // Called by Forget(), for what the sources know besides.
  std::function<void()> on_forget;
};

class ConfiguredApiKey : public ApiKeySource {
 public:
  struct Source {
    std::string name;  // as an error has it: "Secrets Manager"
    // Ends early when the cancellation is requested.
    std::function<Task<absl::StatusOr<std::string>>(Cancellation& cancellation)> look_up;
  };

  // `literal`: empty if there is none. `sources`: in the order in which they count, after the literal.
  ConfiguredApiKey(Executor& executor, Clock& clock, std::string literal, std::vector<Source> sources,
                   ConfiguredApiKeyOptions options = {});
  ~ConfiguredApiKey() override;

  // Begins to look the key up again where its reload interval has passed, and doesn't wait for that.
  std::string Current() const override;
  Task<bool> Refresh() override;
  void OnLastFlush() override;

  // The environment goes on from a snapshot of it, in which there must be no key but a literal one: forgets
  // everything that was looked up, and gives up what is being looked up.
  void Forget();

  // Why the last look-up gave no key; OK if it did, or there was none.
  const absl::Status& failure() const;
  const ApiKeyCounts& counts() const;

 private:
  class Resolver;

  // Shared with the look-up under way.
  const std::shared_ptr<Resolver> resolver_;
};

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_KEYS_CONFIGURED_API_KEY_H_
