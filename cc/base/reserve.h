// Memory whose size follows from input, asked for so that a refusal is a status: what ships has no
// exceptions, and would end where one would be thrown.
//
//   THAW_RETURN_IF_ERROR(Reserve(notes, notes.size() + 1, charge));

#ifndef THAW_CC_BASE_RESERVE_H_
#define THAW_CC_BASE_RESERVE_H_

#include <cstddef>
#include <new>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cc/base/byte_account.h"

namespace thaw {

// A smaller allocation is not worth a second look: what is left of memory when it fails is too little for
// anything.
inline constexpr size_t kLargeAllocation = 64 * 1024;

inline absl::Status NoMemory(size_t bytes) {
  return absl::ResourceExhaustedError(absl::StrCat("there is no memory for ", bytes, " bytes"));
}

// Whether `bytes` can be allocated, by doing so and giving them back. The next allocation of as many
// succeeds: the memory of requests is asked for by one thread.
inline bool CanAllocate(size_t bytes) {
  if (bytes < kLargeAllocation) return true;
  // The containers' own rounding.
  constexpr size_t kRounding = 64;
  void* block = ::operator new(bytes + kRounding, std::nothrow);
  // Or the compiler may take the pair out and assume success.
  asm volatile("" : "+r"(block) : : "memory");
  ::operator delete(block);
  return block != nullptr;
}

// Makes `container`, a vector or string, hold `count` elements without another allocation. The new memory is
// charged before it is asked for, and the old one until it is given back; what was small is not charged.
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
  // Not container.reserve(count), which may ask for twice what is there.
  Container grown;
  grown.reserve(count);
  grown.insert(grown.end(), container.begin(), container.end());
  container.swap(grown);
  if (charged && old_bytes >= kLargeAllocation) charge->Shrink(old_bytes);
  return absl::OkStatus();
}

// The same, for one more element at least, and as many as make growing cheap.
template <typename Container>
absl::Status ReserveMore(Container& container, size_t more, ByteCharge* charge) {
  const size_t count = container.size() + more;
  if (count <= container.capacity()) return absl::OkStatus();
  return Reserve(container, count > 2 * container.capacity() ? count : 2 * container.capacity(), charge);
}

}  // namespace thaw

#endif  // THAW_CC_BASE_RESERVE_H_
