#include "cc/flush/held_payload.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// A payload of so many bytes and entries.
struct Sized {
  size_t size() const { return bytes; }
  size_t bytes = 0;
  size_t entries = 1;
};

std::vector<std::vector<PayloadId>> Batches(const std::vector<HeldPayload<Sized>>& payloads,
                                            const BatchLimits& limits) {
  std::vector<std::vector<PayloadId>> batches;
  absl::Span<const HeldPayload<Sized>> held = payloads;
  while (!held.empty()) {
    const absl::Span<const HeldPayload<Sized>> batch =
        TakeBatch<Sized>(held, limits, [](const Sized& payload) { return payload.entries; });
    batches.push_back(IdsOf(batch));
  }
  return batches;
}

TEST(HeldPayload, ABatchIsFullWhenTheNextPayloadDoesNotFit) {
  EXPECT_THAT(Batches({{1, {4}}, {2, {6}}, {3, {1}}, {4, {10}}}, {.bytes = 10}),
              ElementsAre(ElementsAre(1, 2), ElementsAre(3), ElementsAre(4)));
}

TEST(HeldPayload, APayloadThatIsLargerByItselfIsAlone) {
  EXPECT_THAT(Batches({{1, {50}}, {2, {1}}, {3, {50}}}, {.bytes = 10}),
              ElementsAre(ElementsAre(1), ElementsAre(2), ElementsAre(3)));
}

TEST(HeldPayload, EntriesAreLimitedToo) {
  EXPECT_THAT(Batches({{1, {1, 2}}, {2, {1, 1}}, {3, {1, 1}}, {4, {1, 7}}}, {.bytes = 10, .entries = 3}),
              ElementsAre(ElementsAre(1, 2), ElementsAre(3), ElementsAre(4)));
  EXPECT_THAT(Batches({}, {.bytes = 10, .entries = 3}), IsEmpty());
}

}  // namespace
}  // namespace thaw
