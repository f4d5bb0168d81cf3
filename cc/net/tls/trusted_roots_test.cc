#include "cc/net/tls/trusted_roots.h"

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "cc/net/testing/test_certificates.h"
#include "cc/net/tls/embedded_roots.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "openssl/bio.h"
#include "openssl/pem.h"
#include "openssl/x509.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

bssl::UniquePtr<X509> ParseDer(const unsigned char* der, size_t size) {
  return bssl::UniquePtr<X509>(d2i_X509(nullptr, &der, static_cast<long>(size)));
}
bssl::UniquePtr<X509> ParsePem(const std::string& pem) {
  bssl::UniquePtr<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return bssl::UniquePtr<X509>(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
}
size_t InStore(X509_STORE* store) {
  bssl::UniquePtr<STACK_OF(X509_OBJECT)> objects(X509_STORE_get1_objects(store));
  return sk_X509_OBJECT_num(objects.get());
}
std::string WriteFile(std::string_view name, std::string_view content) {
  const std::string path = absl::StrCat(testing::TempDir(), "/", name);
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

TEST(EmbeddedRootsTest, EachIsFoundByTheHashOfItsName) {
  uint32_t last = 0;
  for (const EmbeddedRoot& root : EmbeddedRoots()) {
    bssl::UniquePtr<X509> certificate = ParseDer(root.der, root.size);
    ASSERT_NE(certificate, nullptr);
    EXPECT_EQ(X509_NAME_hash(X509_get_subject_name(certificate.get())), root.name_hash);
    EXPECT_LE(last, root.name_hash);
    last = root.name_hash;
  }
  EXPECT_GT(EmbeddedRoots().size(), 100u);
}

TEST(TrustedRootsTest, ParsesOnlyRootsThatAChainNames) {
  TrustedRoots roots({});
  EXPECT_EQ(roots.parsed(), 0u);
  for (const EmbeddedRoot& root : EmbeddedRoots()) {
    const size_t before = roots.parsed();
    bssl::UniquePtr<X509> certificate = ParseDer(root.der, root.size);
    X509* const chain[] = {certificate.get()};
    X509_STORE* store = roots.StoreFor(chain);
    EXPECT_LE(roots.parsed(), before + 3);
    EXPECT_EQ(InStore(store), roots.parsed());
  }
  EXPECT_EQ(roots.parsed(), EmbeddedRoots().size());
  // The second lookup parses nothing.
  bssl::UniquePtr<X509> again = ParseDer(EmbeddedRoots()[0].der, EmbeddedRoots()[0].size);
  X509* const chain[] = {again.get()};
  roots.StoreFor(chain);
  EXPECT_EQ(roots.parsed(), EmbeddedRoots().size());
}

TEST(TrustedRootsTest, AnUnknownNameParsesNothing) {
  TrustedRoots roots({});
  bssl::UniquePtr<X509> unknown = ParsePem(TestAuthority("unknown").pem());
  X509* const chain[] = {unknown.get()};
  EXPECT_EQ(InStore(roots.StoreFor(chain)), 0u);
  EXPECT_EQ(roots.parsed(), 0u);
}

TEST(TrustedRootsTest, AFileIsSearchedByNameToo) {
  std::string many;
  for (int i = 0; i < 50; ++i) many += TestAuthority(absl::StrCat("authority ", i)).pem();
  const TestAuthority wanted("wanted");
  TrustedRoots roots({.public_roots = false});
  EXPECT_TRUE(roots.empty());
  std::vector<std::string> warnings;
  roots.AddPemFile(WriteFile("many.pem", absl::StrCat(many, wanted.pem())), &warnings);
  EXPECT_THAT(warnings, IsEmpty());
  EXPECT_FALSE(roots.empty());
  EXPECT_EQ(roots.parsed(), 0u);
  bssl::UniquePtr<X509> leaf = ParsePem(wanted.Issue({.names = {"a.example"}}).chain_pem);
  X509* const chain[] = {leaf.get()};
  EXPECT_EQ(InStore(roots.StoreFor(chain)), 1u);
  EXPECT_EQ(roots.parsed(), 1u);
}

TEST(TrustedRootsTest, TheOperatingSystemsBundleIsReadWhenItIsNeeded) {
  const TestAuthority authority("from the bundle");
  const std::string path = absl::StrCat(testing::TempDir(), "/bundle.pem");
  TrustedRoots roots({.public_roots = false, .os_roots = true, .os_bundles = {"/nowhere/at/all.pem", path}});
  WriteFile("bundle.pem", authority.pem());  // after the roots were made
  bssl::UniquePtr<X509> leaf = ParsePem(authority.Issue({.names = {"a.example"}}).chain_pem);
  X509* const chain[] = {leaf.get()};
  EXPECT_EQ(InStore(roots.StoreFor(chain)), 1u);
}

TEST(TrustedRootsTest, TheFingerprintIdentifiesTheTrustedRoots) {
  const std::string a = WriteFile("a.pem", TestAuthority("a").pem());
  const std::string b = WriteFile("b.pem", TestAuthority("b").pem());
  auto fingerprint = [](TrustedRoots::Options options, const std::string& file) {
    TrustedRoots roots(std::move(options));
    if (!file.empty()) roots.AddPemFile(file, nullptr);
    return roots.fingerprint();
  };
  EXPECT_EQ(fingerprint({}, a), fingerprint({}, a));
  EXPECT_NE(fingerprint({}, a), fingerprint({}, b));
  EXPECT_NE(fingerprint({}, a), fingerprint({}, ""));
  EXPECT_NE(fingerprint({}, a), fingerprint({.public_roots = false}, a));
}

TEST(CertificatesOfPemTest, TakesWholeCertificatesAndNumbersBrokenOnes) {
  const std::string good = TestAuthority("good").pem();
  std::vector<std::string> problems;
  EXPECT_EQ(CertificatesOfPem(absl::StrCat("words\r\n", good, "more words\n", good), &problems).size(), 2u);
  EXPECT_THAT(problems, IsEmpty());

  const std::string cut = good.substr(0, good.size() / 2);
  const std::string no_base64 = "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n";
  const std::string no_certificate = "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n";
  EXPECT_EQ(
      CertificatesOfPem(absl::StrCat(cut, "\n", good, no_base64, no_certificate, good), &problems).size(),
      2u);
  EXPECT_THAT(problems, ElementsAre("block 1 is not a certificate: it is cut short",
                                    "block 3 is not a certificate", "block 4 is not a certificate"));

  std::string crlf;
  for (const char c : good) absl::StrAppend(&crlf, c == '\n' ? "\r\n" : std::string(1, c));
  EXPECT_EQ(CertificatesOfPem(crlf, nullptr).size(), 1u);
  EXPECT_EQ(CertificatesOfPem(absl::StrCat("\xef\xbb\xbf", good, "\n\n \n", good), nullptr).size(), 2u);
  EXPECT_THAT(CertificatesOfPem("", nullptr), IsEmpty());
}

TEST(TrustedRootsTest, APathThatIsNoFileIsOneWarningAndIsNotWaitedFor) {
  const std::string pipe = absl::StrCat(testing::TempDir(), "/pipe.pem");
  unlink(pipe.c_str());
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const std::string large = WriteFile("large.pem", "");
  ASSERT_EQ(truncate(large.c_str(), off_t{1} << 33), 0);  // a sparse file
  for (const auto& [path, what] : {std::pair<std::string, std::string>(pipe, "it is a pipe"),
                                   {testing::TempDir(), "it is a folder"},
                                   {"/dev/zero", "it is a device"},
                                   {large, "larger than"}}) {
    TrustedRoots roots({.public_roots = false, .os_roots = true, .os_bundles = {path}});
    std::vector<std::string> warnings;
    roots.AddPemFile(path, &warnings);
    EXPECT_THAT(warnings, ElementsAre(testing::AllOf(HasSubstr(path), HasSubstr(what))));
    EXPECT_EQ(InStore(roots.StoreFor({})), 0u);
  }
  unlink(large.c_str());
}

// Returns the content of a PEM block under another label.
std::string Relabelled(const std::string& pem, const std::string& label, std::string_view behind = "") {
  bssl::UniquePtr<X509> certificate = ParsePem(pem);
  uint8_t* der = nullptr;
  const int size = i2d_X509(certificate.get(), &der);
  std::string content(reinterpret_cast<char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  content.append(behind);
  return absl::StrCat("-----BEGIN ", label, "-----\n", absl::Base64Escape(content), "\n-----END ", label,
                      "-----\n");
}

TEST(CertificatesOfPemTest, OtherLabelsOfCertificates) {
  const std::string pem = TestAuthority("labelled").pem();
  const std::string der = CertificatesOfPem(pem, nullptr).at(0).der;
  const auto read = [&](const std::string& label, std::string_view behind,
                        std::vector<std::string>* problems) {
    std::vector<PemCertificate> found = CertificatesOfPem(Relabelled(pem, label, behind), problems);
    for (const PemCertificate& certificate : found) EXPECT_EQ(certificate.der, der) << label;
    return found.size();
  };
  std::vector<std::string> problems;
  EXPECT_EQ(read("X509 CERTIFICATE", "", &problems), 1u);
  EXPECT_EQ(read("TRUSTED CERTIFICATE", "", &problems), 1u);
  // X509_CERT_AUX: { trusted { serverAuth } }, { trusted { anyExtendedKeyUsage } }, { alias "x" }.
  EXPECT_EQ(
      read("TRUSTED CERTIFICATE", "\x30\x0c\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01", &problems), 1u);
  EXPECT_EQ(read("TRUSTED CERTIFICATE", std::string_view("\x30\x08\x30\x06\x06\x04\x55\x1d\x25\x00", 10),
                 &problems),
            1u);
  EXPECT_EQ(read("TRUSTED CERTIFICATE", "\x30\x03\x0c\x01x", &problems), 1u);
  EXPECT_THAT(problems, IsEmpty());
  // { trusted { emailProtection } }, { rejected { serverAuth } }, and bytes that are neither.
  EXPECT_EQ(
      read("TRUSTED CERTIFICATE", "\x30\x0c\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x04", &problems), 0u);
  EXPECT_EQ(
      read("TRUSTED CERTIFICATE", "\x30\x0c\xa0\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01", &problems), 0u);
  EXPECT_EQ(read("TRUSTED CERTIFICATE", "garbage", &problems), 0u);
  EXPECT_THAT(problems, testing::Each("block 1 is marked as not trusted for servers"));
  problems.clear();
  EXPECT_EQ(read("CERTIFICATE", "garbage", &problems), 0u);
  EXPECT_THAT(problems, ElementsAre("block 1 is not a certificate"));
  problems.clear();
  EXPECT_EQ(read("CERTIFICATE REQUEST", "", &problems), 0u);
  EXPECT_EQ(read("PRIVATE KEY", "", &problems), 0u);
  EXPECT_THAT(problems, IsEmpty()) << "they are no certificates, and say so";
  EXPECT_EQ(read("PKCS7", "", &problems), 0u);
  EXPECT_THAT(problems, ElementsAre("block 1 is PKCS7, of which no certificate is read"));
}

TEST(CertificatesOfPemTest, OneCertificateAsDer) {
  const std::string der = CertificatesOfPem(TestAuthority("binary").pem(), nullptr).at(0).der;
  ASSERT_EQ(CertificatesOfPem(der, nullptr).size(), 1u);
  EXPECT_EQ(CertificatesOfPem(der, nullptr).at(0).der, der);
  EXPECT_THAT(CertificatesOfPem(der + "x", nullptr), IsEmpty());
  for (const std::string name : {"-----BEGIN CMS-----", "-----BEGIN CERTIFICATE-----"}) {
    const std::string named = CertificatesOfPem(TestAuthority(name).pem(), nullptr).at(0).der;
    ASSERT_NE(named.find(name), named.npos);
    EXPECT_EQ(CertificatesOfPem(named, nullptr).size(), 1u) << name;
  }
  EXPECT_THAT(CertificatesOfPem(der.substr(0, der.size() - 1), nullptr), IsEmpty());
}

TEST(TrustedRootsTest, ABlockThatOnlyParsingFindsBrokenIsPassedOver) {
  const TestAuthority authority("a");
  std::string der = CertificatesOfPem(authority.pem(), nullptr).at(0).der;
  // Changes the bit string of the signature, which lies behind everything that is read for a lookup.
  const size_t content = der.find(std::string("\0\x30", 2), der.size() - 78);
  ASSERT_EQ(der.at(content - 2), '\x03');
  der.at(content - 2) = '\x04';
  const std::string broken =
      absl::StrCat("-----BEGIN CERTIFICATE-----\n", absl::Base64Escape(der), "\n-----END CERTIFICATE-----\n");
  TrustedRoots roots({.public_roots = false});
  roots.AddPemFile(WriteFile("broken.pem", absl::StrCat(broken, authority.pem())), nullptr);
  bssl::UniquePtr<X509> leaf = ParsePem(authority.Issue({.names = {"a.example"}}).chain_pem);
  X509* const chain[] = {leaf.get()};
  EXPECT_EQ(InStore(roots.StoreFor(chain)), 1u);
}

TEST(TrustedRootsTest, ADamagedBlockIsNamedAndTheRestIsUsed) {
  const std::string path =
      WriteFile("part.pem", absl::StrCat("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                                         TestAuthority("a").pem()));
  TrustedRoots roots({.public_roots = false});
  std::vector<std::string> warnings;
  roots.AddPemFile(path, &warnings);
  EXPECT_THAT(warnings, ElementsAre(testing::AllOf(HasSubstr(path), HasSubstr("block 1"))));
  EXPECT_FALSE(roots.empty());
}

}  // namespace
}  // namespace thaw
