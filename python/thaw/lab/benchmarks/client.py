"""Measures a client: processor time, compared with libcurl's; connections and time of a flush; memory.

    python -m thaw.lab.benchmarks --json figures.json [cpu|flush|memory|simulation|invariants]...

Each benchmark returns plain dictionaries; `tools/benchmarks` runs them all, with the C++ ones, and writes
docs/benchmarks.md. Comparisons are ratios within one run.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from functools import partial

from thaw.lab.arguments import Parser, help_only, output_file
from thaw.lab.benchmarks.flush import flush_of_many
from thaw.lab.benchmarks.intake import Figures
from thaw.lab.benchmarks.memory import memory
from thaw.lab.benchmarks.processor_time import processor_time
from thaw.lab.benchmarks.simulation import invariants, simulation


def measure(names: list[str], *, quick: bool = False) -> Figures:
    """Runs the named groups; `quick` makes each as short as it can be and still run."""
    rounds = 1 if quick else 15
    figures: Figures = {}

    def run(group: str, label: str, benchmark: Callable[[], Figures]) -> None:
        print(f"benchmark: {group}: {label}", file=sys.stderr, flush=True)
        figures.setdefault(group, []).append(benchmark())

    if "cpu" in names:
        for pooled, resumption in ((False, False), (False, True), (True, False)):
            label = f"{'pooled' if pooled else 'fresh'}, resumption {'on' if resumption else 'off'}"
            run("cpu", label, partial(processor_time, pooled=pooled, resumption=resumption, rounds=rounds))
    if "flush" in names:
        for round_trip in (0.0, 0.02, 0.08):
            for sharing in (True, False):
                label = f"round trip {round_trip * 1e3:.0f} ms, sharing {'on' if sharing else 'off'}"
                flush = partial(flush_of_many, round_trip=round_trip, sharing=sharing)
                run("flush", label, partial(flush, rounds=1 if quick else 5))
    if "memory" in names:
        few = {"clients": 5, "connections": 10} if quick else {}
        run("memory", "idle clients and connections", partial(memory, **few))
    if "simulation" in names:
        run("simulation", "world W0", partial(simulation, cycles=1000 if quick else 100_000))
    if "invariants" in names:
        cycles = 80_000 if quick else 10_000_000
        run("invariants", f"world W0, {cycles:,} cycles", partial(invariants, cycles=cycles))
    return figures


GROUPS = ("cpu", "flush", "memory", "simulation", "invariants")


def main() -> None:
    parser = Parser(prog="python -m thaw.lab.benchmarks", description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "groups", nargs="*", metavar="GROUP", help=f"the groups to run, of {', '.join(GROUPS)} (default: all)"
    )
    parser.add_argument(
        "--json", type=output_file, help="writes the figures into this file (default: prints them)"
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="runs one short round of each group, to try whether it works; the figures mean little",
    )
    arguments = parser.parse_args(help_only(sys.argv[1:], ()))
    if unknown := sorted(set(arguments.groups) - set(GROUPS)):
        parser.error(f"no such group: {', '.join(unknown)}")
    os.environ.pop("SSLKEYLOGFILE", None)
    text = json.dumps(measure(arguments.groups or list(GROUPS), quick=arguments.quick), indent=1)
    if arguments.json:
        arguments.json.write_text(text + "\n")
    else:
        print(text)
