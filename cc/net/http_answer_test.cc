#include "cc/net/http_answer.h"

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

TEST(HttpAnswerTest, SuccessIs2xx) {
  for (const int status : {200, 202, 299}) EXPECT_TRUE(IsSuccess({.status = status})) << status;
  for (const int status : {101, 199, 300, 400, 503}) EXPECT_FALSE(IsSuccess({.status = status})) << status;
}

TEST(HttpAnswerTest, AFailureHasTheStatusAndNamesTheRequestWithoutItsQuery) {
  HttpRequest request;
  request.destination.host = "intake.test";
  request.target = "/api?key=secret";
  const ExchangeFailure failure = FailureOfAnswer(request, {.status = 403}, absl::UnixEpoch());
  EXPECT_EQ(failure.error, absl::FailedPreconditionError("POST https://intake.test/api: answered 403"));
  EXPECT_EQ(failure.status, 403);
  EXPECT_EQ(failure.phase, Phase::kBody);
  EXPECT_EQ(failure.bytes_written, BytesWritten::kAll);
  EXPECT_TRUE(failure.head_complete);
  EXPECT_EQ(failure.retry_after, std::nullopt);
  EXPECT_EQ(ClassOf(failure), RetryClass::kRefusedForGood);
}

TEST(HttpAnswerTest, RetryAfterIsCountedFromNow) {
  HttpResponse response{.status = 429, .headers = {{"Retry-After", "Thu, 01 Jan 1970 00:00:30 GMT"}}};
  const absl::Time now = absl::UnixEpoch() + absl::Seconds(10);
  EXPECT_EQ(FailureOfAnswer({}, response, now).retry_after, absl::Seconds(20));
  response.headers = {{"retry-after", "7"}};
  EXPECT_EQ(FailureOfAnswer({}, response, now).retry_after, absl::Seconds(7));
}

}  // namespace
}  // namespace thaw
