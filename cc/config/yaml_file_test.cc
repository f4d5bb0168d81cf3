#include "cc/config/yaml_file.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::HasSubstr;

class YamlFileTest : public testing::Test {
 protected:
  YamlFileTest() : folder_(std::filesystem::path(testing::TempDir()) / "task") {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void Write(const std::string& text) { std::ofstream(folder_ / "datadog.yaml") << text; }
  YamlFile Read() const { return ReadYamlFile(Environment({{"LAMBDA_TASK_ROOT", folder_.string()}})); }

  const std::filesystem::path folder_;
};

TEST_F(YamlFileTest, IsReadFromTheTaskFolder) {
  Write("site: datadoghq.eu\n");
  const YamlFile file = Read();
  EXPECT_EQ(file.text, "site: datadoghq.eu\n");
  EXPECT_EQ(file.path, (folder_ / "datadog.yaml").string());
  EXPECT_FALSE(file.warning.has_value());
}

TEST_F(YamlFileTest, NoFileIsNothingToWarnOf) {
  const YamlFile file = Read();
  EXPECT_EQ(file.text, "");
  EXPECT_FALSE(file.warning.has_value());
  EXPECT_EQ(ReadYamlFile(Environment()).path, "/var/task/datadog.yaml");
}

TEST_F(YamlFileTest, AnUnreadableFileIsAWarningThatNamesIt) {
  std::filesystem::create_directory(folder_ / "datadog.yaml");
  const YamlFile file = Read();
  EXPECT_EQ(file.text, "");
  ASSERT_TRUE(file.warning.has_value());
  EXPECT_THAT(file.warning->text, HasSubstr(file.path));
}

TEST_F(YamlFileTest, APipeIsAWarningAndIsNotWaitedFor) {
  ASSERT_EQ(mkfifo((folder_ / "datadog.yaml").c_str(), 0600), 0);
  const YamlFile file = Read();
  EXPECT_EQ(file.text, "");
  ASSERT_TRUE(file.warning.has_value());
  EXPECT_THAT(file.warning->text, HasSubstr("it is a pipe"));
}

TEST_F(YamlFileTest, ALinkToNothingIsAWarning) {
  std::filesystem::create_symlink("nowhere", folder_ / "datadog.yaml");
  const YamlFile file = Read();
  EXPECT_EQ(file.text, "");
  ASSERT_TRUE(file.warning.has_value());
  EXPECT_EQ(file.warning->text,
            file.path + ": it is a link to a file that does not exist; nothing of it is used");
}

TEST_F(YamlFileTest, TheOtherEndingIsNamed) {
  std::ofstream(folder_ / "datadog.yml") << "site: datadoghq.eu\n";
  const YamlFile file = Read();
  EXPECT_EQ(file.text, "");
  ASSERT_TRUE(file.warning.has_value());
  EXPECT_EQ(file.warning->text,
            (folder_ / "datadog.yml").string() + " is not read; rename it to datadog.yaml");
  Write("env: prod\n");
  EXPECT_FALSE(Read().warning.has_value()) << "the file that is read counts";
}

TEST_F(YamlFileTest, OneThatIsTooLargeCountsForNothing) {
  Write(std::string(YamlFile::kMaxBytes + 1, '#'));
  const YamlFile file = Read();
  EXPECT_EQ(file.text, "");
  ASSERT_TRUE(file.warning.has_value());
  EXPECT_THAT(file.warning->text, HasSubstr("1048576 bytes"));
}

}  // namespace
}  // namespace thaw
