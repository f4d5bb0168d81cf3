// Allocates memory whose size follows from input so that a failure is a status. The shipped program is built
// without exceptions: a failed allocation in a container would end it.
//
//   THAW_RETURN_IF_ERROR(Reserve(notes, notes.size() + 1, &charge));

#ifndef THAW_CC_BASE_RESERVE_H_
#define THAW_CC_BASE_RESERVE_H_

#include <cstddef>
#include <new>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cc/base/byte_account.h"

namespace thaw {

// Allocations smaller than this are not checked: when one of them fails, too little memory is left for
// anything else to work.
inline constexpr size_t kLargeAllocation = size_t{64} * 1024;

inline absl::Status NoMemory(size_t bytes) {
  return absl::ResourceExhaustedError(absl::StrCat("there is no memory for ", bytes, " bytes"));
}

// Returns whether `bytes` can be allocated, by allocating and freeing them. The next allocation of the same
// size succeeds, since one thread allocates all memory of requests.
inline bool CanAllocate(size_t bytes) {
  if (bytes < kLargeAllocation) return true;
  // Room for the rounding that containers do themselves.
  constexpr size_t kRounding = 64;
  void* block = ::operator new(bytes + kRounding, std::nothrow);
  // Without this the compiler may remove the allocation and assume success.
  asm volatile("" : "+r"(block) : : "memory");
  ::operator delete(block);
  return block != nullptr;
}

// Makes `container`, a vector or string, hold `count` elements without another allocation. The new memory is
// charged before it is allocated, and the old memory until it is freed; small allocations are not charged.
// `charge` may be null.
template <typename Container>
absl::Status Reserve(Container& container, size_t count, ByteCharge* charge) {
  if (count <= container.capacity()) return absl::OkStatus();
  using Element = typename Container::value_type;
  static_assert(std::is_trivially_copyable_v<Element>);
  constexpr size_t kElement = sizeof(Element);
  const size_t bytes = count * kElement;
  const size_t old_bytes = container.capacity() * kElement;
  const bool charged = charge != nullptr && bytes >= kLargeAllocation;
  if (charged) {
    if (absl::Status grown = charge->Grow(bytes); !grown.ok()) return grown;
  }
  if (!CanAllocate(bytes)) {
    if (charged) charge->Shrink(bytes);
    return NoMemory(bytes);
  }
  // container.reserve(count) is not used because it may allocate twice the current size.
  Container grown;
  grown.reserve(count);
  grown.insert(grown.end(), container.begin(), container.end());
  container.swap(grown);
  if (charged && old_bytes >= kLargeAllocation) charge->Shrink(old_bytes);
  return absl::OkStatus();
}

// Reserves room for at least one more element, growing by a factor so that repeated calls stay cheap.
template <typename Container>
absl::Status ReserveMore(Container& container, size_t more, ByteCharge* charge) {
  const size_t count = container.size() + more;
  if (count <= container.capacity()) return absl::OkStatus();
  return Reserve(container, count > 2 * container.capacity() ? count : 2 * container.capacity(), charge);
}

}  // namespace thaw

#endif  // THAW_CC_BASE_RESERVE_H_
