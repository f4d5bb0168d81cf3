#include "cc/trace/process/fixed_tags.h"

#include <map>
#include <string>
#include <string_view>

#include "cc/base/protobuf_reader.h"
#include "cc/trace/trace_fields.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

std::string Encoded(const FixedTags& tags) {
  std::string text;
  ProtobufReader fields(tags.encoded());
  while (fields.Next()) {
    EXPECT_EQ(fields.field(), SpanField::kMeta);
    ProtobufReader entry(fields.bytes());
    while (entry.Next()) text.append(entry.bytes()).append(entry.field() == 1 ? "=" : ";");
  }
  return text;
}

TEST(FixedTags, AreSortedAndEncodedOnce) {
  const FixedTags tags({{"region", "eu-west-1"}, {"env", "prod"}, {"_dd.origin", "lambda"}});
  EXPECT_EQ(Encoded(tags), "_dd.origin=lambda;env=prod;region=eu-west-1;");
  ASSERT_EQ(tags.entries().size(), 3);
  EXPECT_EQ(tags.entries()[2].key, "region");
  EXPECT_EQ(tags.entries()[2].value, "eu-west-1");
}

TEST(FixedTags, AreToldFromAnyOther) {
  std::map<std::string, std::string> all;
  for (int i = 0; i < 1000; i += 2) all["tag" + std::to_string(i)] = "v";
  const FixedTags tags(all);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(tags.Contains("tag" + std::to_string(i)), i % 2 == 0) << i;
  EXPECT_FALSE(tags.Contains(""));
  EXPECT_FALSE(tags.Contains("tag"));
}

TEST(FixedTags, AcceptAnythingThatAUserMaySet) {
  const FixedTags tags({{"", "no key"}, {"a\xFF", "b\xFE"}, {"empty", ""}});
  EXPECT_EQ(Encoded(tags), "a\xEF\xBF\xBD=b\xEF\xBF\xBD;empty=;");
  EXPECT_FALSE(FixedTags({}).Contains("a"));
  EXPECT_EQ(FixedTags({}).encoded(), "");
}

}  // namespace
}  // namespace thaw
