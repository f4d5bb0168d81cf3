#include "cc/net/io/resolv_conf.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ResolvConfTest, SearchDotsAndRotation) {
  const ResolvConf conf = ParseResolvConf(
      "# of a container\n"
      "nameserver 10.0.0.2\n"
      "search svc.cluster.local\tcluster.local. eu.internal ; and no more\r\n"
      "options timeout:1 ndots:5 rotate\n"
      "options attempts:2");
  EXPECT_THAT(conf.search, ElementsAre("svc.cluster.local", "cluster.local", "eu.internal"));
  EXPECT_EQ(conf.ndots, 5);
  EXPECT_TRUE(conf.rotate);
}

TEST(ResolvConfTest, TheLastOfSearchAndDomainCounts) {
  EXPECT_THAT(ParseResolvConf("search a.test b.test\ndomain c.test d.test\n").search, ElementsAre("c.test"));
  EXPECT_THAT(ParseResolvConf("domain c.test\nsearch a.test b.test\n").search,
              ElementsAre("a.test", "b.test"));
  EXPECT_THAT(ParseResolvConf("search a.test\nsearch .\n").search, IsEmpty());
}

TEST(ResolvConfTest, UnknownAndBrokenLinesAreIgnored) {
  for (const char* text : {"", "\n\n", "search", "options", "options ndots: ndots:x ndots:-1 rotat",
                           "Search a.test", "# search a.test", "\xff\xfe\x00", "search . .."}) {
    const ResolvConf conf = ParseResolvConf(text);
    EXPECT_THAT(conf.search, IsEmpty()) << text;
    EXPECT_EQ(conf.ndots, 1) << text;
    EXPECT_FALSE(conf.rotate) << text;
  }
  EXPECT_EQ(ParseResolvConf("options ndots:99999").ndots, 15);
  EXPECT_EQ(ParseResolvConf("options ndots:0").ndots, 0);
}

TEST(ResolvConfTest, NamesInTheOrderInWhichTheyAreMeant) {
  const ResolvConf conf{.search = {"a.test", "b.test"}, .ndots = 2};
  EXPECT_THAT(NamesToAsk("intake", conf), ElementsAre("intake.a.test.", "intake.b.test.", "intake."));
  EXPECT_THAT(NamesToAsk("x.intake", conf), ElementsAre("x.intake.a.test.", "x.intake.b.test.", "x.intake."));
  EXPECT_THAT(NamesToAsk("x.y.intake", conf),
              ElementsAre("x.y.intake.", "x.y.intake.a.test.", "x.y.intake.b.test."));
  EXPECT_THAT(NamesToAsk("intake.", conf), ElementsAre("intake."));
  EXPECT_THAT(NamesToAsk("intake", {}), ElementsAre("intake."));
}

}  // namespace
}  // namespace thaw
