#include "cc/extension/event_intake.h"

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "cc/base/counted_allocations.h"
#include "cc/extension/pipelines_fixture.h"
#include "cc/flush/event_flusher.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

class EventIntakeTest : public PipelinesFixture {
 protected:
  void MakeIntake(Environment::Variables variables = {}) {
    Make(std::move(variables));
    FunctionFacts facts;
    facts.name = "f";
    intake_ = std::make_unique<EventIntake>(facts, clock_, *pipelines_);
  }

  std::unique_ptr<EventIntake> intake_;
};

TEST_F(EventIntakeTest, EventsAndChecksWaitForTheFlushInPipelinesOfTheirOwn) {
  MakeIntake();
  intake_->Add(StatsdEvent{.title = "deployed"});
  intake_->Add(ServiceCheck{.name = "db.up"});
  intake_->Add(ServiceCheck{.name = "cache.up"});
  EXPECT_EQ(pipelines_->Find<EventFlusher>()->kept_payloads(), 1);
  EXPECT_EQ(pipelines_->Find<ServiceCheckFlusher>()->kept_payloads(), 2);
  EXPECT_EQ(intake_->counts().events, 1);
  EXPECT_EQ(intake_->counts().service_checks, 2);
  EXPECT_EQ(intake_->counts().turned_away, 0);
}

TEST_F(EventIntakeTest, AFloodOfEventsFillsOnlyItsPartOfTheMemory) {
  MakeIntake({{"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"}});
  const std::string text(10'000, 'x');
  for (int i = 0; i < 1000; ++i) intake_->Add(StatsdEvent{.title = "t", .text = text});
  EXPECT_LE(pipelines_->bytes().used(), pipelines_->bytes().limit() / 16);
  EXPECT_GT(intake_->counts().events, 50);
  EXPECT_EQ(intake_->counts().events + intake_->counts().turned_away, 1000);
  intake_->Add(ServiceCheck{.name = "db.up"});
  EXPECT_EQ(intake_->counts().service_checks, 1) << "each kind has a part of its own";
}

TEST_F(EventIntakeTest, AnEventWithoutRoomIsNotMade) {
  MakeIntake({{"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"}});
  const std::string text(60'000, 'x');
  while (intake_->counts().turned_away == 0) intake_->Add(StatsdEvent{.title = "t", .text = text});
  const StatsdEvent event{.title = "t", .text = text};
  // The reason is a status, whose text is allocated.
  int64_t before = CountedAllocations();
  const absl::Status reason =
      absl::ResourceExhaustedError("those that could not be delivered fill their part of the memory");
  const int64_t of_reason = CountedAllocations() - before;
  before = CountedAllocations();
  for (int i = 0; i < 1000; ++i) intake_->Add(event);
  if (kAllocationsAreCounted) {
    EXPECT_LE(CountedAllocations() - before, of_reason * 1000) << reason;
  }
  EXPECT_EQ(intake_->counts().turned_away, 1001);
}

TEST_F(EventIntakeTest, AnEventEvictsNothing) {
  MakeIntake();
  ByteBudget& bytes = pipelines_->bytes();
  bytes.Add(bytes.limit() - 100);
  intake_->Add(StatsdEvent{.title = "t", .text = std::string(1000, 'x')});
  EXPECT_EQ(intake_->counts().turned_away, 1);
  bytes.Remove(bytes.limit() - 100);
}

}  // namespace
}  // namespace thaw
