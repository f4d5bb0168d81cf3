#include "cc/trace/process/text_work.h"

#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace thaw {
namespace {

TEST(TextWork, ATextBeyondTheSpansWorkIsHiddenAndTheNextSpanHasItsOwn) {
  TextWork work("");
  work.BeginSpan();
  EXPECT_TRUE(work.Take(TextWork::kMostOfSpan - 10));
  EXPECT_FALSE(work.Take(11));
  EXPECT_TRUE(work.Take(10));
  EXPECT_EQ(work.done_in_span(), TextWork::kMostOfSpan);
  EXPECT_EQ(work.hidden(), 1);
  work.BeginSpan();
  EXPECT_EQ(work.done_in_span(), 0);
  EXPECT_TRUE(work.Take(11));
}

TEST(TextWork, ARequestHasABoundInAll) {
  TextWork work("");
  for (int64_t done = 0; done < TextWork::kMostOfRequest; done += TextWork::kMostOfSpan) {
    work.BeginSpan();
    ASSERT_TRUE(work.Take(TextWork::kMostOfSpan));
  }
  work.BeginSpan();
  EXPECT_FALSE(work.Take(1));
  EXPECT_EQ(work.hidden(), 1);
}

TEST(TextWork, LongQueriesOfTheRequestAreRemembered) {
  const std::string body(10'000, 'q');
  TextWork work(body);
  const std::string_view query = std::string_view(body).substr(0, 1'000);
  work.Remember(query, SqlDialect::kMySql, "result");
  ASSERT_NE(work.Find(query, SqlDialect::kMySql), nullptr);
  EXPECT_EQ(*work.Find(query, SqlDialect::kMySql), "result");
  EXPECT_EQ(work.Find(query, SqlDialect::kOracle), nullptr) << "another dialect has other literals";
  EXPECT_EQ(work.Find(query.substr(1), SqlDialect::kMySql), nullptr);
  EXPECT_EQ(work.Find(query.substr(0, 999), SqlDialect::kMySql), nullptr);
  // The oldest make room.
  for (size_t i = 1; i <= 8; ++i)
    work.Remember(std::string_view(body).substr(i, 1'000), SqlDialect::kMySql, "other");
  EXPECT_EQ(work.Find(query, SqlDialect::kMySql), nullptr);
}

TEST(TextWork, TextThatMayChangeIsNotRemembered) {
  const std::string body(1'000, 'q'), repaired(1'000, 'q');
  TextWork work(body);
  work.Remember(repaired, SqlDialect::kGeneric, "result");
  EXPECT_EQ(work.Find(repaired, SqlDialect::kGeneric), nullptr);
  work.Remember(body, SqlDialect::kGeneric, std::string(100'000, 'r'));
  EXPECT_EQ(work.Find(body, SqlDialect::kGeneric), nullptr) << "its result takes too much memory";
}

}  // namespace
}  // namespace thaw
