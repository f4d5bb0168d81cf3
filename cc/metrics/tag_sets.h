// Sets of tags, each kept once however many metrics have it.
//
//   TagSet tags({"env:prod", "route:r1"});
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

class TagSet {
 public:
  TagSet() { Assign({}); }
  explicit TagSet(absl::Span<const std::string_view> tags) { Assign(tags); }

  // Replaces the tags by these, which may be in any order and have repeats. Memory is used again.
  void Assign(absl::Span<const std::string_view> tags);

  size_t size() const { return ends_.size(); }
  std::string_view operator[](size_t index) const {
    const uint32_t begin = index == 0 ? 0 : ends_[index - 1];
    return std::string_view(text_).substr(begin, ends_[index] - begin);
  }
  friend bool operator==(const TagSet& a, const TagSet& b) {
    return a.hash_ == b.hash_ && a.text_ == b.text_ && a.ends_ == b.ends_;
  }
  size_t hash() const { return hash_; }
  // Returns the bytes of all tags.
  size_t text_bytes() const { return text_.size(); }
  // Returns the bytes of memory that the set takes.
  size_t memory() const;

 private:
  void AssignSorted(absl::Span<const std::string_view> tags);

  std::string text_;            // all tags in order, one after the other
  std::vector<uint32_t> ends_;  // the position after each tag
  size_t hash_ = 0;
};

class TagSets {
 public:
  // Returns the set that has these tags, or null.
  const TagSet* Find(const TagSet& tags) const;
  // Returns the set that has these tags, which is made if there is none.
  std::shared_ptr<const TagSet> Intern(const TagSet& tags);
  // Frees the sets that only this object refers to.
  void FreeUnused();

  size_t size() const { return sets_.size(); }
  // Returns the bytes of memory that all sets take.
  size_t memory() const { return memory_; }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(const std::shared_ptr<const TagSet>& set) const { return set->hash(); }
    size_t operator()(const TagSet& tags) const { return tags.hash(); }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const std::shared_ptr<const TagSet>& a, const std::shared_ptr<const TagSet>& b) const {
      return a == b;
    }
    bool operator()(const std::shared_ptr<const TagSet>& set, const TagSet& tags) const {
      return *set == tags;
    }
  };

  absl::flat_hash_set<std::shared_ptr<const TagSet>, Hash, Equal> sets_;
  size_t memory_ = 0;
};

}  // namespace thaw

#endif  // THAW_CC_METRICS_TAG_SETS_H_
