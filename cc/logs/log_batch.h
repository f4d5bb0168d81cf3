// The body of one request to the intake of logs: a JSON array that grows by one entry at a time.
//
//   LogBatch batch;
//   batch.Begin();
//   writer.Append(entry, batch.body);
//   batch.Close();   // `body` is a complete JSON array now
//
// A value type without synchronization.

#ifndef THAW_CC_LOGS_LOG_BATCH_H_
#define THAW_CC_LOGS_LOG_BATCH_H_

#include <cstddef>
#include <cstdint>
#include <string>

namespace thaw {

struct LogBatch {
  std::string body;
  int64_t entries = 0;

  // Counts one more entry and writes the '[' or ',' before it; the caller then appends the entry to `body`.
  void Begin() { body.push_back(entries++ == 0 ? '[' : ','); }
  // Writes the ']' after the last entry. An empty batch keeps an empty body.
  void Close() {
    if (entries > 0) body.push_back(']');
  }

  bool empty() const { return entries == 0; }
  size_t size() const { return body.size(); }
  size_t memory() const { return body.capacity(); }
};

}  // namespace thaw

#endif  // THAW_CC_LOGS_LOG_BATCH_H_
