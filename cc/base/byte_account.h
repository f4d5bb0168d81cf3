// Accounts for memory whose size follows from input: it is charged before it is allocated.
//
//   ByteCharge charge(account);
//   THAW_RETURN_IF_ERROR(charge.Grow(bytes));              // ResourceExhausted: no room now
//   THAW_RETURN_IF_ERROR(Reserve(text, bytes, &charge));   // cc/base/reserve.h
//   ...                                                    // destroying `charge` gives the bytes back
//
// One thread.

#ifndef THAW_CC_BASE_BYTE_ACCOUNT_H_
#define THAW_CC_BASE_BYTE_ACCOUNT_H_

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace thaw {

class ByteAccount {
 public:
  virtual ~ByteAccount() = default;
  // Books `bytes`. Returns ResourceExhausted, and books nothing, if there is no room for them now.
  virtual absl::Status Take(size_t bytes) = 0;
  // Books `bytes` even if there is no room, for uses that are bounded by themselves.
  virtual void TakeAnyway(size_t bytes) = 0;
  virtual void GiveBack(size_t bytes) = 0;
  // The most bytes the account can ever hold.
  virtual size_t limit() const = 0;
};

// Bytes that one piece of work holds of an account. Without an account it only counts them.
class ByteCharge {
 public:
  ByteCharge() = default;
  // `account` may be null; otherwise it must outlive the charge.
  explicit ByteCharge(ByteAccount* account) : account_(account) {}
  ByteCharge(ByteCharge&& other) noexcept
      : account_(other.account_), bytes_(std::exchange(other.bytes_, 0)), beside_(other.beside_) {}
  ByteCharge& operator=(ByteCharge&& other) noexcept {
    if (this == &other) return *this;
    Release();
    account_ = other.account_;
    bytes_ = std::exchange(other.bytes_, 0);
    beside_ = other.beside_;
    return *this;
  }
  ~ByteCharge() { Release(); }

  // Charges `bytes` more. Returns ResourceExhausted if there is no room now, and OutOfRange if they can never
  // fit beside the bytes that are already held.
  absl::Status Grow(size_t bytes) {
    if (account_ != nullptr) {
      const size_t limit = account_->limit();
      if (bytes > limit || bytes_ + beside_ > limit - bytes)
        return absl::OutOfRangeError(absl::StrCat("this takes ", bytes_ + beside_, " and ", bytes,
                                                  " bytes more; there are ", limit, " in all"));
      if (absl::Status taken = account_->Take(bytes); !taken.ok()) return taken;
    }
    bytes_ += bytes;
    return absl::OkStatus();
  }
  // Sets the charge to `bytes` in all, even if there is no room, for uses that are bounded by themselves.
  void Set(size_t bytes) {
    if (bytes < bytes_) return Shrink(bytes_ - bytes);
    if (account_ != nullptr) account_->TakeAnyway(bytes - bytes_);
    bytes_ = bytes;
  }
  void Shrink(size_t bytes) {
    bytes = std::min(bytes, bytes_);
    if (account_ != nullptr && bytes > 0) account_->GiveBack(bytes);
    bytes_ -= bytes;
  }
  void Release() { Shrink(bytes_); }

  // Bytes that the same work holds in other charges; Grow treats them as if they were held here.
  void set_beside(size_t bytes) { beside_ = bytes; }

  size_t bytes() const { return bytes_; }
  ByteAccount* account() const { return account_; }

 private:
  ByteAccount* account_ = nullptr;
  size_t bytes_ = 0;
  size_t beside_ = 0;
};

// A number of bytes that is always charged, room or not, because its owner bounds it.
class ChargedBytes {
 public:
  explicit ChargedBytes(ByteAccount* account) : charge_(account) {}

  size_t bytes() const { return charge_.bytes(); }
  ChargedBytes& operator+=(size_t bytes) {
    charge_.Set(charge_.bytes() + bytes);
    return *this;
  }
  ChargedBytes& operator-=(size_t bytes) {
    charge_.Shrink(bytes);
    return *this;
  }
  // Returns whether there is room for `bytes` more.
  bool HasRoomFor(size_t bytes) {
    ByteCharge more(charge_.account());
    return more.Grow(bytes).ok();
  }

 private:
  ByteCharge charge_;
};

}  // namespace thaw

#endif  // THAW_CC_BASE_BYTE_ACCOUNT_H_
