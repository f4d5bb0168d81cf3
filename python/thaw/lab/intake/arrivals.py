"""Counts of arrivals of each thing of a kind: spans, log lines, points of metrics."""

from __future__ import annotations

import collections
from collections.abc import Iterable
from typing import Generic, TypeVar

T = TypeVar("T")


class Arrivals(Generic[T]):
    """Counts what accepted requests brought.

    Attributes:
      times: how often each thing was accepted.
      unanswered: how often each was accepted without a prompt answer to its sender, which may then send it
        again.
      first_periods: the period of the runner in which each thing first came.
    """

    def __init__(self) -> None:
        self.times: collections.Counter[T] = collections.Counter()
        self.unanswered: collections.Counter[T] = collections.Counter()
        self.first_periods: dict[T, int] = {}

    def add(self, things: Iterable[T], *, answered: bool, period: int) -> None:
        """Counts the things of a request that was accepted."""
        for thing in things:
            self.times[thing] += 1
            self.first_periods.setdefault(thing, period)
            if not answered:
                self.unanswered[thing] += 1
