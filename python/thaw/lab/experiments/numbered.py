"""The account of data that the function numbers and gets no answer for: log lines, and points of metrics."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from thaw.lab.emulator.functions.poster import METRICS, POINTS_OF_DATAGRAM
from thaw.lab.intake import Intake, Line, Point, PointKey

# The most entries of a batch of logs, and so the most lines of a batch that is reported as lost.
_BATCH_LINES = 1000
_LINE = re.compile(r"line (\d+)")
_NUMBER_TAG = "number:"
_POSTED = {name for name, _ in METRICS}


@dataclass
class Numbered:
    """The fates of one kind of data, by number.

    Attributes:
      name: the kind's name, in the plural.
      taken: the numbers that were handed over to the extension.
      times: how often each arrived.
      unanswered: how often each arrived without a prompt answer to its sender, which may then send it again.
      reported_lost: how many at most the extension reported as dropped, or as kept at its end.
      repeated: whether the extension may have been given some of them twice.
    """

    name: str
    taken: set[int] = field(default_factory=set)
    times: dict[int, int] = field(default_factory=dict)
    unanswered: dict[int, int] = field(default_factory=dict)
    reported_lost: int = 0
    repeated: bool = False

    @property
    def missing(self) -> list[int]:
        """The numbers that were taken and never arrived."""
        return sorted(number for number in self.taken if not self.times.get(number))

    @property
    def arrived(self) -> int:
        """The number of those that were taken and arrived."""
        return len(self.taken) - len(self.missing)

    @property
    def beyond(self) -> list[int]:
        """The numbers that arrived more often than they may."""
        return sorted(
            number for number, times in self.times.items() if times > 1 + self.unanswered.get(number, 0)
        )

    def violations(self, *, counts_lost: bool, cut_off: bool) -> list[str]:
        """Names each invariant that is broken, in a line.

        Args:
          counts_lost: whether the extension's last counts are lost, since it was killed or its output unread.
          cut_off: whether it may have missed answers of the intake, and so may have sent twice.
        """
        wrong = []
        if len(self.missing) > self.reported_lost and not counts_lost:
            wrong.append(
                f"{len(self.missing)} {self.name} were taken and never arrived, {self.reported_lost} are"
                f" accounted for; the first: {self.missing[:5]}"
            )
        if self.beyond and not cut_off and not self.repeated:
            wrong.append(
                f"{len(self.beyond)} {self.name} arrived more often than they may: {self.beyond[:5]}"
            )
        return wrong


def number_of_line(text: str) -> int | None:
    """Returns the number of a line of the function, or None if it is another line."""
    found = _LINE.fullmatch(text.rstrip("\n"))
    return int(found[1]) if found else None


def log_lines(
    taken: Iterable[int], intake: Intake, counts: Mapping[str, Any] | None, *, repeated: bool
) -> Numbered:
    """Returns the account of the function's log lines.

    Args:
      counts: the extension's last ones; None: there are none.
    """
    made = Numbered(
        "log lines",
        set(taken),
        numbers_of_lines(intake.lines()),
        numbers_of_lines(intake.lines_unanswered()),
        repeated=repeated,
    )
    if counts is not None and "logs" in counts:
        logs, pipeline = counts["logs"], counts["flush"]["pipelines"]["logs"]
        batches = sum(pipeline["dropped"].values()) + pipeline["kept"]
        dropped = logs["flooded"] + logs["turned_away"]
        not_handed_over = max(0, logs["lines"] - logs["entries"] - dropped)
        made.reported_lost = dropped + not_handed_over + min(logs["entries"], _BATCH_LINES * batches)
    return made


def numbers_of_lines(lines: Mapping[Line, int]) -> dict[int, int]:
    """Returns how often each numbered line arrived."""
    numbers: dict[int, int] = {}
    for line, times in lines.items():
        if (number := number_of_line(line.text)) is not None:
            numbers[number] = numbers.get(number, 0) + times
    return numbers


def points(sent: int, intake: Intake, counts: Mapping[str, Any] | None) -> Numbered | None:
    """Returns the account of the function's first `sent` points of metrics.

    A point comes twice at most where the intake took it on a connection that had served a request before, and
    closed it without an answer: that looks like a connection that was closed earlier, and is counted as a
    possible duplicate.

    Args:
      counts: the extension's last ones; None: there are none.

    Returns None if the extension does not take metrics, or never said whether it does: a datagram that no
    process reads looks like one that is taken.
    """
    if counts is None or "dogstatsd" not in counts:
        return None
    received, metrics = counts["dogstatsd"], counts["metrics"]
    pipelines = [counts["flush"]["pipelines"][name] for name in ("series", "sketches")]
    reported_lost = metrics["dropped"] + metrics["limited"] + metrics["turned_away"]
    if any(sum(each["dropped"].values()) + each["kept"] for each in pipelines):
        reported_lost += metrics["points"] + metrics["sketches"]
    return Numbered(
        "points",
        set(range(sent)),
        samples_by_number(intake.all_points()),
        unanswered_by_number(intake.points_unanswered()),
        reported_lost=reported_lost + POINTS_OF_DATAGRAM * received["dropped"],
    )


def points_sent(journal: Iterable[str]) -> int:
    """Returns how many points a journal of the function says were sent."""
    return max((int(line.split()[1]) for line in journal if line.startswith("points")), default=0)


def samples_by_number(points: Iterable[Point]) -> dict[int, int]:
    """Returns how many samples of each numbered point arrived. Counts are added up, as the intake does."""
    numbers: dict[int, int] = {}
    for point in points:
        if (number := _number_of_point(point.key)) is None:
            continue
        samples = round(point.value) if point.key.type == "count" else point.samples
        numbers[number] = numbers.get(number, 0) + samples
    return numbers


def unanswered_by_number(points: Mapping[PointKey, int]) -> dict[int, int]:
    """Returns how often each numbered point arrived without a prompt answer to its sender."""
    numbers: dict[int, int] = {}
    for key, times in points.items():
        if (number := _number_of_point(key)) is not None:
            numbers[number] = numbers.get(number, 0) + times
    return numbers


def _number_of_point(key: PointKey) -> int | None:
    if key.metric not in _POSTED:
        return None
    tag = next((each for each in key.tags if each.startswith(_NUMBER_TAG)), None)
    return None if tag is None else int(tag.removeprefix(_NUMBER_TAG))
