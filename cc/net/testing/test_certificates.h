// Makes certificates for tests at run time: authorities and the certificates they sign.
//
//   TestAuthority authority("Test CA");
//   TestCertificate server = authority.Issue({.names = {"intake.example"}});
//   options.tls_cert_file = WriteFile(authority.pem());

#ifndef THAW_CC_NET_TESTING_TEST_CERTIFICATES_H_
#define THAW_CC_NET_TESTING_TEST_CERTIFICATES_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace thaw {

struct TestCertificate {
  std::string chain_pem;  // the leaf first, then its issuers as far as a server sends them
  std::string key_pem;
};

// kRsaPss: an RSA key that is marked for RSASSA-PSS alone (id-RSASSA-PSS).
enum class TestKey { kP256, kP384, kP521, kEd25519, kRsa, kRsaPss };

struct TestValidity {
  absl::Time not_before = absl::FromUnixSeconds(1735689600);  // 2025-01-01
  absl::Time not_after = absl::FromUnixSeconds(2051222400);   // 2035-01-01
};
// Has expired before FakeClock's time.
inline constexpr TestValidity kTestExpired = {.not_before = absl::FromUnixSeconds(946684800),   // 2000-01-01
                                              .not_after = absl::FromUnixSeconds(1577836800)};  // 2020-01-01

class TestAuthority {
 public:
  struct Request {
    std::vector<std::string> names;      // DNS names
    std::vector<std::string> addresses;  // IP addresses
    TestValidity validity;
    TestKey key = TestKey::kP256;
  };

  // Makes a self-signed authority. With an RSA key it signs by RSASSA-PSS.
  explicit TestAuthority(const std::string& name, TestValidity validity = {}, TestKey key = TestKey::kP256);
  ~TestAuthority();
  TestAuthority(TestAuthority&&) noexcept;

  TestCertificate Issue(const Request& request) const;
  // Returns an authority signed by this one; what it issues comes with its certificate in the chain.
  TestAuthority Intermediate(const std::string& name, TestValidity validity = {}) const;
  // Returns an authority with the same name and key in another certificate, which is self-signed, or signed
  // by `signer` and then sent along.
  TestAuthority Renewed(TestValidity validity) const;
  TestAuthority CrossSignedBy(const TestAuthority& signer, TestValidity validity = {}) const;
  // Returns the same authority, which sends `certificates` (PEM) behind each leaf instead of its own chain.
  TestAuthority Sending(std::string certificates) const;
  std::string pem() const;

 private:
  struct Keys;
  explicit TestAuthority(std::unique_ptr<Keys> keys);
  std::unique_ptr<Keys> Copy() const;
  std::unique_ptr<Keys> keys_;
};

}  // namespace thaw

#endif  // THAW_CC_NET_TESTING_TEST_CERTIFICATES_H_
