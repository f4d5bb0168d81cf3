#include "cc/lambda/invocation/step_functions_context.h"

#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "boost/json/value.hpp"
#include "cc/lambda/invocation/event_json.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

constexpr char kExecution[] =
    "arn:aws:states:eu-west-1:123456789012:execution:orders:7f1c5a2e-0000-4000-8000-0123456789ab";

boost::json::value Json(std::string_view text) {
  absl::StatusOr<EventJson> event = ParseEventJson(text);
  EXPECT_TRUE(event.ok()) << event.status() << text;
  return event.ok() ? std::move(event->root) : nullptr;
}

std::string Step(std::string_view more = "") {
  return absl::StrCat(R"({"Execution":{"Id":")", kExecution,
                      R"("},"State":{"Name":"Charge","EnteredTime":"2026-01-01T00:00:00.123Z"})", more, "}");
}

// Computed with another implementation of SHA-256.
TEST(StepFunctionsContextTest, IdsFollowFromTheStep) {
  StepFunctionsStep step = {
      .execution_id = kExecution, .state_name = "Charge", .entered_time = "2026-01-01T00:00:00.123Z"};
  const TraceContext context = ContextOfStep(step);
  EXPECT_EQ(context.trace_id_high, 0x709a80528834221cu);
  EXPECT_EQ(context.trace_id, 4439524470371634042u);
  EXPECT_EQ(context.parent_id, 965915491323665437u);
  EXPECT_EQ(context.sampling_priority, 1);
  EXPECT_EQ(context.origin, "states");
  EXPECT_THAT(context.tags, ElementsAre(Pair("_dd.p.tid", "709a80528834221c")));
  // A retry is another parent in the same trace.
  step.retry_count = 2;
  step.redrive_count = 1;
  EXPECT_EQ(ContextOfStep(step).parent_id, 5010608420924731638u);
  EXPECT_EQ(ContextOfStep(step).trace_id, context.trace_id);
}

TEST(StepFunctionsContextTest, TheTraceIsThatOfTheRoot) {
  const StepFunctionsStep step = {
      .execution_id = kExecution,
      .root_execution_id = "arn:aws:states:eu-west-1:123456789012:execution:root:1",
      .state_name = "Charge",
      .entered_time = "2026-01-01T00:00:00.123Z"};
  EXPECT_EQ(ContextOfStep(step).trace_id_high, 0x25eedf0fecc47be7u);
  EXPECT_EQ(ContextOfStep(step).trace_id, 7302012596588600460u);
  EXPECT_EQ(ContextOfStep(step).parent_id, 965915491323665437u);
}

TEST(StepFunctionsContextTest, TheContextObjectIsFoundWhereItMayBe) {
  for (const char* form : {"$", R"({"Payload":$})", R"({"_datadog":$})", R"({"Payload":{"_datadog":$}})"}) {
    std::string text = form;
    text.replace(text.find('$'), 1, Step());
    const boost::json::value event = Json(text);
    const boost::json::value* step = StepOf(event);
    ASSERT_NE(step, nullptr) << text;
    EXPECT_TRUE(IsStep(*step)) << text;
    EXPECT_EQ(ContextOfStepObject(*step).parent_id, 965915491323665437u) << text;
  }
  for (const char* text :
       {"{}", "null", R"({"other":1})", R"({"Execution":{"Id":"x"},"State":{"Name":"y"}})"})
    EXPECT_EQ(StepOf(Json(text)), nullptr) << text;
}

TEST(StepFunctionsContextTest, AMachineGoesOnWithTheTraceItCarries) {
  const boost::json::value step =
      Json(Step(R"(,"x-datadog-trace-id":"7","x-datadog-tags":"_dd.p.tid=640cfd8d00000000,_dd.p.dm=-1")"));
  const TraceContext context = ContextOfStepObject(step);
  EXPECT_EQ(context.trace_id, 7u);
  EXPECT_EQ(context.trace_id_high, 0x640cfd8d00000000u);
  EXPECT_EQ(context.parent_id, 965915491323665437u);
  EXPECT_EQ(context.tags.at("_dd.p.dm"), "-1");
}

}  // namespace
}  // namespace thaw
