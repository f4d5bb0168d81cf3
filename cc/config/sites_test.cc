#include "cc/config/sites.h"

#include "gtest/gtest.h"

namespace thaw {
namespace {

TEST(SitesTest, SitesAreWholeNames) {
  EXPECT_TRUE(IsKnownSite("datadoghq.com"));
  EXPECT_TRUE(IsKnownSite("us2.ddog-gov.com"));
  EXPECT_FALSE(IsKnownSite("app.datadoghq.com"));
  EXPECT_FALSE(IsKnownSite(""));
}

TEST(SitesTest, AHostBelongsToTheSiteOfItsRegion) {
  EXPECT_EQ(KnownSiteAbove("app.datadoghq.eu"), "datadoghq.eu");
  EXPECT_EQ(KnownSiteAbove("trace.agent.us3.datadoghq.com"), "us3.datadoghq.com");
  EXPECT_EQ(KnownSiteAbove("trace.agent.datadoghq.com"), "datadoghq.com");
  EXPECT_EQ(KnownSiteAbove("us7.datadoghq.com"), "datadoghq.com");
  EXPECT_EQ(KnownSiteAbove("plus3.datadoghq.com"), "datadoghq.com");
}

TEST(SitesTest, ANameThatOnlyEndsAlikeBelongsToNone) {
  EXPECT_EQ(KnownSiteAbove("mydatadoghq.com"), "");
  EXPECT_EQ(KnownSiteAbove("datadoghq.com"), "");
  EXPECT_EQ(KnownSiteAbove("datadoghq.org"), "");
  EXPECT_EQ(KnownSiteAbove(""), "");
}

}  // namespace
}  // namespace thaw
