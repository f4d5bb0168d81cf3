#include "cc/metrics/tag_sets.h"

#include <algorithm>
#include <utility>

#include "absl/hash/hash.h"

namespace thaw {
namespace {

// Bytes of a set in the table, and of its count of references.
constexpr size_t kBookkeeping = 40;

}  // namespace

void SortAndDeduplicate(std::vector<std::string_view>& tags) {
  // Clients send the same tags in the same order, which is often sorted.
  const bool sorted =
      std::adjacent_find(tags.begin(), tags.end(),
                         [](std::string_view a, std::string_view b) { return a >= b; }) == tags.end();
  if (sorted) return;
  std::sort(tags.begin(), tags.end());
  tags.erase(std::unique(tags.begin(), tags.end()), tags.end());
}

TagSet::TagSet(absl::Span<const std::string_view> tags) {
  size_t bytes = 0;
  for (const std::string_view tag : tags) bytes += tag.size();
  text_.reserve(bytes);
  ends_.reserve(tags.size());
  for (const std::string_view tag : tags) {
    text_.append(tag);
    ends_.push_back(static_cast<uint32_t>(text_.size()));
  }
}

bool TagSet::Equals(absl::Span<const std::string_view> tags) const {
  if (tags.size() != ends_.size()) return false;
  const char* at = text_.data();
  uint32_t begin = 0;
  for (size_t i = 0; i < tags.size(); ++i) {
    const size_t size = ends_[i] - begin;
    if (tags[i] != std::string_view(at, size)) return false;
    at += size;
    begin = ends_[i];
  }
  return true;
}

size_t TagSet::memory() const {
  return sizeof(*this) + text_.capacity() + ends_.capacity() * sizeof(ends_[0]) + kBookkeeping;
}

size_t TagSets::Hash::operator()(const std::shared_ptr<const TagSet>& set) const {
  size_t hash = set->size();
  for (size_t i = 0; i < set->size(); ++i) hash = absl::HashOf(hash, (*set)[i]);
  return hash;
}

size_t TagSets::Hash::operator()(absl::Span<const std::string_view> tags) const {
  size_t hash = tags.size();
  for (const std::string_view tag : tags) hash = absl::HashOf(hash, tag);
  return hash;
}

std::shared_ptr<const TagSet> TagSets::Intern(absl::Span<const std::string_view> tags) {
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
