"""The command `answer`: measures what is missing, and writes the document."""

from __future__ import annotations

import argparse
import concurrent.futures
import functools
import pathlib
import shlex
import sys
import time
from collections.abc import Mapping

from thaw.lab import arguments, needs
from thaw.lab.answer import estimate, page, parts, words
from thaw.lab.answer.estimate import Duration
from thaw.lab.experiment import ExperimentError, ExperimentSettings, Stopped
from thaw.lab.experiments import function_experiment, requirements, sweep
from thaw.lab.report import function_run, measure
from thaw.lab.report.function_run import FunctionRun, InvocationRow
from thaw.lab.stop import EXIT_CODE, Stop

HELP = "measures what a fresh connection costs, and writes the answer as a page"
DESCRIPTION = (
    "Runs the sweeps of the document on fresh connections, except what the folder of the results\n"
    "has already, and writes the document as Markdown and as one HTML page, with pictures and data\n"
    "beside it. All of it takes about 35 minutes on two cores, on a machine that does nothing else;\n"
    "Ctrl-C keeps finished points, and the same command goes on from there."
)
EPILOG = (
    "examples:\n"
    "  python -m thaw.lab answer --out fresh-connection-cost\n"
    "  python -m thaw.lab answer --blocks 1 --cycles 4        a first look, in about ten minutes\n"
    "  python -m thaw.lab answer --only round_trips,sizes     measures these, writes no document"
)
_INVOCATIONS = 60
# Flush strategies of the extensions beside the real function, of which several invocations take 200 ms.
_STRATEGIES = ("end", "periodically,200", "continuously,200", "default")
_RESULTS = pathlib.Path("answer-results")
_SAY_EVERY = 30.0  # seconds


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    option = parser.add_argument
    option(
        "--out",
        type=arguments.output_document,
        default=pathlib.Path("fresh-connection-cost"),
        metavar="PATH",
        help="the document: PATH.md, PATH.html and the folder PATH (default: %(default)s)",
    )
    arguments.add_results(parser, _RESULTS)
    option(
        "--blocks",
        type=arguments.integer(1, 1000),
        metavar="N",
        help="blocks of each sweep (default: its spec's)",
    )
    option(
        "--cycles",
        type=arguments.integer(2, 100_000),
        metavar="N",
        help="cycles of each block (default: its spec's)",
    )
    option(
        "--only",
        type=arguments.several_of(parts.NAMES, "sweep"),
        metavar="A,B",
        help=f"measures only these sweeps and writes no document: {', '.join(parts.NAMES)}",
    )
    function_experiment.add_extension_argument(parser)
    requirements.add_idle(parser)
    option("--without-function", action="store_true", help="leaves the real function out")
    parser.set_defaults(run=run_command)


def run_command(given: argparse.Namespace) -> int:
    """Runs the command. ValueError: an argument or a spec is wrong, or something is not installed."""
    wanted = parts.read(given.only or parts.NAMES, blocks=given.blocks, cycles=given.cycles)
    arms = dict.fromkeys(arm for part in wanted for point in part.points() for arm in point.arms)
    needs.require(needs.of_arms(tuple(arms)), "this document")
    extensions = function_experiment.extensions_of(given.extension)
    with Stop.on_interrupt() as stop:
        failed = _measure(wanted, given, stop)
        if stop.requested:
            return EXIT_CODE
        stored = [file for part in wanted for file in part.files(given.results)]
        good = requirements.check_points(given, stored) and not failed
        if given.only:
            return 0 if good else 1
        function = "it was left out" if given.without_function else _function(given.results, extensions)
    document = page.make(wanted, given.results, function, _again(given))
    for path in document.write(given.out)[:2]:
        print(f"document: {path.resolve()}")
    return 0 if good else 1


