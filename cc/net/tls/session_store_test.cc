#include "cc/net/tls/session_store.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "openssl/ssl.h"

namespace thaw {
namespace {

constexpr absl::Time kNever = absl::InfiniteFuture();

class SessionStoreTest : public testing::Test {
 protected:
  SessionStoreTest() : context_(SSL_CTX_new(TLS_with_buffers_method())) {}

  SessionStore::Session Make(uint16_t version = TLS1_3_VERSION, size_t ticket_bytes = 100,
                             uint32_t lifetime = 3600) {
    SessionStore::Session session(SSL_SESSION_new(context_.get()));
    SSL_SESSION_set_protocol_version(session.get(), version);
    const std::vector<uint8_t> ticket(ticket_bytes, 7);
    SSL_SESSION_set_ticket(session.get(), ticket.data(), ticket.size());
    SSL_SESSION_set_timeout(session.get(), lifetime);
    return session;
  }
  void Put(const SessionKey& key, SessionStore::Session session, absl::Time until = kNever) {
    store_.Put(key, std::move(session), until, store_.generation(), now_);
  }
  SSL_SESSION* Take(const SessionKey& key) {
    auto remembered = store_.Take(key, now_);
    if (!remembered) return nullptr;
    taken_.push_back(std::move(remembered->session));
    return taken_.back().get();
  }

  bssl::UniquePtr<SSL_CTX> context_;
  absl::Time now_ = absl::FromUnixSeconds(1767225600);
  SessionStore store_{{.sessions = 6, .sessions_per_key = 3, .bytes = 8 * 1024, .age = absl::Hours(2)}};
  std::vector<SessionStore::Session> taken_;
  const SessionKey key_{
      .host = "intake.example", .port = 443, .server_name = "intake.example", .roots = "public"};
};

TEST_F(SessionStoreTest, ASingleUseSessionIsHandedOutOnceTheNewestFirst) {
  auto first = Make(), second = Make();
  SSL_SESSION* const old = first.get();
  SSL_SESSION* const young = second.get();
  Put(key_, std::move(first));
  Put(key_, std::move(second));
  EXPECT_EQ(Take(key_), young);
  EXPECT_EQ(Take(key_), old);
  EXPECT_EQ(Take(key_), nullptr);
  EXPECT_EQ(store_.bytes(), 0u);
}

TEST_F(SessionStoreTest, AReusableSessionStaysAndIsReplaced) {
  auto first = Make(TLS1_2_VERSION), second = Make(TLS1_2_VERSION);
  SSL_SESSION* const old = first.get();
  SSL_SESSION* const young = second.get();
  Put(key_, std::move(first));
  EXPECT_EQ(Take(key_), old);
  EXPECT_EQ(Take(key_), old);
  Put(key_, std::move(second));
  EXPECT_EQ(store_.size(), 1u);
  EXPECT_EQ(Take(key_), young);
}

TEST_F(SessionStoreTest, EveryPartOfTheKeyCounts) {
  Put(key_, Make(TLS1_2_VERSION));
  for (int part = 0; part < 6; ++part) {
    SessionKey other = key_;
    if (part == 0) other.host = "other.example";
    if (part == 1) other.port = 8443;
    if (part == 2) other.proxy = "proxy:3128";
    if (part == 3) other.server_name = "other.example";
    if (part == 4) other.verified = false;
    if (part == 5) other.roots = "public+os";
    EXPECT_EQ(Take(other), nullptr) << part;
  }
  EXPECT_NE(Take(key_), nullptr);
}

TEST_F(SessionStoreTest, IsBoundedPerKeyInAllAndInBytes) {
  for (int i = 0; i < 10; ++i) Put(key_, Make());
  EXPECT_EQ(store_.size(), 3u);
  for (int i = 0; i < 10; ++i) {
    SessionKey other = key_;
    other.host = absl::StrCat("host", i);
    Put(other, Make());
  }
  EXPECT_EQ(store_.size(), 6u);
  EXPECT_EQ(Take(key_), nullptr);  // the oldest was evicted
  for (int i = 0; i < 10; ++i) {
    SessionKey other = key_;
    other.host = absl::StrCat("big", i);
    Put(other, Make(TLS1_3_VERSION, 3000));
    EXPECT_LE(store_.bytes(), 8u * 1024);
  }
  EXPECT_EQ(store_.size(), 2u);
  const size_t before = store_.size();
  Put(key_, Make(TLS1_3_VERSION, 20000));  // larger than the limit by itself
  EXPECT_EQ(store_.size(), before);
}

TEST_F(SessionStoreTest, LifetimeIsTheShortestOfTheServersOursAndTheCertificates) {
  Put(key_, Make(TLS1_2_VERSION, 100, 60));
  now_ += absl::Seconds(59);
  EXPECT_NE(Take(key_), nullptr);
  now_ += absl::Seconds(1);
  EXPECT_EQ(Take(key_), nullptr);
  EXPECT_EQ(store_.size(), 0u);

  Put(key_, Make(TLS1_2_VERSION, 100, 7 * 86400));
  now_ += absl::Hours(2);
  EXPECT_EQ(Take(key_), nullptr);

  Put(key_, Make(TLS1_2_VERSION), now_ + absl::Seconds(5));
  now_ += absl::Seconds(5);
  EXPECT_EQ(Take(key_), nullptr);
}

TEST_F(SessionStoreTest, AllAreDroppedWhenTheWallClockStepsBack) {
  Put(key_, Make(TLS1_2_VERSION));
  now_ -= absl::Seconds(1);
  EXPECT_EQ(Take(key_), nullptr);
  EXPECT_EQ(store_.size(), 0u);
  Put(key_, Make(TLS1_2_VERSION));
  EXPECT_NE(Take(key_), nullptr);
}

TEST_F(SessionStoreTest, ForgetAlsoRefusesSessionsOfEarlierHandshakes) {
  const uint64_t generation = store_.generation();
  Put(key_, Make());
  store_.Forget();
  EXPECT_EQ(store_.size(), 0u);
  store_.Put(key_, Make(), kNever, generation, now_);
  EXPECT_EQ(store_.size(), 0u);
}

}  // namespace
}  // namespace thaw
