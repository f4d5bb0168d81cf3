#include "cc/net/tls/trusted_roots.h"

#include <algorithm>

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

// The maximum size of a bundle. Bundles of the public roots are about 220 KB.
constexpr size_t kMaxBundleBytes = 8 << 20;

// The parts of a certificate that are needed to look it up.
struct Outline {
  std::string_view der;
  CBS subject;
  CBS behind;  // bytes behind the certificate
};

std::string_view TextOf(const CBS& bytes) {
  return {reinterpret_cast<const char*>(CBS_data(&bytes)), CBS_len(&bytes)};
}

// Returns false if the bytes, as far as they are read, are not a certificate.
bool Read(std::string_view bytes, Outline* outline) {
  CBS element, certificate, tbs, skipped;
  CBS_init(&outline->behind, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  if (!CBS_get_asn1_element(&outline->behind, &element, CBS_ASN1_SEQUENCE)) return false;
  outline->der = TextOf(element);
  return CBS_get_asn1(&element, &certificate, CBS_ASN1_SEQUENCE) &&
         CBS_get_asn1(&certificate, &tbs, CBS_ASN1_SEQUENCE) &&
         CBS_get_optional_asn1(&tbs, &skipped, nullptr,
                               CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 0) &&
         CBS_get_asn1(&tbs, &skipped, CBS_ASN1_INTEGER) &&   // serial number
         CBS_get_asn1(&tbs, &skipped, CBS_ASN1_SEQUENCE) &&  // signature algorithm
         CBS_get_asn1(&tbs, &skipped, CBS_ASN1_SEQUENCE) &&  // issuer
         CBS_get_asn1(&tbs, &skipped, CBS_ASN1_SEQUENCE) &&  // validity
         CBS_get_asn1_element(&tbs, &outline->subject, CBS_ASN1_SEQUENCE);
}

bool NamesServers(CBS purposes) {
  static constexpr std::string_view kServerAuth = "\x2b\x06\x01\x05\x05\x07\x03\x01";
  static constexpr std::string_view kAny("\x55\x1d\x25\x00", 4);
  CBS purpose;
  while (CBS_get_asn1(&purposes, &purpose, CBS_ASN1_OBJECT)) {
    if (TextOf(purpose) == kServerAuth || TextOf(purpose) == kAny) return true;
  }
  return false;
}

// Returns whether the settings behind a trusted certificate (OpenSSL's X509_CERT_AUX) allow it to sign for
// servers.
bool TrustedForServers(CBS settings) {
  CBS all, trusted, rejected;
  int some_trusted = 0, some_rejected = 0;
  if (CBS_len(&settings) == 0) return true;
  return CBS_get_asn1(&settings, &all, CBS_ASN1_SEQUENCE) &&
         CBS_get_optional_asn1(&all, &trusted, &some_trusted, CBS_ASN1_SEQUENCE) &&
         CBS_get_optional_asn1(&all, &rejected, &some_rejected,
                               CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 0) &&
         (some_trusted == 0 || NamesServers(trusted)) && (some_rejected == 0 || !NamesServers(rejected));
}

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kDashes = "-----";

// Returns the label between "-----BEGIN " and the dashes; empty if there is none.
std::string_view LabelOf(std::string_view text) {
  const std::string_view label = text.substr(0, text.find(kDashes));
  return label.size() == text.size() || label.find('\n') != label.npos ? std::string_view() : label;
}

// Returns why the content of a block is not a certificate that may sign for servers; empty if it is one.
std::string_view TakeCertificate(std::string_view label, std::string_view base64, std::string* der) {
  Outline outline;
  std::string bytes;
  if (!absl::Base64Unescape(base64, &bytes) || !Read(bytes, &outline)) return "is not a certificate";
  if (label == "TRUSTED CERTIFICATE") {
    if (!TrustedForServers(outline.behind)) return "is marked as not trusted for servers";
  } else if (CBS_len(&outline.behind) > 0) {
    return "is not a certificate";
  }
  der->assign(outline.der);
  return "";
}

}  // namespace

