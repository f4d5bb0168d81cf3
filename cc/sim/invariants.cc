#include "cc/sim/invariants.h"

#include "absl/strings/str_cat.h"

namespace thaw {
namespace {

std::string NothingLost(const Scene& scene) {
  for (const auto& [id, payload] : scene.payloads) {
    if (payload.accepted > 0) continue;
    if (payload.dropped == DropReason::kRefused && scene.rules.may_drop_refused) continue;
    if (payload.dropped == DropReason::kAmbiguousDropped && scene.rules.may_drop_ambiguous) continue;
    return absl::StrCat("payload ", id, " never came to the intake: ",
                        payload.dropped.has_value() ? ToString(*payload.dropped)
                        : payload.ended             ? "reported delivered"
                                                    : "kept");
  }
  return {};
}

std::string DuplicatesFlagged(const Scene& scene) {
  for (const auto& [id, payload] : scene.payloads) {
    if (payload.accepted > 1 && !payload.flagged) {
      return absl::StrCat("payload ", id, " was accepted ", payload.accepted, " times, unflagged");
    }
  }
  return {};
}

std::string Honest(const Scene& scene) {
  for (const auto& [id, payload] : scene.payloads) {
    if (payload.delivered && payload.accepted == 0) {
      return absl::StrCat("payload ", id, " is reported delivered; the intake never accepted it");
    }
  }
  return {};
}

std::string BooksBalance(const Scene& scene) {
  if (!scene.ledger.ok()) return std::string(scene.ledger.message());
  if (scene.ended_twice > 0) return "a payload ended twice";
  if (scene.handed_over == scene.delivered + scene.dropped + scene.kept) return {};
  return absl::StrCat(scene.handed_over, " payloads handed over, ", scene.delivered, " delivered, ",
                      scene.dropped, " dropped, ", scene.kept, " kept");
}

std::string BooksClosed(const Scene& scene) {
  int64_t delivered = 0;
  int64_t dropped = 0;
  for (const auto& [id, payload] : scene.payloads) {
    if (payload.ended) ++(payload.delivered ? delivered : dropped);
  }
  if (delivered == scene.delivered && dropped == scene.dropped && scene.kept == 0) return {};
  return absl::StrCat(delivered, " payloads reported delivered and ", dropped, " dropped; counted are ",
                      scene.delivered, " and ", scene.dropped, ", and ", scene.kept, " kept");
}

// A request that was handed its connection before a freeze may begin on it afterwards; the connection then
// ends with it.
std::string NoReuseAcrossEpochs(const Scene& scene) {
  if (!scene.rules.told || scene.use.first || !scene.use.from_before) return {};
  if (scene.use.busy_at_resume) return "a connection that was in use at a resume is used again";
  if (scene.rules.client.on_resume != OnResume::kDrain || scene.use.since_resume == 1) return {};
  return "a connection from before a resume is used again";
}

std::string NothingIdleOutlivesResume(const Scene& scene) {
  if (scene.rules.client.on_resume != OnResume::kDrain || scene.idle_after_resume == 0) return {};
  return absl::StrCat(scene.idle_after_resume, " idle connections outlive a resume");
}

std::string NotReusedWhenOld(const Scene& scene) {
  const ClientOptions& client = scene.rules.client;
  if (scene.use.first || scene.use.idle_for <= client.idle_timeout) return {};
  return absl::StrCat("a connection is used that was idle for ", absl::FormatDuration(scene.use.idle_for));
}

std::string Slots(const Scene& scene) {
  const int most = scene.rules.client.max_connections_per_host;
  if (scene.connections <= most) return {};
  return absl::StrCat(scene.connections, " connections and dials, of ", most);
}

std::string IdleLimit(const Scene& scene) {
  if (scene.idle <= scene.rules.client.max_idle_per_host) return {};
  return absl::StrCat(scene.idle, " idle connections, of ", scene.rules.client.max_idle_per_host);
}

std::string Quiet(const Scene& scene) {
  if (scene.open_exchanges == 0) return {};
  return absl::StrCat(scene.open_exchanges, " exchanges or dials are open after a flush");
}

std::string WaitsEnd(const Scene& scene) {
  // The last step may come a little after the deadline's alarm.
  if (scene.flush_took <= scene.rules.flush_deadline + absl::Milliseconds(10)) return {};
  return absl::StrCat("a flush took ", absl::FormatDuration(scene.flush_took), " of ",
                      absl::FormatDuration(scene.rules.flush_deadline));
}

std::string FewTries(const Scene& scene) {
  for (const auto& [id, payload] : scene.payloads) {
    if (payload.accepted > scene.rules.most_acceptances) {
      return absl::StrCat("payload ", id, " was accepted ", payload.accepted, " times");
    }
  }
  return {};
}

}  // namespace

const InvariantCheck kInvariantChecks[13] = {
    {Invariant::kBooksBalance, CheckedWhen::kAfterStep, &BooksBalance},
    {Invariant::kSlots, CheckedWhen::kAfterStep, &Slots},
    {Invariant::kIdleLimit, CheckedWhen::kAfterStep, &IdleLimit},
    {Invariant::kNoReuseAcrossEpochs, CheckedWhen::kAtResume, &NothingIdleOutlivesResume},
    {Invariant::kNoReuseAcrossEpochs, CheckedWhen::kAtRequest, &NoReuseAcrossEpochs},
    {Invariant::kNotReusedWhenOld, CheckedWhen::kAtRequest, &NotReusedWhenOld},
    {Invariant::kQuiet, CheckedWhen::kAfterFlush, &Quiet},
    {Invariant::kWaitsEnd, CheckedWhen::kAfterFlush, &WaitsEnd},
    {Invariant::kHonest, CheckedWhen::kAtEnd, &Honest},
    {Invariant::kNothingLost, CheckedWhen::kAtEnd, &NothingLost},
    {Invariant::kDuplicatesFlagged, CheckedWhen::kAtEnd, &DuplicatesFlagged},
    {Invariant::kFewTries, CheckedWhen::kAtEnd, &FewTries},
    {Invariant::kBooksBalance, CheckedWhen::kAtEnd, &BooksClosed},
};

std::string_view TextOf(Invariant invariant) {
  switch (invariant) {
#define THAW_TEXT(enumerator, name, text) \
  case Invariant::enumerator:             \
    return text;
    THAW_INVARIANTS(THAW_TEXT)
#undef THAW_TEXT
  }
  return "unknown";
}

}  // namespace thaw
