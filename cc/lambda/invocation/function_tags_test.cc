#include "cc/lambda/invocation/function_tags.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

FunctionFacts Facts() {
  return {.region = "eu-west-1",
          .account_id = "123456789012",
          .name = "My-Function",
          .version = "$LATEST",
          .memory_size = "512",
          .initialization_type = "on-demand",
          .env = "prod",
          .service = "Shop",
          .service_version = "1.2",
          .extension_version = "7"};
}

TEST(FunctionTagsTest, SortedAndStable) {
  const std::string architecture(Architecture());
  EXPECT_EQ(
      FunctionTags(Facts()).Text(),
      "account_id:123456789012,architecture:" + architecture +
          ",aws_account:123456789012,dd_extension_version:7,env:prod,"
          "function_arn:arn:aws:lambda:eu-west-1:123456789012:function:my-function,functionname:My-Function,"
          "init_type:on-demand,memorysize:512,region:eu-west-1,resource:My-Function,service:shop,version:1."
          "2");
  EXPECT_EQ(FunctionTags(Facts()).Text(), FunctionTags(Facts()).Text());
}

TEST(FunctionTagsTest, UnknownFactsAreNoTags) {
  const FunctionTags tags(FunctionFacts{});
  EXPECT_THAT(tags.map(),
              ElementsAre(Pair("account_id", "none"), Pair("architecture", std::string(Architecture())),
                          Pair("aws_account", "none")));
}

TEST(FunctionTagsTest, AVersionIsPartOfTheResource) {
  FunctionFacts facts = Facts();
  facts.version = "17";
  const FunctionTags tags(facts);
  EXPECT_EQ(tags.map().at("resource"), "My-Function:17");
  EXPECT_EQ(tags.map().at("executedversion"), "17");
  EXPECT_EQ(tags.map().at("function_arn"), "arn:aws:lambda:eu-west-1:123456789012:function:my-function");
}

TEST(FunctionTagsTest, Partitions) {
  EXPECT_EQ(AwsPartition("eu-west-1"), "aws");
  EXPECT_EQ(AwsPartition("us-gov-west-1"), "aws-us-gov");
  EXPECT_EQ(AwsPartition("cn-north-1"), "aws-cn");
  EXPECT_EQ(FunctionArn({.region = "cn-north-1", .name = "F"}),
            "arn:aws-cn:lambda:cn-north-1:none:function:f");
}

TEST(FunctionTagsTest, CustomTagsOverride) {
  FunctionFacts facts = Facts();
  facts.tags = "env:staging,team:blue";
  const FunctionTags tags(facts);
  EXPECT_EQ(tags.map().at("env"), "staging");
  EXPECT_EQ(tags.map().at("team"), "blue");
  facts.tags = "team:data eng,beta";
  EXPECT_EQ(FunctionTags(facts).map().at("team"), "data eng");
  EXPECT_EQ(FunctionTags(facts).map().at("beta"), "") << "a tag may have no value";
}

TEST(FunctionTags, ARuntimeIsCalledAsLambdaCallsIt) {
  EXPECT_EQ(RuntimeName("AWS_Lambda_python3.13"), "python3.13");
  EXPECT_EQ(RuntimeName("python:3.13.v22"), "python3.13");
  EXPECT_EQ(RuntimeName("nodejs:22.v40"), "nodejs22.x");
  EXPECT_EQ(RuntimeName("java:21.v31"), "java21");
  EXPECT_EQ(RuntimeName("dotnet:8.v27"), "dotnet8");
  EXPECT_EQ(RuntimeName("provided:al2023.v90"), "provided.al2023");
  EXPECT_EQ(RuntimeName("python:3.14.DurableFunction.v6"), "python3.14");
  for (const char* const text : {"", "python", ":3.13", "python:", "python:.v1"})
    EXPECT_EQ(RuntimeName(text), "");
}

}  // namespace
}  // namespace thaw
