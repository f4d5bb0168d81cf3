#include "cc/net/tls/session_store.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "openssl/ssl.h"

namespace thaw {
namespace {

// The approximate memory of an SSL_SESSION beside its ticket and certificates.
constexpr size_t kSessionOverhead = 512;

size_t BytesOf(const SSL_SESSION* session) {
  const uint8_t* ticket;
  size_t bytes;
  SSL_SESSION_get0_ticket(session, &ticket, &bytes);
  bytes += kSessionOverhead;
  if (const STACK_OF(CRYPTO_BUFFER)* chain = SSL_SESSION_get0_peer_certificates(session)) {
    for (size_t i = 0; i < sk_CRYPTO_BUFFER_num(chain); ++i) {
      bytes += CRYPTO_BUFFER_len(sk_CRYPTO_BUFFER_value(chain, i));
    }
  }
  return bytes;
}

}  // namespace

void SessionStore::SessionDeleter::operator()(ssl_session_st* session) const { SSL_SESSION_free(session); }

SessionStore::Entries::iterator SessionStore::Erase(Entries::iterator entry) {
  bytes_ -= entry->bytes;
  return entries_.erase(entry);
}

void SessionStore::DropOld(absl::Time now) {
  if (now < last_seen_) {
    entries_.clear();
    bytes_ = 0;
  }
  last_seen_ = now;
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    entry = entry->expires <= now ? Erase(entry) : std::next(entry);
  }
}

void SessionStore::Put(const SessionKey& key, Session session, absl::Time trusted_until, uint64_t generation,
                       absl::Time now) {
  DropOld(now);
  if (generation != generation_) return;
  Entry entry{.key = key, .trusted_until = trusted_until, .bytes = BytesOf(session.get())};
  entry.expires = std::min(
      {trusted_until, now + limits_.age, now + absl::Seconds(SSL_SESSION_get_timeout(session.get()))});
  if (entry.bytes > limits_.bytes || entry.expires <= now) return;
  const bool single_use = SSL_SESSION_should_be_single_use(session.get()) != 0;
  entry.session = std::move(session);
  size_t alike = 0;
  for (auto other = entries_.end(); other != entries_.begin();) {
    --other;
    if (other->key == key && (!single_use || ++alike >= limits_.sessions_per_key)) other = Erase(other);
  }
  bytes_ += entry.bytes;
  entries_.push_back(std::move(entry));
  while (entries_.size() > limits_.sessions || bytes_ > limits_.bytes) Erase(entries_.begin());
}

std::optional<SessionStore::Remembered> SessionStore::Take(const SessionKey& key, absl::Time now) {
  DropOld(now);
  const auto newest =
      std::find_if(entries_.rbegin(), entries_.rend(), [&](const Entry& e) { return e.key == key; });
  if (newest == entries_.rend()) return std::nullopt;
  const auto entry = std::prev(newest.base());
  Remembered remembered{.trusted_until = entry->trusted_until};
  if (SSL_SESSION_should_be_single_use(entry->session.get())) {
    remembered.session = std::move(entry->session);
    Erase(entry);
  } else {
    SSL_SESSION_up_ref(entry->session.get());
    remembered.session.reset(entry->session.get());
  }
  return remembered;
}

void SessionStore::Forget() {
  entries_.clear();
  bytes_ = 0;
  ++generation_;
}

}  // namespace thaw
