// Tracks whether a destination or endpoint can be reached, and logs it: one WARNING when an outage begins and
// one INFO when it is over, however many flushes lie between.
//
//   Reach reach("https://trace.agent.datadoghq.com", "is out of reach", counts);
//   reach.Lost("connect: refused", clock.Now());   // logs and counts, the first time
//   reach.Found(clock.Now());                      // logs and counts, if it was lost
//
// One thread.

#ifndef THAW_CC_FLUSH_REACH_H_
#define THAW_CC_FLUSH_REACH_H_

#include <string>
#include <string_view>
#include <utility>

#include "cc/clock/clock.h"
#include "cc/flush/outage_counts.h"

namespace thaw {

class Reach {
 public:
  // `name` identifies the destination or endpoint in the log, and `lost_text` says what is wrong while it is
  // lost. `counts` must outlive the object.
  Reach(std::string name, std::string_view lost_text, OutageCounts& counts)
      : name_(std::move(name)), lost_text_(lost_text), counts_(&counts) {}

  // Reports that it could not be reached, or refused everything, because of `why`.
  void Lost(std::string_view why, const ClockReading& now);
  // Reports that it was reached.
  void Found(const ClockReading& now);
  // Reports that `other`'s outage goes on as this one's, because of `why`: logs that, and ends `other`'s
  // without a line. It is counted once, or ends as one if both were lost.
  void TakeOver(Reach& other, std::string_view why);

  bool lost() const { return lost_; }
  // "https://host is out of reach since 2026-01-02T03:04:05Z: connect: refused".
  std::string ToString() const;

 private:
  std::string name_;
  std::string_view lost_text_;  // a constant of the program
  OutageCounts* counts_;
  bool lost_ = false;
  std::string why_;
  ClockReading since_;
};

}  // namespace thaw

#endif  // THAW_CC_FLUSH_REACH_H_
