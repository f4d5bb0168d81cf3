// Where an API key comes from. Payloads in the outbox refer to the source, never to the key, so that a
// rotated key reaches them.

#ifndef THAW_CC_FLUSH_API_KEY_SOURCE_H_
#define THAW_CC_FLUSH_API_KEY_SOURCE_H_

#include <string>
#include <utility>

#include "cc/base/task.h"

namespace thaw {

class ApiKeySource {
 public:
  virtual ~ApiKeySource() = default;

  // The key as known now; empty: none, and nothing can be sent.
  virtual std::string Current() const = 0;

  // There is no key yet, or the intake refused it: looks it up (again). True if Current() is another one now.
  // Calls that overlap share one look-up.
  virtual Task<bool> Refresh() = 0;

  // No flush follows the one that begins: what failed and may have passed is looked up once more.
  virtual void OnLastFlush() {}
};

// A key that was written into the configuration: there is no other.
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
