#include "cc/metrics/tag_sets.h"

#include <algorithm>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/hash/hash.h"

namespace thaw {
namespace {

// Bytes of a set in the table, and of its count of references.
constexpr size_t kBookkeeping = 40;

}  // namespace

void TagSet::Assign(absl::Span<const std::string_view> tags) {
  // Clients send the same tags in the same order, which is often sorted.
  const bool sorted =
      std::adjacent_find(tags.begin(), tags.end(),
                         [](std::string_view a, std::string_view b) { return a >= b; }) == tags.end();
  if (sorted) return AssignSorted(tags);
  absl::InlinedVector<std::string_view, 16> set(tags.begin(), tags.end());
  std::sort(set.begin(), set.end());
  set.erase(std::unique(set.begin(), set.end()), set.end());
  AssignSorted(set);
}

void TagSet::AssignSorted(absl::Span<const std::string_view> tags) {
  size_t bytes = 0;
  for (const std::string_view tag : tags) bytes += tag.size();
  text_.clear();
  text_.reserve(bytes);
  ends_.clear();
  ends_.reserve(tags.size());
  for (const std::string_view tag : tags) {
    text_.append(tag);
    ends_.push_back(static_cast<uint32_t>(text_.size()));
  }
  hash_ = absl::HashOf(text_, ends_);
}

size_t TagSet::memory() const {
  return sizeof(*this) + text_.capacity() + ends_.capacity() * sizeof(ends_[0]) + kBookkeeping;
}

const TagSet* TagSets::Find(const TagSet& tags) const {
  const auto found = sets_.find(tags);
  return found != sets_.end() ? found->get() : nullptr;
}

std::shared_ptr<const TagSet> TagSets::Intern(const TagSet& tags) {
  if (const auto found = sets_.find(tags); found != sets_.end()) return *found;
  auto made = std::make_shared<const TagSet>(tags);
  memory_ += made->memory();
  sets_.insert(made);
  return made;
}

void TagSets::FreeUnused() {
  absl::erase_if(sets_, [this](const std::shared_ptr<const TagSet>& set) {
    if (set.use_count() > 1) return false;
    memory_ -= set->memory();
    return true;
  });
  if (sets_.empty()) sets_ = {};
}

}  // namespace thaw
