#include "cc/lambda/keys/configured_api_key.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "absl/log/log.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cc/base/completion.h"
#include "cc/clock/sleep.h"
#include "cc/config/parse_values.h"
#include "cc/net/backoff.h"

namespace thaw {

class ConfiguredApiKey::Resolver : public std::enable_shared_from_this<Resolver> {
 public:
  Resolver(Executor& executor, Clock& clock, std::string literal, std::vector<Source> sources,
           ConfiguredApiKeyOptions options)
      : executor_(executor),
        clock_(clock),
        literal_(std::move(literal)),
        sources_(std::move(sources)),
        options_(std::move(options)),
        key_(literal_) {}

  std::string Current() {
    if (IsReloadDue()) {
      ++counts_.reloads;
      reload_tried_at_ = clock_.Now();
      Start();
    }
    return key_;
  }

  static Task<bool> Refresh(std::shared_ptr<Resolver> self) {
    const std::string before = self->key_;
    if (self->look_up_ == nullptr && self->HasJustFailed()) {
      ++self->counts_.answered_by_failure;
      co_return false;
    }
    // A caller asks for another key because the intake refused this one.
    if (!before.empty()) self->Refuse(before);
    if (self->look_up_ == nullptr) {
      self->Start();
    } else {
      ++self->counts_.shared;
    }
    self->look_up_->is_waited_for = true;
    Completion<bool> ended(self->executor_);
    self->look_up_->waiting.push_back(&ended);
    co_await ended;
    co_return !self->key_.empty() && self->key_ != before;
  }

  void OnLastFlush() {
    if (failures_in_a_row_ == 0) return;
    failures_in_a_row_ = 0;
    failed_at_.reset();
  }

  void Forget() {
    failures_in_a_row_ = 0;
    key_ = literal_;
    refused_.clear();
    found_at_.reset();
    reload_tried_at_.reset();
    failed_at_.reset();
    failure_ = absl::OkStatus();
    if (look_up_ != nullptr) {
      // When the cancelled look-up ends, it is no longer the current one, so its result is not used.
      std::exchange(look_up_, nullptr)
          ->cancellation.Request(absl::CancelledError("the key is no longer needed"));
    }
    if (options_.on_forget) options_.on_forget();
  }

  const absl::Status& failure() const { return failure_; }
  const ApiKeyCounts& counts() const { return counts_; }

 private:
  // Refused keys that are remembered: more are not refused in a row, since each source has one.
  static constexpr size_t kMostRefused = 8;

  struct LookUp {
    Cancellation cancellation;
    bool is_waited_for = false;              // otherwise it is only a reload
    std::vector<Completion<bool>*> waiting;  // in the frames of the waiting coroutines
  };
  struct Found {
    std::string key;
    std::string source;
  };

  bool HasPassed(const std::optional<ClockReading>& since, absl::Duration interval) const {
    return !since.has_value() || LargestAdvance(*since, clock_.Now()) >= interval;
  }
  bool HasJustFailed() const { return failed_at_.has_value() && !HasPassed(failed_at_, FailureExpiry()); }
  // Returns how long the last failure is remembered.
  absl::Duration FailureExpiry() const {
    if (failures_in_a_row_ == 0) return options_.failure_expiry;
    const absl::Duration first =
        absl::IsDeadlineExceeded(failure_) ? options_.source_timeout : options_.passing_failure_expiry;
    return Backoff(first, options_.failure_expiry, failures_in_a_row_, /*fraction=*/1);
  }
  bool IsReloadDue() const {
    // Only a key that was looked up can change later.
    return look_up_ == nullptr && found_at_.has_value() && HasPassed(found_at_, options_.reload_interval) &&
           HasPassed(reload_tried_at_, options_.failure_expiry);
  }

  bool IsRefused(const std::string& key) const {
    return std::find(refused_.begin(), refused_.end(), key) != refused_.end();
  }
  void Refuse(const std::string& key) {
    if (IsRefused(key)) return;
    if (refused_.size() == kMostRefused) refused_.pop_front();
    refused_.push_back(key);
  }

  void Start() {
    ++counts_.look_ups;
    look_up_ = std::make_shared<LookUp>();
    Spawn(executor_, Run(shared_from_this(), look_up_));
  }

  // The frame holds the resolver, so that the coroutines awaited from it may refer to the resolver.
  static Task<void> Run(std::shared_ptr<Resolver> self, std::shared_ptr<LookUp> look_up) {
    Task<absl::StatusOr<Found>> searching = self->Search(look_up->cancellation);
    absl::StatusOr<Found> found = co_await std::move(searching);
    if (self->look_up_ == look_up) {
      self->look_up_ = nullptr;
      self->Settle(std::move(found), look_up->is_waited_for);
    }
    for (Completion<bool>* waiting : look_up->waiting) waiting->Set(true);
  }

  Task<absl::StatusOr<Found>> Search(Cancellation& cancellation) {
    std::vector<std::string> complaints;
    // The worst status of all sources: the failure is transient if that of any source is.
    absl::StatusCode worst = absl::StatusCode::kFailedPrecondition;
    if (!literal_.empty()) {
      if (!IsRefused(literal_)) co_return Found{literal_, "the configuration"};
      complaints.push_back("the key of the configuration: the intake refused it");
    }
    for (const Source& source : sources_) {
      Task<absl::StatusOr<std::string>> asking = Ask(source, cancellation);
      absl::StatusOr<std::string> key = co_await std::move(asking);
      if (key.ok()) co_return Found{*std::move(key), source.name};
      if (cancellation.requested()) co_return cancellation.reason();
      complaints.push_back(absl::StrCat(source.name, ": ", key.status().message()));
      if (worst != absl::StatusCode::kDeadlineExceeded && IsPassing(key.status()))
        worst = key.status().code();
    }
    if (complaints.empty()) {
      co_return absl::FailedPreconditionError(
          "none is configured: set DD_API_KEY, DD_API_KEY_SECRET_ARN, DD_API_KEY_SSM_ARN, DD_KMS_API_KEY or "
          "DD_ORG_UUID");
    }
    co_return absl::Status(worst, absl::StrJoin(complaints, "; "));
  }

