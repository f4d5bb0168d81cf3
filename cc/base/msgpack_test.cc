#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "cc/base/msgpack_reader.h"
#include "cc/base/msgpack_scalars.h"
#include "cc/base/msgpack_writer.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using namespace std::string_literals;

TEST(Msgpack, IntegersComeBackAsTheyWent) {
  for (const int64_t value : {int64_t{0},           int64_t{127},
                              int64_t{128},         int64_t{255},
                              int64_t{256},         int64_t{65535},
                              int64_t{65536},       int64_t{4294967295},
                              int64_t{4294967296},  std::numeric_limits<int64_t>::max(),
                              int64_t{-1},          int64_t{-32},
                              int64_t{-33},         int64_t{-128},
                              int64_t{-129},        int64_t{-32768},
                              int64_t{-32769},      int64_t{-2147483648},
                              int64_t{-2147483649}, std::numeric_limits<int64_t>::min()}) {
    MsgpackWriter writer;
    writer.Signed(value);
    MsgpackReader reader(writer.bytes());
    uint64_t read = 1;
    ASSERT_TRUE(reader.ReadInteger(read)) << value;
    EXPECT_EQ(static_cast<int64_t>(read), value);
    EXPECT_TRUE(reader.at_end());
    reader.MoveTo(0);
    double number = 0.5;
    ASSERT_TRUE(reader.ReadNumber(number));
    EXPECT_EQ(number, static_cast<double>(value));
    reader.MoveTo(0);
    EXPECT_TRUE(reader.Skip());
    EXPECT_TRUE(reader.at_end());
  }
  MsgpackWriter writer;
  writer.Unsigned(std::numeric_limits<uint64_t>::max());
  MsgpackReader reader(writer.bytes());
  double number = 0;
  ASSERT_TRUE(reader.ReadNumber(number));
  EXPECT_EQ(number, 18446744073709551616.0);
}

TEST(Msgpack, StringsArraysAndMapsOfEverySize) {
  for (const size_t size : {0u, 1u, 15u, 16u, 31u, 32u, 255u, 256u, 65535u, 65536u}) {
    const std::string text(size, 'x');
    MsgpackWriter writer;
    writer.String(text);
    writer.Binary(text);
    writer.Array(size);
    for (size_t i = 0; i < size; ++i) writer.Bool(i % 2 == 0);
    writer.Map(size);
    for (size_t i = 0; i < size; ++i) writer.Raw("\x01\xC0");
    MsgpackReader reader(writer.bytes());
    std::string_view read;
    ASSERT_TRUE(reader.ReadString(read));
    EXPECT_EQ(read, text);
    ASSERT_TRUE(reader.ReadString(read));
    EXPECT_EQ(read, text);
    const size_t at_array = reader.position();
    uint32_t count = 7;
    ASSERT_TRUE(reader.ReadArray(count));
    EXPECT_EQ(count, size);
    reader.MoveTo(at_array);
    ASSERT_TRUE(reader.Skip());
    ASSERT_TRUE(reader.ReadMap(count));
    EXPECT_EQ(count, size);
  }
}

TEST(Msgpack, FloatsOfBothWidths) {
  double value;
  const std::string narrow = "\xCA\x3F\xC0\x00\x00"s;
  MsgpackReader single(narrow);
  ASSERT_TRUE(single.ReadNumber(value));
  EXPECT_EQ(value, 1.5);
  const std::string bytes = "\xCB\xBF\xF0\x00\x00\x00\x00\x00\x00"s;
  MsgpackReader wide(bytes);
  ASSERT_TRUE(wide.ReadNumber(value));
  EXPECT_EQ(value, -1);
  MsgpackWriter out;
  out.Double(-1);
  EXPECT_EQ(out.bytes(), bytes);
}

