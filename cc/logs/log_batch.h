// Lines that make one request: a JSON array that grows by one entry at a time.
//
//   LogBatch batch;
//   batch.Begin();
//   writer.Append(entry, batch.body);
//   batch.Close();   // then `body` is a JSON array
//
// A plain value.

#ifndef THAW_CC_LOGS_LOG_BATCH_H_
#define THAW_CC_LOGS_LOG_BATCH_H_

#include <cstddef>
#include <cstdint>
#include <string>

namespace thaw {

struct LogBatch {
  std::string body;
  int64_t entries = 0;

  // Prepares `body` for one more entry, which the caller appends.
  void Begin() { body.push_back(entries++ == 0 ? '[' : ','); }
  void Close() {
    if (entries > 0) body.push_back(']');
  }

  bool empty() const { return entries == 0; }
  size_t size() const { return body.size(); }
  size_t memory() const { return body.capacity(); }
};

}  // namespace thaw

#endif  // THAW_CC_LOGS_LOG_BATCH_H_
