"""The extension's costs to a function: start-up, memory, throughput, and time in each phase of its life.

    python -m thaw.lab.benchmarks.extension                       # all of them: about half an hour
    python -m thaw.lab.benchmarks.extension logs dogstatsd        # two of them, with a table of their targets
    python -m thaw.lab.benchmarks.extension --scale 0.05 logs     # a quick look at whether it works

Everything is measured from outside, of the executable as it ships, in the emulated Lambda with a TLS 1.3
intake: times by the emulator's clock, memory and processor time by /proc. Requests are those of
`thaw.lab.workload.numbered_request`: one trace of ten spans with eight tags each. Each benchmark returns a
plain dictionary; `tools/benchmarks` runs them all and writes docs/benchmarks.md.

Figures of logs and metrics have bars (`targets`), and count only if the intake got each line, point and span
of the same run exactly once. What goes wrong with that account stands in the table in place of "once".
"""

from __future__ import annotations

import argparse
import asyncio
import json
import pathlib
import sys
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from thaw.lab import host_load, own_network, own_processes
from thaw.lab.arguments import Parser, help_only, integer, number, output_file
from thaw.lab.benchmarks.extension.bench import (
    MTU,
    SPANS,
    Bench,
    Figures,
)
from thaw.lab.benchmarks.extension.dogstatsd import datagram_rate, dogstatsd
from thaw.lab.benchmarks.extension.every_kind import connections, endurance_of_all, platform_only
from thaw.lab.benchmarks.extension.invocations import end_of_invocation, endurance, idle, outage
from thaw.lab.benchmarks.extension.life import shutdown, startup
from thaw.lab.benchmarks.extension.log_lines import logs
from thaw.lab.benchmarks.extension.memory import bounded, memory
from thaw.lab.benchmarks.extension.size import size
from thaw.lab.benchmarks.extension.targets import rows, table
from thaw.lab.benchmarks.extension.throughput import load, two_writes
from thaw.lab.executables import EXTENSION, EXTENSION_PORTS, LOAD_GENERATOR
from thaw.lab.workload.numbered_request import NumberedRequest

BENCHMARKS: dict[str, Callable[[Bench], Coroutine[Any, Any, Figures]]] = {
    "size": size,
    "startup": startup,
    "shutdown": shutdown,
    "memory": memory,
    "bounded": bounded,
    "load": load,
    "two_writes": two_writes,
    "end_of_invocation": end_of_invocation,
    "idle": idle,
    "outage": outage,
    "endurance": endurance,
    "logs": logs,
    "dogstatsd": dogstatsd,
    "datagram_rate": datagram_rate,
    "platform_only": platform_only,
    "connections": connections,
    "endurance_of_all": endurance_of_all,
}


def run(
    executable: pathlib.Path, names: Sequence[str] = (), *, scale: float = 1.0, quiet: bool = False
) -> Figures:
    """Runs the benchmarks of these names, or all, one after the other."""
    figures: Figures = {}
    with tempfile.TemporaryDirectory(prefix="thaw-bench-") as folder:
        for name in names or BENCHMARKS:

            def say(line: str, name: str = name) -> None:
                if not quiet:
                    print(f"{name}: {line}", file=sys.stderr, flush=True)

            say("…")
            load = host_load.measure()
            bench = Bench(executable, pathlib.Path(folder), NumberedRequest.of_spans(SPANS), scale, say)
            figures[name] = asyncio.run(BENCHMARKS[name](bench))
            figures[name]["busy"] = load.busy if load is not None else ""
            say(json.dumps(figures[name]))
    return figures


def main(arguments: Sequence[str] | None = None) -> int:
    parser = Parser(
        prog="python -m thaw.lab.benchmarks.extension",
        description=__doc__,
        epilog=_benchmarks_text(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "names",
        nargs="*",
        choices=[*BENCHMARKS, []],
        metavar="BENCHMARK",
        help="the benchmarks to run (default: all)",
    )
    parser.add_argument(
        "--extension",
        type=pathlib.Path,
        default=EXTENSION,
        help=f"the executable; a layer's is measured, others are slower ({EXTENSION.name} of the checkout)",
    )
    parser.add_argument(
        "--json", type=output_file, help="writes the figures and the rows of the table into this file"
    )
    parser.add_argument(
        "--mtu", type=integer(576, 65536), default=MTU, help=f"loopback's packet size ({MTU})"
    )
    parser.add_argument(
        "--scale",
        type=number(0, 1000, "times", above=True),
        default=1.0,
        help="of the numbers of runs, lines and datagrams; less is quicker, and figures mean less (1)",
    )
    given = parser.parse_args(help_only(sys.argv[1:] if arguments is None else arguments, ()))
    for needed in (given.extension, LOAD_GENERATOR):
        if not needed.exists():
            parser.error(f"{needed} does not exist; bazel build //cc:extension //tools/load_generator")
    if (crowd := own_processes.enter()) is not None:
        print(f"{crowd}; what is read of /proc costs more than in a sandbox", file=sys.stderr)
    note = own_network.enter(given.mtu)
    if note is not None:
        print(f"{note}; measured on the machine's loopback", file=sys.stderr)
        try:
            own_network.require_free(EXTENSION_PORTS)
        except ValueError as error:
            parser.error(str(error))
    figures = run(given.extension.resolve(), given.names, scale=given.scale)
    figures["mtu"] = own_network.mtu()
    measured = list(rows(figures))
    figures["targets"] = [row.to_dict() for row in measured]
    text = json.dumps(figures, indent=1)
    if given.json is not None:
        given.json.write_text(text + "\n")
    elif not measured:
        print(text)
    print(table(figures), end="")
    return 0 if all(not row.account for row in measured) else 1


def _benchmarks_text() -> str:
    """Returns a line for each benchmark, for --help."""
    width = max(map(len, BENCHMARKS))
    lines = [
        f"  {name:{width}}  {(benchmark.__doc__ or '').partition(chr(10))[0]}"
        for name, benchmark in BENCHMARKS.items()
    ]
    return "\n".join(["benchmarks:", *lines])
