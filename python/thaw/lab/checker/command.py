"""The command `check`: verdicts on stored experiments."""

from __future__ import annotations

import argparse
import os
import pathlib
from collections.abc import Sequence

from thaw.lab import arguments
from thaw.lab.checker.history import History, Outcome, Verdict, check
from thaw.lab.checker.stored import Found, read

HELP = "checks stored experiments: is every payload accounted for, and every promise kept?"
EXIT_CODES: dict[Outcome, int] = {"valid": 0, "invalid": 1, "unknown": 3}
# The verdict on several is the first of these that one of them has.
_WORST: tuple[Outcome, ...] = ("invalid", "unknown", "valid")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths",
        nargs="+",
        type=_file_or_folder,
        metavar="FOLDER",
        help="folder of `compare --rows`, `sweep` or `main`, a folder that has such ones, or a result's file",
    )
    parser.set_defaults(run=run_command)


def _file_or_folder(text: str) -> pathlib.Path:
    return arguments.input_folder(text) if os.path.isdir(text) else arguments.input_file(text)


def run_command(given: argparse.Namespace) -> int:
    """Prints a verdict for each arm of each experiment, and the one on all of them."""
    found = [each for path in given.paths for each in read(path)]
    verdicts = [verdict for each in found for verdict in _print(each)]
    outcome = worst([verdict.outcome for verdict in verdicts])
    counts = {kind: sum(verdict.outcome == kind for verdict in verdicts) for kind in _WORST}
    said = ", ".join(f"{number} {kind}" for kind, number in counts.items() if number)
    print(f"verdict: {outcome} ({said or 'no stored experiment was found'})")
    return EXIT_CODES[outcome]


def worst(outcomes: Sequence[Outcome]) -> Outcome:
    """Returns the verdict on several: unknown if there are none."""
    return next((each for each in _WORST if each in outcomes), "unknown")


def _print(found: Found) -> list[Verdict]:
    if found.problem:
        print(f"{found.name}: unknown: {found.problem}")
        return [Verdict("unknown", found.problem)]
    verdicts = []
    for history in found.histories:
        verdict = check(history)
        verdicts.append(verdict)
        print(f"{found.name}: {line(history, verdict)}")
    return verdicts


def line(history: History, verdict: Verdict) -> str:
    """Returns one arm's verdict, and its counts or its witness."""
    if verdict.outcome != "valid":
        return f"arm {history.arm}: {verdict.outcome}: {verdict.witness}"
    counts = history.known_counts
    assert counts is not None  # else it would be unknown
    unflagged = "unknown" if history.unflagged is None else str(history.unflagged)
    late = "" if history.late is None else f", {history.late} late"
    return (
        f"arm {history.arm}: valid: {counts.payloads} payloads, {counts.delivered} delivered,"
        f" {counts.lost} lost, {counts.duplicated} duplicated ({unflagged} unflagged){late},"
        f" {counts.retained} kept, {counts.dropped} dropped"
    )
