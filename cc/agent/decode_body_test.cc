#include "cc/agent/decode_body.h"

#include <string>
#include <string_view>

#include "cc/flush/compress.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

TEST(ParseContentCoding, KnownOnesInAnyCase) {
  EXPECT_EQ(*ParseContentCoding(""), ContentCoding::kIdentity);
  EXPECT_EQ(*ParseContentCoding("identity"), ContentCoding::kIdentity);
  EXPECT_EQ(*ParseContentCoding(" GZip "), ContentCoding::kGzip);
  EXPECT_EQ(*ParseContentCoding("x-gzip"), ContentCoding::kGzip);
  EXPECT_EQ(*ParseContentCoding("zstd"), ContentCoding::kZstd);
}

TEST(ParseContentCoding, OthersAreNamed) {
  for (const std::string_view value : {"br", "deflate", "gzip, zstd", "gzip,gzip", "zst"}) {
    const absl::Status status = ParseContentCoding(value).status();
    EXPECT_TRUE(absl::IsUnimplemented(status)) << value;
    EXPECT_THAT(status.message(), testing::HasSubstr(value));
  }
}

TEST(DecodeBody, ReturnsTheContentThatWasSent) {
  const std::string body(100'000, 'x');
  EXPECT_EQ(*DecodeBody(ContentCoding::kGzip, *CompressGzip(body, 6), body.size()), body);
  EXPECT_EQ(*DecodeBody(ContentCoding::kZstd, *CompressZstd(body, 3), body.size()), body);
}

TEST(DecodeBody, MembersThatFollowEachOtherAreOneBody) {
  EXPECT_EQ(*DecodeBody(ContentCoding::kGzip, *CompressGzip("one, ", 6) + *CompressGzip("two", 1), 100),
            "one, two");
  EXPECT_EQ(*DecodeBody(ContentCoding::kZstd, *CompressZstd("one, ", 3) + *CompressZstd("two", 1), 100),
            "one, two");
  const absl::Status status =
      DecodeBody(ContentCoding::kGzip, *CompressGzip("one", 6) + "rubbish", 100).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(status.message(),
              testing::StartsWith("the gzip body: at byte 23: the bytes that follow are not"));
}

TEST(DecodeBody, ABombIsRefused) {
  const std::string content(100 << 20, '\0');
  const std::string gzip = *CompressGzip(content, 9);
  const std::string zstd = *CompressZstd(content, 3);
  EXPECT_LT(gzip.size() + zstd.size(), 200'000);
  EXPECT_TRUE(absl::IsOutOfRange(DecodeBody(ContentCoding::kGzip, gzip, 1 << 20).status()));
  EXPECT_TRUE(absl::IsOutOfRange(DecodeBody(ContentCoding::kZstd, zstd, 1 << 20).status()));
}

TEST(DecodeBody, ABodyOfAnotherCodingIsRefusedByName) {
  const absl::Status status = DecodeBody(ContentCoding::kGzip, *CompressZstd("text", 3), 1000).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(status.message(), testing::HasSubstr("the gzip body: at byte"));
  EXPECT_TRUE(absl::IsInvalidArgument(DecodeBody(ContentCoding::kZstd, "", 1000).status()));
}

}  // namespace
}  // namespace thaw
