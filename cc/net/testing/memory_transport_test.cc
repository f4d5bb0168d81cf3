#include "cc/net/testing/memory_transport.h"

#include <memory>
#include <string>
#include <utility>

#include "cc/base/manual_executor.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

class MemoryTransportTest : public testing::Test {
 protected:
  MemoryTransportTest() : pair_(MemoryTransport::Pair(executor_)), a_(*pair_.first), b_(*pair_.second) {}

  IoResult Write(Transport& transport, std::string_view bytes) {
    auto got = std::make_shared<IoResult>(IoResult{absl::UnknownError("pending")});
    transport.StartWrite(bytes, [got](IoResult result) { *got = std::move(result); });
    executor_.RunAll();
    return *got;
  }
  IoResult Read(Transport& transport, std::string& text) {
    char buffer[64];
    IoResult got{absl::UnknownError("pending")};
    transport.StartRead(absl::MakeSpan(buffer), [&](IoResult result) { got = std::move(result); });
    executor_.RunAll();
    text.assign(buffer, got.bytes);
    return got;
  }

  ManualExecutor executor_;
  std::pair<std::unique_ptr<MemoryTransport>, std::unique_ptr<MemoryTransport>> pair_;
  MemoryTransport& a_;
  MemoryTransport& b_;
};

TEST_F(MemoryTransportTest, BytesWrittenAtOneEndAreReadAtTheOther) {
  EXPECT_EQ(Write(a_, "hello").bytes, 5u);
  std::string text;
  EXPECT_TRUE(Read(b_, text).status.ok());
  EXPECT_EQ(text, "hello");
  EXPECT_EQ(a_.wire_bytes_sent(), 5);
  EXPECT_EQ(b_.wire_bytes_received(), 5);
  char buffer[4];
  EXPECT_EQ(b_.TryRead(absl::MakeSpan(buffer)).status.code(), absl::StatusCode::kUnavailable);
}

TEST_F(MemoryTransportTest, NeverCompletesInsideTheCall) {
  bool done = false;
  a_.StartWrite("x", [&](IoResult) { done = true; });
  EXPECT_FALSE(done);
  executor_.RunAll();
  EXPECT_TRUE(done);
}

TEST_F(MemoryTransportTest, LimitsAndCapacity) {
  a_.set_write_limit(2);
  EXPECT_EQ(Write(a_, "hello").bytes, 2u);
  a_.set_capacity(2);
  EXPECT_EQ(Write(a_, "llo").status.code(), absl::StatusCode::kUnknown);  // waits for room
  b_.set_read_limit(1);
  std::string text;
  EXPECT_EQ(Read(b_, text).bytes, 1u);  // makes room for one, which the waiting write uses
  EXPECT_EQ(a_.wire_bytes_sent(), 3);
}

TEST_F(MemoryTransportTest, EndAndReset) {
  a_.SendEnd();
  std::string text;
  EXPECT_EQ(Read(b_, text).status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_TRUE(Write(b_, "still").status.ok());
  b_.Reset();
  EXPECT_EQ(Read(a_, text).status.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(Write(b_, "x").status.code(), absl::StatusCode::kAborted);
}

TEST_F(MemoryTransportTest, ResetPartWayThroughAWrite) {
  a_.set_reset_after_sending(3);
  const IoResult result = Write(a_, "hello");
  EXPECT_EQ(result.status.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(result.bytes, 3u);
}

TEST_F(MemoryTransportTest, FirstWriteToAClosedEndIsTakenThenReset) {
  pair_.second.reset();
  EXPECT_TRUE(Write(a_, "x").status.ok());
  EXPECT_EQ(Write(a_, "y").status.code(), absl::StatusCode::kAborted);
}

TEST_F(MemoryTransportTest, DestructionCancelsAPendingReadFromTheQueue) {
  char buffer[4];
  IoResult got{absl::UnknownError("pending")};
  b_.StartRead(absl::MakeSpan(buffer), [&](IoResult result) { got = std::move(result); });
  pair_.second.reset();
  EXPECT_EQ(got.status.code(), absl::StatusCode::kUnknown);
  executor_.RunAll();
  EXPECT_EQ(got.status.code(), absl::StatusCode::kCancelled);
}

TEST_F(MemoryTransportTest, BytesTakenByTryReadAreNotGivenToThePendingRead) {
  char buffer[8];
  IoResult read{absl::UnknownError("pending")};
  b_.StartRead(absl::MakeSpan(buffer), [&](IoResult result) { read = std::move(result); });
  IoResult wrote{absl::UnknownError("pending")};
  a_.StartWrite("x", [&](IoResult result) { wrote = std::move(result); });
  char byte;
  EXPECT_EQ(b_.TryRead(absl::MakeSpan(&byte, 1)).bytes, 1u);
  executor_.RunAll();
  EXPECT_TRUE(wrote.status.ok());
  EXPECT_EQ(read.status.code(), absl::StatusCode::kUnknown);
  // Both sides see an end.
  a_.SendEnd();
  EXPECT_EQ(b_.TryRead(absl::MakeSpan(&byte, 1)).status.code(), absl::StatusCode::kOutOfRange);
  executor_.RunAll();
  EXPECT_EQ(read.status.code(), absl::StatusCode::kOutOfRange);
}

TEST_F(MemoryTransportTest, HeldBytesArriveWhenReleased) {
  b_.set_hold_arrivals(true);
  Write(a_, "late");
  std::string text;
  IoResult got{absl::UnknownError("pending")};
  char buffer[8];
  b_.StartRead(absl::MakeSpan(buffer), [&](IoResult result) { got = std::move(result); });
  executor_.RunAll();
  EXPECT_EQ(got.status.code(), absl::StatusCode::kUnknown);
  b_.set_hold_arrivals(false);
  executor_.RunAll();
  EXPECT_EQ(got.bytes, 4u);
}

}  // namespace
}  // namespace thaw
