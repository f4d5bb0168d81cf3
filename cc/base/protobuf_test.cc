#include <cstdint>
#include <limits>
#include <string>

#include "cc/base/protobuf_reader.h"
#include "cc/base/protobuf_writer.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using namespace std::string_literals;

TEST(Protobuf, KnownBytes) {  // the examples of the encoding guide
  ProtobufWriter writer;
  writer.Varint(1, 150);
  writer.String(2, "testing");
  const size_t message = writer.BeginMessage(3);
  writer.Varint(1, 150);
  writer.EndMessage(message);
  EXPECT_EQ(writer.bytes(), "\x08\x96\x01\x12\x07testing\x1a\x03\x08\x96\x01"s);
}

TEST(Protobuf, MessagesOfEverySizeGetTheirShortestLength) {
  for (const size_t size : {0u, 1u, 127u, 128u, 16383u, 16384u, 2097151u, 2097152u}) {
    ProtobufWriter writer;
    writer.Varint(9, 1);
    const size_t outer = writer.BeginMessage(1);
    const size_t message = writer.BeginMessage(20);
    writer.Raw(std::string(size, 'x'));
    writer.EndMessage(message);
    writer.Varint(2, 5);
    writer.EndMessage(outer);
    writer.Varint(3, 7);

    ProtobufWriter expected;  // with the length known before
    expected.Varint(9, 1);
    ProtobufWriter inner;
    inner.String(20, std::string(size, 'x'));
    inner.Varint(2, 5);
    expected.String(1, inner.bytes());
    expected.Varint(3, 7);
    EXPECT_EQ(writer.bytes(), expected.bytes()) << size;
  }
}

TEST(Protobuf, EntriesOfMaps) {
  ProtobufWriter writer;
  writer.StringEntry(10, "key", std::string(300, 'v'));
  writer.DoubleEntry(11, "half", 0.5);
  ProtobufReader reader(writer.bytes());
  ASSERT_TRUE(reader.Next());
  ProtobufReader entry(reader.bytes());
  ASSERT_TRUE(entry.Next());
  EXPECT_EQ(entry.bytes(), "key");
  ASSERT_TRUE(entry.Next());
  EXPECT_EQ(entry.bytes(), std::string(300, 'v'));
  EXPECT_FALSE(entry.Next());
  EXPECT_TRUE(entry.ok());
  ASSERT_TRUE(reader.Next());
  ProtobufReader number(reader.bytes());
  ASSERT_TRUE(number.Next());
  EXPECT_EQ(number.bytes(), "half");
  ASSERT_TRUE(number.Next());
  EXPECT_EQ(std::bit_cast<double>(number.value()), 0.5);
}

TEST(Protobuf, ExtremeValues) {
  ProtobufWriter writer;
  writer.Varint(1, std::numeric_limits<uint64_t>::max());
  writer.Fixed64(2, 1);
  ProtobufReader reader(writer.bytes());
  ASSERT_TRUE(reader.Next());
  EXPECT_EQ(reader.value(), std::numeric_limits<uint64_t>::max());
  ASSERT_TRUE(reader.Next());
  EXPECT_EQ(reader.value(), 1);
  EXPECT_EQ(reader.whole().size(), 9);
  EXPECT_FALSE(reader.Next());
  EXPECT_TRUE(reader.ok());
}

TEST(Protobuf, InvalidMessagesAreNotOk) {
  for (const std::string& bytes : {"\x08"s, "\x12\x05xx"s, "\x0B"s, "\x00"s, "\x09\x01"s,
                                   "\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"s}) {
    ProtobufReader reader(bytes);
    while (reader.Next()) {
    }
    EXPECT_FALSE(reader.ok());
  }
}

TEST(Protobuf, TruncateAndShrinkKeepTheBytesBefore) {
  ProtobufWriter writer(1000);
  writer.String(1, "kept");
  const size_t size = writer.size();
  writer.String(2, std::string(5000, 'x'));
  writer.Truncate(size);
  writer.Shrink();
  EXPECT_EQ(writer.bytes(), "\x0A\x04kept");
  EXPECT_EQ(writer.capacity(), size);
  writer.String(3, "more");
  EXPECT_EQ(writer.bytes(), "\x0A\x04kept\x1A\x04more");
}

}  // namespace
}  // namespace thaw
