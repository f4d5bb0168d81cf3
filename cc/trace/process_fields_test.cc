#include "cc/trace/process_fields.h"

#include <string>

#include "cc/trace/trace_fields.h"
#include "cc/trace/trace_test_bodies.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using trace_test::Str;

ProcessTags Tags(std::string_view env, std::string_view version) {
  ProcessTags tags;
  TakeProcessTag(MetaTag::kEnv, env, tags);
  TakeProcessTag(MetaTag::kVersion, version, tags);
  return tags;
}

TEST(ProcessFields, RootsComeBeforeOtherSpansAndTracesInTheirOrder) {
  ProcessFields fields;
  EXPECT_FALSE(fields.Lacks({}));
  EXPECT_TRUE(fields.Lacks(Tags("a", "")));
  fields.Add(Tags("root", ""), Tags("child", "1"));
  EXPECT_FALSE(fields.Lacks(Tags("later", "2")));
  fields.Add(Tags("later", "2"), Tags("later", "2"));
  EXPECT_EQ(fields.Get(MetaTag::kEnv), "root");
  EXPECT_EQ(fields.Get(MetaTag::kVersion), "1");
}

TEST(ProcessFields, TheFirstThatIsNotEmptyHolds) {
  ProcessTags tags;
  TakeProcessTag(MetaTag::kEnv, "", tags);
  TakeProcessTag(MetaTag::kEnv, "first", tags);
  TakeProcessTag(MetaTag::kEnv, "second", tags);
  TakeProcessTag(MetaTag::kHttpUrl, "no tag of a process", tags);
  EXPECT_EQ(tags[static_cast<int>(MetaTag::kEnv)], "first");
}

TEST(ProcessFields, AreWrittenNormalAndInUtf8) {
  ProcessFields fields;
  fields.Add(Tags("Prod\xFF", "1\xFF"), {});
  TracerHeaders headers;
  headers.lang = "python";
  ProtobufWriter out;
  EXPECT_EQ(fields.Write(headers, "default", out), 2);
  EXPECT_EQ(Str(out.bytes(), TracerPayloadField::kLanguageName), "python");
  EXPECT_EQ(Str(out.bytes(), TracerPayloadField::kEnv), "prod\xEF\xBF\xBD");
  EXPECT_EQ(Str(out.bytes(), TracerPayloadField::kAppVersion), "1\xEF\xBF\xBD");
  ProtobufWriter bare;
  EXPECT_EQ(ProcessFields().Write({}, "Default Env", bare), 0);
  EXPECT_EQ(Str(bare.bytes(), TracerPayloadField::kEnv), "default_env");
}

}  // namespace
}  // namespace thaw
