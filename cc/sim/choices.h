// Decides how a simulated history goes on: each point at which it may go several ways asks for a choice.
//
//   RandomChoices random(seed);
//   const size_t close = random.Choose(ChoiceKind::kClose, 5);
//   RecordedChoices again(random.taken());   // makes the same choices once more
//
// A history is the list of its choices. Choice 0 is always the way on which nothing happens (no freeze, no
// fault, nothing late), so that a shorter list and smaller numbers make a simpler history. One thread.

#ifndef THAW_CC_SIM_CHOICES_H_
#define THAW_CC_SIM_CHOICES_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "cc/base/declare_enum.h"
#include "cc/base/seeded_random.h"

namespace thaw {

// X(enumerator, name, probability that a random history takes another way than the first; 1: all ways are equal)
#define THAW_CHOICE_KINDS(X)                                               \
  X(kFreeze, "freeze before this step", 0.04)                              \
  X(kLength, "length of the freeze", 1.0)                                  \
  X(kClose, "what happens to a connection", 1.0)                           \
  X(kCloseTime, "when that happens", 1.0)                                  \
  X(kTold, "the client learns of the resume after the queued events", 1.0) \
  X(kFault, "fault of a dial or a request", 0.2)                           \
  X(kLate, "a packet is late", 0.1)

THAW_DECLARE_ENUM_WITH_TEXTS(ChoiceKind, kAllChoiceKinds, THAW_CHOICE_KINDS)

// One choice that a history took.
struct Choice {
  ChoiceKind kind;
  uint32_t taken = 0;
  uint32_t ways = 1;
};

class Choices {
 public:
  virtual ~Choices() = default;

  // Returns a number below `ways`, which is at least 1. Nothing is asked, or recorded, if there is one way.
  size_t Choose(ChoiceKind kind, size_t ways);

  // The choices so far, in order.
  const std::vector<Choice>& made() const { return made_; }
  // Their numbers alone, without the zeros at the end, which RecordedChoices adds by itself.
  std::vector<uint32_t> taken() const;

 private:
  virtual size_t Next(ChoiceKind kind, size_t ways) = 0;

  std::vector<Choice> made_;
};

// Draws each choice from a seed.
class RandomChoices : public Choices {
 public:
  explicit RandomChoices(uint64_t seed) : random_(seed) {}

 private:
  size_t Next(ChoiceKind kind, size_t ways) override;
  SeededRandom random_;
};

// Takes the ways of a list, and the first way of everything that is asked after its end. A number that is too
// large, because the list comes from another history, counts as the last way: any list is a history.
class RecordedChoices : public Choices {
 public:
  explicit RecordedChoices(std::vector<uint32_t> list) : list_(std::move(list)) {}

 private:
  size_t Next(ChoiceKind kind, size_t ways) override;
  const std::vector<uint32_t> list_;
};

}  // namespace thaw

#endif  // THAW_CC_SIM_CHOICES_H_
