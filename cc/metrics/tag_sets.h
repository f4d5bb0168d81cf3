// Sets of tags, each kept once however many metrics have it.
//
//   SortAndDeduplicate(tags);
//   std::shared_ptr<const TagSet> set = sets.Intern(tags);
//   sets.FreeUnused();   // after metrics that had some of the sets are gone
//
// Two sets are the same only if all their tags are: a hash alone never decides. One thread.

#ifndef THAW_CC_METRICS_TAG_SETS_H_
#define THAW_CC_METRICS_TAG_SETS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/types/span.h"

namespace thaw {

// Makes a set of tags out of a list.
void SortAndDeduplicate(std::vector<std::string_view>& tags);

class TagSet {
 public:
  // `tags` are sorted and without repeats, here and below.
  explicit TagSet(absl::Span<const std::string_view> tags);

  size_t size() const { return ends_.size(); }
  std::string_view operator[](size_t index) const {
    const uint32_t begin = index == 0 ? 0 : ends_[index - 1];
    return std::string_view(text_).substr(begin, ends_[index] - begin);
  }
  bool Equals(absl::Span<const std::string_view> tags) const;
  // Returns the bytes of memory that the set takes.
  size_t memory() const;

 private:
  std::string text_;            // all tags, one after the other
  std::vector<uint32_t> ends_;  // the position after each tag
};

class TagSets {
 public:
  std::shared_ptr<const TagSet> Intern(absl::Span<const std::string_view> tags);
  // Frees the sets that only this object refers to.
  void FreeUnused();

  size_t size() const { return sets_.size(); }
  // Returns the bytes of memory that all sets take.
  size_t memory() const { return memory_; }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(const std::shared_ptr<const TagSet>& set) const;
    size_t operator()(absl::Span<const std::string_view> tags) const;
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const std::shared_ptr<const TagSet>& a, const std::shared_ptr<const TagSet>& b) const {
      return a == b;
    }
    bool operator()(const std::shared_ptr<const TagSet>& set, absl::Span<const std::string_view> tags) const {
      return set->Equals(tags);
    }
  };

  absl::flat_hash_set<std::shared_ptr<const TagSet>, Hash, Equal> sets_;
  size_t memory_ = 0;
};

}  // namespace thaw

#endif  // THAW_CC_METRICS_TAG_SETS_H_
