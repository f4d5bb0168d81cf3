// Decides how long datagrams are left to gather in a socket's buffer before they are read. Waking for each of many
// datagrams costs several times as much as reading them.
//
//   DatagramGathering gathering;
//   const absl::Duration pause = gathering.PauseAfter(received, /*more=*/false, clock.Now().monotonic);

#ifndef THAW_CC_NET_IO_DATAGRAM_GATHERING_H_
#define THAW_CC_NET_IO_DATAGRAM_GATHERING_H_

#include <algorithm>
#include <cstdint>

#include "absl/time/time.h"

namespace thaw {

class DatagramGathering {
 public:
  // The number of datagrams for which a pause waits: reading so many costs several times as much as waking once, and
  // Lambda's buffer holds about 300 of 200 bytes.
  static constexpr int64_t kWanted = 64;
  // A tenth of the time in which an evenly paced flood of 100,000 datagrams a second fills the default buffer.
  static constexpr absl::Duration kShortest = absl::Milliseconds(1);
  // A flood of 100,000 a second that begins in a pause does not fill Lambda's buffer within it.
  static constexpr absl::Duration kLongest = absl::Milliseconds(3);
  // The number of turns in quick succession before the first pause: a few datagrams in a row, such as those of a usual
  // invocation, are read at once.
  static constexpr int kQuickTurns = 8;

  // Returns the pause after a turn that received `received` datagrams and ended at `now` of the monotonic clock; zero:
  // none. `more`: further datagrams may wait already.
  absl::Duration PauseAfter(int64_t received, bool more, absl::Duration now) {
    const bool paused = pause_ > absl::ZeroDuration();
    const bool quick = paused ? received > 1 : now - last_ < kShortest;
    quick_turns_ = quick ? quick_turns_ + 1 : 0;
    if (quick_turns_ < kQuickTurns || more) {
      pause_ = absl::ZeroDuration();
    } else {
      pause_ = paused ? std::clamp((now - last_) * kWanted / received, kShortest, kLongest) : kShortest;
    }
    last_ = now;
    return pause_;
  }

 private:
  absl::Duration last_ = -absl::InfiniteDuration();
  absl::Duration pause_;
  int quick_turns_ = 0;
};

}  // namespace thaw

#endif  // THAW_CC_NET_IO_DATAGRAM_GATHERING_H_
