#include "cc/net/testing/test_certificates.h"

#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "openssl/asn1.h"
#include "openssl/bio.h"
#include "openssl/bn.h"
#include "openssl/ec_key.h"
#include "openssl/evp.h"
#include "openssl/nid.h"
#include "openssl/pem.h"
#include "openssl/x509.h"

namespace thaw {
namespace {

bssl::UniquePtr<EVP_PKEY> MakeKey() {
  bssl::UniquePtr<EC_KEY> ec(EC_KEY_new_by_curve_name(NID_X9_62_prime256v1));
  CHECK(ec != nullptr && EC_KEY_generate_key(ec.get()));
  bssl::UniquePtr<EVP_PKEY> key(EVP_PKEY_new());
  CHECK(EVP_PKEY_set1_EC_KEY(key.get(), ec.get()));
  return key;
}

std::string Contents(BIO* bio) {
  const uint8_t* data;
  size_t size;
  CHECK(BIO_mem_contents(bio, &data, &size));
  return std::string(reinterpret_cast<const char*>(data), size);
}

std::string Pem(X509* certificate) {
  bssl::UniquePtr<BIO> bio(BIO_new(BIO_s_mem()));
  CHECK(PEM_write_bio_X509(bio.get(), certificate));
  return Contents(bio.get());
}

std::string Pem(EVP_PKEY* key) {
  bssl::UniquePtr<BIO> bio(BIO_new(BIO_s_mem()));
  CHECK(PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr));
  return Contents(bio.get());
}

void Extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  bssl::UniquePtr<X509_EXTENSION> extension(X509V3_EXT_nconf_nid(nullptr, &context, nid, value.c_str()));
  CHECK(extension != nullptr) << value;
  CHECK(X509_add_ext(certificate, extension.get(), -1));
}

// A certificate for `key`, unsigned as yet.
bssl::UniquePtr<X509> Draft(EVP_PKEY* key, const std::string& name, X509_NAME* issuer, absl::Time not_before,
                            absl::Time not_after) {
  static uint64_t serial = 0;
  bssl::UniquePtr<X509> certificate(X509_new());
  CHECK(X509_set_version(certificate.get(), X509_VERSION_3));
  CHECK(ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), ++serial));
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  CHECK(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                   reinterpret_cast<const uint8_t*>(name.data()),
                                   static_cast<ossl_ssize_t>(name.size()), -1, 0));
  CHECK(X509_set_issuer_name(certificate.get(), issuer != nullptr ? issuer : subject));
  CHECK(ASN1_TIME_set_posix(X509_getm_notBefore(certificate.get()), absl::ToUnixSeconds(not_before)));
  CHECK(ASN1_TIME_set_posix(X509_getm_notAfter(certificate.get()), absl::ToUnixSeconds(not_after)));
  CHECK(X509_set_pubkey(certificate.get(), key));
  return certificate;
}

void MakeAuthority(X509* certificate, X509* issuer, EVP_PKEY* signer) {
  Extend(certificate, issuer, NID_basic_constraints, "critical,CA:TRUE");
  Extend(certificate, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
  Extend(certificate, issuer, NID_subject_key_identifier, "hash");
  CHECK(X509_sign(certificate, signer, EVP_sha256()));
}

}  // namespace

struct TestAuthority::Keys {
  bssl::UniquePtr<EVP_PKEY> key;
  bssl::UniquePtr<X509> certificate;
  std::string sent_pem;  // with what it issues; empty for a root
};

TestAuthority::TestAuthority(const std::string& name) : keys_(std::make_unique<Keys>()) {
  const Request request;
  keys_->key = MakeKey();
  keys_->certificate = Draft(keys_->key.get(), name, nullptr, request.not_before, request.not_after);
  MakeAuthority(keys_->certificate.get(), keys_->certificate.get(), keys_->key.get());
}

TestAuthority::TestAuthority(std::unique_ptr<Keys> keys) : keys_(std::move(keys)) {}
TestAuthority::TestAuthority(TestAuthority&&) noexcept = default;
TestAuthority::~TestAuthority() = default;

TestAuthority TestAuthority::Intermediate(const std::string& name) const {
  const Request request;
  auto keys = std::make_unique<Keys>();
  keys->key = MakeKey();
  keys->certificate = Draft(keys->key.get(), name, X509_get_subject_name(keys_->certificate.get()),
                            request.not_before, request.not_after);
  MakeAuthority(keys->certificate.get(), keys_->certificate.get(), keys_->key.get());
  keys->sent_pem = absl::StrCat(Pem(keys->certificate.get()), keys_->sent_pem);
  return TestAuthority(std::move(keys));
}

TestCertificate TestAuthority::Issue(const Request& request) const {
  bssl::UniquePtr<EVP_PKEY> key = MakeKey();
  bssl::UniquePtr<X509> certificate =
      Draft(key.get(), "thaw test server", X509_get_subject_name(keys_->certificate.get()),
            request.not_before, request.not_after);
  std::vector<std::string> names;
  for (const std::string& name : request.names) names.push_back(absl::StrCat("DNS:", name));
  for (const std::string& address : request.addresses) names.push_back(absl::StrCat("IP:", address));
  if (!names.empty()) {
    Extend(certificate.get(), keys_->certificate.get(), NID_subject_alt_name, absl::StrJoin(names, ","));
  }
  Extend(certificate.get(), keys_->certificate.get(), NID_key_usage, "critical,digitalSignature");
  Extend(certificate.get(), keys_->certificate.get(), NID_ext_key_usage, "serverAuth");
  CHECK(X509_sign(certificate.get(), keys_->key.get(), EVP_sha256()));
  return {absl::StrCat(Pem(certificate.get()), keys_->sent_pem), Pem(key.get())};
}

std::string TestAuthority::pem() const { return Pem(keys_->certificate.get()); }

}  // namespace thaw
