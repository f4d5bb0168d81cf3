#include "cc/net/tls/ciphertext.h"

#include <cstring>
#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace thaw {
namespace {

void Arrive(InboundCiphertext& inbound, size_t room, std::string_view bytes) {
  const absl::Span<char> into = inbound.Room(room);
  ASSERT_EQ(into.size(), room);
  std::memcpy(into.data(), bytes.data(), bytes.size());
  inbound.Arrived(bytes.size());
}

std::string Take(InboundCiphertext& inbound, size_t size) {
  std::string taken(size, '\0');
  taken.resize(inbound.Take(taken.data(), size));
  return taken;
}

TEST(InboundCiphertextTest, BytesAreTakenInTheOrderInWhichTheyCame) {
  InboundCiphertext inbound;
  EXPECT_TRUE(inbound.empty());
  EXPECT_EQ(Take(inbound, 4), "");
  Arrive(inbound, 8, "abcde");
  EXPECT_FALSE(inbound.filled());
  EXPECT_EQ(Take(inbound, 3), "abc");
  EXPECT_FALSE(inbound.empty());
  EXPECT_EQ(Take(inbound, 3), "de");
  EXPECT_TRUE(inbound.empty());
  Arrive(inbound, 4, "wxyz");
  EXPECT_TRUE(inbound.filled());
  EXPECT_EQ(Take(inbound, 8), "wxyz");
  inbound.Free();
  EXPECT_EQ(Take(inbound, 8), "");
}

TEST(InboundCiphertextTest, BytesThatCameBesideAPendingReadPrecedeIts) {
  InboundCiphertext inbound;
  const absl::Span<char> into = inbound.Room(4);
  inbound.ArrivedBeside("ab");
  EXPECT_FALSE(inbound.empty());
  EXPECT_EQ(Take(inbound, 1), "a");
  into[0] = 'c';
  inbound.Arrived(1);
  EXPECT_EQ(Take(inbound, 8), "b");
  EXPECT_EQ(Take(inbound, 8), "c");
  EXPECT_TRUE(inbound.empty());
}

TEST(OutboundCiphertextTest, BytesSealedWhileOthersAreSentGoNextTime) {
  OutboundCiphertext outbound;
  outbound.Seal("abc");
  outbound.BeginSending();
  EXPECT_FALSE(outbound.has_sealed());
  outbound.Seal("de");
  outbound.Sent(2);
  EXPECT_EQ(outbound.unsent(), "c");
  outbound.Sent(1);
  EXPECT_EQ(outbound.unsent(), "");
  EXPECT_EQ(outbound.sealed_in_all(), 5);
  EXPECT_EQ(outbound.sent_in_all(), 3);
  outbound.EndSending(/*kept_bytes=*/0);
  EXPECT_TRUE(outbound.has_sealed());
  outbound.BeginSending();
  EXPECT_EQ(outbound.unsent(), "de");
}

}  // namespace
}  // namespace thaw
