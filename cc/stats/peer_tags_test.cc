#include "cc/stats/peer_tags.h"

#include <iterator>
#include <string>

#include "gtest/gtest.h"

namespace thaw {
namespace {

TEST(PeerTags, EachIsFoundWhereItIs) {
  for (size_t i = 0; i < std::size(kPeerTags); ++i) EXPECT_EQ(PeerTagOf(kPeerTags[i]), i) << kPeerTags[i];
}

TEST(PeerTags, NothingElseIsOne) {
  for (const std::string_view key : {"", "a", "db.nam", "http.url", "span.kind", "db.statement", "env"})
    EXPECT_EQ(PeerTagOf(key), std::nullopt) << key;
  // Names of the same length and with the same letters where the table looks.
  for (const std::string_view tag : kPeerTags) {
    std::string other(tag);
    other[0] = '?';
    EXPECT_EQ(PeerTagOf(other), std::nullopt);
    EXPECT_EQ(PeerTagOf(std::string(tag) + "x"), std::nullopt);
    EXPECT_EQ(PeerTagOf(tag.substr(1)), std::nullopt);
  }
  EXPECT_EQ(PeerTagOf(std::string(100'000, 'd')), std::nullopt);
}

}  // namespace
}  // namespace thaw
