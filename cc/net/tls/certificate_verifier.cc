#include "cc/net/tls/certificate_verifier.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "openssl/asn1.h"
#include "openssl/bio.h"
#include "openssl/err.h"
#include "openssl/ssl.h"
#include "openssl/x509.h"

namespace thaw {
namespace {

// The maximum number of certificates in a chain; servers send two to four.
constexpr size_t kMaxChain = 16;
constexpr size_t kMaxNamesShown = 8;
// The number of other chains that are tried if the first one does not hold; each costs a few signatures.
constexpr int kMaxOtherChains = 8;

std::string NameText(const X509_NAME* name) {
  bssl::UniquePtr<BIO> bio(BIO_new(BIO_s_mem()));
  if (bio == nullptr || X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253) < 0) return "?";
  const uint8_t* data;
  size_t size;
  if (!BIO_mem_contents(bio.get(), &data, &size) || size == 0) return "(no name)";
  return std::string(reinterpret_cast<const char*>(data), size);
}

absl::Time TimeOf(const ASN1_TIME* time, absl::Time otherwise) {
  int64_t seconds;
  return ASN1_TIME_to_posix(time, &seconds) ? absl::FromUnixSeconds(seconds) : otherwise;
}

std::string Date(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", time, absl::UTCTimeZone());
}

// Returns the names and addresses that a certificate was issued for.
std::string NamesOf(const X509* certificate) {
  std::vector<std::string> names;
  bssl::UniquePtr<GENERAL_NAMES> alternatives(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (alternatives != nullptr) {
    for (size_t i = 0; i < sk_GENERAL_NAME_num(alternatives.get()); ++i) {
      const GENERAL_NAME* name = sk_GENERAL_NAME_value(alternatives.get(), i);
      if (name->type == GEN_DNS) {
        names.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                           ASN1_STRING_length(name->d.dNSName));
      } else if (name->type == GEN_IPADD) {
        const uint8_t* bytes = ASN1_STRING_get0_data(name->d.iPAddress);
        const int size = ASN1_STRING_length(name->d.iPAddress);
        std::string text;
        if (size == 4) {
          text = absl::StrCat(bytes[0], ".", bytes[1], ".", bytes[2], ".", bytes[3]);
        } else {
          for (int j = 0; j + 1 < size; j += 2) {
            absl::StrAppend(&text, j > 0 ? ":" : "", absl::Hex(bytes[j] << 8 | bytes[j + 1]));
          }
        }
        names.push_back(std::move(text));
      }
    }
  }
  if (names.empty())
    return absl::StrCat("no names; its subject is ", NameText(X509_get_subject_name(certificate)));
  const size_t more = names.size() - std::min(names.size(), kMaxNamesShown);
  names.resize(names.size() - more);
  return absl::StrCat(absl::StrJoin(names, ", "), more > 0 ? absl::StrCat(" and ", more, " more") : "");
}

std::string Reason(X509_STORE_CTX* context, const X509* leaf, const std::string& server_name,
                   const TrustedRoots& roots) {
  const int error = X509_STORE_CTX_get_error(context);
  const X509* at_fault = X509_STORE_CTX_get_current_cert(context);
  if (at_fault == nullptr) at_fault = leaf;
  const std::string whose =
      at_fault == leaf ? "its certificate"
                       : absl::StrCat("the certificate of ", NameText(X509_get_subject_name(at_fault)));
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return absl::StrCat(whose, " expired on ",
                          Date(TimeOf(X509_get0_notAfter(at_fault), absl::InfiniteFuture())));
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return absl::StrCat(whose, " is not valid before ",
                          Date(TimeOf(X509_get0_notBefore(at_fault), absl::InfinitePast())));
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return absl::StrCat("its certificate is not for ", server_name, " but for ", NamesOf(leaf));
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
      if (roots.empty()) return "no root certificate is trusted here";
      return absl::StrCat("unknown issuer ", NameText(X509_get_issuer_name(at_fault)), " of ", whose);
    default:
      return absl::StrCat(whose, ": ", X509_verify_cert_error_string(error));
  }
}

