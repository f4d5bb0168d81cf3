// Holds the trusted root certificates; each is parsed only when a chain names it.
//
//   TrustedRoots roots({.public_roots = true});
//   roots.AddPemFile("/etc/ca.pem", &warnings);
//   x509_store_st* store = roots.StoreFor(chain);   // has every root that could sign the chain
//
// Parsing a whole bundle costs tens of milliseconds at the first connection, but a chain names only one or
// two roots. Parsed roots stay in the store. One thread.

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
  int block = 0;  // the certificate's place in its file, from 1
};

// Returns the certificates in a text: its blocks "CERTIFICATE", "X509 CERTIFICATE", and those "TRUSTED
// CERTIFICATE" whose settings, which OpenSSL appends, allow them to sign for servers; or the text itself, if
// it is one certificate as DER. Blocks of other kinds are ignored. `problems` gets a line for each block of
// these kinds that is cut short, not base64, not a certificate, or not trusted for servers.
std::vector<PemCertificate> CertificatesOfPem(std::string_view text, std::vector<std::string>* problems);

class TrustedRoots {
 public:
  struct Options {
    bool public_roots = true;
    bool os_roots = false;
    // Possible paths of the operating system's bundle; the first that can be read is used.
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

  // Adds the certificates of a PEM file, or the one of a DER file. A file that is missing, empty or neither,
  // and each block that is not a certificate, adds a line to `warnings` that names the file and the reason;
  // the rest is used. A certificate that turns out to be broken only when a chain needs it is logged.
  void AddPemFile(const std::string& path, std::vector<std::string>* warnings);

  // Returns a store with the roots that the certificates of `chain` name as issuer or are themselves. Owned
  // by this object.
  x509_store_st* StoreFor(absl::Span<x509_st* const> chain);

  // A short text that identifies the set of trusted roots; part of the key of TLS sessions.
  const std::string& fingerprint() const { return fingerprint_; }
  size_t parsed() const { return parsed_; }  // certificates parsed so far
  bool empty() const;

 private:
  struct StoreDeleter {
    void operator()(x509_store_st* store) const;
  };
  void LoadOsRoots();
  void Index();
  // Puts the roots with this name into the store, and then their own issuers.
  void Need(uint32_t name_hash);
  // Returns false if the certificate can't be read.
  bool Parse(const unsigned char* der, size_t size);
  void Add(const std::string& path, std::vector<PemCertificate> certificates);

  struct Added {
    std::string der;
    size_t file;  // index in `files_`
    int block;
  };
  void NameBroken(const Added& added) const;

  Options options_;
  std::vector<std::string> files_;
  std::vector<Added> added_;
  size_t indexed_ = 0;  // how many of `added_` are in `index_`
  bool os_loaded_ = false;
  std::vector<std::pair<uint32_t, size_t>> index_;  // name hash and index in `added_`; sorted
  std::set<uint32_t> needed_;                       // name hashes whose roots are in the store
  std::unique_ptr<x509_store_st, StoreDeleter> store_;
  std::string fingerprint_;
  size_t parsed_ = 0;
};

}  // namespace thaw

#endif  // THAW_CC_NET_TLS_TRUSTED_ROOTS_H_
