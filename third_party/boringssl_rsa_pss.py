"""Lets BoringSSL's client accept servers whose key is marked as one for RSASSA-PSS alone (id-RSASSA-PSS).

    boringssl_rsa_pss.py ssl/ssl_privkey.cc OUT

BoringSSL knows the signatures of such a key, which are RSA's, but neither the key's mark nor the code points
that TLS has for it (rsa_pss_pss_*, RFC 8446 section 4.2.3). Here the mark is read as that of a common RSA
key, and the code points are added. They count only where a connection is configured to accept them. Each
place that is changed must be there as it is expected, or the build stops.
"""

from __future__ import annotations

import pathlib
import sys

# The file moves, so what it includes is named from the library's root.
INCLUDES = {
    '#include "../crypto/bytestring/internal.h"': '#include "crypto/bytestring/internal.h"',
    '#include "../crypto/internal.h"': '#include "crypto/internal.h"',
    '#include "internal.h"': '#include "ssl/internal.h"',
}

TABLE = "static const SSL_SIGNATURE_ALGORITHM kSignatureAlgorithms[] = {\n"
CODE_POINTS = "".join(
    f"    {{{code:#06x}, EVP_PKEY_RSA, NID_undef, &EVP_sha{bits},\n"
    "     /*is_rsa_pss=*/true, /*tls12_ok=*/true, /*tls13_ok=*/true,\n"
    "     /*client_only=*/false},\n"
    for code, bits in ((0x0809, 256), (0x080A, 384), (0x080B, 512))
)

PARSE = """bssl::UniquePtr<EVP_PKEY> ssl_parse_peer_subject_public_key_info(
    Span<const uint8_t> spki) {
"""
# SubjectPublicKeyInfo: SEQUENCE { SEQUENCE { OID, parameters }, BIT STRING }.
AS_COMMON_KEY = """
  static const uint8_t kPss[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a};
  static const uint8_t kRsa[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01};
  CBS whole, body, algorithm, oid;
  CBS_init(&whole, spki.data(), spki.size());
  bssl::Array<uint8_t> common;
  if (CBS_get_asn1(&whole, &body, CBS_ASN1_SEQUENCE) && CBS_len(&whole) == 0 &&
      CBS_get_asn1(&body, &algorithm, CBS_ASN1_SEQUENCE) &&
      CBS_get_asn1(&algorithm, &oid, CBS_ASN1_OBJECT) && CBS_mem_equal(&oid, kPss, sizeof(kPss))) {
    bssl::ScopedCBB cbb;
    CBB sequence, identifier, name, null;
    if (!CBB_init(cbb.get(), spki.size()) ||
        !CBB_add_asn1(cbb.get(), &sequence, CBS_ASN1_SEQUENCE) ||
        !CBB_add_asn1(&sequence, &identifier, CBS_ASN1_SEQUENCE) ||
        !CBB_add_asn1(&identifier, &name, CBS_ASN1_OBJECT) ||
        !CBB_add_bytes(&name, kRsa, sizeof(kRsa)) ||
        !CBB_add_asn1(&identifier, &null, CBS_ASN1_NULL) ||
        !CBB_add_bytes(&sequence, CBS_data(&body), CBS_len(&body)) ||
        !CBBFinishArray(cbb.get(), &common)) {
      return nullptr;
    }
    spki = common;
  }
"""


def changed(text: str) -> str:
    changes = {**INCLUDES, TABLE: TABLE + CODE_POINTS, PARSE: PARSE + AS_COMMON_KEY}
    for old, new in changes.items():
        if text.count(old) != 1:
            raise SystemExit(f"ssl_privkey.cc is not as expected: {text.count(old)} times {old!r}")
        text = text.replace(old, new)
    return text


if __name__ == "__main__":
    source, out = map(pathlib.Path, sys.argv[1:])
    out.write_text(changed(source.read_text(encoding="utf-8")), encoding="utf-8")