// The inputs of a verification, apart from the certificates that may sign the leaf.
struct Question {
  X509_STORE* store;
  X509* leaf;
  const std::string& server_name;
  absl::Time now;
};

// Returns a context that is ready for X509_verify_cert(). `trusted`, unless null, replaces the store's
// certificates. Returns null if memory is out or no certificate can contain the name.
bssl::UniquePtr<X509_STORE_CTX> Ask(const Question& question, STACK_OF(X509) * sent,
                                    STACK_OF(X509) * trusted) {
  bssl::UniquePtr<X509_STORE_CTX> context(X509_STORE_CTX_new());
  if (context == nullptr || !X509_STORE_CTX_init(context.get(), question.store, question.leaf, sent) ||
      !X509_STORE_CTX_set_default(context.get(), "ssl_server")) {
    return nullptr;
  }
  if (trusted != nullptr) X509_STORE_CTX_set0_trusted_stack(context.get(), trusted);
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time_posix(parameters, absl::ToUnixSeconds(question.now));
  // Every certificate in the store is trusted, whether intermediate or the server's own; a trusted issuer is
  // preferred to one that the server sent.
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
  X509_VERIFY_PARAM_set_hostflags(parameters,
                                  X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  const std::string& name = question.server_name;
  const bool named = IsIpLiteral(name) ? X509_VERIFY_PARAM_set1_ip_asc(parameters, name.c_str())
                                       : X509_VERIFY_PARAM_set1_host(parameters, name.data(), name.size());
  return named ? std::move(context) : nullptr;
}

// Returns the certificate whose removal may allow another chain; null if the leaf itself is at fault.
const X509* Replaceable(X509_STORE_CTX* context, const X509* leaf) {
  const X509* at_fault = X509_STORE_CTX_get_current_cert(context);
  if (X509_STORE_CTX_get_error(context) == X509_V_ERR_CERT_SIGNATURE_FAILURE) {
    // The certificate was not signed by the one with its issuer's name: another may have the same name.
    const STACK_OF(X509)* built = X509_STORE_CTX_get0_chain(context);
    const size_t issuer = static_cast<size_t>(X509_STORE_CTX_get_error_depth(context)) + 1;
    at_fault = built != nullptr && issuer < sk_X509_num(built) ? sk_X509_value(built, issuer) : nullptr;
  }
  return at_fault == nullptr || X509_cmp(at_fault, leaf) == 0 ? nullptr : at_fault;
}

void LeaveOut(const X509* certificate, STACK_OF(X509) * from) {
  for (size_t i = sk_X509_num(from); i-- > 0;) {
    if (X509_cmp(sk_X509_value(from, i), certificate) == 0) X509_free(sk_X509_delete(from, i));
  }
}

bssl::UniquePtr<STACK_OF(X509)> CertificatesOf(X509_STORE* store) {
  bssl::UniquePtr<STACK_OF(X509)> certificates(sk_X509_new_null());
  bssl::UniquePtr<STACK_OF(X509_OBJECT)> objects(X509_STORE_get1_objects(store));
  if (certificates == nullptr || objects == nullptr) return nullptr;
  for (size_t i = 0; i < sk_X509_OBJECT_num(objects.get()); ++i) {
    X509* certificate = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects.get(), i));
    if (certificate != nullptr && !bssl::PushToStack(certificates.get(), bssl::UpRef(certificate)))
      return nullptr;
  }
  return certificates;
}

// Returns the time until which all certificates of the built chain are valid.
absl::Time ValidUntil(X509_STORE_CTX* context) {
  absl::Time until = absl::InfiniteFuture();
  const STACK_OF(X509)* built = X509_STORE_CTX_get0_chain(context);
  for (size_t i = 0; i < sk_X509_num(built); ++i) {
    until = std::min(until, TimeOf(X509_get0_notAfter(sk_X509_value(built, i)), absl::InfinitePast()));
  }
  return until;
}

