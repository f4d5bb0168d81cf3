"""Puts the result table into README.md, from what the laboratory measured.

    python tools/update_readme.py RESULT.json...

Each file is one that `tools/lab compare ... --json FILE` wrote. What stands between the two markers in
README.md is replaced; nothing else is touched.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import platform
import re
import sys
from collections.abc import Sequence

ROOT = pathlib.Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from tools.results_table import Result, experiment  # noqa: E402

BEGIN, END = "<!-- results:begin -->", "<!-- results:end -->"

INTRODUCTION = """## What it shows

Traces, flushed over TLS to an intake on the same machine by a process that is frozen between or during
flushes. The world says how: W1 is SIGSTOP, which is not Lambda itself. Cost is in
[docs/benchmarks.md](docs/benchmarks.md).
"""


def machine() -> str:
    """One line about this machine."""
    model = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return f"{os.cpu_count()} × {model[1] if model else platform.machine()}, Linux {platform.release()}"


def section(results: Sequence[Result], where: str) -> str:
    """The section on results, as Markdown."""
    return f"{INTRODUCTION}\n{chr(10).join(map(experiment, results))}\nMachine: {where}.\n"


def insert(readme: str, text: str) -> str:
    """`readme` with `text` between the markers. ValueError: it has not exactly one pair of them."""
    if readme.count(BEGIN) != 1 or readme.count(END) != 1 or readme.index(BEGIN) > readme.index(END):
        raise ValueError(f"needs one line {BEGIN} and, after it, one line {END}")
    before, rest = readme.split(BEGIN)
    return f"{before}{BEGIN}\n\n{text}\n{END}{rest.split(END)[1]}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("results", nargs="+", type=pathlib.Path, metavar="RESULT.json")
    arguments = parser.parse_args()
    results = [json.loads(path.read_text()) for path in arguments.results]
    path = ROOT / "README.md"
    path.write_text(insert(path.read_text(), section(results, machine())))


if __name__ == "__main__":
    main()
