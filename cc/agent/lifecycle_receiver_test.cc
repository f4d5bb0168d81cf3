#include "cc/agent/lifecycle_receiver.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cc/agent/receiver_fixture.h"
#include "cc/base/fake_byte_account.h"
#include "cc/lambda/invocation/invocation_assembler.h"
#include "cc/lambda/invocation/invocation_store.h"
#include "cc/lambda/invocation/lifecycle_endpoints.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class LifecycleReceiverTest : public ReceiverFixture {
 protected:
  LifecycleReceiverTest() { Serve(receiver_.Routes()); }

  std::string Start(std::string_view body, std::string_view headers = "") {
    return Request("POST", "/lambda/start-invocation", body,
                   absl::StrCat("lambda-runtime-aws-request-id: a\r\n", headers));
  }
  std::string End(std::string_view body, std::string_view headers = "") {
    return Request("POST", "/lambda/end-invocation", body,
                   absl::StrCat("lambda-runtime-aws-request-id: a\r\n", headers));
  }

  InvocationStore store_{{}};
  InvocationAssembler assembler_{{}, store_, clock_, [] { return uint64_t{77}; }};
  LifecycleEndpoints endpoints_{{}, assembler_};
  FakeByteAccount account_{16 << 20};
  int calls_ = 0;
  LifecycleReceiver receiver_{executor_, endpoints_, &account_, [this] { ++calls_; }};
};

TEST_F(LifecycleReceiverTest, AStartIsAnsweredWithTheCallersTrace) {
  assembler_.OnInvoke("a", {});
  const std::string answer = Start(
      R"({"headers":{"x-datadog-trace-id":"123","x-datadog-parent-id":"4","x-datadog-sampling-priority":"2"}})");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(answer, HasSubstr("x-datadog-trace-id: 123\r\n"));
  EXPECT_THAT(answer, HasSubstr("x-datadog-sampling-priority: 2\r\n"));
}

// A field that may have one value is invalid where it comes twice (RFC 9110 section 5.3).
TEST_F(LifecycleReceiverTest, AnAnswerHasOneContentType) {
  assembler_.OnInvoke("a", {});
  for (const std::string& answer : {Start("{}"), End("{}"), Request("GET", "/lambda/hello", "", "")}) {
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
    const size_t first = answer.find("Content-Type: application/json\r\n");
    ASSERT_NE(first, std::string::npos);
    EXPECT_EQ(answer.find("Content-Type:", first + 1), std::string::npos) << answer;
  }
}

TEST_F(LifecycleReceiverTest, AnInvocationsSpanIsMadeOfItsCalls) {
  assembler_.OnInvoke("a", {});
  Start("{}");
  EXPECT_THAT(End("{}", "x-datadog-trace-id: 5\r\nx-datadog-span-id: 6\r\n"), StartsWith("HTTP/1.1 200"));
  assembler_.OnEnd("a", {.start = clock_.Now().wall, .duration = absl::Milliseconds(3)});
  assembler_.OnReport("a");
  EXPECT_EQ(assembler_.counts().finished, 1);
  EXPECT_EQ(assembler_.TakeOwnTraces().size(), 1);
  EXPECT_EQ(calls_, 2);
}

TEST_F(LifecycleReceiverTest, AnEventThatIsTooLongLosesItsBodyAndNothingElse) {
  assembler_.OnInvoke("a", {});
  EXPECT_THAT(
      Start(std::string(kMaxLifecycleBody + 1, ' '), "x-datadog-trace-id: 123\r\nx-datadog-parent-id: 4\r\n"),
      HasSubstr("x-datadog-trace-id: 123\r\n"));
  EXPECT_EQ(endpoints_.counts().bodies_over_limit, 1);
  EXPECT_EQ(endpoints_.counts().starts, 1);
}

TEST_F(LifecycleReceiverTest, OthersHaveTheirTurnsWhileALongEventIsParsed) {
  assembler_.OnInvoke("a", {});
  std::string event = R"({"headers":{"x-datadog-trace-id":"123","x-datadog-parent-id":"4"},"list":[)";
  while (event.size() < 5 << 20) event += "{},";
  event += "1]}";
  const auto other = door_.Connect();
  executor_.RunAll();
  client_->StartWrite(
      absl::StrCat("POST /lambda/start-invocation HTTP/1.1\r\nHost: a\r\n",
                   "lambda-runtime-aws-request-id: a\r\nContent-Length: ", event.size(), "\r\n\r\n", event),
      [](IoResult) {});
  // The account is charged while the event is parsed.
  while (account_.taken() < 5 << 20) ASSERT_TRUE(executor_.Step());
  other->StartWrite("GET /lambda/hello HTTP/1.1\r\nHost: a\r\n\r\n", [](IoResult) {});
  while (calls_ == 0) ASSERT_TRUE(executor_.Step());
  EXPECT_EQ(endpoints_.counts().hellos, 1);
  EXPECT_EQ(endpoints_.counts().starts, 0);
  executor_.RunAll();
  EXPECT_EQ(endpoints_.counts().starts, 1);
  EXPECT_EQ(endpoints_.counts().bodies_not_json, 0);
  EXPECT_EQ(assembler_.counts().contexts, 1);
  EXPECT_EQ(account_.taken(), 0u);
}

TEST_F(LifecycleReceiverTest, AnEventForWhoseTreeThereIsNoRoomLosesItsBodyAndNothingElse) {
  assembler_.OnInvoke("a", {});
  assembler_.OnInvoke("b", {});
  const std::string event =
      absl::StrCat(R"({"headers":{"x-datadog-trace-id":"123","x-datadog-parent-id":"4"},"body":")",
                   std::string(3 << 20, 'x'), "\"}");
  ASSERT_TRUE(account_.Take(14 << 20).ok());
  EXPECT_THAT(Start(event), testing::AllOf(StartsWith("HTTP/1.1 200"), testing::Not(HasSubstr("123"))));
  EXPECT_EQ(endpoints_.counts().bodies_over_limit, 1);
  account_.GiveBack(14 << 20);
  EXPECT_THAT(Request("POST", "/lambda/start-invocation", event, "lambda-runtime-aws-request-id: b\r\n"),
              HasSubstr("x-datadog-trace-id: 123\r\n"));
  EXPECT_EQ(account_.taken(), 0);
}

TEST_F(LifecycleReceiverTest, ABodyThatIsNoJsonIsNoReasonToRefuseTheCall) {
  assembler_.OnInvoke("a", {});
  for (const std::string_view body : {"\xff\xfe", "{", "[[[[[[", ""})
    EXPECT_THAT(Start(body), StartsWith("HTTP/1.1 200")) << body;
  EXPECT_EQ(endpoints_.counts().starts, 4);
}

TEST_F(LifecycleReceiverTest, EachCallHasItsMethod) {
  EXPECT_THAT(Get("/lambda/hello"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(Get("/lambda/start-invocation"), StartsWith("HTTP/1.1 405"));
  EXPECT_THAT(Request("POST", "/lambda/hello", "{}"), StartsWith("HTTP/1.1 405"));
  EXPECT_THAT(Get("/lambda/other"), StartsWith("HTTP/1.1 404"));
  EXPECT_EQ(endpoints_.counts().hellos, 1);
}

}  // namespace
}  // namespace thaw
