#include "cc/flush/byte_budget.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace thaw {

void ByteBudget::RemoveHolder(Holder* holder) {
  holders_.erase(std::remove(holders_.begin(), holders_.end(), holder), holders_.end());
}

absl::Status ByteBudget::MakeRoom(size_t bytes) {
  while (bytes > limit_ || used_ - evictable_ > limit_ - bytes) {
    if (bytes <= limit_ && reclaim_ && reclaim_()) continue;
    return absl::ResourceExhaustedError(absl::StrCat("there is no room for ", bytes,
                                                     " bytes: ", used_ - evictable_, " of ", limit_,
                                                     " hold data that was never tried"));
  }
  Evict(bytes);
  return absl::OkStatus();
}

absl::Status ByteBudget::Take(size_t bytes) {
  if (absl::Status room = MakeRoom(bytes); !room.ok()) return room;
  Add(bytes);
  return absl::OkStatus();
}

void ByteBudget::Evict(size_t bytes) {
  while (used_ + bytes > limit_) {
    Holder* oldest = nullptr;
    std::optional<uint64_t> sequence;
    for (Holder* holder : holders_) {
      const std::optional<uint64_t> candidate = holder->OldestEvictable();
      if (candidate.has_value() && (!sequence.has_value() || *candidate < *sequence)) {
        sequence = candidate;
        oldest = holder;
      }
    }
    if (oldest == nullptr) return;
    oldest->EvictOldest();
  }
}

}  // namespace thaw
