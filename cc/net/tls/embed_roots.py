"""Writes the public roots of a PEM file as a C++ table, sorted by the hash of the subject's name.

usage: embed_roots.py cacert.pem roots.cc

The hash is BoringSSL's X509_NAME_hash: SHA-1 over the name with its strings brought to one form, so that
a certificate's issuer finds its root without parsing any other. A test compares the two for every root.
"""

import base64
import hashlib
import re
import sys

# Encodings of the string types by tag. Other types are taken as they are.
_DECODERS = {
    12: "utf-8",  # UTF8String
    30: "utf-16-be",  # BMPString
    28: "utf-32-be",  # UniversalString
    19: "latin-1",  # PrintableString
    20: "latin-1",  # T61String
    22: "latin-1",  # IA5String
    26: "latin-1",  # VisibleString
}


def element(data, at):
    """Returns the DER element at `at`: its tag, and the start and end of its content."""
    tag, length, at = data[at], data[at + 1], at + 2
    if length & 0x80:
        size = length & 0x7F
        length, at = int.from_bytes(data[at : at + size], "big"), at + size
    return tag, at, at + length


def elements(data, start, end):
    while start < end:
        tag, begin, stop = element(data, start)
        yield tag, start, begin, stop
        start = stop


def encode(tag, content):
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    size = (len(content).bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + len(content).to_bytes(size, "big") + content


def one_form(tag, content):
    if tag not in _DECODERS:
        return encode(tag, content)
    text = re.sub(r"[ \t\n\v\f\r]+", " ", content.decode(_DECODERS[tag])).strip(" ")
    lower = "".join(c.lower() if c.isascii() else c for c in text)
    return encode(12, lower.encode())


def name_hash(certificate):
    _, start, _ = element(certificate, 0)
    _, start, end = element(certificate, start)
    fields = list(elements(certificate, start, end))
    if fields[0][0] == 0xA0:  # version
        del fields[0]
    _, _, begin, stop = fields[4]  # serial, algorithm, issuer, validity, subject
    canonical = b""
    for _, _, set_begin, set_end in elements(certificate, begin, stop):
        attributes = []
        for _, _, pair_begin, pair_end in elements(certificate, set_begin, set_end):
            (_, oid_start, _, oid_end), (tag, _, value_begin, value_end) = elements(
                certificate, pair_begin, pair_end
            )
            value = one_form(tag, certificate[value_begin:value_end])
            attributes.append(encode(0x30, certificate[oid_start:oid_end] + value))
        canonical += encode(0x31, b"".join(sorted(attributes)))
    return int.from_bytes(hashlib.sha1(canonical).digest()[:4], "little")


def main(pem_path, out_path):
    with open(pem_path, encoding="utf-8") as pem:
        blocks = re.findall(r"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", pem.read(), re.S)
    certificates = sorted({base64.b64decode(block) for block in blocks})
    table = sorted((name_hash(certificate), certificate) for certificate in certificates)
    with open(out_path, "w", encoding="ascii") as out:
        out.write(
            "// Written by embed_roots.py.\n"
            '#include "cc/net/tls/embedded_roots.h"\n\nnamespace thaw {\nnamespace {\n'
        )
        for number, (_, der) in enumerate(table):
            out.write(f"const unsigned char kRoot{number}[] = {{")
            out.write(",".join(str(byte) for byte in der))
            out.write("};\n")
        out.write("const EmbeddedRoot kRoots[] = {\n")
        for number, (name, der) in enumerate(table):
            out.write(f"  {{0x{name:08x}u, kRoot{number}, {len(der)}}},\n")
        out.write("};\n}  // namespace\n\n")
        out.write(
            "absl::Span<const EmbeddedRoot> EmbeddedRoots() { return kRoots; }\n\n}  // namespace thaw\n"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
