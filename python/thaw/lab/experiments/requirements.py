"""Requirements on a result, as text: a run of which one is not met ends with exit code 1.

    requirement = requirements.parse("thaw.lost == 0", arms=("v93", "thaw"))
    requirement.check(result)          # what was found, and whether it is met

The grammar:

    requirement = side operator side
    side        = number | ARM.COLUMN
    operator    = == | != | < | <= | > | >=

ARM is an arm of the experiment, with options in brackets or without; COLUMN is a figure of it, by its name in
the result's JSON (`lost`, `flush_ms.p50`).

    thaw.flush_ms.p50 < v93.flush_ms.p50
    thaw(max_idle_per_host=1).handshakes_full <= 10
"""

from __future__ import annotations

import argparse
import math
import operator
import pathlib
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from thaw.lab import arms as known_arms
from thaw.lab import host_load, named_values
from thaw.lab.experiment import ExperimentError
from thaw.lab.experiment_result import ExperimentResult
from thaw.lab.host_load import Load
from thaw.lab.report import dataset
from thaw.lab.report.columns import COLUMNS

_OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
# A quoted value of an arm's option, or an operator. The "=" of an option is none.
_PART = re.compile(r'"(?:\\.|[^"\\])*"|(==|!=|<=|>=|<|>)')
_COLUMNS = {column.path: column for column in COLUMNS}


@dataclass(frozen=True)
class Figure:
    """A column of an arm."""

    arm: str
    column: str

    def value(self, result: ExperimentResult) -> float | None:
        """Returns the figure; None if the arm was not run or has none."""
        arm = result.arms.get(self.arm)
        return None if arm is None else _COLUMNS[self.column].value(arm)

    def __str__(self) -> str:
        return f"{self.arm}.{self.column}"


@dataclass(frozen=True)
class Found:
    """A requirement beside what was found."""

    text: str
    met: bool

    def __str__(self) -> str:
        return f"require {self.text}: {'met' if self.met else 'NOT MET'}"


@dataclass(frozen=True)
class Requirement:
    """One requirement on a result."""

    left: Figure | float
    sign: str
    right: Figure | float

    def check(self, result: ExperimentResult) -> Found:
        """Compares the sides in a result. A figure that was not measured meets no requirement."""
        sides = [self.left, self.right]
        values = [side.value(result) if isinstance(side, Figure) else side for side in sides]
        left, right = values
        met = left is not None and right is not None and _OPERATORS[self.sign](left, right)
        found = ", ".join(
            f"{side} is {'not measured' if value is None else named_values.number(value)}"
            for side, value in zip(sides, values, strict=True)
            if isinstance(side, Figure)
        )
        return Found(f"{self}, {found}", met)

    def __str__(self) -> str:
        return " ".join(
            named_values.number(each) if isinstance(each, float) else str(each)
            for each in (self.left, self.sign, self.right)
        )


def parse(text: str, arms: Sequence[str]) -> Requirement:
    """Reads a requirement on a result of these arms.

    ValueError: it is not of the grammar, or names an arm or a column that there is not; the nearest is named.
    """
    signs = [match for match in _PART.finditer(text) if match[1]]
    if len(signs) != 1:
        raise ValueError(
            f"{text!r} is not of the form ARM.COLUMN OPERATOR NUMBER, with one operator of"
            f" {', '.join(_OPERATORS)}"
        )
    sign = signs[0][1]
    sides = [_side(each.strip(), arms) for each in (text[: signs[0].start()], text[signs[0].end() :])]
    if not any(isinstance(each, Figure) for each in sides):
        raise ValueError(f"{text!r} names no ARM.COLUMN")
    return Requirement(sides[0], sign, sides[1])


def _side(text: str, arms: Sequence[str]) -> Figure | float:
    try:
        number = float(text)
    except ValueError:
        pass
    else:
        if math.isnan(number):
            raise ValueError(f"{text!r} is no number, and equals none")
        return number
    name, column = _arm_and_column(text, arms)
    if name not in arms:
        raise ValueError(named_values.unknown("arm", name, arms))
    if column not in _COLUMNS:
        raise ValueError(named_values.unknown("column", column, _COLUMNS))
    return Figure(name, column)


def _arm_and_column(text: str, arms: Sequence[str]) -> tuple[str, str]:
    """Splits a side after the arm's name, which may have dots in its options."""
    for arm in sorted(arms, key=len, reverse=True):
        if text.startswith(f"{arm}."):
            return arm, text[len(arm) + 1 :]
    end = text.rfind(")") + 1
    arm, dot, column = (text[:end], text[end : end + 1], text[end + 1 :]) if end else text.partition(".")
    if dot != "." or not (arm and column):
        raise ValueError(f"{text!r} is neither a number nor ARM.COLUMN")
    return (known_arms.parse(arm).name if end else arm), column


# -- The command line --------------------------------------------------------------------------------------


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds `--require` and `--require-idle`."""
    parser.add_argument(
        "--require",
        action="append",
        default=[],
        metavar="'ARM.COLUMN OP NUMBER'",
        help="ends with exit code 1 if this does not hold, as in 'thaw.lost == 0' or"
        " 'thaw.flush_ms.p50 < v93.flush_ms.p50'; may be given again",
    )
    add_idle(parser)


def add_idle(parser: argparse.ArgumentParser) -> None:
    """Adds `--require-idle`."""
    parser.add_argument(
        "--require-idle",
        action="store_true",
        help="does not run while other processes use this machine, and ends with exit code 1 if they did"
        " meanwhile; without it, such a run is marked as busy",
    )


def wanted(given: argparse.Namespace, arms: Sequence[str]) -> list[Requirement]:
    """Reads each `--require`. ValueError names the one that can't be read."""
    found = []
    for text in given.require:
        try:
            found.append(parse(text, arms))
        except ValueError as error:
            raise ValueError(f"--require {text!r}: {error}") from None
    return found


def load_before(given: argparse.Namespace, worlds: Iterable[str]) -> Load | None:
    """Measures the machine's load, which takes a second; simulations need none.

    Raises ExperimentError: the machine is busy and `--require-idle` is given.
    """
    if all(world == "W0" for world in worlds):
        return None
    load = host_load.measure()
    if load is not None and load.busy:
        if given.require_idle:
            raise ExperimentError(f"the machine is busy: {load.busy} (--require-idle)")
        print(f"BUSY MACHINE, times will mean little: {load.busy}", file=sys.stderr)
    return load


def check(
    given: argparse.Namespace,
    wanted: Sequence[Requirement],
    result: ExperimentResult,
    where: str = "",
) -> bool:
    """Prints what was found for each requirement, after `where`. Returns whether all are met."""
    found = [each.check(result) for each in wanted]
    if given.require_idle and result.world != "W0":
        busy = f", {result.busy}" if result.busy else ""
        found.append(Found(f"an idle machine{busy}", not busy))
    for each in found:
        print(f"{where}{each}")
    return all(each.met for each in found)


def check_points(given: argparse.Namespace, paths: Iterable[pathlib.Path]) -> bool:
    """Prints which of these stored points were measured on a busy machine. Returns whether none was, or
    `--require-idle` was not given.
    """
    if not given.require_idle:
        return True
    found = {path: reason for path in paths if (reason := dataset.busy(path))}
    for path, reason in found.items():
        print(Found(f"an idle machine, {path.name}, {reason}", met=False))
    if found:
        print("A point is measured again once its file is removed.")
    return not found
