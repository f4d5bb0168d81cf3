// Remembers TLS sessions by their key, so that the next handshake can resume one.
//
//   store.Put(key, std::move(session), trusted_until, store.generation(), now);
//   if (std::optional<SessionStore::Remembered> remembered = store.Take(key, now)) ...
//
// Single-use sessions (TLS 1.3) are handed out once, the newest first; others (TLS 1.2) stay. The store is
// bounded in sessions and bytes; the oldest sessions go first. Lifetimes are measured by the wall clock,
// which the server shares; if it steps back, ages are unknown and all sessions are dropped. One thread.

#ifndef THAW_CC_NET_TLS_SESSION_STORE_H_
#define THAW_CC_NET_TLS_SESSION_STORE_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "absl/time/time.h"

struct ssl_session_st;

namespace thaw {

// The properties that must be equal for a session to be resumed.
struct SessionKey {
  std::string host;
  uint16_t port = 0;
  std::string proxy;
  std::string server_name;
  bool verified = true;
  std::string roots;  // TrustedRoots::fingerprint()

  bool operator==(const SessionKey&) const = default;
};

class SessionStore {
 public:
  struct Limits {
    size_t sessions = 64;
    size_t sessions_per_key = 4;
    size_t bytes = 256 * 1024;
    absl::Duration age = absl::Hours(24);
  };
  struct SessionDeleter {
    void operator()(ssl_session_st* session) const;
  };
  using Session = std::unique_ptr<ssl_session_st, SessionDeleter>;
  struct Remembered {
    Session session;
    absl::Time trusted_until;  // until when the chain that was verified for it is valid
  };

  SessionStore() : SessionStore(Limits()) {}
  explicit SessionStore(Limits limits) : limits_(limits) {}

  // Drops the session if `generation` is not the current one.
  void Put(const SessionKey& key, Session session, absl::Time trusted_until, uint64_t generation,
           absl::Time now);
  std::optional<Remembered> Take(const SessionKey& key, absl::Time now);
  // Forgets all sessions, including those that handshakes under way may still bring.
  void Forget();
  uint64_t generation() const { return generation_; }

  size_t size() const { return entries_.size(); }
  size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    SessionKey key;
    Session session;
    absl::Time trusted_until;
    absl::Time expires;
    size_t bytes = 0;
  };
  using Entries = std::list<Entry>;
  Entries::iterator Erase(Entries::iterator entry);
  void DropOld(absl::Time now);  // drops expired sessions, or all if the wall clock stepped back

  Limits limits_;
  Entries entries_;  // oldest first
  size_t bytes_ = 0;
  uint64_t generation_ = 0;
  absl::Time last_seen_ = absl::InfinitePast();
};

}  // namespace thaw

#endif  // THAW_CC_NET_TLS_SESSION_STORE_H_
