// Keeps the invocations of which parts have come: one entry for each, found by request id, within one set of
// bounds.
//
//   InvocationStore store({.account = &budget});
//   // The platform's side of each entry, and the tracer's.
//   InvocationTracker tracker(clock, {}, store, observer);
//   InvocationAssembler assembler({}, store, clock, std::move(random));
//
// The two views keep what is theirs in the same entry; an entry leaves when neither side needs it any more.
// Request ids are not unique: Lambda retries failed invocations under the same id. An entry of a tracer's
// call without a request id has none until its invocation comes.
//
// Above the bounds the oldest entries are evicted, ended ones before others. Both views are told of each
// eviction, and count what is lost by it. No entry is evicted within a Change.
//
// One thread.

#ifndef THAW_CC_LAMBDA_INVOCATION_INVOCATION_STORE_H_
#define THAW_CC_LAMBDA_INVOCATION_INVOCATION_STORE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "cc/base/byte_account.h"
#include "cc/clock/clock.h"
#include "cc/lambda/invocation/invocation_span.h"
#include "cc/telemetry/invocation.h"

namespace thaw {

struct InvocationStoreOptions {
  size_t max_invocations = 500;
  size_t max_bytes = 4 << 20;
  // The number of reported invocations kept for late records.
  size_t max_reported = 16;
  // The longest time from a tracer's call until its invocation is known, by the clock that advances most. A
  // call that is older is dropped.
  absl::Duration wait_for_invocation = absl::Seconds(2);
  // The account that the store is charged to; may be null. Must outlive the store.
  ByteAccount* account = nullptr;
};

class InvocationStore {
 public:
  // Orders invocations by age: the lowest is the oldest.
  using Sequence = uint64_t;

  // The content of INVOKE and of telemetry records. InvocationTracker keeps it.
  struct PlatformSide {
    Invocation invocation;  // its request id is the entry's
    bool known = false;     // an event or a record of it came
    int overtaken = 0;      // number of later INVOKEs
    // The calls of the observer so far.
    bool started = false;
    bool ended = false;
    bool reported = false;
  };
  // The content of the tracer's calls and spans, and the facts of the platform that the spans made here need.
  // InvocationAssembler keeps it.
  struct TracerSide {
    InvocationRecord record;  // its request id is empty until the spans are made
    ClockReading arrived;     // of the first part
    bool invoked = false;
    bool started = false;  // a tracer called
    bool platform_ended = false;
    uint64_t seen_trace_id = 0;  // from spans that came meanwhile
  };
  struct Entry {
    const std::string& request_id() const { return platform.invocation.request_id; }
    bool ended() const { return platform.ended || (tracer != nullptr && tracer->platform_ended); }

    Sequence sequence = 0;
    PlatformSide platform;
    std::unique_ptr<TracerSide> tracer;  // null before and after the tracer's side is of use
    bool tracer_done = false;            // the tracer's side has ended
    size_t bytes = 0;                    // its part of the store's bytes
  };
  using Entries = std::map<Sequence, Entry>;

  class View {
   public:
    virtual ~View() = default;
    // Called before the entry is removed for want of room.
    virtual void BeforeEviction(Entry& entry) = 0;
  };

  // Puts evictions off until the outermost change ends: until then entries stay where they are.
  class Change {
   public:
    explicit Change(InvocationStore& store) : store_(store) { ++store_.changes_; }
    Change(const Change&) = delete;
    Change& operator=(const Change&) = delete;
    ~Change() {
      if (store_.changes_ == 1) store_.KeepBounds();
      --store_.changes_;
    }

   private:
    InvocationStore& store_;
  };

  explicit InvocationStore(InvocationStoreOptions options) : options_(options), charge_(options.account) {}
  InvocationStore(const InvocationStore&) = delete;
  InvocationStore& operator=(const InvocationStore&) = delete;

  // `view` must outlive the last change.
  void AddView(View& view) { views_.push_back(&view); }

  // Adds an entry, which is the latest of its request id. Entries without one share the empty id.
  Entry& Add(std::string_view request_id);
  // Takes note that the entry's content has changed; removes the entry if neither side needs it.
  void Update(Entry& entry);

  // Return the oldest and the latest entry of the request id for which `wanted` holds; null if there is none.
  Entry* Oldest(std::string_view request_id, absl::FunctionRef<bool(const Entry&)> wanted);
  Entry* Latest(std::string_view request_id, absl::FunctionRef<bool(const Entry&)> wanted);
  const Entry* Latest(std::string_view request_id, absl::FunctionRef<bool(const Entry&)> wanted) const;
  Entry* At(Sequence sequence);
  // All entries, the oldest first. References stay valid until their entry is removed.
  Entries& entries() { return entries_; }
  const Entries& entries() const { return entries_; }

  const InvocationStoreOptions& options() const { return options_; }
  size_t bytes() const { return charge_.bytes(); }

 private:
  void KeepBounds();
  void Remove(Entries::iterator position);

  const InvocationStoreOptions options_;
  std::vector<View*> views_;
  Entries entries_;
  absl::flat_hash_map<std::string, absl::InlinedVector<Sequence, 1>> by_request_id_;  // never iterated
  Sequence next_sequence_ = 1;
  int changes_ = 0;  // under way
  ByteCharge charge_;
};

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_INVOCATION_INVOCATION_STORE_H_