TEST(Msgpack, ScalarsAsText) {
  const auto text_of = [](const std::string& bytes) {
    MsgpackReader reader(bytes);
    std::string text;
    return ReadScalarText(reader, text) ? text : "none at " + std::to_string(reader.position());
  };
  EXPECT_EQ(text_of("\x05"), "5");
  EXPECT_EQ(text_of("\xFB"), "-5");
  EXPECT_EQ(text_of("\xCC\xC8"), "200");
  EXPECT_EQ(text_of("\xD0\xC8"), "-56");
  EXPECT_EQ(text_of("\xCF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), "18446744073709551615");
  EXPECT_EQ(text_of("\xCA\x3D\xCC\xCC\xCD"), "0.1");
  EXPECT_EQ(text_of("\xCB\x3F\xB9\x99\x99\x99\x99\x99\x9A"), "0.1");
  EXPECT_EQ(text_of("\xC3"), "true");
  EXPECT_EQ(text_of("\xA1x"), "none at 0");
  EXPECT_EQ(text_of(""), "none at 0");
}

TEST(Msgpack, AValueIsPassedOverInSteps) {
  std::string bytes = "\xDC\x03\xE8";
  for (int i = 0; i < 1000; ++i) bytes += "\x81\xA1k\x01";
  const std::string more = bytes + "\x07";
  MsgpackReader reader(more);
  MsgpackReader::Skipping skipping;
  int steps = 0;
  while (reader.SkipOn(skipping, 100) == MsgpackReader::Skipped::kMore) {
    EXPECT_TRUE(skipping.begun());
    ++steps;
  }
  EXPECT_EQ(steps, 30);
  EXPECT_EQ(skipping.values(), 3001);
  EXPECT_EQ(skipping.position(), 0);
  EXPECT_EQ(reader.position(), bytes.size());
  // A value that is cut off leaves the reader before it.
  MsgpackReader shorter(std::string_view(bytes).substr(0, bytes.size() - 1));
  MsgpackReader::Skipped skipped = MsgpackReader::Skipped::kMore;
  while (skipped == MsgpackReader::Skipped::kMore) skipped = shorter.SkipOn(skipping, 7);
  EXPECT_EQ(skipped, MsgpackReader::Skipped::kFailed);
  EXPECT_EQ(shorter.position(), 0);
  EXPECT_FALSE(skipping.begun());
}

TEST(Msgpack, AWrongTypeLeavesThePositionAndIsNamedWithItsPlace) {
  const std::string bytes = "\x92\xA1x\x80"s;
  MsgpackReader reader(bytes);
  uint32_t count;
  ASSERT_TRUE(reader.ReadArray(count));
  uint64_t integer;
  ASSERT_FALSE(reader.ReadInteger(integer));
  EXPECT_EQ(reader.error().message(), "at byte 1: expected an integer, found a string");
  EXPECT_EQ(reader.position(), 1);
  EXPECT_TRUE(reader.Skip());
  EXPECT_FALSE(reader.TakeNil());
  EXPECT_TRUE(reader.ReadMap(count));
  EXPECT_EQ(count, 0);
}

TEST(Msgpack, TruncationIsReported) {
  for (const std::string& bytes :
       {"\xA5hell"s, "\xD9"s, "\xDB\xFF\xFF\xFF\xFFx"s, "\xC6\x00\x00"s, "\xA1"s}) {
    MsgpackReader reader(bytes);
    std::string_view text;
    ASSERT_FALSE(reader.ReadString(text));
    EXPECT_NE(reader.error().message().find("ends first"), std::string_view::npos) << reader.error();
    EXPECT_FALSE(reader.Skip());
    EXPECT_EQ(reader.position(), 0);
  }
  // A count larger than the number of bytes that follow is rejected.
  const std::string liar = "\xDD\xFF\xFF\xFF\xFF\x01"s;
  MsgpackReader reader(liar);
  uint32_t count;
  EXPECT_FALSE(reader.ReadArray(count));
}

TEST(Msgpack, TimestampsHaveThreeForms) {
  for (const auto& [bytes, expected_seconds, expected_nanoseconds] :
       std::vector<std::tuple<std::string, int64_t, uint32_t>>{
           {"\xD6\xFF\xFF\xFF\xFF\xFF"s, 4'294'967'295, 0},
           {"\xD7\xFF\xEE\x6B\x27\xFC\x00\x00\x00\x01"s, 1, 999'999'999},
           {"\xC7\x0C\xFF\x00\x00\x00\x02\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s, -1, 2}}) {
    MsgpackReader reader(bytes);
    int64_t seconds;
    uint32_t nanoseconds;
    ASSERT_TRUE(reader.ReadTimestamp(seconds, nanoseconds));
    EXPECT_EQ(seconds, expected_seconds);
    EXPECT_EQ(nanoseconds, expected_nanoseconds);
    EXPECT_TRUE(reader.at_end());
    for (size_t cut = 0; cut < bytes.size(); ++cut) {
      const std::string part = bytes.substr(0, cut);
      MsgpackReader cut_off(part);
      EXPECT_FALSE(cut_off.ReadTimestamp(seconds, nanoseconds));
      EXPECT_EQ(cut_off.position(), 0);
    }
  }
  for (const std::string& bytes :
       {"\xD6\x01\x00\x00\x00\x00"s, "\xD7\xFF\xEE\x6B\x28\x00\x00\x00\x00\x01"s, "\x01"s,
        "\xC7\x04\xFF\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"s}) {
    MsgpackReader reader(bytes);
    int64_t seconds;
    uint32_t nanoseconds;
    EXPECT_FALSE(reader.ReadTimestamp(seconds, nanoseconds));
    EXPECT_EQ(reader.position(), 0);
  }
}

TEST(Msgpack, NestingIsBounded) {
  const std::string fits = std::string(MsgpackReader::kMaxDepth, '\x91') + "\x01";
  MsgpackReader reader(fits);
  EXPECT_TRUE(reader.Skip());
  EXPECT_TRUE(reader.at_end());
  const std::string deep = std::string(100000, '\x91') + "\x01";
  MsgpackReader bounded(deep);
  EXPECT_FALSE(bounded.Skip());
  EXPECT_EQ(bounded.error().message(), "at byte 64: nested deeper than 64");
}

TEST(Msgpack, EveryFirstByteIsSkippedByItsLength) {
  for (int first = 0; first < 256; ++first) {
    const std::string bytes = std::string(1, static_cast<char>(first)) + std::string(64, '\0');
    MsgpackReader reader(bytes);
    EXPECT_EQ(reader.Skip(), first != 0xC1) << first;
  }
}

}  // namespace
}  // namespace thaw