std::vector<PemCertificate> CertificatesOfPem(std::string_view text, std::vector<std::string>* problems) {
  // A certificate in DER may have any text in it, also that of a block.
  if (Outline outline; Read(text, &outline) && CBS_len(&outline.behind) == 0)
    return {{.der = std::string(text), .block = 1}};
  std::vector<PemCertificate> certificates;
  int block = 0;
  size_t at = 0;
  while ((at = text.find(kBegin, at)) != std::string_view::npos) {
    at += kBegin.size();
    const std::string_view label = LabelOf(text.substr(at));
    if (label == "PKCS7" || label == "CMS") {
      ++block;
      if (problems != nullptr)
        problems->push_back(
            absl::StrCat("block ", block, " is ", label, ", of which no certificate is read"));
      continue;
    }
    if (label != "CERTIFICATE" && label != "X509 CERTIFICATE" && label != "TRUSTED CERTIFICATE") continue;
    ++block;
    at += label.size() + kDashes.size();
    const size_t next = text.find(kBegin, at);
    const size_t end = text.find(absl::StrCat("-----END ", label, kDashes), at);
    PemCertificate certificate;
    certificate.block = block;
    const std::string_view problem =
        end == std::string_view::npos || end > next
            ? "is not a certificate: it is cut short"
            : TakeCertificate(label, text.substr(at, end - at), &certificate.der);
    if (problem.empty()) {
      certificates.push_back(std::move(certificate));
    } else if (problems != nullptr) {
      problems->push_back(absl::StrCat("block ", block, " ", problem));
    }
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
  std::vector<std::string> problems;
  std::vector<PemCertificate> certificates = CertificatesOfPem(*text, &problems);
  if (!problems.empty()) {
    warn(absl::StrCat(absl::StrJoin(problems, ", "), "; left out"));
  } else if (certificates.empty()) {
    warn("it has no PEM certificate in it; going on without it");
  }
  for (const PemCertificate& certificate : certificates) {
    uint8_t digest[SHA256_DIGEST_LENGTH];
    SHA256(reinterpret_cast<const uint8_t*>(certificate.der.data()), certificate.der.size(), digest);
    absl::StrAppend(&fingerprint_, "+",
                    absl::BytesToHexString(std::string_view(reinterpret_cast<const char*>(digest), 8)));
  }
  Add(path, std::move(certificates));
  needed_.clear();  // names that were looked up before may have more roots now
}

void TrustedRoots::Add(const std::string& path, std::vector<PemCertificate> certificates) {
  if (certificates.empty()) return;
  files_.push_back(path);
  added_.reserve(added_.size() + certificates.size());
  for (PemCertificate& certificate : certificates) {
    added_.push_back(
        {.der = std::move(certificate.der), .file = files_.size() - 1, .block = certificate.block});
  }
}

void TrustedRoots::LoadOsRoots() {
  if (!options_.os_roots || std::exchange(os_loaded_, true)) return;
  for (const std::string& path : options_.os_bundles) {
    const absl::StatusOr<std::string> text = ReadWholeFile(path, kMaxBundleBytes);
    if (!text.ok()) continue;
    std::vector<PemCertificate> certificates = CertificatesOfPem(*text, nullptr);
    if (certificates.empty()) continue;
    return Add(path, std::move(certificates));
  }
  LOG(WARNING) << "no certificate bundle of the operating system was found in "
               << absl::StrJoin(options_.os_bundles, ", ");
}

void TrustedRoots::Index() {
  if (indexed_ == added_.size()) return;
  for (; indexed_ < added_.size(); ++indexed_) {
    Outline outline;
    bssl::UniquePtr<X509_NAME> name;
    if (Read(added_[indexed_].der, &outline)) {
      const uint8_t* data = CBS_data(&outline.subject);
      name.reset(d2i_X509_NAME(nullptr, &data, static_cast<long>(CBS_len(&outline.subject))));
    }
    if (name == nullptr) {
      NameBroken(added_[indexed_]);
    } else {
      index_.emplace_back(X509_NAME_hash(name.get()), indexed_);
    }
  }
  std::sort(index_.begin(), index_.end());
  ERR_clear_error();
}

void TrustedRoots::NameBroken(const Added& added) const {
  LOG(WARNING) << "certificate file " << files_[added.file] << ": block " << added.block
               << " can't be read and is left out";
}

bool TrustedRoots::Parse(const unsigned char* der, size_t size) {
  bssl::UniquePtr<X509> root(d2i_X509(nullptr, &der, static_cast<long>(size)));
  if (root == nullptr) {
    ERR_clear_error();
    return false;
  }
  ++parsed_;
  X509_STORE_add_cert(store_.get(), root.get());  // a certificate that is there already is left alone
  Need(X509_NAME_hash(X509_get_issuer_name(root.get())));
  return true;
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
    const Added& added = added_[entry->second];
    if (!Parse(reinterpret_cast<const unsigned char*>(added.der.data()), added.der.size())) {
      NameBroken(added);
    }
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
