// Gives each telemetry record to any number of takers, in the order of their registration.
//
//   RecordTakers takers;
//   takers.Add("invocations", [&](const TelemetryRecord& record) { tracker.OnTelemetry(record); });
//   takers.Give(record);
//
// A taker copies what it keeps: a record, and the text of a log in it, is valid within the call only.
//
// One thread.

#ifndef THAW_CC_EXTENSION_RECORD_TAKERS_H_
#define THAW_CC_EXTENSION_RECORD_TAKERS_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/strings/str_join.h"
#include "cc/telemetry/telemetry_records.h"

namespace thaw {

class RecordTakers {
 public:
  using Taker = absl::AnyInvocable<void(const TelemetryRecord&)>;

  void Add(std::string name, Taker taker) { takers_.emplace_back(std::move(name), std::move(taker)); }
  void Give(const TelemetryRecord& record) {
    for (auto& [name, taker] : takers_) taker(record);
  }
  // Returns the takers' names with commas between them.
  std::string Names() const {
    return absl::StrJoin(takers_, ", ",
                         [](std::string* out, const auto& taker) { out->append(taker.first); });
  }

 private:
  std::vector<std::pair<std::string, Taker>> takers_;
};

}  // namespace thaw

#endif  // THAW_CC_EXTENSION_RECORD_TAKERS_H_
