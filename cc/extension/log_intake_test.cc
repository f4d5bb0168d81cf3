#include "cc/extension/log_intake.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cc/extension/pipelines_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

class LogIntakeTest : public PipelinesFixture {
 protected:
  void MakeIntake(Environment::Variables variables = {}) {
    Make(std::move(variables));
    LogIntakeOptions options;
    options.facts.name = "f";
    options.processing.account = &pipelines_->bytes();
    intake_ = std::make_unique<LogIntake>(std::move(options), *pipelines_);
  }
  template <typename Record>
  void Take(Record record) {
    intake_->Take({.time = absl::FromUnixSeconds(1), .record = std::move(record)});
  }
  void Start(std::string id) { Take(PlatformStart{.request_id = std::move(id)}); }
  // Writes lines that hardly compress.
  void Flood(int lines, size_t bytes) {
    for (int i = 0; i < lines; ++i) {
      std::string line = "\"";
      while (line.size() < bytes) {
        random_ = random_ * 6364136223846793005u + 1442695040888963407u;
        line.push_back("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+-"[random_ >> 58]);
      }
      line.push_back('"');
      Take(FunctionLog{line});
    }
  }

  std::unique_ptr<LogIntake> intake_;
  uint64_t random_ = 1;
};

TEST_F(LogIntakeTest, LinesWaitAsOneBatchForTheFlush) {
  MakeIntake();
  Start("a");
  for (int i = 0; i < 10; ++i) Take(FunctionLog{"\"line\""});
  EXPECT_GT(pipelines_->bytes().used(), 0u);
  intake_->HandOver(false);
  EXPECT_EQ(intake_->counts().batches, 1);
  EXPECT_EQ(intake_->counts().entries, 11);
  EXPECT_EQ(pipelines_->Find<LogFlusher>()->kept_payloads(), 1);
  intake_->HandOver(false);
  EXPECT_EQ(intake_->counts().batches, 1) << "nothing came since";
}

TEST_F(LogIntakeTest, LinesThatAreNotHandedOverAreCounted) {
  MakeIntake();
  Take(FunctionLog{"\"of no invocation yet\""});
  EXPECT_EQ(intake_->not_handed_over(), 1) << "it waits for an invocation";
  Start("a");
  for (int i = 0; i < 2500; ++i) Take(FunctionLog{"\"line\""});
  EXPECT_EQ(intake_->not_handed_over(), 2502) << "two batches are compressed, one is open";
  intake_->HandOver(true);
  EXPECT_EQ(intake_->not_handed_over(), 0);
  Take(FunctionLog{"\"late\""});
  EXPECT_EQ(intake_->not_handed_over(), 1);
}

TEST_F(LogIntakeTest, LinesOfAFloodThatIsNotHandedOverAreCounted) {
  MakeIntake({{"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"}});
  Start("flood");
  Flood(1200, 40'000);
  EXPECT_GT(intake_->counts().flooded, 500);
  EXPECT_EQ(intake_->not_handed_over(), 1201);
}

TEST_F(LogIntakeTest, AFullBatchIsCompressedAtOnce) {
  MakeIntake();
  Start("a");
  for (int i = 0; i < 10'000; ++i) Take(FunctionLog{"\"a line like all others\""});
  EXPECT_LT(pipelines_->bytes().used(), 1u << 20) << "ten batches, of which nine are compressed";
  intake_->HandOver(false);
  EXPECT_EQ(intake_->counts().batches, 11);
  EXPECT_EQ(intake_->counts().entries, 10'001);
}

TEST_F(LogIntakeTest, AFloodDropsItsOwnOldestLinesAndOneLineSaysHowMany) {
  MakeIntake({{"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"}});
  const size_t limit = pipelines_->bytes().limit();
  Start("calm");
  for (int i = 0; i < 999; ++i) Take(FunctionLog{"\"worth keeping\""});
  Start("flood");
  Flood(1200, 40'000);  // 48 MB
  EXPECT_LE(pipelines_->bytes().used(), limit / 2);
  const int64_t flooded = intake_->counts().flooded;
  EXPECT_GT(flooded, 500);
  intake_->HandOver(false);
  EXPECT_EQ(intake_->counts().turned_away, 0);
  EXPECT_EQ(intake_->counts().entries + flooded, 1000 + 1 + 1200 + 1) << "each line is sent or counted";
}

TEST_F(LogIntakeTest, AnythingButLogsKeepsItsRoomUnderAFlood) {
  MakeIntake({{"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"}});
  Start("flood");
  for (int flush = 0; flush < 10; ++flush) {
    Flood(300, 40'000);
    intake_->HandOver(false);
  }
  EXPECT_TRUE(pipelines_->bytes().MakeRoom(pipelines_->bytes().limit() / 2).ok());
}

TEST_F(LogIntakeTest, ASwitchThatIsOffLeavesNoPipeline) {
  Make({{"DD_SERVERLESS_LOGS_ENABLED", "false"}});
  EXPECT_EQ(pipelines_->Find<LogFlusher>(), nullptr);
  EXPECT_EQ(pipelines_->Find<WorkerLogFlusher>(), nullptr);
}

TEST_F(LogIntakeTest, AWorkerTakesThePlaceOfTheIntake) {
  MakeIntake({{"DD_OBSERVABILITY_PIPELINES_WORKER_LOGS_ENABLED", "true"},
              {"DD_OBSERVABILITY_PIPELINES_WORKER_LOGS_URL", "http://worker.example:8282/logs"},
              {"DD_LOGS_CONFIG_ADDITIONAL_ENDPOINTS", R"([{"api_key": "k", "Host": "b", "Port": 443}])"}});
  EXPECT_EQ(pipelines_->Find<LogFlusher>(), nullptr);
  const PipelineFlusher& pipeline = pipelines_->Find<WorkerLogFlusher>()->pipeline();
  ASSERT_EQ(pipeline.endpoints().size(), 2u);
  EXPECT_EQ(pipeline.endpoints()[0].ToString(), "http://worker.example:8282/logs");
  EXPECT_EQ(pipeline.endpoints()[1].ToString(), "https://b/api/v2/logs");
  Start("a");
  intake_->HandOver(false);
  EXPECT_EQ(pipeline.kept_payloads(), 1);
}

TEST_F(LogIntakeTest, LinesBeforeAnyInvocationLeaveAtTheEnd) {
  MakeIntake();
  Take(FunctionLog{"\"loading\""});
  intake_->HandOver(false);
  EXPECT_EQ(intake_->counts().entries, 0);
  intake_->HandOver(true);
  EXPECT_EQ(intake_->counts().entries, 1);
}

}  // namespace
}  // namespace thaw
