#include "cc/logs/recent_invocations.h"

#include <algorithm>

namespace thaw {
namespace {

// The fields of a line that may have an id: Node's runtime writes time, id and level, Python's level, time and id.
constexpr int kFields = 4;
// No time or level is longer.
constexpr size_t kMaxHeadBytes = 160;

}  // namespace

RecentInvocations::Known& RecentInvocations::OnStart(std::string_view request_id) {
  current_ = request_id;
  return Of(request_id);
}

RecentInvocations::Known& RecentInvocations::Of(std::string_view request_id) {
  for (auto known = known_.rbegin(); known != known_.rend(); ++known)
    if (known->request_id == request_id) return *known;
  if (known_.size() == most_) known_.pop_front();
  return known_.emplace_back(Known{.request_id = std::string(request_id)});
}

std::string_view RecentInvocations::NamedBy(std::string_view text, bool escaped) const {
  const std::string_view tab = escaped ? "\\t" : "\t";
  std::string_view head = text.substr(0, kMaxHeadBytes);
  for (int i = 0; i < kFields; ++i) {
    const size_t end = head.find(tab);
    if (end == std::string_view::npos) break;
    const std::string_view field = head.substr(0, end);
    for (auto known = known_.rbegin(); known != known_.rend(); ++known)
      if (known->request_id == field) return known->request_id;
    head.remove_prefix(end + tab.size());
  }
  return {};
}

}  // namespace thaw