class _Shown:
    """Shows on standard error how far the measurement is: after each point, and every half a minute."""

    def __init__(self, missing: list[ExperimentSettings], there: int) -> None:
        self._duration = Duration(missing)
        self._total, self._number = len(missing), 0
        self._begun = self._last = time.monotonic()
        already = f"; {words.count(there, 'point')} of all were measured before" if there else ""
        expected = estimate.in_words(self._duration.expected)
        self._say(f"{words.count(self._total, 'point')}, about {expected} on an idle machine{already}")

    def arm_done(self, point: ExperimentSettings, arm: str) -> None:
        self._duration.arm_done(point, arm)
        if time.monotonic() - self._last >= _SAY_EVERY:
            self._say(f"under way: {self._state()}")

    def point_done(self, name: str, state: sweep.Progress) -> None:
        if isinstance(state.error, Stopped):
            return
        self._number += 1
        text = f"{self._number}/{self._total} {name}, {_conditions(state.point)}, {self._state()}"
        self._say(f"{text}: {type(state.error).__name__}: {state.error}" if state.error else text)

    def _state(self) -> str:
        elapsed = time.monotonic() - self._begun
        left = estimate.in_words(self._duration.left(elapsed))
        return f"{estimate.in_words(elapsed)} gone, about {left} left"

    def _say(self, text: str) -> None:
        self._last = time.monotonic()
        print(f"answer: {text}", file=sys.stderr, flush=True)


def _conditions(point: ExperimentSettings) -> str:
    """Returns the conditions that tell a point from the others of its sweep."""
    if point.close != "none":
        return point.close
    said = [words.count(point.payloads, "payload"), f"round trip {words.milliseconds(point.round_trip)}"]
    plain = ExperimentSettings()
    said += [
        f"{name} {getattr(point, name)}"
        for name in ("tls_version", "filler_bytes", "cpu_share")
        if getattr(point, name) != getattr(plain, name)
    ]
    return ", ".join(said)


def _measure(wanted: list[parts.Part], given: argparse.Namespace, stop: Stop) -> int:
    """Measures what is missing, one point at a time. Returns how many points failed."""
    missing = {part.name: part.missing(given.results) for part in wanted}
    points = [point for each in missing.values() for point in each]
    if not points:
        return 0
    load = requirements.load_before(given, {point.world for point in points})
    shown = _Shown(points, sum(1 for part in wanted for _ in part.points()) - len(points))
    failed = 0
    for part in wanted:
        if stop.requested or not missing[part.name]:
            continue
        with concurrent.futures.ThreadPoolExecutor(1) as executor:
            try:
                errors = part.run(
                    given.results,
                    executor,
                    stop,
                    functools.partial(shown.point_done, part.name),
                    load=load,
                    arm_done=shown.arm_done,
                )
            except OSError:
                stop.request()
                raise
        failed += sum(not isinstance(error, Stopped) for _, error in errors)
    return failed


def _function(results: pathlib.Path, extensions: Mapping[str, pathlib.Path]) -> list[FunctionRun] | str:
    """Runs the real function, or reads what an earlier command saw of it. A text says why there is none."""
    path = results / f"function-strategies-{'-'.join(extensions)}.parquet"
    if not path.exists():
        try:
            runs = function_experiment.run(
                extensions,
                _INVOCATIONS,
                lambda line: print(line, file=sys.stderr),
                strategies=_STRATEGIES,
            )
        except (ExperimentError, OSError, ValueError) as error:
            return str(error)
        function_run.write(path, runs)
    rows = measure.read_rows(path, InvocationRow)
    names = dict.fromkeys(row.extension for row in rows)
    return [FunctionRun(name, rows=[row for row in rows if row.extension == name]) for name in names]


def _again(given: argparse.Namespace) -> str:
    words = ["python", "-m", "thaw.lab", "answer"]
    if given.results != _RESULTS:
        words += ["--results", str(given.results)]
    for name in ("blocks", "cycles"):
        if (value := getattr(given, name)) is not None:
            words += [f"--{name}", str(value)]
    for name, file in given.extension or ():
        words += ["--extension", f"{name}={file}"]
    if given.without_function:
        words.append("--without-function")
    return shlex.join(words)
