#include "cc/config/environment_kind.h"

#include "gtest/gtest.h"

namespace thaw {
namespace {

EnvironmentKind KindOfType(const char* type) {
  return EnvironmentKindOf(Environment({{"AWS_LAMBDA_INITIALIZATION_TYPE", type}}));
}

TEST(EnvironmentKindTest, ByInitializationType) {
  EXPECT_EQ(KindOfType("on-demand"), EnvironmentKind::kOnDemand);
  EXPECT_EQ(KindOfType("snap-start"), EnvironmentKind::kSnapStart);
  EXPECT_EQ(KindOfType("provisioned-concurrency"), EnvironmentKind::kProvisionedConcurrency);
  EXPECT_EQ(KindOfType("lambda-managed-instances"), EnvironmentKind::kManagedInstances);
  EXPECT_EQ(KindOfType("of-the-future"), EnvironmentKind::kOtherLambda);
}

TEST(EnvironmentKindTest, AnInitializationTypeIsReadByItsNameAlone) {
  EXPECT_EQ(EnvironmentKindOfInitializationType("snap-start"), EnvironmentKind::kSnapStart);
  // The project's own words are not the platform's.
  for (const char* type : {"", "of-the-future", "lambda", "outside Lambda"}) {
    EXPECT_EQ(EnvironmentKindOfInitializationType(type), std::nullopt) << type;
  }
}

TEST(EnvironmentKindTest, ByFunctionNameWithoutType) {
  EXPECT_EQ(EnvironmentKindOf(Environment({{"AWS_LAMBDA_FUNCTION_NAME", "f"}})),
            EnvironmentKind::kOtherLambda);
  EXPECT_EQ(EnvironmentKindOf(Environment()), EnvironmentKind::kOutsideLambda);
  EXPECT_EQ(EnvironmentKindOf(
                Environment({{"AWS_LAMBDA_FUNCTION_NAME", ""}, {"AWS_LAMBDA_INITIALIZATION_TYPE", ""}})),
            EnvironmentKind::kOutsideLambda);
}

TEST(EnvironmentKindTest, KeepsNothingIdleWhereItMayFreeze) {
  for (const EnvironmentKind kind :
       {EnvironmentKind::kOnDemand, EnvironmentKind::kSnapStart, EnvironmentKind::kProvisionedConcurrency,
        EnvironmentKind::kOtherLambda}) {
    EXPECT_EQ(DefaultClientOptions(kind).max_idle_per_host, 0) << ToString(kind);
    EXPECT_EQ(DefaultClientOptions(kind).max_connections_per_host, 6) << ToString(kind);
    EXPECT_TRUE(DefaultClientOptions(kind).share_within_flush) << ToString(kind);
  }
  for (const EnvironmentKind kind : {EnvironmentKind::kManagedInstances, EnvironmentKind::kOutsideLambda}) {
    EXPECT_EQ(DefaultClientOptions(kind).max_idle_per_host, 4) << ToString(kind);
    EXPECT_EQ(DefaultClientOptions(kind).max_connections_per_host, 8) << ToString(kind);
  }
}

}  // namespace
}  // namespace thaw
