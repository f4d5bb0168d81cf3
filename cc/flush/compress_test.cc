#include "cc/flush/compress.h"

#include <cstdint>
#include <memory>
#include <string>

#include "cc/base/fake_byte_account.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

struct Format {
  const char* name;
  Compression compression;
  absl::StatusOr<std::string> (*compress)(std::string_view, int);
  absl::StatusOr<std::string> (*decompress)(std::string_view, size_t);
};

class Compress : public testing::TestWithParam<Format> {};

TEST_P(Compress, DecompressionReturnsTheInput) {
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
  EXPECT_EQ(GetParam().decompress(bomb, 1000).status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(GetParam().decompress(bomb, 49'999'999).status().code(), absl::StatusCode::kOutOfRange);
}

TEST_P(Compress, MembersThatFollowEachOtherAreOneContent) {
  const std::string empty = *GetParam().compress("", 3);
  const std::string two = *GetParam().compress("one, ", 3) + empty + *GetParam().compress("two", 9) + empty;
  EXPECT_EQ(*GetParam().decompress(two, 8), "one, two");
  EXPECT_EQ(GetParam().decompress(two, 7).status().code(), absl::StatusCode::kOutOfRange);
  const std::string large(300'000, 'x');
  EXPECT_EQ(*GetParam().decompress(two + *GetParam().compress(large, 3), SIZE_MAX), "one, two" + large);
  const absl::Status cut = GetParam().decompress(two.substr(0, two.size() - 3), 100).status();
  EXPECT_EQ(cut.code(), absl::StatusCode::kInvalidArgument);
  const absl::Status rubbish = GetParam().decompress(two + std::string(20, 'x'), 100).status();
  EXPECT_EQ(rubbish.message(),
            "at byte " + std::to_string(two.size()) + ": the bytes that follow are not compressed");
}

TEST(ZstdCompressorTest, CompressorsShareMemoryThatStaysWhenTheyReleaseTheirs) {
  const auto memory = std::make_shared<ZstdMemory>();
  ZstdCompressor one;
  ZstdCompressor two;
  one.Share(memory);
  two.Share(memory);
  const std::string text(300'000, 'x');
  EXPECT_EQ(*one.Compress(text, 3), *CompressZstd(text, 3));
  const ZSTD_CCtx_s* const kept = memory->Get();
  one.Release();
  EXPECT_EQ(*two.Compress("other", 3), *CompressZstd("other", 3));
  EXPECT_EQ(*one.Compress(text, 9), *CompressZstd(text, 9));
  EXPECT_EQ(memory->Get(), kept);
}

TEST(GzipTest, ZerosBehindTheLastMemberAreNoContent) {
  const std::string one = *CompressGzip("one", 3);
  EXPECT_EQ(*DecompressGzip(one + std::string(512, '\0'), 3), "one");
  EXPECT_EQ(*DecompressGzip(one + one + '\0', 6), "oneone");
  EXPECT_FALSE(DecompressGzip(one + std::string(20, '\0') + one, 100).ok());
  EXPECT_FALSE(DecompressGzip(std::string(512, '\0'), 100).ok());
}

TEST_P(Compress, ContentIsMadeInPieces) {
  const std::string data(10'000'000, 'x');
  const std::string packed = *GetParam().compress(data, 3);
  Decompressor decompressor(GetParam().compression, packed, data.size());
  int steps = 1;
  absl::StatusOr<bool> done = decompressor.Step(1 << 20);
  for (; done.ok() && !*done; ++steps) done = decompressor.Step(1 << 20);
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_GE(steps, 9);
  EXPECT_EQ(decompressor.TakeContent(), data);
}

TEST_P(Compress, ManyEmptyMembersAreTakenInPieces) {
  std::string many;
  for (int i = 0; i < 10'000; ++i) many += *GetParam().compress("", 3);
  Decompressor decompressor(GetParam().compression, many, 100);
  int steps = 1;
  absl::StatusOr<bool> done = decompressor.Step(1 << 20);
  for (; done.ok() && !*done; ++steps) done = decompressor.Step(1 << 20);
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_GE(steps, 4);
  EXPECT_EQ(decompressor.TakeContent(), "");
}

TEST_P(Compress, MemoryIsChargedBeforeItIsAskedFor) {
  const std::string bomb = *GetParam().compress(std::string(50'000'000, 'x'), 3);
  FakeByteAccount account(8 << 20);
  {
    EXPECT_EQ(Decompressor(GetParam().compression, bomb, SIZE_MAX, &account).Step(SIZE_MAX).status().code(),
              absl::StatusCode::kOutOfRange);
    ASSERT_TRUE(account.Take(7 << 20).ok());
    const std::string small = *GetParam().compress(std::string(2'000'000, 'x'), 3);
    Decompressor waits(GetParam().compression, small, SIZE_MAX, &account);
    EXPECT_EQ(waits.Step(SIZE_MAX).status().code(), absl::StatusCode::kResourceExhausted);
    account.GiveBack(7 << 20);
    Decompressor fits(GetParam().compression, small, SIZE_MAX, &account);
    EXPECT_TRUE(*fits.Step(SIZE_MAX));
    EXPECT_GE(account.taken(), 2'000'000);
    const ByteCharge charge = fits.TakeCharge();
    EXPECT_GE(charge.bytes(), 2'000'000);
  }
  EXPECT_EQ(account.taken(), 0);
}

TEST(Decompressor, ALengthThatLiesCostsNoMemory) {
  // The last four bytes of a gzip member are its length.
  std::string gzip = *CompressGzip("text", 6);
  for (int i = 1; i <= 4; ++i) gzip[gzip.size() - i] = '\xFF';
  EXPECT_EQ(DecompressGzip(gzip, SIZE_MAX).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(Decompressor, FramesToSkipAreSkipped) {
  const std::string skip("\x50\x2A\x4D\x18\x03\x00\x00\x00xyz", 11);
  EXPECT_EQ(*DecompressZstd(skip + *CompressZstd("one", 3) + skip + *CompressZstd("two", 3), 100), "onetwo");
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

TEST(ZstdCompressor, AFrameDoesNotDependOnEarlierFrames) {
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
                         testing::Values(Format{"zstd", Compression::kZstd, CompressZstd, DecompressZstd},
                                         Format{"gzip", Compression::kGzip, CompressGzip, DecompressGzip}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace thaw
