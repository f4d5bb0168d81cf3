// Lines that wait for an invocation to which they can be credited: what was written before the first one began.
//
//   HeldLogs held(256 << 10);
//   held.Add(entry, emit);
//   held.Release(emit);
//
// Bounded in bytes: the oldest lines make way, to the function that Add is given. One thread.

#ifndef THAW_CC_LOGS_HELD_LOGS_H_
#define THAW_CC_LOGS_HELD_LOGS_H_

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "cc/base/byte_account.h"
#include "cc/logs/log_entry.h"

namespace thaw {

class HeldLogs {
 public:
  using Emit = absl::FunctionRef<void(const LogEntry&)>;

  // Held lines are charged to `account`, which may be null and must outlive the object.
  explicit HeldLogs(size_t most_bytes, ByteAccount* account = nullptr)
      : most_bytes_(most_bytes), bytes_(account) {}

  // Holds a copy of the entry. Passes the oldest ones to `emit` if there is no room for it.
  void Add(const LogEntry& entry, Emit emit);
  // Passes all entries to `emit`, in order, and holds none any more.
  void Release(Emit emit);

  bool empty() const { return lines_.empty(); }
  size_t size() const { return lines_.size(); }
  size_t bytes() const { return bytes_.bytes(); }
  // The time of the oldest line; nullopt if none is held.
  std::optional<absl::Time> oldest() const;

 private:
  struct Line {
    absl::Time time;
    std::string text;
    std::string request_id;
    std::string tags;
    LogStatus status;
    LogKind kind;
    bool escaped;
    bool cut;

    size_t memory() const {
      return sizeof(*this) + text.capacity() + request_id.capacity() + tags.capacity();
    }
  };

  void EmitOldest(Emit emit);

  const size_t most_bytes_;
  std::deque<Line> lines_;
  ChargedBytes bytes_;
};

}  // namespace thaw

#endif  // THAW_CC_LOGS_HELD_LOGS_H_
