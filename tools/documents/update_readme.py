"""Writes the result tables of README.md from results of the laboratory.

    python -m tools.documents.update_readme --measure FOLDER     measures first, in about ten minutes
    python -m tools.documents.update_readme RESULT.json...       uses given results

Each file is one that `tools/lab compare ... --json FILE` wrote. Only the text between the two markers in
README.md is replaced.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import platform
import re
import subprocess
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

# `--help` works before tools/setup has run: modules that need the package are imported where they are used.
if TYPE_CHECKING:
    from thaw.lab.results import ExperimentResult

ROOT = pathlib.Path(__file__).resolve().parents[2]

BEGIN, END = "<!-- results:begin -->", "<!-- results:end -->"

INTRODUCTION = """## What it shows

In these experiments a process flushes traces over TLS to an intake on the same machine, and is frozen between
or during flushes. The world names the way to freeze: W1 is SIGSTOP, which is not Lambda itself. Benchmarks of
processor time and memory are in [docs/benchmarks.md](docs/benchmarks.md).

A close that races a resume loses what is sent by a client that still trusts its connection. In world W1 that
is a request which is written before the client sees the end, or which the intake has not yet read when it
closes; a flush of several requests is open to it between any two of them. What is lost therefore depends on
how soon after the resume the flush begins, how long it takes and how busy the machine is: it says as much
about the machine as about the client, so only arms of one run are to be compared. `compare` prints the times
of the closes that it measured.
"""

PRICE = """### The promise and its price

The table has two experiments. In the first, the peer forgets its connections during the freeze: how many
payloads are lost? In the second it forgets none: how long does a flush take? A flush over a kept connection
takes one round trip of the network; a fresh connection takes two more, for TCP and TLS. thaw pays for these
two in every flush.
"""

_ALL = "v92,v93,v94,v98,thaw,thaw-unshared,thaw-pooled,requests,pycurl"
_PRICE = ("--arms", _ALL, "--close", "none", "--cycles", "40", "--payloads", "1")
# Experiments that --measure runs: the arguments of `compare`, by the name of the file of the result.
EXPERIMENTS: dict[str, Sequence[str]] = {
    "idle-silent": ("--arms", _ALL, "--close", "silent", "--cycles", "300", "--payloads", "5"),
    "idle-race": (
        *("--arms", "v93,v98,thaw,thaw-pooled"),
        *("--close", "race", "--cycles", "1000", "--payloads", "5"),
    ),
    "inflight-rst": (
        *("--arms", _ALL, "--scenario", "inflight"),
        *("--close", "rst", "--cycles", "120", "--payloads", "1"),
    ),
    "price-0-ms": (*_PRICE, "--round-trip", "0"),
    "price-20-ms": (*_PRICE, "--round-trip", "0.02"),
    "price-80-ms": (*_PRICE, "--round-trip", "0.08"),
}


def machine() -> str:
    """Returns a line about this machine."""
    model = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return f"{os.cpu_count()} × {model[1] if model else platform.machine()}, Linux {platform.release()}"


def section(results: Sequence[ExperimentResult], where: str) -> str:
    """Returns the section on results, as Markdown: the promise beside its price if both were measured, and
    the experiments.
    """
    from tools.documents.results_table import experiment, is_price, price

    parts = [INTRODUCTION]
    if table := price(results):
        parts.append(f"{PRICE}\n{table}")
    parts += [experiment(each) for each in results if not (table and is_price(each))]
    return "\n".join([*parts, f"Machine: {where}.\n"])


def insert(readme: str, text: str) -> str:
    """Returns `readme` with `text` between the markers. ValueError: it has not exactly one pair of them."""
    if readme.count(BEGIN) != 1 or readme.count(END) != 1 or readme.index(BEGIN) > readme.index(END):
        raise ValueError(f"needs one line {BEGIN} and, after it, one line {END}")
    before, rest = readme.split(BEGIN)
    return f"{before}{BEGIN}\n\n{text}\n{END}{rest.split(END)[1]}"


def measure(folder: pathlib.Path) -> list[pathlib.Path]:
    """Runs the experiments, and returns the files of their results."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, arguments in EXPERIMENTS.items():
        files.append((folder / f"{name}.json").resolve())
        command = [sys.executable, "-m", "thaw.lab", "compare", *arguments, "--json", str(files[-1])]
        subprocess.run(command, cwd=ROOT, check=True)
    return files


def read(path: pathlib.Path) -> ExperimentResult:
    """Reads a result. ValueError names the fault of the file."""
    from thaw.lab.results import ExperimentResult

    try:
        value = json.loads(path.read_text())
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"{path} is no JSON: {error}") from None
    except RecursionError:
        raise ValueError(f"{path} is nested too deeply") from None
    try:
        result = ExperimentResult.from_json(value)
    except ValueError as error:
        raise ValueError(f"{path} is no result of `tools/lab compare --json`: {error}") from None
    if not result.arms:
        raise ValueError(f"{path} is no result of `tools/lab compare --json`: it has no arms")
    if not result.complete:
        raise ValueError(f"{path} was stopped early; a table is made from whole experiments")
    return result


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tools.documents.update_readme",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="%(prog)s [--help] (--measure FOLDER | RESULT.json...)",
    )
    parser.add_argument("results", nargs="*", type=pathlib.Path, metavar="RESULT.json")
    parser.add_argument(
        "--measure",
        type=pathlib.Path,
        metavar="FOLDER",
        help="measure, and write the results into this folder",
    )
    arguments = parser.parse_args(["--help"] if {"--help", "-h"} & set(sys.argv[1:]) else None)
    if bool(arguments.results) == (arguments.measure is not None):
        parser.error("give either results or --measure FOLDER")
    path = ROOT / "README.md"
    insert(path.read_text(), "")  # an error of the README is reported before anything is measured
    try:
        files = arguments.results or measure(arguments.measure)
        results = [read(file) for file in files]
    except (ValueError, OSError, subprocess.CalledProcessError) as error:
        parser.exit(1, f"{parser.prog}: {error}\n")
    path.write_text(insert(path.read_text(), section(results, machine())))


if __name__ == "__main__":
    main()