  static bool IsPassing(const absl::Status& status) {
    return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
  }
  absl::Duration DelayAfter(int attempt) const {
    const double fraction = options_.random ? 0.5 + options_.random() / 2 : 1;
    return Backoff(options_.backoff_base, options_.backoff_cap, attempt, fraction);
  }

  // Returns a usable key of `source`, within its time limit.
  Task<absl::StatusOr<std::string>> Ask(const Source& source, Cancellation& cancellation) {
    Cancellation limited(&cancellation);
    const Alarm alarm(clock_, options_.source_timeout, [this, &limited] {
      limited.Request(absl::DeadlineExceededError(
          absl::StrCat("no key within ", absl::FormatDuration(options_.source_timeout))));
    });
    const int max_attempts = failures_in_a_row_ == 0 ? options_.max_attempts : 2;
    absl::StatusOr<std::string> answer;
    bool has_hung = false;
    for (int attempt = 1;; ++attempt) {
      Cancellation of_try(&limited);
      {
        const absl::Duration limit = has_hung ? absl::InfiniteDuration() : options_.first_try_timeout;
        const Alarm try_alarm(clock_, limit, [&of_try, limit] {
          of_try.Request(
              absl::DeadlineExceededError(absl::StrCat("no answer within ", absl::FormatDuration(limit))));
        });
        Task<absl::StatusOr<std::string>> looking_up = source.look_up(of_try);
        answer = co_await std::move(looking_up);
      }
      const bool hung = !answer.ok() && of_try.requested() && !limited.requested();
      has_hung = has_hung || hung;
      if (!(hung || absl::IsUnavailable(answer.status())) || attempt >= max_attempts) break;
      Task<absl::Status> sleeping = Sleep(executor_, clock_, DelayAfter(attempt), limited);
      const absl::Status slept = co_await std::move(sleeping);
      if (!slept.ok()) break;
      ++counts_.source_retries;
    }
    // A secret that was pasted with its quotes is used without them.
    if (answer.ok()) answer = ParseApiKey(WithoutQuotes(*answer));
    if (!answer.ok()) {
      ++counts_.sources_failed;
    } else if (IsRefused(*answer)) {
      ++counts_.sources_refused;
      answer = absl::PermissionDeniedError("it gives a key that the intake refused");
    }
    co_return answer;
  }

  void Settle(absl::StatusOr<Found> found, bool is_waited_for) {
    if (found.ok()) {
      ++counts_.found;
      if (found->key != key_) LOG(INFO) << "API key: found in " << found->source;
      found_at_ = found->key == literal_ ? std::optional<ClockReading>() : clock_.Now();
      reload_tried_at_.reset();
      failed_at_.reset();
      failures_in_a_row_ = 0;
      failure_ = absl::OkStatus();
      key_ = std::move(found->key);
      return;
    }
    if (found.status() != failure_) LOG(WARNING) << "API key: " << found.status().message();
    failure_ = found.status();
    if (is_waited_for) {
      failed_at_ = clock_.Now();
      failures_in_a_row_ = IsPassing(failure_) ? failures_in_a_row_ + 1 : 0;
      // A refused key may be accepted the next time.
      refused_.clear();
    }
  }

  Executor& executor_;
  Clock& clock_;
  const std::string literal_;
  const std::vector<Source> sources_;
  const ConfiguredApiKeyOptions options_;

  std::string key_;
  std::deque<std::string> refused_;              // oldest first
  std::optional<ClockReading> found_at_;         // if `key_` was looked up
  std::optional<ClockReading> reload_tried_at_;  // since `found_at_`
  std::optional<ClockReading> failed_at_;        // if a caller waited for the failed look-up
  int failures_in_a_row_ = 0;                    // transient failures up to the last look-up
  absl::Status failure_;
  std::shared_ptr<LookUp> look_up_;  // under way
  ApiKeyCounts counts_;
};

ConfiguredApiKey::ConfiguredApiKey(Executor& executor, Clock& clock, std::string literal,
                                   std::vector<Source> sources, ConfiguredApiKeyOptions options)
    : resolver_(std::make_shared<Resolver>(executor, clock, std::move(literal), std::move(sources),
                                           std::move(options))) {}

ConfiguredApiKey::~ConfiguredApiKey() { resolver_->Forget(); }

std::string ConfiguredApiKey::Current() const { return resolver_->Current(); }
Task<bool> ConfiguredApiKey::Refresh() { return Resolver::Refresh(resolver_); }
void ConfiguredApiKey::OnLastFlush() { resolver_->OnLastFlush(); }
void ConfiguredApiKey::Forget() { resolver_->Forget(); }
const absl::Status& ConfiguredApiKey::failure() const { return resolver_->failure(); }
const ApiKeyCounts& ConfiguredApiKey::counts() const { return resolver_->counts(); }

}  // namespace thaw
