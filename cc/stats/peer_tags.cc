#include "cc/stats/peer_tags.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>

namespace thaw {
namespace {

constexpr size_t kNumber = std::size(kPeerTags);
static_assert(std::is_sorted(std::begin(kPeerTags), std::end(kPeerTags)));

constexpr size_t kShortest = 7, kLongest = 33;
static_assert(std::all_of(std::begin(kPeerTags), std::end(kPeerTags), [](std::string_view key) {
  return kShortest <= key.size() && key.size() <= kLongest;
}));

// A perfect hash table, in which every key has a slot of its own, so that one comparison decides: each tag of
// a span is looked up, and most are no peer tags. The compiler finds the factor that makes it perfect.
constexpr int kSlotBits = 8;
struct Table {
  uint64_t factor = 0;
  std::array<uint8_t, size_t{1} << kSlotBits> slots{};  // an index in kPeerTags, from 1; 0: none
};

constexpr size_t SlotOf(std::string_view key, uint64_t factor) {
  // The length and two letters tell all keys apart.
  const uint64_t letters = key.size() | static_cast<uint64_t>(static_cast<uint8_t>(key[3])) << 8 |
                           static_cast<uint64_t>(static_cast<uint8_t>(key[key.size() - 3])) << 16;
  return (letters * factor) >> (64 - kSlotBits);
}

constexpr Table MakeTable() {
  constexpr uint64_t kGoldenRatio = 0x9E3779B97F4A7C15;
  for (Table table{.factor = kGoldenRatio};; table = Table{.factor = table.factor + 2 * kGoldenRatio}) {
    size_t placed = 0;
    for (; placed < kNumber; ++placed) {
      uint8_t& slot = table.slots[SlotOf(kPeerTags[placed], table.factor)];
      if (slot != 0) break;
      slot = static_cast<uint8_t>(placed + 1);
    }
    if (placed == kNumber) return table;
  }
}

constexpr Table kTable = MakeTable();

}  // namespace

std::optional<size_t> PeerTagOf(std::string_view key) {
  if (key.size() < kShortest || key.size() > kLongest) return std::nullopt;
  const uint8_t slot = kTable.slots[SlotOf(key, kTable.factor)];
  if (slot == 0 || kPeerTags[slot - 1] != key) return std::nullopt;
  return slot - 1;
}

}  // namespace thaw
