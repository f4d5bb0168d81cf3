#include "cc/extension/command_line.h"

#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using Action = CommandLine::Action;
using ::testing::HasSubstr;

Action ActionOf(const std::vector<std::string_view>& arguments) { return ParseCommandLine(arguments).action; }

TEST(CommandLineTest, LambdaGivesNoArguments) { EXPECT_EQ(ActionOf({}), Action::kRun); }

TEST(CommandLineTest, EachOptionIsKnown) {
  EXPECT_EQ(ActionOf({"--help"}), Action::kHelp);
  EXPECT_EQ(ActionOf({"-h"}), Action::kHelp);
  EXPECT_EQ(ActionOf({"--version"}), Action::kVersion);
  EXPECT_EQ(ActionOf({"--check-config"}), Action::kCheckConfig);
}

TEST(CommandLineTest, AnythingElseIsRefusedByName) {
  const std::vector<std::string_view> unknown = {"--verbose"};
  EXPECT_EQ(ParseCommandLine(unknown).action, Action::kRefuse);
  EXPECT_THAT(ParseCommandLine(unknown).problem, HasSubstr("--verbose"));
  EXPECT_EQ(ActionOf({"--version", "--check-config"}), Action::kRefuse);
  EXPECT_EQ(ActionOf({"--check-config", "--check-config"}), Action::kRefuse);
}

TEST(CommandLineTest, HelpWinsOverEverything) {
  EXPECT_EQ(ActionOf({"--version", "--help"}), Action::kHelp);
  EXPECT_EQ(ActionOf({"--loud", "-h"}), Action::kHelp);
}

TEST(CommandLineTest, ConnectGoesWithCheckConfig) {
  const std::vector<std::string_view> both = {"--connect", "--check-config"};
  EXPECT_EQ(ParseCommandLine(both).action, Action::kCheckConfig);
  EXPECT_TRUE(ParseCommandLine(both).connect);
  EXPECT_EQ(ActionOf({"--connect"}), Action::kRefuse);
  EXPECT_EQ(ActionOf({"--version", "--connect"}), Action::kRefuse);
}

TEST(CommandLineTest, HelpNamesEachOption) {
  for (const std::string_view option : {"--help", "--version", "--check-config", "--connect"})
    EXPECT_THAT(HelpText(), HasSubstr(option));
}

}  // namespace
}  // namespace thaw
