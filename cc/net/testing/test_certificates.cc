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
#include "openssl/digest.h"
#include "openssl/evp.h"
#include "openssl/mem.h"
#include "openssl/nid.h"
#include "openssl/obj.h"
#include "openssl/pem.h"
#include "openssl/rsa.h"
#include "openssl/x509.h"

namespace thaw {
namespace {

bssl::UniquePtr<EVP_PKEY> MakeKey(TestKey kind) {
  int id = EVP_PKEY_EC;
  if (kind == TestKey::kEd25519) id = EVP_PKEY_ED25519;
  if (kind == TestKey::kRsa || kind == TestKey::kRsaPss) id = EVP_PKEY_RSA;
  bssl::UniquePtr<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_id(id, nullptr));
  CHECK(context != nullptr && EVP_PKEY_keygen_init(context.get()));
  if (id == EVP_PKEY_RSA) CHECK(EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), 2048));
  if (id == EVP_PKEY_EC) {
    const int curve = kind == TestKey::kP384   ? NID_secp384r1
                      : kind == TestKey::kP521 ? NID_secp521r1
                                               : NID_X9_62_prime256v1;
    CHECK(EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context.get(), curve));
  }
  EVP_PKEY* key = nullptr;
  CHECK(EVP_PKEY_keygen(context.get(), &key));
  return bssl::UniquePtr<EVP_PKEY>(key);
}

// Marks a certificate's RSA key as one for RSASSA-PSS alone.
void MarkForPss(X509* certificate) {
  X509_PUBKEY* key = X509_get_X509_PUBKEY(certificate);
  const uint8_t* bytes;
  int size;
  CHECK(X509_PUBKEY_get0_param(nullptr, &bytes, &size, nullptr, key));
  uint8_t* copy = static_cast<uint8_t*>(OPENSSL_memdup(bytes, static_cast<size_t>(size)));
  CHECK(copy != nullptr &&
        X509_PUBKEY_set0_param(key, OBJ_nid2obj(NID_rsassaPss), V_ASN1_UNDEF, nullptr, copy, size));
}

void Sign(X509* certificate, EVP_PKEY* signer) {
  bssl::ScopedEVP_MD_CTX context;
  EVP_PKEY_CTX* parameters = nullptr;
  const EVP_MD* digest = EVP_PKEY_id(signer) == EVP_PKEY_ED25519 ? nullptr : EVP_sha256();
  CHECK(EVP_DigestSignInit(context.get(), &parameters, digest, nullptr, signer));
  if (EVP_PKEY_id(signer) == EVP_PKEY_RSA) {
    CHECK(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING));
    CHECK(EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST));
  }
  CHECK(X509_sign_ctx(certificate, context.get()));
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

// Returns a certificate for `key`, not signed yet.
bssl::UniquePtr<X509> Draft(EVP_PKEY* key, const std::string& name, X509_NAME* issuer,
                            TestValidity validity) {
  static uint64_t serial = 0;
  bssl::UniquePtr<X509> certificate(X509_new());
  CHECK(X509_set_version(certificate.get(), X509_VERSION_3));
  CHECK(ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), ++serial));
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  CHECK(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                   reinterpret_cast<const uint8_t*>(name.data()),
                                   static_cast<ossl_ssize_t>(name.size()), -1, 0));
  CHECK(X509_set_issuer_name(certificate.get(), issuer != nullptr ? issuer : subject));
  CHECK(
      ASN1_TIME_set_posix(X509_getm_notBefore(certificate.get()), absl::ToUnixSeconds(validity.not_before)));
  CHECK(ASN1_TIME_set_posix(X509_getm_notAfter(certificate.get()), absl::ToUnixSeconds(validity.not_after)));
  CHECK(X509_set_pubkey(certificate.get(), key));
  return certificate;
}

void MakeAuthority(X509* certificate, X509* issuer, EVP_PKEY* signer) {
  Extend(certificate, issuer, NID_basic_constraints, "critical,CA:TRUE");
  Extend(certificate, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
  Extend(certificate, issuer, NID_subject_key_identifier, "hash");
  Sign(certificate, signer);
}

}  // namespace

