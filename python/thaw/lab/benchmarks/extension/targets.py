"""Targets of logs and metrics: each figure beside its bar, its aim and the figure of Datadog's extension.

    for row in rows(figures):
        print(row.target.what, row.measured_text, row.verdict)

A figure counts only if its account is right: each line, point and span of the same run arrived exactly once.
Figures of the other side are of its release 99, built for release, on a machine of the same kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from thaw.lab.aligned import aligned

HEADINGS = ("what", "their v99", "bar", "aim", "measured", "account", "verdict")


@dataclass(frozen=True)
class Target:
    """A figure that is to be reached.

    Attributes:
      bar, aim: the bound that has to hold, and the better one that is wished for; None: there is no better.
      theirs: the other side's figure as text; empty: unknown.
      bound: "most": no more than the bar; "least": no less; "equal".
    """

    what: str
    unit: str
    bar: float
    aim: float | None = None
    theirs: str = ""
    bound: str = "most"
    digits: int = 2

    def holds(self, measured: float, limit: float) -> bool:
        if self.bound == "equal":
            return measured == limit
        return measured >= limit if self.bound == "least" else measured <= limit

    def text(self, value: float | None) -> str:
        """Returns a bound as text."""
        if value is None:
            return ""
        sign = {"most": "≤", "least": "≥", "equal": "="}[self.bound]
        return f"{sign} {value:,g}{self._unit}"

    def measured_text(self, measured: float) -> str:
        return f"{measured:,.{self.digits}f}{self._unit}"

    @property
    def _unit(self) -> str:
        return f" {self.unit}" if self.unit else ""


@dataclass(frozen=True)
class Row:
    """A target with the figure that was measured.

    Attributes:
      account: the fault of the account; empty: it is right.
      busy: the reason why the machine's times mean little; empty: it was idle.
      note: more about the figure, for the table.
    """

    target: Target
    measured: float
    account: tuple[str, ...] = ()
    busy: str = ""
    note: str = ""

    @property
    def reached(self) -> bool:
        """Returns whether the bar holds and the account is right."""
        return not self.account and self.target.holds(self.measured, self.target.bar)

    @property
    def verdict(self) -> str:
        if self.account:
            return "does not count"
        if not self.reached:
            return "missed"
        aim = self.target.aim
        return "aim" if aim is not None and self.target.holds(self.measured, aim) else "bar"

    @property
    def measured_text(self) -> str:
        return self.target.measured_text(self.measured) + (f" ({self.note})" if self.note else "")

    def cells(self) -> list[str]:
        """Returns the row of a table under HEADINGS."""
        target = self.target
        return [
            target.what,
            target.theirs,
            target.text(target.bar),
            target.text(target.aim),
            self.measured_text,
            "; ".join(self.account) if self.account else "once",
            self.verdict + (" (busy machine)" if self.busy else ""),
        ]

    def to_dict(self) -> dict[str, Any]:
        """Returns the row as JSON has it."""
        target = self.target
        return {
            "what": target.what,
            "unit": target.unit,
            "theirs": target.theirs,
            "bar": target.bar,
            "aim": target.aim,
            "measured": self.measured,
            "account": list(self.account),
            "busy": self.busy,
            "reached": self.reached,
            "verdict": self.verdict,
        }


def rows(figures: Mapping[str, Any]) -> Iterator[Row]:
    """Yields a row for each target whose benchmark is among the figures, in the order of the benchmarks."""
    for name, make in _ROWS.items():
        if name in figures:
            yield from make(figures[name])


def table(figures: Mapping[str, Any]) -> str:
    """Returns the rows as text for a terminal; empty: no benchmark has any."""
    lines = [row.cells() for row in rows(figures)]
    return "\n".join(aligned([list(HEADINGS), *lines])) + "\n" if lines else ""


def _row(run: Mapping[str, Any], measured: float, target: Target, note: str = "") -> Row:
    return Row(target, measured, tuple(run["account"]), run.get("busy", ""), note)


def _logs(run: Mapping[str, Any]) -> Iterator[Row]:
    lines = f"{run['lines']:,} lines"
    yield _row(run, run["taken_us"], Target("CPU per log line taken", "µs", 3, 1.5, "18.7 µs"))
    yield _row(run, run["sent_us"], Target("CPU per log line encoded and sent", "µs", 1.5, 1, "4.7 µs"))
    # The work of encoding lines as they come is in the first figure and not in the second.
    yield _row(run, run["both_us"], Target("both together", "µs", 4.5, 2.5, "23.4 µs"))
    yield _row(run, run["to_next_ms"], Target(f"runtimeDone after {lines} to /next", "ms", 10, 5, "41 ms"))
    yield _row(
        run, run["peak_mb"], Target(f"peak resident memory with {lines}", "MB", 12, 8, "45 MB", digits=1)
    )
    yield from _wire(run, f"{lines}", "32.8 kB")


def _wire(run: Mapping[str, Any], what: str, theirs: str) -> Iterator[Row]:
    note = f"{run['wire_kb']:.1f} kB of {run['content_kb']:,.0f} kB"
    target = Target(f"bytes on the wire of {what}, beside one zstd frame of level 3", "×", 1.05, None, theirs)
    yield _row(run, run["to_one_frame"], target, note)
    frames = Target("zstd frames of a request", "", 1, bound="equal", digits=0)
    yield _row(run, run["frames_of_a_request"], frames, f"{run['requests']:g} requests")


def _dogstatsd(run: Mapping[str, Any]) -> Iterator[Row]:
    pace = f"{run['rate']:,} a second"
    yield _row(run, run["datagram_us"], Target("CPU per datagram of 5 lines", "µs", 3, 2, "17.7 µs"), pace)
    yield _row(run, run["flush_cpu_ms"], Target("flush of these metrics, CPU", "ms", 2, None, "21 ms"))
    yield _row(run, run["to_next_ms"], Target("end of that invocation to /next", "ms", 4, None, "17 ms"))
    yield from _wire(run, "these metrics", "6.5 kB")


def _datagram_rate(run: Mapping[str, Any]) -> Iterator[Row]:
    target = Target("datagrams paced evenly, none lost", "a second", 100_000, 200_000, "", "least", 0)
    best = run["tried"][-1]
    note = f"{best['datagram_us']:.1f} µs each, the sender up to {best['latest_us'] / 1e3:.1f} ms late"
    yield _row(run, run["a_second"], target, note)


def _platform_only(run: Mapping[str, Any]) -> Iterator[Row]:
    what = "nothing but platform records"
    yield _row(run, run["to_next_ms"], Target(f"{what}: end to /next", "ms", 2.5, 2, "6.9 ms"))
    yield _row(run, run["cpu_ms"], Target(f"{what}: CPU of an invocation", "ms", 1.5, 1, "8.3 ms"))


def _connections(run: Mapping[str, Any]) -> Iterator[Row]:
    one, three = run["hosts_1"], run["hosts_3"]
    for hosts, each in ((1, one), (3, three)):
        what = f"flush of every kind to {hosts} host{'s' * (hosts > 1)}"
        resumed = f"{each['handshakes_resumed_per_flush']:g} handshakes resumed"
        target = Target(f"connections of a {what}", "", hosts, None, "3", "equal")
        yield _row(each | _busy(run), each["connections_per_flush"], target, resumed)
        full = Target(
            f"full handshakes of {each['runs']} such flushes after the first", "", 0, None, "", "equal", 0
        )
        yield _row(each | _busy(run), each["handshakes_full"], full)
    target = Target("three hosts beside one, 20 ms away: time to /next; in turn it were 3", "×", 1.5)
    both = {"account": one["account"] + three["account"], **_busy(run)}
    note = f"{three['far_ms']:.0f} ms and {one['far_ms']:.0f} ms"
    yield _row(both, three["far_ms"] / one["far_ms"], target, note)


def _busy(run: Mapping[str, Any]) -> dict[str, str]:
    return {"busy": run.get("busy", "")}


def _endurance(run: Mapping[str, Any]) -> Iterator[Row]:
    what = f"{run['invocations']:,} invocations of every kind, a freeze after each"
    note = f"{run['spans']:,} spans, {run['lines']:,} lines, {run['points']:,} points"
    yield _row(
        run, len(run["account"]), Target(f"{what}: faults of the account", "", 0, None, "", "equal", 0), note
    )
    target = Target("resident memory, growth over the second half of them", "KB", 256, digits=0)
    yield _row(run, run["resident_growth_kb"], target, f"{run['resident_mb']:.1f} MB at the end")


_ROWS = {
    "logs": _logs,
    "dogstatsd": _dogstatsd,
    "datagram_rate": _datagram_rate,
    "platform_only": _platform_only,
    "connections": _connections,
    "endurance_of_all": _endurance,
}
