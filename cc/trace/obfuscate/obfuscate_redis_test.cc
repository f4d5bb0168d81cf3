#include "cc/trace/obfuscate/obfuscate_redis.h"

#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace thaw {
namespace {

std::string Quantized(std::string_view commands) {
  std::string out = "before";
  QuantizeRedisCommands(commands, out);
  return out;
}

std::string Obfuscated(std::string_view commands) {
  std::string out = "before";
  ObfuscateRedisCommands(commands, out);
  return out;
}

TEST(QuantizeRedisCommands, NamesOfAtMostThree) {
  EXPECT_EQ(Quantized(""), "");
  EXPECT_EQ(Quantized("get k"), "GET");
  EXPECT_EQ(Quantized("  SET k v \n\n  GET k  \n"), "SET GET");
  EXPECT_EQ(Quantized("MULTI\nSET k v\nEXEC"), "MULTI SET EXEC ...");
  EXPECT_EQ(Quantized("MULTI\nSET k v\nEXEC\nGET k"), "MULTI SET EXEC ...");
  EXPECT_EQ(Quantized("FT.SEARCH idx"), "FT.SEARCH");
}

TEST(QuantizeRedisCommands, CommandsOfTwoWords) {
  EXPECT_EQ(Quantized("config  get maxmemory"), "CONFIG GET");
  EXPECT_EQ(Quantized("CLIENT"), "CLIENT");
  EXPECT_EQ(Quantized("CLIENT\tLIST\r\nscript load x"), "CLIENT LIST SCRIPT LOAD");
}

TEST(QuantizeRedisCommands, NamesThatTracersCut) {
  EXPECT_EQ(Quantized("GET k\nSE..."), "GET ...");
  EXPECT_EQ(Quantized("CONFIG G..."), "...");
  EXPECT_EQ(Quantized("SE...\nGET k"), "GET");
  EXPECT_EQ(Quantized("GET k..."), "GET");
}

TEST(QuantizeRedisCommands, NoLineOfAValueIsTakenForACommand) {
  EXPECT_EQ(Quantized("SET k \"a\nsecret b\"\nGET k"), "SET GET");
  EXPECT_EQ(Quantized("SET k \"a\\\"\nsecret\""), "SET");
  EXPECT_EQ(Quantized("SET k a\n{\"secret\": 1}\nGET k"), "SET ? GET ...");
  EXPECT_EQ(Quantized("SET k \"unterminated\nGET k"), "SET");
}

TEST(ObfuscateRedisCommands, ValuesMembersAndPasswords) {
  EXPECT_EQ(Obfuscated(""), "");
  EXPECT_EQ(Obfuscated("AUTH user secret"), "AUTH ?");
  EXPECT_EQ(Obfuscated("hello 3 AUTH user secret"), "hello 3 ?");
  EXPECT_EQ(Obfuscated("SET k v EX 60"), "SET k ? EX 60");
  EXPECT_EQ(Obfuscated("set k"), "set k");
  EXPECT_EQ(Obfuscated("SETEX k 60 v"), "SETEX k 60 ?");
  EXPECT_EQ(Obfuscated("LINSERT k BEFORE pivot v"), "LINSERT k BEFORE pivot ?");
  EXPECT_EQ(Obfuscated("SADD k a b c"), "SADD k ?");
  EXPECT_EQ(Obfuscated("GEOADD k 1 2 a 3 4 b"), "GEOADD k 1 2 ? 3 4 ?");
  EXPECT_EQ(Obfuscated("HMSET k f1 v1 f2 v2"), "HMSET k f1 ? f2 ?");
  EXPECT_EQ(Obfuscated("MSET k1 v1 k2 v2"), "MSET k1 ? k2 ?");
  EXPECT_EQ(Obfuscated("GET k"), "GET k");
}

// The agent hides only the first value of these.
TEST(ObfuscateRedisCommands, EveryValueOfACommandThatTakesMany) {
  EXPECT_EQ(Obfuscated("HSET k f1 v1 f2 v2"), "HSET k f1 ? f2 ?");
  EXPECT_EQ(Obfuscated("LPUSHX k v1 v2"), "LPUSHX k ?");
  EXPECT_EQ(Obfuscated("CONFIG SET requirepass secret masterauth secret"),
            "CONFIG SET requirepass ? masterauth ?");
  EXPECT_EQ(Obfuscated("BITFIELD k SET u8 0 255 GET u8 0 set u8 8 1"),
            "BITFIELD k SET u8 0 ? GET u8 0 set u8 8 ?");
}

TEST(ObfuscateRedisCommands, CommandsWithOptions) {
  EXPECT_EQ(Obfuscated("CONFIG GET maxmemory"), "CONFIG GET maxmemory");
  EXPECT_EQ(Obfuscated("ZADD k NX gt CH 1 a 2 b"), "ZADD k NX gt CH 1 ? 2 ?");
  EXPECT_EQ(Obfuscated("ZADD k 1 a 2 b"), "ZADD k 1 ? 2 ?");
  EXPECT_EQ(Obfuscated("ZADD k"), "ZADD k");
}

TEST(ObfuscateRedisCommands, QuotedWordsAndLines) {
  EXPECT_EQ(Obfuscated("SET k \"a b\nc\" EX 1\nGET  k"), "SET k ? EX 1\nGET k");
  EXPECT_EQ(Obfuscated("SET \"a \\\" b\" c"), "SET \"a \\\" b\" ?");
  EXPECT_EQ(Obfuscated("SET k \"unterminated\nGET k"), "SET k ?");
  EXPECT_EQ(Obfuscated("\n\n PING \r\n\n"), "PING");
}

}  // namespace
}  // namespace thaw
