// Provides an API key. Payloads in the outbox refer to the source and never to the key, so that a rotated key
// reaches them.

#ifndef THAW_CC_FLUSH_API_KEY_SOURCE_H_
#define THAW_CC_FLUSH_API_KEY_SOURCE_H_

#include <string>
#include <utility>

#include "cc/base/task.h"

namespace thaw {

class ApiKeySource {
 public:
  virtual ~ApiKeySource() = default;

  // Returns the key as known now; empty if there is none, so that nothing can be sent.
  virtual std::string Current() const = 0;

  // Looks the key up, because there is none yet or the intake refused it. Returns true if Current() is a
  // different one now. Overlapping calls share one lookup.
  virtual Task<bool> Refresh() = 0;

  // Tells the source that the last flush begins: a lookup that failed for a reason that may have passed is
  // made once more.
  virtual void OnLastFlush() {}
};

// A key from the configuration, which never changes.
class LiteralApiKey : public ApiKeySource {
 public:
  explicit LiteralApiKey(std::string key) : key_(std::move(key)) {}
  std::string Current() const override { return key_; }
  Task<bool> Refresh() override { co_return false; }

 private:
  const std::string key_;
};

}  // namespace thaw

#endif  // THAW_CC_FLUSH_API_KEY_SOURCE_H_
