"""Lets BoringSSL read /dev/urandom wherever the kernel, or a sandbox's filter, refuses getrandom(2).

    boringssl_urandom.py crypto/rand/urandom.cc OUT

The library ends the process where getrandom(2) fails by anything but ENOSYS at its first call, or by anything
at a later one, and repeats an interrupted call without end. A filter may refuse by any error, also by EAGAIN
or EINTR. The device is not read in place of a pool that is not ready: a call that may wait is made first, and
the kernel's own EAGAIN never comes from that. Each place that is changed must be there as it is expected, or
the build stops.
"""

from __future__ import annotations

import pathlib
import sys

CHANGES = {
    # The file moves, so what it includes is named from the library's root.
    '#include "../bcm_support.h"': '#include "crypto/bcm_support.h"',
    '#include "../internal.h"': '#include "crypto/internal.h"',
    '#include "internal.h"': '#include "crypto/rand/internal.h"',
    "  do {\n    ret = syscall(": "  int tries = 0;\n  do {\n    ret = syscall(",
    "while (ret == -1 && errno == EINTR);": "while (ret == -1 && errno == EINTR && ++tries < 1000);",
    "(getrandom_ret == -1 && errno == ENOSYS)": "(getrandom_ret == -1)",
    "void bssl::CRYPTO_init_sysrand() {": """static ssize_t read_device(void *out, size_t len) {
  const int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return -1;
  }
  ssize_t r;
  do {
    r = read(fd, out, len);
  } while (r == -1 && errno == EINTR);
  close(fd);
  return r;
}

void bssl::CRYPTO_init_sysrand() {""",
    "      r = boringssl_getrandom(out, len, 0);\n": """      r = boringssl_getrandom(out, len, 0);
      if (r == -1) {
        r = read_device(out, len);
      }
""",
}


def changed(text: str) -> str:
    for old, new in CHANGES.items():
        if text.count(old) != 1:
            raise SystemExit(f"urandom.cc is not as expected: {text.count(old)} times {old!r}")
        text = text.replace(old, new)
    return text


if __name__ == "__main__":
    source, out = map(pathlib.Path, sys.argv[1:])
    out.write_text(changed(source.read_text(encoding="utf-8")), encoding="utf-8")
