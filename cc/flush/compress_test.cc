#include "cc/flush/compress.h"

#include <cstdint>
#include <string>

#include "gtest/gtest.h"

namespace thaw {
namespace {

struct Format {
  const char* name;
  absl::StatusOr<std::string> (*compress)(std::string_view, int);
  absl::StatusOr<std::string> (*decompress)(std::string_view, size_t);
};

class Compress : public testing::TestWithParam<Format> {};

TEST_P(Compress, WhatGoesInComesOut) {
  std::string noise;
  uint32_t state = 1;
  for (int i = 0; i < 300'000; ++i)
    noise.push_back(static_cast<char>((state = state * 1664525 + 1013904223) >> 24));
  for (const std::string& data : {std::string(), std::string("a"), std::string(1'000'000, 'x'), noise}) {
    for (const int level : {1, 3, 9}) {
      const absl::StatusOr<std::string> packed = GetParam().compress(data, level);
      ASSERT_TRUE(packed.ok()) << packed.status();
      EXPECT_EQ(*packed, *GetParam().compress(data, level));
      EXPECT_EQ(*GetParam().decompress(*packed, SIZE_MAX), data);
      const absl::StatusOr<std::string> back = GetParam().decompress(*packed, data.size());
      ASSERT_TRUE(back.ok()) << back.status();
      EXPECT_EQ(*back, data);
    }
  }
}

TEST_P(Compress, NoMoreThanAllowedIsMade) {
  const std::string bomb = *GetParam().compress(std::string(50'000'000, '\0'), 9);
  EXPECT_LT(bomb.size(), 100'000);
  EXPECT_EQ(GetParam().decompress(bomb, 1000).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(GetParam().decompress(bomb, 49'999'999).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST_P(Compress, GarbageAndCutDataAreRefused) {
  const std::string whole = *GetParam().compress("some text that is long enough to be cut anywhere", 3);
  for (size_t cut = 0; cut < whole.size(); ++cut)
    EXPECT_EQ(GetParam().decompress(whole.substr(0, cut), 1000).status().code(),
              absl::StatusCode::kInvalidArgument)
        << cut;
  EXPECT_EQ(GetParam().decompress("this was never compressed", 1000).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(GetParam().decompress(whole + "more", 1000).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(ZstdCompressor, WhatCameBeforeDoesNotShowInAFrame) {
  const std::string small = "a little of this and a little of that, and a little of this again";
  std::string large;
  for (int i = 0; i < 50'000; ++i) large += std::to_string(i * 7919 % 10'007) + small;
  ZstdCompressor compressor;
  for (const std::string& data : {small, large, small, std::string(), large, small}) {
    const std::string frame = *compressor.Compress(data, 3);
    EXPECT_EQ(frame, *CompressZstd(data, 3)) << data.size();
    EXPECT_EQ(*DecompressZstd(frame, data.size()), data);
  }
  compressor.Release();
  EXPECT_EQ(*compressor.Compress(large, 3), *CompressZstd(large, 3));
}

TEST(CompressZstd, AFrameThatAsksForMoreWindowThanItsContentMayNeedIsRefused) {
  // An empty frame with a window of 2^27 bytes (RFC 8878 section 3.1.1.1.2).
  const std::string frame("\x28\xB5\x2F\xFD\x00\x88\x01\x00\x00", 9);
  EXPECT_EQ(DecompressZstd(frame, 1000).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(*DecompressZstd(frame, SIZE_MAX), "");
}

INSTANTIATE_TEST_SUITE_P(Formats, Compress,
                         testing::Values(Format{"zstd", CompressZstd, DecompressZstd},
                                         Format{"gzip", CompressGzip, DecompressGzip}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace thaw