struct TestAuthority::Keys {
  std::string name;
  bssl::UniquePtr<EVP_PKEY> key;
  bssl::UniquePtr<X509> certificate;
  std::string sent_pem;  // sent along with issued certificates; empty for a root
};

TestAuthority::TestAuthority(const std::string& name, TestValidity validity, TestKey key)
    : keys_(std::make_unique<Keys>()) {
  keys_->name = name;
  keys_->key = MakeKey(key);
  keys_->certificate = Draft(keys_->key.get(), name, nullptr, validity);
  MakeAuthority(keys_->certificate.get(), keys_->certificate.get(), keys_->key.get());
}

TestAuthority::TestAuthority(std::unique_ptr<Keys> keys) : keys_(std::move(keys)) {}
TestAuthority::TestAuthority(TestAuthority&&) noexcept = default;
TestAuthority::~TestAuthority() = default;

std::unique_ptr<TestAuthority::Keys> TestAuthority::Copy() const {
  auto keys = std::make_unique<Keys>();
  keys->name = keys_->name;
  keys->key = bssl::UpRef(keys_->key);
  keys->certificate = bssl::UpRef(keys_->certificate);
  keys->sent_pem = keys_->sent_pem;
  return keys;
}

TestAuthority TestAuthority::CrossSignedBy(const TestAuthority& signer, TestValidity validity) const {
  std::unique_ptr<Keys> keys = Copy();
  const Keys& above = *signer.keys_;
  keys->certificate =
      Draft(keys->key.get(), keys->name, X509_get_subject_name(above.certificate.get()), validity);
  MakeAuthority(keys->certificate.get(), above.certificate.get(), above.key.get());
  keys->sent_pem = absl::StrCat(Pem(keys->certificate.get()), above.sent_pem);
  return TestAuthority(std::move(keys));
}

TestAuthority TestAuthority::Renewed(TestValidity validity) const {
  std::unique_ptr<Keys> keys = Copy();
  keys->certificate = Draft(keys->key.get(), keys->name, nullptr, validity);
  MakeAuthority(keys->certificate.get(), keys->certificate.get(), keys->key.get());
  keys->sent_pem.clear();
  return TestAuthority(std::move(keys));
}

TestAuthority TestAuthority::Intermediate(const std::string& name, TestValidity validity) const {
  return TestAuthority(name).CrossSignedBy(*this, validity);
}

TestAuthority TestAuthority::Sending(std::string certificates) const {
  std::unique_ptr<Keys> keys = Copy();
  keys->sent_pem = std::move(certificates);
  return TestAuthority(std::move(keys));
}

TestCertificate TestAuthority::Issue(const Request& request) const {
  bssl::UniquePtr<EVP_PKEY> key = MakeKey(request.key);
  bssl::UniquePtr<X509> certificate =
      Draft(key.get(), "thaw test server", X509_get_subject_name(keys_->certificate.get()), request.validity);
  if (request.key == TestKey::kRsaPss) MarkForPss(certificate.get());
  std::vector<std::string> names;
  for (const std::string& name : request.names) names.push_back(absl::StrCat("DNS:", name));
  for (const std::string& address : request.addresses) names.push_back(absl::StrCat("IP:", address));
  if (!names.empty()) {
    Extend(certificate.get(), keys_->certificate.get(), NID_subject_alt_name, absl::StrJoin(names, ","));
  }
  Extend(certificate.get(), keys_->certificate.get(), NID_key_usage, "critical,digitalSignature");
  Extend(certificate.get(), keys_->certificate.get(), NID_ext_key_usage, "serverAuth");
  Sign(certificate.get(), keys_->key.get());
  return {absl::StrCat(Pem(certificate.get()), keys_->sent_pem), Pem(key.get())};
}

std::string TestAuthority::pem() const { return Pem(keys_->certificate.get()); }

}  // namespace thaw
