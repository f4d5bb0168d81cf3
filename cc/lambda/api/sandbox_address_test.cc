#include "cc/lambda/api/sandbox_address.h"

#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::Optional;

TEST(SandboxAddress, IsTheOneThatTheHostsFileGives) {
  const char* const hosts =
      "# made for this environment\n"
      "127.0.0.1\tlocalhost.localdomain localhost\n"
      "169.254.79.129\tsandbox.localdomain sandbox\n";
  EXPECT_THAT(AddressInHosts(hosts, kSandboxHost), Optional(std::string("169.254.79.129")));
  EXPECT_THAT(AddressInHosts(hosts, "SANDBOX"), Optional(std::string("169.254.79.129")));
  EXPECT_THAT(AddressInHosts(hosts, "localhost"), Optional(std::string("127.0.0.1")));
}

TEST(SandboxAddress, TakesTheFirstLineThatMakesSense) {
  EXPECT_THAT(AddressInHosts("not-an-address sandbox.localdomain\n"
                             "::1 sandbox.localdomain\n"
                             "10.0.0.256 sandbox.localdomain\n"
                             "  10.0.0.7   sandbox.localdomain # here\r\n"
                             "10.0.0.8 sandbox.localdomain",
                             kSandboxHost),
              Optional(std::string("10.0.0.7")));
}

TEST(SandboxAddress, IsNotKnownFromAnythingElse) {
  for (const char* const hosts :
       {"", "\n\n", "10.0.0.7", "# 10.0.0.7 sandbox.localdomain", "10.0.0.7 my.sandbox.localdomain",
        "10.0.0.7 # sandbox.localdomain", "sandbox.localdomain 10.0.0.7"})
    EXPECT_EQ(AddressInHosts(hosts, kSandboxHost), std::nullopt) << hosts;
}

}  // namespace
}  // namespace thaw