// Looks for another chain. X509_verify_cert() builds and judges one chain only, though another may be valid:
// a root that has expired lives on, with the same name and key, in a newer or a cross-signed certificate. So
// this removes the certificate at fault and verifies again, until a chain holds or nothing is left to remove.
// It trusts no certificate that was not trusted before.
std::optional<absl::Time> AskOtherwise(const Question& question, bssl::UniquePtr<X509_STORE_CTX> context,
                                       STACK_OF(X509) * sent) {
  bssl::UniquePtr<STACK_OF(X509)> trusted;
  for (int attempt = 0; attempt < kMaxOtherChains; ++attempt) {
    const X509* without = Replaceable(context.get(), question.leaf);
    if (without == nullptr) return std::nullopt;
    if (trusted == nullptr && (trusted = CertificatesOf(question.store)) == nullptr) return std::nullopt;
    const bssl::UniquePtr<X509> held = bssl::UpRef(const_cast<X509*>(without));
    LeaveOut(held.get(), trusted.get());
    LeaveOut(held.get(), sent);
    context = Ask(question, sent, trusted.get());
    if (context == nullptr) return std::nullopt;
    if (X509_verify_cert(context.get()) == 1) {
      ERR_clear_error();
      return ValidUntil(context.get());
    }
  }
  return std::nullopt;
}

}  // namespace

bool IsIpLiteral(const std::string& name) {
  bssl::UniquePtr<ASN1_OCTET_STRING> address(a2i_IPADDRESS(name.c_str()));
  if (address == nullptr) ERR_clear_error();
  return address != nullptr;
}

absl::StatusOr<absl::Time> VerifyPeer(const ssl_st* ssl, const std::string& server_name, absl::Time now,
                                      TrustedRoots& roots) {
  auto refuse = [&](std::string_view why) {
    ERR_clear_error();
    return absl::FailedPreconditionError(
        absl::StrCat("CERTIFICATE_VERIFY_FAILED for ", server_name, ": ", why));
  };
  const STACK_OF(CRYPTO_BUFFER)* sent = SSL_get0_peer_certificates(ssl);
  const size_t count = sent != nullptr ? sk_CRYPTO_BUFFER_num(sent) : 0;
  if (count == 0) return refuse("it sent no certificate");
  if (count > kMaxChain) return refuse(absl::StrCat("it sent ", count, " certificates"));

  bssl::UniquePtr<STACK_OF(X509)> others(sk_X509_new_null());
  bssl::UniquePtr<X509> leaf;
  std::vector<X509*> chain;
  for (size_t i = 0; i < count; ++i) {
    bssl::UniquePtr<X509> certificate(X509_parse_from_buffer(sk_CRYPTO_BUFFER_value(sent, i)));
    if (certificate == nullptr)
      return refuse(absl::StrCat("certificate ", i + 1, " of its chain can't be read"));
    chain.push_back(certificate.get());
    if (i == 0) {
      leaf = std::move(certificate);
    } else if (!bssl::PushToStack(others.get(), std::move(certificate))) {
      return refuse("out of memory");
    }
  }

  X509_STORE* const store = roots.StoreFor(chain);
  const Question question{.store = store, .leaf = leaf.get(), .server_name = server_name, .now = now};
  bssl::UniquePtr<X509_STORE_CTX> context = Ask(question, others.get(), nullptr);
  if (context == nullptr) return refuse("no certificate can be for this name, or memory is exhausted");
  if (X509_verify_cert(context.get()) == 1) return ValidUntil(context.get());
  const std::string first = Reason(context.get(), leaf.get(), server_name, roots);
  const std::optional<absl::Time> otherwise = AskOtherwise(question, std::move(context), others.get());
  if (otherwise.has_value()) return *otherwise;
  return refuse(first);
}

}  // namespace thaw
