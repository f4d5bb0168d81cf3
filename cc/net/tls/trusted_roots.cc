#include "cc/net/tls/trusted_roots.h"

#include <algorithm>
#include <iterator>

#include "absl/log/log.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cc/base/read_file.h"
#include "cc/net/tls/embedded_roots.h"
#include "openssl/bytestring.h"
#include "openssl/err.h"
#include "openssl/sha.h"
#include "openssl/x509.h"

namespace thaw {
namespace {

// Bundles of the public roots are about 220 KB.
constexpr size_t kMaxBundleBytes = 8 << 20;

// The subject's name inside a certificate; false if the bytes are no certificate as far as that.
bool SubjectOf(std::string_view der, CBS* subject) {
  CBS all, certificate, tbs, skipped;
  CBS_init(&all, reinterpret_cast<const uint8_t*>(der.data()), der.size());
  return CBS_get_asn1(&all, &certificate, CBS_ASN1_SEQUENCE) && CBS_len(&all) == 0 &&
         CBS_get_asn1(&certificate, &tbs, CBS_ASN1_SEQUENCE) &&
         CBS_get_optional_asn1(&tbs, &skipped, nullptr,
                               CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 0) &&
         CBS_get_asn1(&tbs, &skipped, CBS_ASN1_INTEGER) &&   // serial number
         CBS_get_asn1(&tbs, &skipped, CBS_ASN1_SEQUENCE) &&  // signature algorithm
         CBS_get_asn1(&tbs, &skipped, CBS_ASN1_SEQUENCE) &&  // issuer
         CBS_get_asn1(&tbs, &skipped, CBS_ASN1_SEQUENCE) &&  // validity
         CBS_get_asn1_element(&tbs, subject, CBS_ASN1_SEQUENCE);
}

}  // namespace

std::vector<std::string> CertificatesOfPem(std::string_view text, std::vector<int>* damaged) {
  constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
  constexpr std::string_view kEnd = "-----END CERTIFICATE-----";
  std::vector<std::string> certificates;
  int number = 0;
  size_t at = 0;
  while ((at = text.find(kBegin, at)) != std::string_view::npos) {
    ++number;
    at += kBegin.size();
    const size_t next = text.find(kBegin, at);
    const size_t end = text.find(kEnd, at);
    std::string der;
    CBS subject;
    if (end == std::string_view::npos || end > next ||
        !absl::Base64Unescape(text.substr(at, end - at), &der) || !SubjectOf(der, &subject)) {
      if (damaged != nullptr) damaged->push_back(number);
      continue;
    }
    certificates.push_back(std::move(der));
    at = end + kEnd.size();
  }
  return certificates;
}

void TrustedRoots::StoreDeleter::operator()(x509_store_st* store) const { X509_STORE_free(store); }

TrustedRoots::TrustedRoots(Options options) : options_(std::move(options)) {
  fingerprint_ = absl::StrCat(options_.public_roots ? "public" : "", options_.os_roots ? "+os" : "");
}

TrustedRoots::~TrustedRoots() = default;

bool TrustedRoots::empty() const { return !options_.public_roots && !options_.os_roots && added_.empty(); }

void TrustedRoots::AddPemFile(const std::string& path, std::vector<std::string>* warnings) {
  auto warn = [&](std::string_view what) {
    if (warnings != nullptr) warnings->push_back(absl::StrCat("certificate file ", path, ": ", what));
  };
  const absl::StatusOr<std::string> text = ReadWholeFile(path, kMaxBundleBytes);
  if (!text.ok()) return warn(absl::StrCat(text.status().message(), "; going on without it"));
  if (text->empty()) return warn("it is empty; going on without it");
  std::vector<int> damaged;
  std::vector<std::string> certificates = CertificatesOfPem(*text, &damaged);
  if (!damaged.empty()) {
    warn(absl::StrCat("block ", absl::StrJoin(damaged, ", "), " is not a certificate; passed over"));
  } else if (certificates.empty()) {
    warn("it has no PEM certificate in it; going on without it");
  }
  for (std::string& der : certificates) {
    uint8_t digest[SHA256_DIGEST_LENGTH];
    SHA256(reinterpret_cast<const uint8_t*>(der.data()), der.size(), digest);
    absl::StrAppend(&fingerprint_, "+",
                    absl::BytesToHexString(std::string_view(reinterpret_cast<const char*>(digest), 8)));
    added_.push_back(std::move(der));
  }
  needed_.clear();  // what was looked up before may have more now
}

void TrustedRoots::LoadOsRoots() {
  if (!options_.os_roots || std::exchange(os_loaded_, true)) return;
  for (const std::string& path : options_.os_bundles) {
    const absl::StatusOr<std::string> text = ReadWholeFile(path, kMaxBundleBytes);
    if (!text.ok()) continue;
    std::vector<std::string> certificates = CertificatesOfPem(*text, nullptr);
    if (certificates.empty()) continue;
    added_.insert(added_.end(), std::make_move_iterator(certificates.begin()),
                  std::make_move_iterator(certificates.end()));
    return;
  }
  LOG(WARNING) << "no certificate bundle of the operating system was found in "
               << absl::StrJoin(options_.os_bundles, ", ");
}

void TrustedRoots::Index() {
  if (indexed_ == added_.size()) return;
  for (; indexed_ < added_.size(); ++indexed_) {
    CBS subject;
    if (!SubjectOf(added_[indexed_], &subject)) continue;
    const uint8_t* data = CBS_data(&subject);
    bssl::UniquePtr<X509_NAME> name(d2i_X509_NAME(nullptr, &data, CBS_len(&subject)));
    if (name != nullptr) index_.emplace_back(X509_NAME_hash(name.get()), indexed_);
  }
  std::sort(index_.begin(), index_.end());
  ERR_clear_error();
}

void TrustedRoots::Parse(const unsigned char* der, size_t size) {
  bssl::UniquePtr<X509> root(d2i_X509(nullptr, &der, static_cast<long>(size)));
  if (root == nullptr) return ERR_clear_error();
  ++parsed_;
  X509_STORE_add_cert(store_.get(), root.get());  // one that is there already is left alone
  Need(X509_NAME_hash(X509_get_issuer_name(root.get())));
}

void TrustedRoots::Need(uint32_t name_hash) {
  if (!needed_.insert(name_hash).second) return;
  if (options_.public_roots) {
    const absl::Span<const EmbeddedRoot> roots = EmbeddedRoots();
    auto root = std::lower_bound(roots.begin(), roots.end(), name_hash,
                                 [](const EmbeddedRoot& r, uint32_t hash) { return r.name_hash < hash; });
    for (; root != roots.end() && root->name_hash == name_hash; ++root) Parse(root->der, root->size);
  }
  for (auto entry = std::lower_bound(index_.begin(), index_.end(), std::pair<uint32_t, size_t>(name_hash, 0));
       entry != index_.end() && entry->first == name_hash; ++entry) {
    const std::string& der = added_[entry->second];
    Parse(reinterpret_cast<const unsigned char*>(der.data()), der.size());
  }
}

x509_store_st* TrustedRoots::StoreFor(absl::Span<x509_st* const> chain) {
  if (store_ == nullptr) store_.reset(X509_STORE_new());
  LoadOsRoots();
  Index();
  for (X509* certificate : chain) {
    Need(X509_NAME_hash(X509_get_issuer_name(certificate)));
    Need(X509_NAME_hash(X509_get_subject_name(certificate)));
  }
  return store_.get();
}

}  // namespace thaw
