"""The columns of every table about arms: which figure each shows, what it is called and what it means."""

from __future__ import annotations

import operator
from dataclasses import dataclass

from thaw.lab.experiment_result import ArmResult, ExperimentResult


@dataclass(frozen=True)
class Column:
    """A figure of an arm.

    Attributes:
      path: the place of the figure in an `ArmResult`.
      title, meaning: the column's name, and the meaning of its figures.
      narrow: the two lines above the column in the terminal, which has no column without them.
      digits: decimal places.
    """

    path: str
    title: str
    meaning: str
    narrow: tuple[str, str] | None = None
    digits: int = 0

    def value(self, arm: ArmResult) -> float | None:
        """Returns the figure; None if the arm has none."""
        number: float | None = operator.attrgetter(self.path)(arm)
        return number

    def text(self, arm: ArmResult) -> str:
        value = self.value(arm)
        return "–" if value is None else f"{value:.{self.digits}f}"


COLUMNS = (
    Column("payloads", "payloads", "Given to the client to deliver.", ("pay-", "loads")),
    Column("delivered", "delivered", "Arrived at least once, by the server's own count.", ("deliv-", "ered")),
    Column(
        "lost",
        "lost",
        "Never arrived, and is neither kept nor dropped for another reason than that sending failed: what a"
        " client throws away because sending failed is lost.",
        ("", "lost"),
    ),
    Column("late", "late", "Arrived in a later cycle than the one in which it was given.", ("", "late")),
    Column("duplicated", "duplicated", "Arrived more than once.", ("dupli-", "cated")),
    Column(
        "possible_duplicate",
        "flagged",
        "A failure left open whether it had arrived, and the client marked it as possibly there twice.",
        ("", "flagged"),
    ),
    Column(
        "retained",
        "retained",
        "Still kept by the client at the end.",
        ("re-", "tained"),
    ),
    Column(
        "dropped",
        "dropped",
        "Given up by the client for a reason other than that sending failed, and counted.",
        ("", "dropped"),
    ),
    Column("requests", "requests", "Requests that the client began, repeats included."),
    Column(
        "bytes_per_request",
        "bytes/request",
        "Mean size of a request's body as it was sent, of those that arrived whole.",
        ("bytes/", "request"),
    ),
    Column("errors", "errors", "Exchanges that failed; most are repeated."),
    Column("connections", "connections", "Connections opened.", ("connec-", "tions")),
    Column("handshakes_full", "full handshakes", "TLS handshakes from nothing.", ("TLS", "full")),
    Column(
        "handshakes_resumed",
        "resumed",
        "TLS handshakes that resumed an earlier session.",
        ("TLS", "resumed"),
    ),
    Column("stale", "stale", "Connections that looked open and were dead when they were used or looked at."),
    Column(
        "cpu_us_per_payload",
        "CPU µs/payload",
        "Processor time of the client's process, for each payload given to it.",
        ("CPU µs", "each"),
    ),
    Column("flush_ms.p50", "flush p50 ms", "Half of the flushes took no longer.", ("flush", "p50 ms"), 1),
    Column(
        "flush_ms.p99",
        "flush p99 ms",
        "99 of 100 flushes took no longer.",
        ("flush", "p99 ms"),
        1,
    ),
    Column(
        "first_flush_ms",
        "first flush ms",
        "The median of each block's first flush, which finds no connection, no TLS session and cold caches."
        " The other times and the processor time leave it out.",
        ("first", "ms"),
        1,
    ),
)


def shown(result: ExperimentResult) -> list[Column]:
    """Returns the columns in which an arm of a result has a figure."""
    return [
        column for column in COLUMNS if any(column.value(arm) is not None for arm in result.arms.values())
    ]
