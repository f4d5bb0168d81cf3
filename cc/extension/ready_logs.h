// Holds batches of logs that are compressed and wait for their first try, within a part of the budget of bytes.
//
//   ReadyLogs ready(pipelines.bytes(), counts.flooded);
//   ready.Add({.request = std::move(request), .lines = 1000, .bytes = bytes, .request_id = "a"});
//   for (const auto& [request_id, lines] : ready.TakeMissing()) Tell(request_id, lines);
//   while (!ready.empty()) Send(ready.TakeOldest());
//
// Beyond that part, and wherever data of another kind needs room, the oldest batch of the invocation that has most
// bytes is dropped. Its lines are counted for a line that says how many are missing.
//
// One thread: the executor's.

#ifndef THAW_CC_EXTENSION_READY_LOGS_H_
#define THAW_CC_EXTENSION_READY_LOGS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "cc/flush/byte_budget.h"
#include "cc/flush/encoded_request.h"

namespace thaw {

class ReadyLogs : private ByteBudget::Holder {
 public:
  struct Batch {
    EncodedRequest request;
    int64_t lines = 0;
    size_t bytes = 0;        // that the request takes of the budget
    std::string request_id;  // of all its lines; empty if they are of several invocations
  };

  // `dropped` counts the lines of dropped batches. Both must outlive this object.
  ReadyLogs(ByteBudget& budget, int64_t& dropped);
  ReadyLogs(const ReadyLogs&) = delete;
  ReadyLogs& operator=(const ReadyLogs&) = delete;
  ~ReadyLogs() override;

  // Adds a batch, and drops batches until those that are left fit into their part of the budget.
  void Add(Batch batch);
  bool empty() const { return batches_.empty(); }
  size_t bytes() const { return bytes_; }
  // Returns the number of lines that wait, or that were dropped since the last call of TakeMissing().
  int64_t lines() const;
  // Takes the oldest batch out, and gives its bytes back to the budget.
  Batch TakeOldest();
  // Returns the number of dropped lines by request id, since the last call.
  std::map<std::string, int64_t> TakeMissing();

 private:
  // The batches of one invocation.
  struct Invocation {
    size_t bytes = 0;
    std::deque<uint64_t> batches;  // their numbers, the oldest first
  };
  using Invocations = std::map<std::string, Invocation, std::less<>>;

  // ByteBudget::Holder: these batches go before data that was tried.
  std::optional<uint64_t> OldestEvictable() const override;
  void EvictOldest() override;
  // Takes out the oldest batch of an invocation.
  Batch Take(Invocations::iterator invocation);

  ByteBudget& budget_;
  int64_t& dropped_;
  std::map<uint64_t, Batch> batches_;  // by their number, so that the oldest is first
  uint64_t next_ = 0;
  size_t bytes_ = 0;
  Invocations invocations_;  // by request id, those with batches
  std::map<std::string, int64_t> missing_;
};

}  // namespace thaw

#endif  // THAW_CC_EXTENSION_READY_LOGS_H_
