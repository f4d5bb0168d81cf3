// The invocations of an environment that lines may belong to: the running one, and those before it.
//
//   RecentInvocations invocations;
//   invocations.OnStart("8f5…");
//   invocations.current();                       // "8f5…", also after its end
//   invocations.NamedBy(text, escaped);          // "8f5…" of "2026-…Z\t8f5…\tINFO…"
//
// Ids are as written inside a JSON string. Only a few invocations are remembered. One thread.

#ifndef THAW_CC_LOGS_RECENT_INVOCATIONS_H_
#define THAW_CC_LOGS_RECENT_INVOCATIONS_H_

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace thaw {

class RecentInvocations {
 public:
  struct Known {
    std::string request_id;
    std::optional<absl::Duration> runtime;  // how long the handler ran
    bool out_of_memory = false;
  };

  explicit RecentInvocations(size_t most = 16) : most_(most) {}

  // An invocation begins, or is heard of for the first time by its end.
  Known& OnStart(std::string_view request_id);
  // Returns the invocation with this id, which may be new.
  Known& Of(std::string_view request_id);
  // Returns the id of the last invocation that began; empty before the first.
  std::string_view current() const { return current_; }
  // Returns the id of a recent invocation that stands in one of the first fields of `text`, where runtimes write
  // it; empty if there is none. Fields are apart by tabs, which are `\t` in a text that is `escaped`.
  std::string_view NamedBy(std::string_view text, bool escaped) const;

 private:
  const size_t most_;
  std::deque<Known> known_;  // the newest last
  std::string current_;
};

}  // namespace thaw

#endif  // THAW_CC_LOGS_RECENT_INVOCATIONS_H_
