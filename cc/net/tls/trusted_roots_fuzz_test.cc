// Tries certificate files with any bytes: each block gives a certificate or a problem.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "cc/net/tls/embedded_roots.h"
#include "cc/net/tls/trusted_roots.h"

namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

void Try(std::string_view text) {
  std::vector<std::string> problems;
  const std::vector<thaw::PemCertificate> found = thaw::CertificatesOfPem(text, &problems);
  int last = 0;
  for (const thaw::PemCertificate& certificate : found) {
    Check(!certificate.der.empty() && certificate.block > last);
    last = certificate.block;
    // A certificate's DER is found by itself, too.
    Check(thaw::CertificatesOfPem(certificate.der, nullptr).size() == 1);
  }
  Check(thaw::CertificatesOfPem(text, nullptr).size() == found.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  Try(input);
  const thaw::EmbeddedRoot& root = thaw::EmbeddedRoots()[0];
  const std::string_view der(reinterpret_cast<const char*>(root.der), root.size);
  const auto block = [](std::string_view label, std::string_view content) {
    return absl::StrCat("-----BEGIN ", label, "-----\n", absl::Base64Escape(content), "\n-----END ", label,
                        "-----\n");
  };
  const std::string whole = block("CERTIFICATE", der);
  Try(absl::StrCat(input, whole));
  Try(absl::StrCat(whole, input, whole));
  // Tries the settings behind a trusted certificate, and a certificate with a piece of it changed.
  Try(block("TRUSTED CERTIFICATE", absl::StrCat(der, input)));
  std::string changed(der);
  changed.replace(size % changed.size(), input.size(), input);
  Try(block("X509 CERTIFICATE", changed));
  Try(absl::StrCat("-----BEGIN ", input, "-----\n", absl::Base64Escape(der), "\n-----END ", input,
                   "-----\n"));
  return 0;
}
