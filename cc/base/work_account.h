// Accounts for one piece of work that has several charges: their sum decides what can never fit.
//
//   WorkAccount work(account, body_bytes);
//   ByteCharge charge(&work), workspace(&work);
//   THAW_RETURN_IF_ERROR(workspace.Grow(bytes));   // OutOfRange: never fits beside the other charge
//
// One thread.

#ifndef THAW_CC_BASE_WORK_ACCOUNT_H_
#define THAW_CC_BASE_WORK_ACCOUNT_H_

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cc/base/byte_account.h"

namespace thaw {

// Books the bytes of one piece of work in another account, too. A charge by itself knows only its own bytes, and
// would take those of the work's other charges for bytes that others give back some time.
class WorkAccount : public ByteAccount {
 public:
  // `held` is the number of bytes of `account` that the work holds from elsewhere. `account` must outlive this.
  WorkAccount(ByteAccount& account, size_t held) : account_(account), held_(held) {}

  // Returns OutOfRange, and books nothing, if `bytes` can never fit beside those that the work holds.
  absl::Status Take(size_t bytes) override {
    const size_t most = limit();
    if (bytes > most || held_ > most - bytes)
      return absl::OutOfRangeError(
          absl::StrCat("this takes ", held_, " and ", bytes, " bytes more; there are ", most, " in all"));
    absl::Status taken = account_.Take(bytes);
    if (taken.ok()) held_ += bytes;
    return taken;
  }
  void TakeAnyway(size_t bytes) override {
    account_.TakeAnyway(bytes);
    held_ += bytes;
  }
  void GiveBack(size_t bytes) override {
    account_.GiveBack(bytes);
    held_ -= bytes;
  }
  size_t limit() const override { return account_.limit(); }

 private:
  ByteAccount& account_;
  size_t held_;
};

}  // namespace thaw

#endif  // THAW_CC_BASE_WORK_ACCOUNT_H_
