// The lookups of API keys in one flush: each endpoint's key is looked up at most once.
//
//   KeyLookUps look_ups(executor, /*last=*/false);
//   co_await look_ups.LookUp(endpoint, source, cancellation);
//   std::string key = source->Current();
//
// A lookup that the flush does not wait for any more goes on by itself, so that a later flush finds the key.
// One thread: the executor's. The object must outlive the waits, but not the lookups.

#ifndef THAW_CC_FLUSH_KEY_LOOK_UPS_H_
#define THAW_CC_FLUSH_KEY_LOOK_UPS_H_

#include <cstddef>
#include <map>
#include <memory>
#include <vector>

#include "cc/base/cancellation.h"
#include "cc/base/completion.h"
#include "cc/base/executor.h"
#include "cc/base/task.h"
#include "cc/flush/api_key_source.h"

namespace thaw {

class KeyLookUps {
 public:
  // `last`: the flush is the last one, and sources are told so before they are asked.
  KeyLookUps(Executor& executor, bool last) : executor_(executor), last_(last) {}
  KeyLookUps(const KeyLookUps&) = delete;
  KeyLookUps& operator=(const KeyLookUps&) = delete;

  // Begins the lookup of an endpoint's key if this flush has not done so, and waits until it has ended or
  // `cancellation` is requested. `endpoint` is an index that always comes with the same `source`.
  Task<void> LookUp(size_t endpoint, std::shared_ptr<ApiKeySource> source, Cancellation& cancellation);

 private:
  struct LookUpState {
    bool ended = false;
    std::vector<std::shared_ptr<Completion<bool>>> waiting;
  };

  std::shared_ptr<LookUpState> Begin(std::shared_ptr<ApiKeySource> source);

  Executor& executor_;
  const bool last_;
  std::map<size_t, std::shared_ptr<LookUpState>> by_endpoint_;
};

}  // namespace thaw

#endif  // THAW_CC_FLUSH_KEY_LOOK_UPS_H_
