// Ciphertext on its way between TLS and the transport below it, in both directions. Knows nothing of TLS. One
// thread.

#ifndef THAW_CC_NET_TLS_CIPHERTEXT_H_
#define THAW_CC_NET_TLS_CIPHERTEXT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "absl/types/span.h"

namespace thaw {

// Bytes that came from the lower transport and that TLS has not taken yet.
class InboundCiphertext {
 public:
  // Returns room for the next lower read. Call it only when all bytes that came were taken.
  absl::Span<char> Room(size_t size) {
    if (capacity_ != size) {
      buffer_.reset(new char[size]);
      capacity_ = size;
    }
    begin_ = end_ = 0;
    return absl::MakeSpan(buffer_.get(), capacity_);
  }
  // A lower read has put `bytes` into the room.
  void Arrived(size_t bytes) {
    begin_ = 0;
    end_ = bytes;
    filled_ = bytes == capacity_;
  }
  // Adds bytes that came while a lower read into the room is pending; they precede its bytes.
  void ArrivedBeside(std::string_view bytes) { beside_.append(bytes); }

  // Moves bytes to `into` and returns their number; zero if there are none.
  size_t Take(char* into, size_t size) {
    if (!beside_.empty()) {
      const size_t taken = beside_.copy(into, size);
      beside_.erase(0, taken);
      return taken;
    }
    const size_t taken = std::min(size, end_ - begin_);
    if (taken > 0) std::memcpy(into, buffer_.get() + begin_, taken);
    begin_ += taken;
    return taken;
  }

  bool empty() const { return begin_ == end_ && beside_.empty(); }
  // Whether the last lower read filled its room: more may be there.
  bool filled() const { return filled_; }
  void ForgetFilled() { filled_ = false; }
  // Frees the room. Call it only when all bytes that came were taken.
  void Free() {
    buffer_.reset();
    capacity_ = 0;
  }

 private:
  std::unique_ptr<char[]> buffer_;
  size_t capacity_ = 0;
  size_t begin_ = 0;
  size_t end_ = 0;
  bool filled_ = false;
  std::string beside_;
};

// Bytes that TLS sealed. Those that are being sent do not move until all of them are written.
class OutboundCiphertext {
 public:
  void Seal(std::string_view bytes) {
    sealed_.append(bytes);
    sealed_in_all_ += static_cast<int64_t>(bytes.size());
  }
  // Makes room for `bytes` more.
  void Reserve(size_t bytes) { sealed_.reserve(sealed_.size() + bytes); }
  bool has_sealed() const { return !sealed_.empty(); }

  // Begins to send what was sealed. Call it only when nothing is being sent.
  void BeginSending() {
    sending_.swap(sealed_);
    sent_ = 0;
  }
  // The part of what is being sent that the lower transport has not accepted.
  std::string_view unsent() const { return std::string_view(sending_).substr(sent_); }
  void Sent(size_t bytes) {
    sent_ += bytes;
    sent_in_all_ += static_cast<int64_t>(bytes);
  }
  // Forgets what was being sent, and frees its memory if that is larger than `kept_bytes`.
  void EndSending(size_t kept_bytes) {
    sending_.clear();
    if (sending_.capacity() > kept_bytes) std::string().swap(sending_);
    sent_ = 0;
  }

  // Positions in the stream of all ciphertext.
  int64_t sealed_in_all() const { return sealed_in_all_; }
  int64_t sent_in_all() const { return sent_in_all_; }

 private:
  std::string sealed_;
  std::string sending_;
  size_t sent_ = 0;  // bytes of `sending_`
  int64_t sealed_in_all_ = 0;
  int64_t sent_in_all_ = 0;
};

}  // namespace thaw

#endif  // THAW_CC_NET_TLS_CIPHERTEXT_H_
