// The certificates that are trusted to sign others, parsed only when a chain names them.
//
//   TrustedRoots roots({.public_roots = true});
//   roots.AddPemFile("/etc/ca.pem", &warnings);
//   x509_store_st* store = roots.StoreFor(chain);   // has every root that could vouch for the chain
//
// Parsing a whole bundle costs tens of milliseconds at the first connection; a chain names one or two.
// What was parsed stays in the store. One thread.

#ifndef THAW_CC_NET_TLS_TRUSTED_ROOTS_H_
#define THAW_CC_NET_TLS_TRUSTED_ROOTS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/types/span.h"

struct x509_st;
struct x509_store_st;

namespace thaw {

struct PemCertificate {
  std::string der;
  int block = 0;  // of the certificates in its file, from 1
};

// The certificates of a text: of its blocks "CERTIFICATE", "X509 CERTIFICATE", and "TRUSTED CERTIFICATE" if
// what OpenSSL wrote behind that lets it vouch for servers; or the text itself, if it is one certificate as
// DER. Blocks of other kinds are passed over. `problems` gets a line for each block of these kinds that is
// cut short, not base64, not a certificate, or not trusted for servers.
std::vector<PemCertificate> CertificatesOfPem(std::string_view text, std::vector<std::string>* problems);

class TrustedRoots {
 public:
  struct Options {
    bool public_roots = true;
    bool os_roots = false;
    // Where the operating system's bundle may be; the first that can be read counts.
    std::vector<std::string> os_bundles = {
        "/etc/ssl/certs/ca-certificates.crt",                 // Debian, Alpine
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // Amazon Linux, Red Hat
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem",  // SUSE
        "/etc/ssl/cert.pem",
    };
  };

  explicit TrustedRoots(Options options);
  ~TrustedRoots();
  TrustedRoots(const TrustedRoots&) = delete;
  TrustedRoots& operator=(const TrustedRoots&) = delete;

  // Adds what a PEM file of one or many certificates holds, or a DER file of one. A file that is missing,
  // empty or neither, and each block that is no certificate, gives a line in `warnings` that names the file
  // and says why; the rest is used. What is found to be broken only when a chain needs it is named in the
  // log.
  void AddPemFile(const std::string& path, std::vector<std::string>* warnings);

  // A store with the roots that the certificates of `chain` name as issuer or are themselves. Ours.
  x509_store_st* StoreFor(absl::Span<x509_st* const> chain);

  // Says what is trusted, in short: part of what a TLS session is remembered for.
  const std::string& fingerprint() const { return fingerprint_; }
  size_t parsed() const { return parsed_; }  // certificates parsed so far
  bool empty() const;

 private:
  struct StoreDeleter {
    void operator()(x509_store_st* store) const;
  };
  void LoadOsRoots();
  void Index();
  // Puts the roots with this name into the store, and then those that these name in turn.
  void Need(uint32_t name_hash);
  // False: it can't be read.
  bool Parse(const unsigned char* der, size_t size);
  void Add(const std::string& path, std::vector<PemCertificate> certificates);

  struct Added {
    std::string der;
    size_t file;  // in `files_`
    int block;
  };
  void NameBroken(const Added& added) const;

  Options options_;
  std::vector<std::string> files_;
  std::vector<Added> added_;
  size_t indexed_ = 0;  // how many of `added_` are in `index_`
  bool os_loaded_ = false;
  std::vector<std::pair<uint32_t, size_t>> index_;  // name hash, place in `added_`; sorted
  std::set<uint32_t> needed_;                       // name hashes whose roots are in the store
  std::unique_ptr<x509_store_st, StoreDeleter> store_;
  std::string fingerprint_;
  size_t parsed_ = 0;
};

}  // namespace thaw

#endif  // THAW_CC_NET_TLS_TRUSTED_ROOTS_H_
