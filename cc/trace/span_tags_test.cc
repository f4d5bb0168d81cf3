#include "cc/trace/span_tags.h"

#include <set>
#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace thaw {
namespace {

TEST(SpanTags, EachNameIsItsOwnTag) {
  std::set<MetaTag> tags;
  for (const std::string_view name :
       {"env", "version", "_dd.hostname", "runtime-id", "_dd.origin", "http.url", "http.status_code",
        "tcp.remote.host", "tcp.remote.port", "dns.address", "db.type", "db.system", "sql.query",
        "_inferred_span.tag_source", "_dd.base_service"}) {
    const MetaTag tag = MetaTagOf(name);
    EXPECT_NE(tag, MetaTag::kOther) << name;
    EXPECT_TRUE(tags.insert(tag).second) << name;
    // A name with one byte more, fewer or changed is another tag.
    EXPECT_EQ(MetaTagOf(std::string(name) + "x"), MetaTag::kOther);
    EXPECT_EQ(MetaTagOf(name.substr(1)), MetaTag::kOther);
    EXPECT_EQ(MetaTagOf("~" + std::string(name.substr(1))), MetaTag::kOther);
  }
  EXPECT_EQ(tags.size(), kMetaTags);
  EXPECT_EQ(MetaTagOf("db.system.name"), MetaTag::kDatabaseSystem) << "the newer name";
  EXPECT_EQ(MetaTagOf("db.system.namf"), MetaTag::kOther);
  EXPECT_EQ(MetaTagOf(""), MetaTag::kOther);
}

TEST(SpanTags, EachMetricIsItsOwn) {
  EXPECT_EQ(MetricTagOf("_sampling_priority_v1"), MetricTag::kSamplingPriority);
  EXPECT_EQ(MetricTagOf("_dd.top_level"), MetricTag::kTracerTopLevel);
  EXPECT_EQ(MetricTagOf("_top_level"), MetricTag::kTopLevel);
  EXPECT_EQ(MetricTagOf("_dd.measured"), MetricTag::kMeasured);
  EXPECT_EQ(MetricTagOf("_dd.partial_version"), MetricTag::kSnapshot);
  EXPECT_EQ(MetricTagOf("_dd.was_long_running"), MetricTag::kSnapshot);
  for (const std::string_view name : {"", "_top-level", "process_id", "_dd.top_levek"})
    EXPECT_EQ(MetricTagOf(name), MetricTag::kOther);
}

}  // namespace
}  // namespace thaw
