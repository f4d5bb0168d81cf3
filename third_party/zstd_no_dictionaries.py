"""Leaves the compressors of blocks out of Zstandard that only a prepared dictionary leads to.

    zstd_no_dictionaries.py zstd.c OUT

This project compresses without a dictionary, so that the library never selects them; its tables name them
nonetheless, which keeps a linker from leaving out their 110 KB. A compressor that is named for a dictionary
becomes a null pointer here, like those of other combinations that do not exist. Each place that is changed
must be there as it is expected, or the build stops.
"""

from __future__ import annotations

import pathlib
import re
import sys

BEGIN = (
    "ZSTD_BlockCompressor_f ZSTD_selectBlockCompressor("
    "ZSTD_strategy strat, ZSTD_ParamSwitch_e useRowMatchFinder, ZSTD_dictMode_e dictMode)\n{"
)
END = "\n}\n"
NAMES = re.compile(
    r"\bZSTD_(?:compressBlock|COMPRESSBLOCK)_\w+?_(?:DICTMATCHSTATE|DEDICATEDDICTSEARCH|dictMatchState)(?:_ROW)?\b"
)
# Ten for a dictionary's own state, three for one that is searched by itself, and as many of both by rows.
EXPECTED = 19


def changed(text: str) -> str:
    if text.count(BEGIN) != 1:
        raise SystemExit(f"zstd.c is not as expected: {text.count(BEGIN)} times {BEGIN!r}")
    begin = text.index(BEGIN)
    end = text.index(END, begin)
    body, count = NAMES.subn("NULL", text[begin:end])
    if count != EXPECTED:
        raise SystemExit(f"zstd.c is not as expected: {count} compressors for dictionaries")
    return text[:begin] + body + text[end:]


if __name__ == "__main__":
    source, out = map(pathlib.Path, sys.argv[1:])
    out.write_text(changed(source.read_text(encoding="utf-8")), encoding="utf-8")
