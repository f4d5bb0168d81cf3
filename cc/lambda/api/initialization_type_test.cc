#include "cc/lambda/api/initialization_type.h"

#include "gtest/gtest.h"

namespace thaw {
namespace {

TEST(InitializationTypeTest, ManagedInstancesRefuseInvokeAndRunManyInvocationsAtOnce) {
  const InitializationTraits traits = InitializationTraitsOf(EnvironmentKind::kManagedInstances);
  EXPECT_FALSE(traits.invoke_events);
  EXPECT_TRUE(traits.concurrent_invocations);
  EXPECT_FALSE(traits.freezes);
  EXPECT_EQ(traits.telemetry_schema, "2025-01-29");
}

TEST(InitializationTypeTest, EveryOtherLambdaFreezesAndHasInvokeEvents) {
  for (const EnvironmentKind kind :
       {EnvironmentKind::kOnDemand, EnvironmentKind::kSnapStart, EnvironmentKind::kProvisionedConcurrency,
        EnvironmentKind::kOtherLambda}) {
    const InitializationTraits traits = InitializationTraitsOf(kind);
    EXPECT_TRUE(traits.invoke_events) << ToString(kind);
    EXPECT_FALSE(traits.concurrent_invocations) << ToString(kind);
    EXPECT_TRUE(traits.freezes) << ToString(kind);
    EXPECT_EQ(traits.telemetry_schema, "2022-12-13") << ToString(kind);
    EXPECT_EQ(traits.restored_from_snapshot, kind == EnvironmentKind::kSnapStart) << ToString(kind);
    EXPECT_EQ(traits.initialized_ahead,
              kind == EnvironmentKind::kSnapStart || kind == EnvironmentKind::kProvisionedConcurrency)
        << ToString(kind);
  }
}

TEST(InitializationTypeTest, OutsideLambdaNothingFreezes) {
  EXPECT_FALSE(InitializationTraitsOf(EnvironmentKind::kOutsideLambda).freezes);
}

}  // namespace
}  // namespace thaw
