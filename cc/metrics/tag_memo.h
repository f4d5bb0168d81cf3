// Remembers the normal tags of the texts that were read lately. Most lines of a client repeat one of a few texts, and
// normalising its tags costs more than the rest of a line.
//
//   TagMemo memo;
//   const TagMemo::Tags& tags = memo.Read("env:prod,Route:R1");   // "env:prod" and "route:r1"
//   memo.ReleaseLong();   // after a datagram
//
// Takes at most 128 KiB between two datagrams, usually a fifth of it, and nothing before the first text.
//
// One thread.

#ifndef THAW_CC_METRICS_TAG_MEMO_H_
#define THAW_CC_METRICS_TAG_MEMO_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cc/metrics/tag_sets.h"

namespace thaw {

class TagMemo {
 public:
  // Longer texts are read again each time.
  static constexpr size_t kMostBytes = 128;

  struct Tags {
    std::vector<std::string_view> list;  // in the order of the text
    TagSet set;
  };

  // Returns the tags of a text that has commas between them, normalised. Empty ones are left out. They are valid until
  // the next call.
  const Tags& Read(std::string_view text);
  // Frees the memory of texts longer than kMostBytes.
  void ReleaseLong();

 private:
  static constexpr size_t kSets = 32;

  struct Place {
    void Assign(std::string_view from);

    std::string text;
    std::string changed;  // tags that were not normal
    Tags tags;            // refer to both
  };
  // The places that a text may have, by its hash. Two, so that two texts that are used by turns and have the same hash
  // don't evict each other.
  struct Set {
    Place places[2];
    int newest = 0;
  };

  std::unique_ptr<Set[]> sets_;
  std::unique_ptr<Place> long_;
};

}  // namespace thaw

#endif  // THAW_CC_METRICS_TAG_MEMO_H_
