#include "cc/flush/flush_report.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace thaw {
namespace {

void AddCount(std::vector<std::string>& parts, int64_t count, std::string_view what) {
  if (count != 0) parts.push_back(absl::StrCat(count, " ", what));
}

}  // namespace

std::string FlushReport::Undelivered() const {
  if (all_delivered()) return "";
  std::vector<std::string> parts;
  AddCount(parts, retained, "kept");
  dropped.Visit([&parts](std::string_view name, int64_t count, std::string_view) {
    AddCount(parts, count, absl::StrCat("dropped (", name, ")"));
  });
  AddCount(parts, additional_retained, "for additional endpoints kept");
  AddCount(parts, additional_dropped.total(), "for additional endpoints dropped");
  std::string line =
      absl::StrCat("not everything was delivered: ", delivered, " delivered, ", absl::StrJoin(parts, ", "));
  for (const std::string& each : out_of_reach) absl::StrAppend(&line, "; ", each);
  if (out_of_reach.empty() && cause.has_value()) absl::StrAppend(&line, "; ", cause->ToString());
  return line;
}

void FlushReport::Accumulate(const FlushReport& other) {
  payloads += other.payloads;
  delivered += other.delivered;
  dropped += other.dropped;
  retained = other.retained;
  requests += other.requests;
  attempts += other.attempts;
  possible_duplicates += other.possible_duplicates;
  additional_delivered += other.additional_delivered;
  additional_dropped += other.additional_dropped;
  additional_retained = other.additional_retained;
  held += other.held;
  for (const auto& [status, count] : other.refused_by_status) refused_by_status[status] += count;
  for (const ExchangeFailure& failure : other.failures) {
    if (failures.size() >= kMaxFailures) break;
    failures.push_back(failure);
  }
  for (const ExchangeTimes& times : other.exchanges) AddExchange(times);
  for (const std::string& error : other.errors) {
    if (errors.size() >= kMaxFailures) break;
    errors.push_back(error);
  }
  for (const std::string& each : other.out_of_reach) {
    if (std::find(out_of_reach.begin(), out_of_reach.end(), each) == out_of_reach.end())
      out_of_reach.push_back(each);
  }
  if (other.cause.has_value()) cause = other.cause;
  skipped = skipped || other.skipped;
  stalled = stalled || other.stalled;
  elapsed += other.elapsed;
}

void FlushReport::KeepLatest(size_t most) {
  const auto cut = [most](auto& list) {
    if (list.size() > most) list.erase(list.begin(), list.end() - most);
  };
  cut(failures);
  cut(exchanges);
  cut(errors);
  cut(out_of_reach);
}

}  // namespace thaw
