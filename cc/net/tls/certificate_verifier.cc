#include "cc/net/tls/certificate_verifier.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
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

// Certificates a chain may have; servers send two to four.
constexpr size_t kMaxChain = 16;
constexpr size_t kMaxNamesShown = 8;

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

// The names and addresses a certificate is made out to.
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

  bssl::UniquePtr<X509_STORE_CTX> context(X509_STORE_CTX_new());
  if (context == nullptr ||
      !X509_STORE_CTX_init(context.get(), roots.StoreFor(chain), leaf.get(), others.get()) ||
      !X509_STORE_CTX_set_default(context.get(), "ssl_server")) {
    return refuse("out of memory");
  }
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time_posix(parameters, absl::ToUnixSeconds(now));
  // Whatever is in the store is trusted, be it an intermediate or the server's own certificate; and a
  // trusted issuer is preferred to one the server sent.
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
  X509_VERIFY_PARAM_set_hostflags(parameters,
                                  X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  const bool named = IsIpLiteral(server_name)
                         ? X509_VERIFY_PARAM_set1_ip_asc(parameters, server_name.c_str())
                         : X509_VERIFY_PARAM_set1_host(parameters, server_name.data(), server_name.size());
  if (!named) return refuse("this is not a name a certificate can bear");
  if (X509_verify_cert(context.get()) != 1)
    return refuse(Reason(context.get(), leaf.get(), server_name, roots));

  absl::Time until = absl::InfiniteFuture();
  STACK_OF(X509)* built = X509_STORE_CTX_get0_chain(context.get());
  for (size_t i = 0; i < sk_X509_num(built); ++i) {
    until = std::min(until, TimeOf(X509_get0_notAfter(sk_X509_value(built, i)), absl::InfinitePast()));
  }
  return until;
}

}  // namespace thaw
