// Certificates for tests, made at run time: a P-256 authority and what it signs.
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
  std::string chain_pem;  // the leaf first, then what signed it as far as a server sends it
  std::string key_pem;
};

class TestAuthority {
 public:
  struct Request {
    std::vector<std::string> names;                             // DNS names
    std::vector<std::string> addresses;                         // IP addresses
    absl::Time not_before = absl::FromUnixSeconds(1735689600);  // 2025-01-01
    absl::Time not_after = absl::FromUnixSeconds(2051222400);   // 2035-01-01
  };

  // Signs itself.
  explicit TestAuthority(const std::string& name);
  ~TestAuthority();
  TestAuthority(TestAuthority&&) noexcept;

  TestCertificate Issue(const Request& request) const;
  // An authority signed by this one; what it issues comes with its certificate in the chain.
  TestAuthority Intermediate(const std::string& name) const;
  std::string pem() const;

 private:
  struct Keys;
  explicit TestAuthority(std::unique_ptr<Keys> keys);
  std::unique_ptr<Keys> keys_;
};

}  // namespace thaw

#endif  // THAW_CC_NET_TESTING_TEST_CERTIFICATES_H_
