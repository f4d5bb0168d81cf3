#include "cc/flush/pipeline_table.h"

#include <set>
#include <string>
#include <string_view>

#include "cc/config/config.h"
#include "cc/flush/flusher_options.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

TEST(PipelineTableTest, NamesAndTargetsAreUnique) {
  std::set<std::string_view> names;
  std::set<std::string> targets;
  for (const PipelineSpec& spec : kPipelineTable) {
    EXPECT_TRUE(names.insert(spec.name).second) << spec.name;
    EXPECT_TRUE(targets.insert(BaseUrlOf(spec, Config()) + std::string(spec.path)).second) << spec.name;
  }
}

TEST(PipelineTableTest, EachRowGivesUsableOptions) {
  for (const PipelineSpec& spec : kPipelineTable) {
    const absl::Status status = DefaultFlusherOptions(spec).Validate();
    EXPECT_TRUE(status.ok()) << spec.name << ": " << status;
  }
}

TEST(PipelineTableTest, StatsAndEventsAreNotSentTwice) {
  EXPECT_TRUE(PipelineNamed("traces").retry_ambiguous);
  EXPECT_FALSE(PipelineNamed("stats").retry_ambiguous);
  EXPECT_FALSE(PipelineNamed("events").retry_ambiguous);
}

TEST(PipelineSpecTest, AConfiguredUrlReplacesTheHostOfTheSite) {
  Config config;
  config.site = "datadoghq.eu";
  config.trace_url = "https://mine.example/base";
  PipelineSpec spec{.host_prefix = "http-intake.logs"};
  EXPECT_EQ(BaseUrlOf(spec, config), "https://http-intake.logs.datadoghq.eu");
  spec.url = &Config::trace_url;
  EXPECT_EQ(BaseUrlOf(spec, config), "https://mine.example/base");
  config.trace_url.clear();
  EXPECT_EQ(BaseUrlOf(spec, config), "https://http-intake.logs.datadoghq.eu");
}

TEST(PipelineSpecTest, ACodecGivesTheHeadersOfABody) {
  EXPECT_EQ(HeadersOf(PipelineNamed("stats").codec),
            (HttpHeaders{{"Content-Type", "application/msgpack"}, {"Content-Encoding", "gzip"}}));
  EXPECT_EQ(HeadersOf({.content_type = "application/json"}),
            (HttpHeaders{{"Content-Type", "application/json"}}));
  EXPECT_TRUE(HeadersOf(PipelineNamed("proxied").codec).empty());
}

}  // namespace
}  // namespace thaw
