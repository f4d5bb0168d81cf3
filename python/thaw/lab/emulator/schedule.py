"""The times at which a function is invoked, and the events.

    Schedule([{"n": 1}, {"n": 2}], repeat=50, gaps=gaps("0.1"))     a hundred invocations, 0.1 s apart
    Schedule(events, gaps=gaps("0,0,30"))                           two at once, then a pause
    Schedule(events, gaps=gaps("poisson:2"))                        as independent callers come

The gap is from the end of an invocation to the next event, in which the environment is frozen.
"""

from __future__ import annotations

import itertools
import json
import pathlib
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

LONGEST_GAP = 1e6  # seconds


@dataclass(frozen=True)
class Schedule:
    """All `events` in turn, `repeat` times. `gaps` are seconds before each but the first; none: no gaps."""

    events: Sequence[Any]
    repeat: int = 1
    gaps: Iterable[float] = ()

    def __len__(self) -> int:
        return len(self.events) * self.repeat

    def __iter__(self) -> Iterator[tuple[float, Any]]:
        """Yields the seconds to wait, and the event, of each invocation."""
        events = itertools.chain.from_iterable(itertools.repeat(self.events, self.repeat))
        yield from zip(itertools.chain([0.0], self.gaps, itertools.repeat(0.0)), events, strict=False)


class Gaps:
    """Seconds without end, the same each time they are gone through. Made by `gaps`."""

    def __init__(self, values: Sequence[float], mean: float | None, seed: int) -> None:
        self._values, self._mean, self._seed = values, mean, seed

    def __iter__(self) -> Iterator[float]:
        if self._mean is None:
            return itertools.cycle(self._values)
        chance = random.Random(self._seed)
        rate = 1 / self._mean
        return (chance.expovariate(rate) for _ in itertools.count())


def gaps(text: str, *, seed: int = 1) -> Gaps:
    """Reads gaps: seconds with commas between them, used in turn, or poisson:MEAN. ValueError says what is
    wrong.
    """
    kind, colon, mean = text.partition(":")
    try:
        if colon:
            if kind != "poisson" or not 0 < float(mean) <= LONGEST_GAP:
                raise ValueError
            return Gaps([], float(mean), seed)
        values = [float(each) for each in text.split(",")]
        if not all(0 <= value <= LONGEST_GAP for value in values):
            raise ValueError
    except ValueError:
        raise ValueError(f"{text!r} is neither seconds with commas between them nor poisson:MEAN") from None
    return Gaps(values, None, seed)


def read_events(path: pathlib.Path) -> list[Any]:
    """Reads a file that is one event in JSON, or has one on each line. ValueError names the line."""
    try:
        text = path.read_text(encoding="utf-8-sig")  # editors of Windows write a mark at the beginning
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not a text in UTF-8") from None
    try:
        return [event_of(text)]
    except ValueError:
        pass
    events = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                events.append(event_of(line))
            except ValueError as error:
                raise ValueError(f"{path}:{number}: not JSON: {error}") from None
    if not events:
        raise ValueError(f"{path} has no events")
    return events


def event_of(text: str) -> Any:
    """Returns the event of a JSON text. ValueError: Lambda does not accept it."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON")
