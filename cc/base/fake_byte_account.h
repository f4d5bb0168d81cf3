// A ByteAccount of a fixed size for tests. It records the largest number of bytes that was ever taken.

#ifndef THAW_CC_BASE_FAKE_BYTE_ACCOUNT_H_
#define THAW_CC_BASE_FAKE_BYTE_ACCOUNT_H_

#include <algorithm>
#include <cstddef>

#include "absl/status/status.h"
#include "cc/base/byte_account.h"

namespace thaw {

class FakeByteAccount : public ByteAccount {
 public:
  explicit FakeByteAccount(size_t limit) : limit_(limit) {}

  absl::Status Take(size_t bytes) override {
    if (taken_ > limit_ || bytes > limit_ - taken_)
      return absl::ResourceExhaustedError("the account is empty");
    taken_ += bytes;
    most_ = std::max(most_, taken_);
    return absl::OkStatus();
  }
  void TakeAnyway(size_t bytes) override {
    taken_ += bytes;
    most_ = std::max(most_, taken_);
  }
  void GiveBack(size_t bytes) override { taken_ -= bytes; }
  size_t limit() const override { return limit_; }

  size_t taken() const { return taken_; }
  size_t most() const { return most_; }

 private:
  const size_t limit_;
  size_t taken_ = 0;
  size_t most_ = 0;
};

}  // namespace thaw

#endif  // THAW_CC_BASE_FAKE_BYTE_ACCOUNT_H_
