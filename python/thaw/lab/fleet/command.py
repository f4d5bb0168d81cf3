"""The command `fleet`: simulates fleets, and writes the document."""

from __future__ import annotations

import argparse
import math
import os
import pathlib
import shlex
import sys
from typing import Any

from thaw.lab import arguments
from thaw.lab.experiments import executors
from thaw.lab.fleet import costs, policies
from thaw.lab.fleet.scene import Scene
from thaw.lab.fleet.settings import SIZES, Settings

HELP = "simulates fleets of up to ten million sandboxes and an outage; writes a page"
DESCRIPTION = (
    "Simulates fleets of sandboxes from what a handshake and an exchange cost: handshakes a second at\n"
    "the intake and at a NAT gateway, processors that TLS takes, and an outage with its recovery, for\n"
    "clients that keep connections, dial for each request, share connections within a flush, or do that\n"
    "with a breaker. Writes the page as Markdown and as one HTML file, with pictures and data beside it.\n"
    "Takes two minutes on two processors."
)
EPILOG = (
    "arms:\n"
    + "\n".join(f"  {each.name:<8} {each.text}" for each in policies.POLICIES.values())
    + "\n\nexamples:\n"
    "  python -m thaw.lab fleet --out fleet\n"
    "  python -m thaw.lab fleet --outage 900 --headroom 2 --interval 60      rarer flushes, a longer outage\n"
    "  python -m thaw.lab fleet --measure-costs --results answer-results     costs of this machine\n"
    "  python -m thaw.lab fleet --most-simulated 10000000 --executor dask://scheduler:8786   every sandbox\n"
)
_SCENE = {
    "interval": "time in which a sandbox flushes once, on average",
    "spread": "how much sandboxes differ: the standard deviation of the logarithm of their rates",
    "requests": "requests of a flush",
    "active": "how long a sandbox runs for each flush",
    "idle_limit": "how long the intake keeps an idle connection",
    "before": "time before the outage",
    "outage": "how long the intake can't be reached",
    "after": "time that is simulated after the outage",
    "headroom": "the intake's capacity, as a multiple of the usual requests a second; it refuses the rest",
    "bin": "the length of a step of the series",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    option = parser.add_argument
    option(
        "--out",
        type=arguments.output_document,
        default=pathlib.Path("fleet"),
        metavar="PATH",
        help="the document: PATH.md, PATH.html and the folder PATH, with result.json and series.parquet"
        " (%(default)s)",
    )
    option(
        "--arms",
        type=arguments.checked(policies.find),
        metavar="A,B",
        help="the arms, some of those below (default: all)",
    )
    option(
        "--sizes",
        type=arguments.checked(_sizes),
        default=SIZES,
        metavar="N,M",
        help=f"numbers of sandboxes (default: {','.join(map(str, SIZES))})",
    )
    _add_scene(option)
    _add_costs(option)
    _add_simulation(option)
    parser.set_defaults(run=run_command)


def _add_scene(option: Any) -> None:
    for name, text in _SCENE.items():
        default = getattr(Scene(), name)
        kind: Any = int if name == "requests" else float
        unit = "" if name in ("requests", "spread", "headroom") else ", seconds"
        option(
            f"--{name.replace('_', '-')}",
            type=kind,
            default=default,
            metavar="N" if kind is int else "X",
            help=f"{text}{unit} (%(default)s)",
        )


def _add_simulation(option: Any) -> None:
    option(
        "--seed",
        type=arguments.integer(0, 2**63 - 1),
        default=1,
        metavar="N",
        help="the seed of the random draws (default: %(default)s)",
    )
    option(
        "--most-simulated",
        type=arguments.integer(1, 1_000_000_000),
        default=Settings().most_simulated,
        metavar="N",
        help="sandboxes of which events are drawn at most; a larger fleet is scaled from them (%(default)s)",
    )
    option(
        "--workers",
        type=arguments.integer(1, 256),
        default=os.cpu_count() or 1,
        metavar="N",
        help="threads that simulate parts of a fleet (%(default)s)",
    )
    option(
        "--executor",
        type=arguments.checked(executors.check),
        metavar="dask://HOST:PORT",
        help="simulates on the workers of a Dask cluster, which have this package, not in threads here",
    )


def _add_costs(option: Any) -> None:
    option(
        "--results",
        type=arguments.input_folder,
        metavar="FOLDER",
        help="results of `thaw.lab answer`: the client's costs are read from its calibration",
    )
    option(
        "--measure-costs",
        action="store_true",
        help="measures the intake's costs of TLS on this machine, which takes a second or two",
    )
    option(
        "--costs",
        type=pathlib.Path,
        metavar="FILE",
        help="takes the costs from the result.json of an earlier run",
    )
    option(
        "--round-trip",
        type=float,
        default=0.02,
        metavar="S",
        help="the round trip between sandbox and intake, seconds (%(default)s)",
    )
    option(
        "--destinations",
        type=arguments.integer(1, 100_000),
        default=1,
        metavar="N",
        help="addresses of the intake, among which a NAT gateway's connections are spread (%(default)s)",
    )


def _sizes(text: str) -> tuple[int, ...]:
    found = []
    for each in text.split(","):
        try:
            number = float(each)
        except ValueError:
            number = math.nan
        if not (1 <= number <= 1e12 and number == int(number)):
            raise ValueError(f"{each.strip()!r} is no number of sandboxes")
        found.append(int(number))
    return tuple(sorted(set(found)))


def run_command(given: argparse.Namespace) -> int:
    """Runs the command. ValueError: an argument is wrong. MeasureError: results can't be read."""
    from thaw.lab.fleet import page, study  # numpy takes a while, and --help needs none

    settings = _settings(given)

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    with executors.open_executor(given.executor, given.workers) as executor:
        made = study.run(settings, executor, say)
    document = page.make(made, _again(given))
    written = document.write(given.out)
    made.write(given.out)
    for path in written[:2]:
        print(f"document: {path.resolve()}")
    return 0


def _settings(given: argparse.Namespace) -> Settings:
    scene = Scene(**{name: getattr(given, name) for name in _SCENE})
    arms = given.arms or list(policies.POLICIES.values())
    return Settings(
        arms=tuple(each.name for each in arms),
        sizes=given.sizes,
        scene=scene,
        costs=_costs(given),
        seed=given.seed,
        most_simulated=given.most_simulated,
        round_trip=given.round_trip,
        destinations=given.destinations,
    )


def _costs(given: argparse.Namespace) -> costs.Costs:
    if given.costs is not None and (given.measure_costs or given.results is not None):
        raise ValueError("--costs has all costs: it goes with neither --measure-costs nor --results")
    if given.costs is not None:
        return costs.read(given.costs)
    found = costs.DEFAULT
    if given.measure_costs:
        from thaw.lab.fleet import measured_costs  # its certificates take a while to import

        found = measured_costs.measured_here()
    if given.results is None:
        return found
    try:
        return found.with_client(given.results)
    except LookupError as error:
        raise ValueError(f"--results {given.results}: its calibration is not complete: {error}") from None


def _again(given: argparse.Namespace) -> str:
    words = ["python", "-m", "thaw.lab", "fleet"]
    plain = Settings()
    for name in _SCENE:
        if (value := getattr(given, name)) != getattr(plain.scene, name):
            words += [f"--{name.replace('_', '-')}", f"{value:g}"]
    for name in ("seed", "most_simulated", "round_trip", "destinations"):
        if (value := getattr(given, name)) != getattr(plain, name):
            words += [f"--{name.replace('_', '-')}", f"{value}"]
    if given.arms:
        words += ["--arms", ",".join(each.name for each in given.arms)]
    if given.sizes != SIZES:
        words += ["--sizes", ",".join(map(str, given.sizes))]
    for name in ("results", "costs"):
        if (path := getattr(given, name)) is not None:
            words += [f"--{name}", str(path)]
    if given.measure_costs:
        words.append("--measure-costs")
    return shlex.join(words)
