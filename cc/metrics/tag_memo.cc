#include "cc/metrics/tag_memo.h"

#include "absl/hash/hash.h"
#include "cc/metrics/metric_names.h"

namespace thaw {

const TagMemo::Tags& TagMemo::Read(std::string_view text) {
  if (text.size() > kMostBytes) {
    if (long_ == nullptr) long_ = std::make_unique<Place>();
    long_->Assign(text);
    return long_->tags;
  }
  if (sets_ == nullptr) sets_ = std::make_unique<Set[]>(kSets);
  Set& set = sets_[absl::HashOf(text) % kSets];
  if (set.places[set.newest].text == text) return set.places[set.newest].tags;
  set.newest = 1 - set.newest;
  Place& place = set.places[set.newest];
  if (place.text != text) place.Assign(text);
  return place.tags;
}

void TagMemo::ReleaseLong() { long_ = nullptr; }

void TagMemo::Place::Assign(std::string_view from) {
  text.assign(from);
  // Normalised tags are never longer than the text, so that those before stay where they are.
  changed.clear();
  changed.reserve(text.size());
  tags.list.clear();
  std::string_view rest = text;
  while (!rest.empty()) {
    const size_t end = rest.find(',');
    const std::string_view tag = NormalMetricTag(rest.substr(0, end), changed);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    if (!tag.empty()) tags.list.push_back(tag);
  }
  tags.set.Assign(tags.list);
}

}  // namespace thaw
