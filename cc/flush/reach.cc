#include "cc/flush/reach.h"

#include "absl/log/log.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace thaw {

void Reach::Lost(std::string_view why, const ClockReading& now) {
  if (lost_) return;
  lost_ = true;
  why_ = std::string(why);
  since_ = now;
  ++counts_->out_of_reach;
  LOG(WARNING) << ToString();
}

void Reach::Found(const ClockReading& now) {
  if (!lost_) return;
  lost_ = false;
  ++counts_->back;
  LOG(INFO) << name_ << " is back after " << absl::FormatDuration(LargestAdvance(since_, now));
}

void Reach::TakeOver(Reach& other, std::string_view why) {
  other.lost_ = false;
  if (lost_) {
    ++counts_->back;
    return;
  }
  lost_ = true;
  why_ = std::string(why);
  since_ = other.since_;
  LOG(WARNING) << ToString();
}

std::string Reach::ToString() const {
  return absl::StrCat(name_, " ", lost_text_, " since ",
                      absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", since_.wall, absl::UTCTimeZone()),
                      why_.empty() ? "" : ": ", why_);
}

}  // namespace thaw
