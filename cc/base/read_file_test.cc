#include "cc/base/read_file.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::HasSubstr;

std::string Path(const std::string& name) {
  const std::string path = testing::TempDir() + "/" + name;
  unlink(path.c_str());
  return path;
}

std::string Written(const std::string& name, const std::string& content) {
  const std::string path = Path(name);
  FILE* const file = std::fopen(path.c_str(), "w");
  EXPECT_NE(file, nullptr);
  EXPECT_EQ(std::fwrite(content.data(), 1, content.size(), file), content.size());
  std::fclose(file);
  return path;
}

TEST(ReadWholeFile, GivesTheContentUpToTheLimit) {
  for (const size_t size : {0, 1, 4095, 4096, 4097, 100'000}) {
    std::string content(size, 'x');
    if (size > 0) content.back() = '\0';
    const std::string path = Written("plain", content);
    for (const size_t limit : {size, size + 1, size_t{1} << 20}) {
      const absl::StatusOr<std::string> text = ReadWholeFile(path, limit);
      ASSERT_TRUE(text.ok()) << text.status();
      EXPECT_TRUE(*text == content) << size << " within " << limit;
    }
    if (size > 0) {
      EXPECT_TRUE(absl::IsResourceExhausted(ReadWholeFile(path, size - 1).status())) << size;
    }
  }
}

TEST(ReadWholeFile, FilesWithoutASizeAreBoundedToo) {
  const absl::StatusOr<std::string> text = ReadWholeFile("/proc/self/status", 1 << 20);
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_THAT(*text, HasSubstr("VmRSS"));
  EXPECT_TRUE(absl::IsResourceExhausted(ReadWholeFile("/proc/self/status", 10).status()));
}

TEST(ReadWholeFile, APathThatIsNoFileIsNamedAndCostsNoTime) {
  const std::string pipe = Path("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const std::string link = Path("link");
  ASSERT_EQ(symlink(pipe.c_str(), link.c_str()), 0);
  sockaddr_un address{.sun_family = AF_UNIX};
  const std::string name = absl::StrCat("/tmp/thaw_read_file.", getpid());
  std::strncpy(address.sun_path, name.c_str(), sizeof(address.sun_path) - 1);
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  for (const auto& [path, what] : {std::pair<std::string, std::string>(pipe, "a pipe"),
                                   {link, "a pipe"},
                                   {testing::TempDir(), "a folder"},
                                   {"/dev/zero", "a device"},
                                   {"/dev/null", "a device"},
                                   {name, "a socket"}}) {
    const absl::Status status = ReadWholeFile(path, 1 << 20).status();
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << path << ": " << status;
    EXPECT_EQ(status.message(), absl::StrCat("it is ", what, ", not a file"));
  }
  close(socket);
  unlink(name.c_str());
}

TEST(ReadWholeFile, TheSystemsReasonIsGiven) {
  EXPECT_TRUE(absl::IsNotFound(ReadWholeFile("/none/such", 10).status()));
  EXPECT_EQ(ReadWholeFile("/none/such", 10).status().message(), "No such file or directory");
  EXPECT_TRUE(absl::IsNotFound(ReadWholeFile("/dev/null/such", 10).status()));
  const std::string looped = Path("looped");
  ASSERT_EQ(symlink(looped.c_str(), looped.c_str()), 0);
  EXPECT_FALSE(ReadWholeFile(looped, 10).ok());
  EXPECT_FALSE(ReadWholeFile(std::string(5000, 'x'), 10).ok());
}

}  // namespace
}  // namespace thaw
