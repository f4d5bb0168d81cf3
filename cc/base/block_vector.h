// Stores a growing sequence in blocks, so that growth moves no element: a vector of 100 MB holds up the loop
// for tens of milliseconds each time it is copied.
//
//   BlockVector<SpanNote> notes;
//   THAW_RETURN_IF_ERROR(notes.MakeRoom(/*expected=*/100, &charge));
//   notes.push_back(note);
//
// The first block grows as a vector does, so that a short sequence takes little memory.
//
// One thread.

#ifndef THAW_CC_BASE_BLOCK_VECTOR_H_
#define THAW_CC_BASE_BLOCK_VECTOR_H_

#include <algorithm>
#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "cc/base/byte_account.h"
#include "cc/base/reserve.h"

namespace thaw {

template <typename T>
class BlockVector {
 public:
  static constexpr size_t kBlock = 4096;  // elements; a power of two

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T& operator[](size_t index) { return blocks_[index / kBlock][index % kBlock]; }
  const T& operator[](size_t index) const { return blocks_[index / kBlock][index % kBlock]; }
  T& back() { return (*this)[size_ - 1]; }

  // Returns whether there is room for another element.
  bool has_room() const { return size_ < room_; }
  // Makes room for another element, and for `expected` elements as far as they fit into a block. Returns an
  // error if there is no memory. `charge` may be null.
  absl::Status MakeRoom(size_t expected, ByteCharge* charge) {
    if (blocks_.empty() || size_ == kBlock * blocks_.size()) blocks_.emplace_back();
    std::vector<T>& block = blocks_.back();
    // Blocks after the first are allocated as a whole.
    const size_t wanted =
        blocks_.size() > 1 ? kBlock : std::min(kBlock, block.size() + std::max<size_t>(expected, 1));
    if (wanted > block.capacity()) {
      size_t count = std::max(wanted, 2 * block.capacity());
      if (count > kBlock / 4) count = kBlock;  // growing on costs more than the memory
      if (absl::Status reserved = Reserve(block, count, charge); !reserved.ok()) return reserved;
    }
    room_ = kBlock * (blocks_.size() - 1) + std::min(kBlock, block.capacity());
    return absl::OkStatus();
  }
  // Adds an element; there must be room for it.
  void push_back(const T& element) {
    blocks_.back().push_back(element);
    ++size_;
  }

  // Removes all elements, and frees the memory beyond `kept_bytes` of the first block.
  void Clear(size_t kept_bytes) {
    size_ = room_ = 0;
    if (blocks_.empty()) return;
    blocks_.resize(1);
    blocks_[0].clear();
    if (blocks_[0].capacity() * sizeof(T) > kept_bytes) blocks_.clear();
    if (!blocks_.empty()) room_ = std::min(kBlock, blocks_[0].capacity());
  }

 private:
  std::vector<std::vector<T>> blocks_;
  size_t size_ = 0;
  size_t room_ = 0;  // elements that fit into the blocks
};

}  // namespace thaw

#endif  // THAW_CC_BASE_BLOCK_VECTOR_H_
