#include "cc/sim/choices.h"

#include <algorithm>

namespace thaw {
namespace {

double Rarity(ChoiceKind kind) {
  switch (kind) {
#define THAW_RARITY(name, text, rare) \
  case ChoiceKind::name:              \
    return rare;
    THAW_CHOICE_KINDS(THAW_RARITY)
#undef THAW_RARITY
  }
  return 1;
}

}  // namespace

size_t Choices::Choose(ChoiceKind kind, size_t ways) {
  if (ways <= 1) return 0;
  const size_t way = Next(kind, ways);
  made_.push_back({kind, static_cast<uint32_t>(way), static_cast<uint32_t>(ways)});
  return way;
}

std::vector<uint32_t> Choices::taken() const {
  std::vector<uint32_t> list;
  list.reserve(made_.size());
  for (const Choice& choice : made_) list.push_back(choice.taken);
  while (!list.empty() && list.back() == 0) list.pop_back();
  return list;
}

size_t RandomChoices::Next(ChoiceKind kind, size_t ways) {
  const double rarity = Rarity(kind);
  if (rarity >= 1) return random_.Below(ways);
  return random_.Chance(rarity) ? 1 + random_.Below(ways - 1) : 0;
}

size_t RecordedChoices::Next(ChoiceKind, size_t ways) {
  const size_t at = made().size();
  return at < list_.size() ? std::min<size_t>(list_[at], ways - 1) : 0;
}

}  // namespace thaw
